//! A test's second half in a process of its own, for what may end a process, or depends on its
//! environment.
//!
//! The child is a test too, which is ignored unless its parent asks for it by name.

use std::ffi::OsStr;
use std::process::{Child, Command, Output, Stdio};

/// Runs an ignored test of the calling test's own binary in a new process.
///
/// # Panics
///
/// When the process cannot be started.
pub fn run(test: &str, environment: &[(&str, &OsStr)]) -> Output {
    let child = start(test, environment);
    child
        .wait_with_output()
        .expect("the child can be waited for")
}

/// Starts an ignored test in a new process, for tests that do something while it runs.
///
/// # Panics
///
/// When the process cannot be started.
pub fn start(test: &str, environment: &[(&str, &OsStr)]) -> Child {
    let binary = std::env::current_exe().expect("a test knows its binary");
    Command::new(binary)
        .args(["--exact", test, "--ignored", "--nocapture"])
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tests' own binary starts")
}

/// Runs an ignored test in a new process.
///
/// # Panics
///
/// With what the child wrote, unless it ran the test and the test passed.
pub fn passes(test: &str, environment: &[(&str, &OsStr)]) {
    assert_passed(test, &run(test, environment));
}

/// The child ran the test, and the test passed.
///
/// # Panics
///
/// With what the child wrote, when that is not so.
pub fn assert_passed(test: &str, output: &Output) {
    let written = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && written.contains("1 passed"),
        "{test} ended with {}\n{written}\n{errors}",
        output.status
    );
}

/// A variable that the parent sets for its child.
///
/// # Panics
///
/// When the test was started by somebody else.
pub fn variable(name: &str) -> std::ffi::OsString {
    std::env::var_os(name).unwrap_or_else(|| panic!("only its parent sets {name}"))
}
