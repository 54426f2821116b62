//! How runs end from outside: Ctrl-C, a reader that goes away; and what `--help` says of it.

use std::process::Stdio;

use expect_test::expect;

use crate::libraries::library;
use crate::run::keyway;

#[test]
fn help_lists_the_exit_codes() {
    let output = keyway("--help").output();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    let codes = help.find("Exit codes:").map_or("", |start| &help[start..]);
    expect![[r#"
        Exit codes:
            0  done; dev and run, once they serve, are done at Ctrl-C
            1  the plugin or the tool failed; doctor has errors
            2  wrong usage, or arguments that do not fit the tool
            3  not a plugin, or not one that this host can load
            4  cargo could not build the crate
            5  no such file, crate, built library or tool
            6  a deadline passed
            7  keyway itself could not go on
            8  in quarantine, since a process died while it loaded this library
            9  what is installed, pinned or not agreed to stands against it
           10  doctor has warnings, and no errors
          130  ended by Ctrl-C or a signal
    "#]]
    .assert_eq(codes);
}

#[test]
fn no_command_at_all_is_wrong_usage() {
    let output = keyway("").output();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

#[test]
fn colours_are_used_where_they_are_asked_for() {
    for (options, colored) in [
        ("", false),
        ("--color always", true),
        ("--color never", false),
    ] {
        let output = keyway(options).arg("inspect").arg("missing.so").output();
        assert_eq!(output.stderr.contains(&0x1b), colored, "{options}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::io::Write;

    let mut child = keyway("call")
        .arg(library("text-filter"))
        .arg("redact")
        .arg("-")
        .into_command()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("keyway starts");
    // It waits for its arguments, so the reader is gone before there is an answer.
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(br#"{"text": ""}"#).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("keyway ends");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_plugin_that_blocks_and_leaves_nothing_behind() {
    use std::net::TcpListener;
    use std::process::Command;

    let temporary = tempfile::tempdir().expect("a directory");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let state = tempfile::tempdir().expect("a directory");
    let child = keyway("call --host-version 1.0.0 --config at=\"prepare\" --config how=\"block\"")
        .arg(format!("--config=port={port}"))
        .arg(library("misbehaves"))
        .arg("double")
        .env("TMPDIR", temporary.path())
        .env("XDG_STATE_HOME", state.path())
        .into_command()
        .stderr(Stdio::piped())
        .spawn()
        .expect("keyway starts");
    // The plugin is inside prepare from here on, until the connection is closed.
    let _held = listener.accept().expect("the plugin connects");
    let staged = std::fs::read_dir(temporary.path()).expect("the directory");
    assert_eq!(staged.count(), 1, "a private copy is there while it runs");
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill is there");
    assert!(interrupted.success());
    let output = child.wait_with_output().expect("keyway ends");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!((output.status.code(), &*stderr), (Some(130), ""));
    let left = std::fs::read_dir(temporary.path()).expect("the directory");
    assert_eq!(left.count(), 0, "the private copy is gone");
    let again = keyway("call --host-version 1.0.0")
        .arg(library("misbehaves"))
        .arg("double")
        .arg(r#"{"number": 21}"#)
        .env("XDG_STATE_HOME", state.path())
        .output();
    assert_eq!(again.status.code(), Some(0), "an end in order is no crash");
}
