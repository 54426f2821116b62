//! A plugin that ends the process: it is refused the next time, and `keyway release` lets it in.

use expect_test::expect;
use keyway_host::inspect::hash_file;
use tempfile::TempDir;

use crate::libraries::{libraries, library};
use crate::run::{Run, keyway};

/// `keyway` with a state directory of the test's own.
fn with_state(state: &TempDir, arguments: &str) -> Run {
    keyway(arguments)
        .env("XDG_STATE_HOME", state.path())
        .name(libraries(), "[LIBS]")
}

fn call(state: &TempDir) -> Run {
    with_state(state, "call --host-version 1.0.0")
        .arg(library("misbehaves"))
        .arg("double")
        .arg(r#"{"number": 21}"#)
}

/// A state directory with `misbehaves` in quarantine.
fn quarantined() -> TempDir {
    let state = tempfile::tempdir().expect("a directory");
    let mut crash = call(&state).args(r#"--config=at="activate" --config=how="abort""#);
    let output = crash.output();
    assert_ne!(output.status.code(), Some(0), "it is to die");
    assert!(output.stdout.is_empty());
    state
}

#[test]
fn what_ended_a_run_is_refused_until_it_is_released() {
    let state = quarantined();
    call(&state).check(&expect![[r#"
        exit 8
        --- stderr
        error: plugin 'misbehaves' v0.1.0 ([LIBS]/misbehaves.so): quarantined: on [WHEN] a process died while it loaded this very build, in phase activate
        hint: mend it and build it anew, since another build is another plugin; to load this one again: keyway release [LIBS]/misbehaves.so
    "#]]);
    call(&state).arg("--json").check(&expect![[r#"
        exit 8
        --- stderr
        {"error":{"code":"quarantined","exit_code":8,"hint":"mend it and build it anew, since another build is another plugin; to load this one again: keyway release [LIBS]/misbehaves.so","message":"quarantined: on [WHEN] a process died while it loaded this very build, in phase activate","path":"[LIBS]/misbehaves.so","plugin":"'misbehaves' v0.1.0"},"schema_version":1}
    "#]]);
    with_state(&state, "release")
        .arg(library("misbehaves"))
        .check(&expect![[r#"
            exit 0
            --- stderr
                Released misbehaves v0.1.0 ([LIBS]/misbehaves.so)
        "#]]);
    call(&state).check(&expect![[r#"
        exit 0
        --- stdout
        {"calls":1,"double":42}
    "#]]);
    with_state(&state, "release")
        .arg(library("misbehaves"))
        .check(&expect![[r#"
            exit 0
            --- stderr
            warning: [LIBS]/misbehaves.so: not in quarantine
        "#]]);
}

#[test]
fn the_hash_releases_where_the_file_is_gone() {
    let state = quarantined();
    let hash = hash_file(library("misbehaves")).expect("it is there");
    with_state(&state, "release")
        .arg(hash.to_string())
        .check(&expect![[r#"
            exit 0
            --- stderr
                Released misbehaves v0.1.0 ([LIBS]/misbehaves.so)
        "#]]);
    let output = call(&state).output();
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn what_is_neither_a_file_nor_a_hash_is_told() {
    let state = tempfile::tempdir().expect("a directory");
    with_state(&state, "release missing.so").check(&expect![[r#"
        exit 5
        --- stderr
        error: missing.so: cannot hash the file: No such file or directory (os error 2)
    "#]]);
    with_state(&state, "release blake3:12").check(&expect![[r#"
        exit 2
        --- stderr
        error: bad content hash: expected blake3: and 64 hexadecimal digits, found "blake3:12"
    "#]]);
}

#[test]
fn a_state_directory_that_cannot_be_used_is_told_and_the_run_goes_on() {
    let state = tempfile::tempdir().expect("a directory");
    std::fs::write(state.path().join("keyway"), "no directory").expect("a file");
    call(&state)
        .env("RUST_LOG", "warn")
        .name(state.path(), "[STATE]")
        .check(&expect![[r#"
            exit 0
            --- stdout
            {"calls":1,"double":42}
            --- stderr
             WARN keyway_host::journal: the state directory cannot be used, so a plugin that ends the process will not be quarantined: File exists (os error 17) state_dir=[STATE]/keyway
        "#]]);
}
