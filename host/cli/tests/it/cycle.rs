//! `keyway dev` as long as it runs: edits, builds, reloads, and how it ends.

use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use expect_test::expect;
use keyway_tests::edited::EditedPlugin;

use crate::crates::{library_crate, write};
use crate::live::{Live, PATIENCE};
use crate::run::{Run, keyway};

fn hello(plugin: &EditedPlugin) {
    plugin.edit("0.1.0", r#"Ok(format!("Hello, {name}!"))"#);
}

fn plugin(name: &str) -> EditedPlugin {
    EditedPlugin::new(env!("CARGO_TARGET_TMPDIR"), name)
}

/// `keyway dev` of a plugin, with one call.
fn dev(plugin: &EditedPlugin, options: &str) -> Run {
    keyway("dev")
        .arg(plugin.dir())
        .args(options)
        .args(r#"--call greet {"name":"Ada"}"#)
        .env("CARGO_TARGET_DIR", plugin.target())
}

#[test]
fn an_edit_is_built_and_takes_over_and_one_that_fails_changes_nothing() {
    let plugin = plugin("edited-in-dev");
    hello(&plugin);
    let mut live = Live::start(dev(&plugin, ""));
    live.answers(r#""Hello, Ada!""#);
    live.tells("Watching the sources of edited-in-dev and 1 crate that it uses");
    assert!(live.has_stage());

    plugin.edit("0.1.1", r#"Ok(format!("Good day, {name}!"))"#);
    live.tells("Changed");
    live.tells("Serving generation 2, ");
    live.tells(": the answer has changed");
    live.answers(r#""Good day, Ada!""#);
    expect![[r#"
        INFO Plugin 'edited-in-dev' binary changed, reloading...
        INFO Deactivating 'edited-in-dev' v0.1.0
        INFO Loading 'edited-in-dev' v0.1.1
        INFO Activating 'edited-in-dev' v0.1.1
        INFO Plugin 'edited-in-dev' reloaded successfully"#]]
    .assert_eq(&live.told("'edited-in-dev'").join("\n"));

    plugin.edit("0.1.2", "name");
    live.tells("error[E0308]: mismatched types");
    live.tells("Keeping edited-in-dev v0.1.1: cargo could not build package `edited-in-dev`");

    // A call without an end keeps nobody from mending it.
    plugin.edit("0.1.2", "std::future::pending::<()>().await;\n    Ok(name)");
    live.tells("Serving generation 3, ");
    plugin.edit("0.1.3", r#"Ok(format!("Good day, {name}!"))"#);
    live.tells("Serving generation 4, ");
    live.tells("Gave up calls that were not answered yet");
    live.tells(": the same answer as before");
    live.answers(r#""Good day, Ada!""#);
    assert_eq!(live.interrupt(), Some(0));
}

#[test]
fn a_call_that_waits_does_not_hold_up_the_end() {
    let plugin = plugin("edited-to-wait");
    plugin.edit(
        "0.1.0",
        "eprintln!(\"the call has begun\");\n    std::future::pending::<()>().await;\n    Ok(name)",
    );
    let mut live = Live::start(dev(&plugin, ""));
    live.tells("the call has begun");
    assert_eq!(live.interrupt(), Some(0));
}

#[test]
fn a_library_that_somebody_else_builds_is_taken_over_and_a_bad_one_is_refused() {
    let plugin = plugin("edited-elsewhere");
    hello(&plugin);
    let library = plugin.build();
    let bob = r#"--no-build --call greet {"name":"Bob"} --call greet {"name":"Eve"}"#;
    let mut live = Live::start(dev(&plugin, bob));
    for name in ["Bob", "Eve", "Ada"] {
        live.answers(&format!(r#""Hello, {name}!""#));
    }
    live.tells("Watching ");

    plugin.edit("0.1.1", r#"Ok(format!("Good day, {name}!"))"#);
    assert_eq!(plugin.build(), library);
    live.tells("Serving generation 2, ");
    for name in ["Bob", "Eve", "Ada"] {
        live.answers(&format!(r#""Good day, {name}!""#));
    }

    let garbage = library.with_extension("garbage");
    std::fs::write(&garbage, "garbage").expect("a file");
    std::fs::rename(&garbage, &library).expect("it takes its place");
    let told = live.tells("error: ");
    assert!(told.contains("not a dynamic library"), "{told}");
    live.tells("Keeping edited-elsewhere v0.1.1: the new version was refused in phase check");

    plugin.edit("0.1.2", r#"panic!("nobody greets {name}")"#);
    plugin.build();
    live.tells("error: tool `greet` panicked: nobody greets Bob");
    // Which version that is depends on whether v0.1.1 has had the time to prove itself.
    live.tells("note: 3 panics within 5 s of a reload bring back the version before, v0.1.");
    live.tells("error: tool `greet` panicked: nobody greets Eve");
    // The host may go back before the answer of the third call is shown.
    live.tells("its probation of 5s allows 2");
    live.tells("Restored edited-elsewhere v0.1.");
    assert_eq!(live.interrupt(), Some(0));
}

#[test]
fn without_a_library_there_is_nothing_to_wait_for() {
    let dir = library_crate("never-built", "cdylib", "");
    keyway("dev . --no-build")
        .env("CARGO_TARGET_DIR", "target")
        .dir(dir.path())
        .check(&expect![[r#"
            exit 5
            --- stderr
            error: no library of package `never-built` was built yet: expected one under target/debug
            hint: run `cargo build` there first, or leave --no-build out
        "#]]);
}

#[test]
fn what_fails_at_the_start_can_be_mended_by_an_edit() {
    let dir = library_crate("is-not-done", "cdylib", "compile_error!(\"not yet\");\n");
    let mut live = Live::start(dev_in(dir.path(), ""));
    live.tells("error: not yet");
    live.tells("Waiting for an edit: cargo could not build package `is-not-done`");
    write(dir.path(), "src/lib.rs", "");
    live.tells("Changed src/lib.rs");
    live.tells("not a Keyway plugin");
    live.tells("Waiting for an edit: the plugin was not loaded");
    assert_eq!(live.interrupt(), Some(130), "it never served");
}

fn dev_in(dir: &Path, options: &str) -> Run {
    keyway("dev .")
        .args(options)
        .env("CARGO_TARGET_DIR", "target")
        .dir(dir)
}

#[test]
fn crates_that_it_uses_are_watched_also_those_that_come_later() {
    let dir = tempfile::tempdir().expect("a directory");
    let manifest = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n\n{rest}")
    };
    let own = |dependencies: &str| {
        let rest = format!(
            "[lib]\ncrate-type = [\"cdylib\"]\n\n[dependencies]\n{dependencies}\n[workspace]\n\
             members = [\"first\", \"second\"]\n"
        );
        write(dir.path(), "Cargo.toml", &manifest("uses-others", &rest));
    };
    for name in ["first", "second"] {
        let file = |file: &str| format!("{name}/{file}");
        write(dir.path(), &file("Cargo.toml"), &manifest(name, ""));
        write(dir.path(), &file("src/lib.rs"), "");
    }
    write(dir.path(), "src/lib.rs", "");
    own("first.path = \"first\"\n");
    let mut live = Live::start(dev_in(dir.path(), ""));
    live.tells("Waiting for an edit");
    write(dir.path(), "first/src/lib.rs", "pub fn edited() {}\n");
    live.tells("Changed first/src/lib.rs");
    live.tells("Waiting for an edit");
    own("first.path = \"first\"\nsecond.path = \"second\"\n");
    live.tells("Changed Cargo.toml");
    live.tells("Waiting for an edit");
    // A directory that is replaced is watched again.
    let sources = dir.path().join("second/src");
    std::fs::remove_dir_all(&sources).expect("it is there");
    for edit in ["replaced", "edited"] {
        let source = format!("compile_error!(\"{edit}\");\n");
        write(dir.path(), "second/src/lib.rs", &source);
        live.tells(&format!("error: {edit}"));
    }
    assert_eq!(live.interrupt(), Some(130));
}

/// A crate whose every build connects to the test, and goes on when the connection is closed.
fn slow_crate(name: &str) -> (tempfile::TempDir, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let dir = library_crate(name, "cdylib", "");
    let script = format!(
        "fn main() {{\n    println!(\"cargo::rerun-if-changed=never-there\");\n    \
         let mut test = std::net::TcpStream::connect(\"{address}\").unwrap();\n    \
         std::io::copy(&mut test, &mut std::io::sink()).unwrap();\n}}\n"
    );
    write(dir.path(), "build.rs", &script);
    (dir, listener)
}

/// Waits until the other side has closed its end, or was ended.
fn closed(mut connection: TcpStream) -> bool {
    let limited = connection.set_read_timeout(Some(PATIENCE));
    limited.expect("a limit");
    match connection.read(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn ctrl_c_in_a_build_ends_cargo_and_all_that_it_has_started() {
    for options in ["", "--once"] {
        let (dir, listener) = slow_crate("is-slow");
        let live = Live::start(dev_in(dir.path(), options));
        let (connection, _) = listener.accept().expect("the build script connects");
        assert_eq!(live.interrupt(), Some(130), "nothing was served yet");
        assert!(closed(connection), "the build script has ended");
    }
}

#[test]
fn a_change_during_a_build_is_built_after_it() {
    let (dir, listener) = slow_crate("is-edited-meanwhile");
    let mut live = Live::start(dev_in(dir.path(), ""));
    let (first, _) = listener.accept().expect("the build script connects");
    write(dir.path(), "src/lib.rs", "pub fn edited() {}\n");
    drop(first);
    live.tells("Changed src/lib.rs");
    let finished = live.told("Finished").len();
    assert_eq!(finished, 1, "the first build was not given up");
    let (second, _) = listener.accept().expect("the build script connects again");
    drop(second);
    live.tells("Waiting for an edit: the plugin was not loaded");
    assert_eq!(live.interrupt(), Some(130));
}
