//! `keyway test`: from a crate to a plugin that keeps the rules, up to the first stage that fails.

use expect_test::expect;
use keyway_tests::edited::{EditedPlugin, replace};

use crate::run::{Run, keyway};

/// A crate whose tool does this, with an integration test.
fn plugin(name: &str, body: &str, test: &str) -> EditedPlugin {
    let plugin = EditedPlugin::new(env!("CARGO_TARGET_TMPDIR"), name);
    plugin.edit("0.1.0", body);
    let test = format!("#[test]\nfn it_holds() {{\n    {test}\n}}\n");
    replace(&plugin.dir().join("tests/own.rs"), &test);
    plugin
}

fn test(plugin: &EditedPlugin) -> Run {
    keyway("test")
        .arg(plugin.dir())
        .env("CARGO_TARGET_DIR", plugin.target())
        .name(plugin.dir(), "[DIR]")
}

#[test]
fn a_good_crate_is_built_tested_and_validated() {
    let plugin = plugin("tested-and-good", r#"Ok(format!("Hello, {name}!"))"#, "");
    let output = test(&plugin)
        .args("--only inspects --only loads --only contract --only tool-input")
        .output();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    for told in ["Finished", "test it_holds ... ok", "Validating"] {
        assert!(errors.contains(told), "{told}: {errors}");
    }
    expect![[r#"
        tested-and-good 0.1.0

        warning  inspects
                 its manifest has no description
        success  loads               it speaks interface 1.0
        success  contract            all of 1 registration that it declares
        success  tool-input          71 inputs answered, 0 refused by the tool, 29 by
                                     the host

        4 checks: 1 with a warning, 3 in order (seed 1)
    "#]]
    .assert_eq(&String::from_utf8_lossy(&output.stdout));
    let output = test(&plugin).args("--json --only loads").output();
    let answer: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("nothing but JSON");
    #[cfg(target_os = "linux")]
    crate::schemas::check("test", &answer);
    assert_eq!(answer["schema_version"], 1);
    assert_eq!(answer["package"], "tested-and-good");
    assert_eq!(answer["library"]["checks"][0]["outcome"], "success");
}

#[test]
fn a_crate_that_does_not_build_ends_there() {
    let plugin = plugin("tested-and-broken", "name", "");
    let output = test(&plugin).output();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{errors}");
    assert!(output.stdout.is_empty());
    assert!(
        errors.contains("error[E0308]: mismatched types"),
        "cargo's own words: {errors}"
    );
    assert!(
        errors.ends_with("error: cargo could not build package `tested-and-broken`\n"),
        "{errors}"
    );
}

#[test]
fn a_test_that_fails_or_does_not_build_ends_it_before_the_plugin_runs() {
    let plugin = plugin("tested-and-failing", "Ok(name)", "assert_eq!(1, 2);");
    let output = test(&plugin).output();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(output.stdout.is_empty());
    assert!(errors.contains("test it_holds ... FAILED"), "{errors}");
    assert!(
        errors.contains("error: a test failed of package `tested-and-failing`\n"),
        "{errors}"
    );
    assert!(!errors.contains("Validating"), "{errors}");
    replace(
        &plugin.dir().join("tests/own.rs"),
        "compile_error!(\"on purpose\");\n",
    );
    let output = test(&plugin).output();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{errors}");
    assert!(
        errors
            .ends_with("error: cargo could not build the tests of package `tested-and-failing`\n"),
        "{errors}"
    );
}

#[test]
fn a_tool_that_panics_with_some_input_is_found_with_the_input() {
    let body = r#"assert!(name.len() < 100, "such a long name"); Ok(name)"#;
    let plugin = plugin("tested-and-panicking", body, "");
    let output = test(&plugin)
        .args("--only loads --only tool-input")
        .output();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let table = String::from_utf8_lossy(&output.stdout);
    let told: String = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("tool `greet` panicked: such a long name (at src/lib.rs:"),
        "{table}"
    );
    let reproduce = table
        .lines()
        .find_map(|line| line.trim().strip_prefix("reproduce: keyway "));
    let reproduce = reproduce.expect("it says how to do it again");
    // The line that is printed works as it is, and finds the same.
    let again = keyway(reproduce).output();
    assert_eq!(again.status.code(), Some(1));
    let again = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(again.contains("1 check: 1 failed"), "{again}");
    assert!(again.contains("such a long name"), "{again}");
}
