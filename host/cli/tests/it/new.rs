//! `keyway new`: what it writes, what it refuses, and that what it prints can be followed.

use std::path::Path;

use expect_test::expect;
use keyway_tests::workspace;
use tempfile::TempDir;

use crate::crates::write;
use crate::run::{Run, keyway};

fn home() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

/// `keyway new` in a directory, with `keyway` from the registry.
fn new(home: &TempDir, arguments: &str) -> Run {
    keyway("new --keyway-version 1.0")
        .args(arguments)
        .dir(home.path())
        .name(Path::new(env!("CARGO_BIN_EXE_keyway")), "[KEYWAY]")
}

#[test]
fn the_files_are_told_and_then_what_to_run_and_a_dry_run_tells_the_same() {
    let home = home();
    let arguments = "acme-greeter --tokio --state exclusive";
    new(&home, &format!("{arguments} --dry-run")).check(&expect![[r#"
        exit 0
        --- stdout
        cd acme-greeter
        cargo test
        [KEYWAY] dev . --call greet '{"name":"Ada"}'
        --- stderr
            Creating acme-greeter: kind tool, runtime tokio, state exclusive
               Using keyway 1.0 from the registry
             Writing acme-greeter/Cargo.toml
             Writing acme-greeter/plugin.toml
             Writing acme-greeter/src/lib.rs
             Writing acme-greeter/src/greeter.rs
             Writing acme-greeter/src/tools.rs
             Writing acme-greeter/tests/integration.rs
             Writing acme-greeter/README.md
             Writing acme-greeter/.gitignore
        note: nothing was written, because of --dry-run
                Next run these, and edit src while the last one runs:
    "#]]);
    assert!(!home.path().join("acme-greeter").exists());
    new(&home, arguments).check(&expect![[r#"
        exit 0
        --- stdout
        cd acme-greeter
        cargo test
        [KEYWAY] dev . --call greet '{"name":"Ada"}'
        --- stderr
            Creating acme-greeter: kind tool, runtime tokio, state exclusive
               Using keyway 1.0 from the registry
             Writing acme-greeter/Cargo.toml
             Writing acme-greeter/plugin.toml
             Writing acme-greeter/src/lib.rs
             Writing acme-greeter/src/greeter.rs
             Writing acme-greeter/src/tools.rs
             Writing acme-greeter/tests/integration.rs
             Writing acme-greeter/README.md
             Writing acme-greeter/.gitignore
                Next run these, and edit src while the last one runs:
    "#]]);
    assert!(home.path().join("acme-greeter/src/tools.rs").is_file());
}

#[test]
fn a_program_gets_the_same_as_json() {
    let home = home();
    new(
        &home,
        "notes --kind memory-backend --path my/notes --json --quiet",
    )
    .check(&expect![[r#"
        exit 0
        --- stdout
        {"schema_version":1,"name":"notes","dir":"my/notes","kind":"memory-backend","runtime":"none","state":"none","keyway":{"source":"registry","version":"1.0"},"files":["Cargo.toml","plugin.toml","src/lib.rs","src/memory.rs","tests/integration.rs","README.md",".gitignore"],"written":true,"next":["cd my/notes","cargo test","[KEYWAY] dev ."]}
    "#]]);
    new(&home, "Notes --json").check(&expect![[r#"
        exit 2
        --- stderr
        {"error":{"code":"name","exit_code":2,"hint":"did you mean `notes`?","message":"`Notes` cannot be the name of a plugin: it contains 'N'; expected 1 to 64 of a-z, 0-9 and `-`, starting with a letter"},"schema_version":1}
    "#]]);
}

#[test]
fn a_name_that_cannot_be_one_is_refused_with_the_rule() {
    let home = home();
    for (name, expected) in [
        (
            "AcmeGreeter",
            expect![[r#"
            exit 2
            --- stderr
            error: `AcmeGreeter` cannot be the name of a plugin: it contains 'A'; expected 1 to 64 of a-z, 0-9 and `-`, starting with a letter
            hint: did you mean `acme-greeter`?
        "#]],
        ),
        (
            "7zip",
            expect![[r#"
            exit 2
            --- stderr
            error: `7zip` cannot be the name of a plugin: it does not start with a letter; expected 1 to 64 of a-z, 0-9 and `-`, starting with a letter
        "#]],
        ),
        (
            "match",
            expect![[r#"
            exit 2
            --- stderr
            error: `match` cannot be the name of a crate: it is a keyword of Rust
            hint: such as `match-plugin`
        "#]],
        ),
        (
            "tracing",
            expect![[r#"
            exit 2
            --- stderr
            error: `tracing` cannot be the name of a plugin: a crate of this name is there already
            hint: such as `tracing-plugin`
        "#]],
        ),
    ] {
        new(&home, name).check(&expected);
        assert!(!home.path().join(name).exists());
    }
}

#[test]
fn a_place_where_something_is_stays_as_it_is() {
    let home = home();
    write(home.path(), "taken/file", "");
    new(&home, "taken").check(&expect![[r#"
        exit 2
        --- stderr
        error: taken: expected a new or an empty directory, found one with files in it
        hint: choose another name, or another directory with --path
    "#]]);
    new(&home, "other --path taken/file").check(&expect![[r#"
        exit 2
        --- stderr
        error: taken/file: expected a new or an empty directory, found a file
        hint: choose another name, or another directory with --path
    "#]]);
    assert_eq!(
        std::fs::read_dir(home.path().join("taken"))
            .expect("it is there")
            .count(),
        1
    );
    std::fs::create_dir(home.path().join("empty")).expect("a directory");
    assert!(new(&home, "empty").output().status.success());
}

#[test]
fn a_description_that_does_not_fit_and_a_checkout_that_is_none_are_refused() {
    let home = home();
    new(&home, "greeter --description")
        .arg("Says \"hi\"")
        .check(&expect![[r#"
            exit 2
            --- stderr
            error: the description cannot be used: expected one line with some text, and without `"` and `\`
            hint: it goes into texts of TOML and into comments; edit Cargo.toml and plugin.toml afterwards
        "#]]);
    new(&home, "greeter --description")
        .arg("Greets \u{202e}guests")
        .check(&expect![[r#"
            exit 2
            --- stderr
            error: plugin.toml:5:15: `plugin.description` contains a control character; found U+202E
        "#]]);
    keyway("new greeter --keyway-path .")
        .dir(home.path())
        .check(&expect![[r#"
            exit 5
            --- stderr
            error: expected a checkout of Keyway, found no interface/Cargo.toml in it
        "#]]);
    keyway("new greeter --keyway-version newest")
        .dir(home.path())
        .check(&expect![[r#"
            exit 2
            --- stderr
            error: the crate keyway cannot be taken from there: expected a version such as 1.0, found `newest`
        "#]]);
    assert!(!home.path().join("greeter").exists());
}

#[test]
fn a_workspace_around_it_is_told() {
    let home = home();
    write(home.path(), "Cargo.toml", "[workspace]\nmembers = []\n");
    let output = new(&home, "greeter --dry-run").output();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let manifest = home.path().join("Cargo.toml");
    let note = format!(
        "it is a workspace of its own inside of {}",
        manifest.display()
    );
    assert!(told.contains(&note), "{told}");
}

/// Nothing is followed but what is printed; what stands around it only saves the network and the time to build
/// dependencies that are there already.
#[cfg(unix)]
#[test]
fn from_nothing_to_a_changed_and_reloaded_tool_in_four_commands() {
    use keyway_tests::edited::replace;

    use crate::live::Live;
    use crate::run::shell;

    let home = home();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = target.parent().expect("it is in the target directory");
    let shell = |lines: &str| {
        shell(lines)
            .dir(home.path())
            .env("CARGO_TARGET_DIR", target)
    };
    let saves_time = "[net]\noffline = true\n\n[profile.dev.package.\"*\"]\nopt-level = 0\n\
                      debug = \"line-tables-only\"\n";
    write(home.path(), ".cargo/config.toml", saves_time);

    let output = shell("keyway new printed-greeter").output();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let source = format!(
        "keyway from {}, the checkout that this command was built in",
        workspace().canonicalize().expect("it is there").display()
    );
    assert!(told.contains(&source), "{told}");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let [go, test, dev]: [&str; 3] = printed
        .lines()
        .collect::<Vec<_>>()
        .try_into()
        .expect("three commands");
    let lock = std::fs::read_to_string(workspace().join("Cargo.lock")).expect("it is there");
    write(home.path(), "printed-greeter/Cargo.lock", &lock);

    let output = shell(&format!("{go}\n{test}")).output();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    assert!(!errors.contains("warning"), "{errors}");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(told.matches("1 passed").count(), 2, "{told}");

    // The shell makes way for it, so that Ctrl-C reaches it.
    let mut live = Live::start(shell(&format!("{go}\nexec {dev}")));
    live.answers(r#""Hello, Ada!""#);
    live.tells("Watching the sources of printed-greeter");
    let greeter = home.path().join("printed-greeter/src/greeter.rs");
    let source = std::fs::read_to_string(&greeter).expect("it is there");
    replace(
        &greeter,
        &source.replacen("{greeting}, ", "{greeting} again, ", 1),
    );
    live.tells("Serving generation 2, ");
    live.answers(r#""Hello again, Ada!""#);
    assert_eq!(live.interrupt(), Some(0));

    // It also keeps the rules; its own test said what the edit has changed.
    replace(&greeter, &source);
    let output = shell(&format!("{go}\nkeyway test .")).output();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}{errors}");
    for worse in ["warning", "failed", "crashed"] {
        assert!(!told.contains(worse), "{told}");
    }
}
