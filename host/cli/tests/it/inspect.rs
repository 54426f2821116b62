//! `keyway inspect`: facts and verdicts from files alone.

use expect_test::expect;

use crate::crates::{library_crate, write};
use crate::libraries::{libraries, library};
use crate::run::{Run, keyway};

fn inspect(fixture: &str) -> Run {
    keyway("inspect")
        .arg(library(fixture))
        .name(libraries(), "[LIBS]")
}

#[test]
fn a_plugin_is_shown_as_a_table() {
    inspect("text-filter").check(&expect![[r#"
        exit 0
        --- stdout
        text-filter 0.1.0
        Finds and replaces secrets and personal data in text

        file          [LIBS]/text-filter.so
        size          [SIZE]
        hash          [HASH]
        format [PLATFORM]
        needs [PLATFORM]
        target        [TRIPLE]
        compiler      [RUSTC]
        panic         unwind
        interface     1.0
        host version  0.1.0 or newer
        isolation     native
        authors       The Keyway authors
        license       MIT OR Apache-2.0
        capabilities  keyway.pipeline-stage  redact
                      keyway.tool            redact
        permissions   none
        config        custom_patterns: array of string = []
                        Further patterns, each as name=regular expression
                      replacement: string = "[{kind}]"
                        What stands in the place of a finding; {kind} is its kind
        loads in      keyway 0.1.0, interface 1.0
        signal        ok
    "#]]);
}

#[test]
#[cfg(target_os = "linux")]
fn an_id_that_is_not_that_of_its_package_is_told() {
    let home = tempfile::tempdir().expect("a directory");
    let bytes = std::fs::read(library("text-filter")).expect("it was built");
    let bytes = keyway_tests::binary::with_note(&bytes, |note| {
        note.manifest = note
            .manifest
            .replace("\"text-filter\"}}", "\"sms-filter\"}}");
    });
    let path = home.path().join("libtext_filter.so");
    std::fs::write(&path, bytes).expect("a file");
    let output = keyway("inspect").arg(&path).output();
    assert!(output.status.success());
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    let (_, warning) = shown.split_once("warning       ").expect("it warns");
    let warning: Vec<&str> = warning.split_whitespace().collect();
    assert!(
        warning.join(" ").starts_with(
            "the id `text-filter` is not that of its package: expected a package `text-filter` or one \
             that ends in `-text-filter`, found `sms-filter`; hint: "
        ),
        "{shown}"
    );
}

#[test]
fn a_plugin_is_shown_as_json() {
    let output = inspect("text-filter").arg("--json").output();
    assert!(output.status.success());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["schema_version"], 1);
    let library = &report["libraries"][0];
    assert_eq!(library["plugin"]["manifest"]["plugin"]["id"], "text-filter");
    assert_eq!(library["plugin"]["interface"]["major"], 1);
    assert_eq!(library["problem"], serde_json::Value::Null);
    assert_eq!(library["os"], std::env::consts::OS);
    let hash = library["hash"].as_str().expect("a text");
    assert_eq!(hash.len(), "blake3:".len() + 64);
    let names = library.as_object().expect("an object").keys();
    expect!["arch bits endian format hash needed nodelete os path plugin problem signal size soname unique_symbols warnings"].assert_eq(&names.cloned().collect::<Vec<_>>().join(" "));
}

#[test]
fn a_plugin_for_another_version_of_the_application_is_shown_as_refused() {
    inspect("misbehaves").check(&expect![[r#"
        exit 0
        --- stdout
        misbehaves 0.1.0
        Does wrong what its configuration says.
        ----------------------------------------------------------------------------------------------
        ----------------------------------------------------------------------------------------------

        file          [LIBS]/misbehaves.so
        size          [SIZE]
        hash          [HASH]
        format [PLATFORM]
        needs [PLATFORM]
        target        [TRIPLE]
        compiler      [RUSTC]
        panic         unwind
        interface     1.0
        host version  1.0.0 or newer
        isolation     native
        capabilities  keyway.tool    double
                      tests.trouble  trouble
        permissions   none
        refused       by keyway 0.1.0, interface 1.0: wants another version of keyway:
                      expected at least 1.0.0 (min_host_version), found 0.1.0
        hint          keyway stands in for the application; say which version of it with
                      --host-version
        signal        error
    "#]]);
    let output = inspect("misbehaves").arg("--host-version=1.0.0").output();
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(shown.contains("loads in      keyway 1.0.0"), "{shown}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_not_the_default_in_the_reload_table_is_shown() {
    let reload = serde_json::json!({
        "mode": "exclusive",
        "state": "require",
        "max_state_bytes": 1_000_000,
        "thread_locals": "leak",
    });
    let original = std::fs::read(library("misbehaves")).expect("a fixture");
    let dir = tempfile::tempdir().expect("a directory");
    let copy = keyway_tests::binary::with_reload(&original, reload);
    std::fs::write(dir.path().join("copy.so"), copy).expect("a copy");
    let output = keyway("inspect copy.so").dir(dir.path()).output();
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    let rows: Vec<&str> = shown
        .lines()
        .skip_while(|line| !line.starts_with("reload"))
        .take(3)
        .collect();
    assert_eq!(
        rows,
        [
            "reload        mode           exclusive",
            "              state up to    1000000 bytes",
            "              thread locals  leak",
        ]
    );
}

#[test]
fn a_library_that_is_no_plugin_is_shown_and_refused() {
    inspect("not-a-plugin").check(&expect![[r#"
        exit 3
        --- stdout
        not-a-plugin.so

        file          [LIBS]/not-a-plugin.so
        size          [SIZE]
        hash          [HASH]
        format [PLATFORM]
        needs [PLATFORM]
        --- stderr
        error: [LIBS]/not-a-plugin.so: not a Keyway plugin: expected a note in section .note.keyway, found none
        hint: if this is your plugin: call keyway::export_plugin! in its crate
    "#]]);
}

#[test]
fn a_text_file_is_refused_whatever_its_name() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "plugin.so", "just text\n");
    keyway("inspect plugin.so")
        .dir(dir.path())
        .check(&expect![[r#"
            exit 3
            --- stderr
            error: plugin.so: not a dynamic library: expected an ELF, Mach-O or PE library, found text that begins with "just text\n"
            hint: give the file that cargo build reports, not its source
        "#]]);
    keyway("inspect plugin.so --json")
        .dir(dir.path())
        .check(&expect![[r#"
            exit 3
            --- stderr
            {"error":{"code":"inspect","exit_code":3,"hint":"give the file that cargo build reports, not its source","message":"not a dynamic library: expected an ELF, Mach-O or PE library, found text that begins with \"just text\\n\"","path":"plugin.so"},"schema_version":1}
        "#]]);
}

#[test]
fn a_missing_file_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    keyway("inspect missing.so")
        .dir(dir.path())
        .check(&expect![[r#"
            exit 5
            --- stderr
            error: missing.so: cannot open the file: No such file or directory (os error 2)
        "#]]);
}

#[test]
fn each_library_of_a_directory_is_shown_beside_the_errors() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["b.so", "c.so"] {
        std::fs::copy(library("misbehaves"), dir.path().join(name)).expect("a copy");
    }
    write(dir.path(), "a.so", "just text\n");
    write(dir.path(), "d.txt", "not looked at\n");
    let output = keyway("inspect . --json").dir(dir.path()).output();
    assert_eq!(output.status.code(), Some(3));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let shown = report["libraries"].as_array().expect("a list").iter();
    let paths: Vec<_> = shown
        .filter_map(|library| library["path"].as_str())
        .collect();
    assert_eq!(paths, ["./b.so", "./c.so"]);
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    let error: serde_json::Value = serde_json::from_str(&errors).expect("one line of JSON");
    assert_eq!(error["error"]["path"], "./a.so");
}

#[test]
fn a_directory_with_nothing_in_it_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    keyway("inspect .").dir(dir.path()).check(&expect![[r#"
        exit 5
        --- stderr
        error: expected a crate or libraries, found a directory with neither a Cargo.toml nor a .so, .dylib or .dll file
    "#]]);
}

#[test]
fn a_crate_that_was_not_built_says_how_to_build_it() {
    let dir = library_crate("not-built", "cdylib", "");
    keyway("inspect .").dir(dir.path()).check(&expect![[r#"
        exit 5
        --- stderr
        error: no library of package `not-built` was built yet: expected one under target/debug or target/release
        hint: run `cargo build` there, or `keyway dev .`
    "#]]);
}
