//! `keyway dev`: building with cargo, loading what was built.

use expect_test::expect;
use keyway_tests::workspace;

use crate::crates::{library_crate, write};
use crate::libraries::libraries;
use crate::run::{Run, keyway};

/// `keyway dev` in the directory of a crate, with its own target directory.
fn dev_in(dir: &std::path::Path, arguments: &str) -> Run {
    keyway(arguments)
        .env("CARGO_TARGET_DIR", "target")
        .dir(dir)
        .name(&dir.canonicalize().expect("it is there"), "[DIR]")
}

#[test]
fn a_plugin_is_built_loaded_and_called_and_found_by_its_crate_afterwards() {
    // The build replaces the libraries that are copied here.
    libraries();
    let output = keyway("dev examples/text-filter --once")
        .dir(workspace())
        .arg("--call")
        .arg("redact")
        .arg(r#"{"text":"mail bob@example.com key AKIAIOSFODNN7EXAMPLE"}"#)
        .arg("--call")
        .arg("redact")
        .arg(r#"{"text":"nothing"}"#)
        .output();
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success(), "{stderr}");
    expect![[r#"
        {"findings":[{"end":20,"kind":"email","start":5},{"end":45,"kind":"aws-key","start":25}],"text":"mail [email] key [aws-key]"}
        {"findings":[],"text":"nothing"}
    "#]].assert_eq(&String::from_utf8(output.stdout).expect("UTF-8"));
    let told: Vec<&str> = stderr
        .lines()
        .skip_while(|line| !line.contains("Loaded"))
        .map(|line| line.split(" (").next().unwrap_or_default())
        .map(|line| line.split(" in ").next().unwrap_or_default().trim())
        .collect();
    expect![[r#"
              Loaded text-filter v0.1.0
              Offers keyway.pipeline-stage/1 redact
              Offers keyway.tool/1 redact: Replaces secrets and personal data
              Called redact
              Called redact"#]]
    .assert_eq(&told.join("\n"));

    keyway("call examples/text-filter redact")
        .dir(workspace())
        .arg(r#"{"text":"bob@example.com"}"#)
        .check(&expect![[r#"
            exit 0
            --- stdout
            {"findings":[{"end":15,"kind":"email","start":0}],"text":"[email]"}
        "#]]);
}

#[test]
fn a_build_failure_is_cargos_own_and_then_one_line() {
    let dir = library_crate(
        "fails-to-compile",
        "cdylib",
        "compile_error!(\"on purpose\");\n",
    );
    dev_in(dir.path(), "dev . --once").check(&expect![[r#"
        exit 4
        --- stderr
        error: on purpose
         --> src/lib.rs:[LINE]
          |
        1 | compile_error!("on purpose");
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^

        error: could not compile `fails-to-compile` (lib) due to 1 previous error
        error: cargo could not build package `fails-to-compile`
    "#]]);
}

#[test]
fn a_crate_that_is_no_plugin_is_built_and_refused() {
    let dir = library_crate("is-no-plugin", "cdylib", "");
    dev_in(dir.path(), "dev . --once").check(&expect![[r#"
        exit 3
        --- stderr
        error: target/debug/libis_no_plugin.so: not a Keyway plugin: expected a note in section .note.keyway, found none
        hint: if this is your plugin: call keyway::export_plugin! in its crate
    "#]]);
    // The library is there now, so that the crate can be inspected.
    let output = dev_in(dir.path(), "inspect .").output();
    assert_eq!(output.status.code(), Some(3));
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(shown.contains("is_no_plugin"), "{shown}");
}

#[test]
fn a_crate_without_a_dynamic_library_is_refused_before_it_is_built() {
    let dir = library_crate("is-an-rlib", "rlib", "does not compile");
    dev_in(dir.path(), "dev .").check(&expect![[r#"
        exit 3
        --- stderr
        error: package `is-an-rlib` makes no dynamic library: expected "cdylib" in its crate-type, found ["rlib"]
        hint: set crate-type = ["cdylib", "rlib"] under [lib] in Cargo.toml
    "#]]);
}

#[test]
fn a_workspace_names_its_plugins() {
    let dir = tempfile::tempdir().expect("a directory");
    write(
        dir.path(),
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"one\"]\n",
    );
    write(
        dir.path(),
        "one/Cargo.toml",
        "[package]\nname = \"one\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n",
    );
    write(dir.path(), "one/src/lib.rs", "");
    dev_in(dir.path(), "dev .").check(&expect![[r#"
        exit 3
        --- stderr
        error: expected a plugin's crate, found a workspace without a package of its own
        hint: give the directory of one of its plugins: one
    "#]]);
}

#[test]
fn a_directory_without_a_crate_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    dev_in(dir.path(), "dev .").check(&expect![[r#"
        exit 5
        --- stderr
        error: expected the directory of a plugin's crate, found a directory without a Cargo.toml
    "#]]);
    dev_in(dir.path(), "dev missing").check(&expect![[r#"
        exit 5
        --- stderr
        error: missing: expected the directory of a plugin's crate, found nothing that can be read: No such file or directory (os error 2)
    "#]]);
}

#[test]
fn a_manifest_that_does_not_read_is_told_in_cargos_words() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "Cargo.toml", "[package]\nname = 1\n");
    let output = dev_in(dir.path(), "dev .").output();
    assert_eq!(output.status.code(), Some(4));
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(
        stderr.starts_with("error: ./Cargo.toml: cargo cannot read the crate: "),
        "{stderr}"
    );
}

#[test]
fn calls_are_checked_before_anything_is_built() {
    let dir = library_crate("never-built", "cdylib", "does not compile");
    dev_in(dir.path(), "dev . --call redact {").check(&expect![[r#"
        exit 2
        --- stderr
        error: the arguments of tool `redact` are not JSON: EOF while parsing an object at line 1 column 1, found `{`
        hint: put the whole in single quotes: '{"key": "value"}'
    "#]]);
    dev_in(dir.path(), "dev . --call redact").check(&expect![[r#"
        exit 2
        --- stderr
        error: 2 values required for '--call <TOOL> <JSON>' but 1 was provided

        Usage: keyway dev [OPTIONS] <DIR>

        For more information, try '--help'.
    "#]]);
}

#[test]
fn a_cargo_that_is_not_there_is_named() {
    let dir = library_crate("never-built", "cdylib", "");
    dev_in(dir.path(), "dev .")
        .env("CARGO", "/nowhere/cargo")
        .check(&expect![[r#"
            exit 4
            --- stderr
            error: cannot start cargo: No such file or directory (os error 2)
            hint: install Rust from https://rustup.rs, or set CARGO to the cargo to use
        "#]]);
}
