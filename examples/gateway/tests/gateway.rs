//! The example says what the README shows.

use std::process::Command;

/// The transcript in the README, without the command.
fn shown() -> String {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(readme).expect("it is there");
    let (_, rest) = readme
        .split_once("```console\n$ cargo run -p gateway\n")
        .expect("the README shows the example");
    let (shown, _) = rest.split_once("```").expect("the block ends");
    masked(shown)
}

/// Without the one number that is another one each time.
fn masked(text: &str) -> String {
    let line = |line: &str| match line.split_once(" calls meanwhile") {
        Some((number, rest)) if number.parse::<u64>().is_ok_and(|calls| calls >= 2_000) => {
            format!("SOME calls meanwhile{rest}\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn it_goes_on_without_the_one_that_panics_and_loses_no_call_to_a_reload() {
    let gateway = Command::new(env!("CARGO_BIN_EXE_gateway"))
        .output()
        .expect("it can be started");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&gateway.stdout),
        String::from_utf8_lossy(&gateway.stderr),
    );
    assert!(gateway.status.success(), "{stdout}\n{stderr}");
    let said = masked(&stdout);
    assert!(said.contains("SOME calls meanwhile, 0 failed\n"), "{said}");
    assert_eq!(said, shown());
    let widest = said.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{said}");
}
