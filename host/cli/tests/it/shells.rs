//! Completions, as a real shell has them, and manual pages.

use std::process::Command;

use keyway_tests::many::Part;

use crate::site::Site;

/// What bash completes the words to, of which the last one is begun.
fn completed(site: &Site, words: &str) -> Vec<String> {
    let script = format!(
        "source <(keyway completions bash)\n\
         COMP_WORDS=({words})\n\
         [[ '{words}' == *' ' ]] && COMP_WORDS+=('')\n\
         COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))\n\
         _keyway_with_ids keyway \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let own = std::path::Path::new(env!("CARGO_BIN_EXE_keyway"));
    let own = own.parent().expect("it is in a directory");
    let path = std::env::var("PATH").unwrap_or_default();
    let run = site.keyway("").into_command();
    let mut bash = Command::new("bash");
    for (name, value) in run.get_envs() {
        if let Some(value) = value {
            bash.env(name, value);
        }
    }
    let output = bash
        .env("PATH", format!("{}:{path}", own.display()))
        .args(["--norc", "-c", &script])
        .output()
        .expect("bash is there");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_the_ids_of_plugins() {
    let site = Site::new();
    site.install("weather", &Part::new("weather"));
    site.install("water", &Part::new("water"));
    assert_eq!(completed(&site, "keyway unin"), ["uninstall"]);
    assert_eq!(completed(&site, "keyway disable wea"), ["weather"]);
    let ids = completed(&site, "keyway pin wa");
    assert_eq!(ids, ["water"]);
    assert!(completed(&site, "keyway disable --fo").contains(&"--force".to_owned()));
    assert!(!completed(&site, "keyway inspect wea").contains(&"weather".to_owned()));
}

#[test]
fn each_command_has_a_manual_page() {
    let site = Site::new();
    site.succeed("man pages");
    let page = |name: &str| std::fs::read_to_string(site.path("pages").join(name));
    let list = page("keyway-list.1").expect("a page");
    assert!(list.contains("Show the plugins that there are"), "{list}");
    assert!(page("keyway-config-set.1").is_ok());
    assert!(page("keyway-run-check.1").is_err(), "it is for nobody");
    let whole = page("keyway.1").expect("a page");
    let printed = site.keyway("man").output();
    assert_eq!(String::from_utf8_lossy(&printed.stdout), whole);
    assert!(whole.contains("Exit codes"), "{whole}");
}
