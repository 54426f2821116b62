//! The unsafe core under AddressSanitizer and valgrind.
//!
//! `exercise` runs as a plain test, with its results asserted, and then again inside the tools:
//! this binary starts itself, or its twin that was built with a sanitizer. The races of the tests of
//! `reload` run under valgrind, each in a process of its own. Where a tool is not installed the test
//! says so and passes. The exercise needs no files but its own and no clock but the host's, so it is
//! fit for Miri in static mode as far as Miri knows the system calls.
#![cfg(target_os = "linux")]

mod exercise;
mod nests;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use exercise::Plugins;
use keyway_tests::{cargo, plugin, workspace};

/// Libraries that were built before, as `name=path` separated by newlines.
const LIBRARIES: &str = "KEYWAY_TESTS_LIBRARIES";

#[test]
fn the_core_works_with_linked_plugins() {
    exercise::everything(&Plugins::Linked);
}

#[test]
fn the_core_works_with_libraries() {
    exercise::everything(&Plugins::Libraries(library));
}

fn library(name: &str) -> PathBuf {
    let Ok(built) = std::env::var(LIBRARIES) else {
        return plugin(name);
    };
    let found = built.lines().find_map(|line| {
        let (other, path) = line.split_once('=')?;
        (other == name).then(|| PathBuf::from(path))
    });
    found.unwrap_or_else(|| panic!("no {name} in {built}"))
}

#[test]
fn valgrind_finds_nothing_wrong() {
    if !starts("valgrind", &["--version"]) {
        return skip("valgrind is not installed");
    }
    let this = std::env::current_exe().expect("a path");
    let linked = valgrind(&this, "the_core_works_with_linked_plugins", "full");
    // The one leak on purpose; it shows that leaks are found at all.
    assert!(
        linked.contains("suppressed: 8 bytes in 1 blocks"),
        "{linked}"
    );
    // What the statics of a library own is lost with the library: that is no error of the core, and
    // without the library nobody could say whose it was.
    valgrind(&this, "the_core_works_with_libraries", "no");
}

/// How often each race reloads, since one reload takes about a second under valgrind.
const RELOADS: &str = "4";

#[test]
fn valgrind_finds_nothing_wrong_in_any_race() {
    if !starts("valgrind", &["--version"]) {
        return skip("valgrind is not installed");
    }
    let mut build = cargo(&["test", "-p", "keyway-tests", "--test", "reload", "--no-run"]);
    let binary = executable(&mut build, "reload");
    let list = Command::new(&binary)
        .args(["--list", "--format=terse"])
        .output();
    let list = String::from_utf8(list.expect("it starts").stdout).expect("it writes UTF-8");
    let tests = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let races: Vec<&str> = tests.filter(|test| test.starts_with("races::")).collect();
    assert!(!races.is_empty(), "there are no races in: {list}");
    for race in races {
        valgrind(&binary, race, "no");
    }
}

fn valgrind(binary: &Path, test: &str, leak_check: &str) -> String {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--error-exitcode=99", "--num-callers=40"])
        // Else a thread that never waits may keep all others from running.
        .arg("--fair-sched=try")
        // A report of what comes too late names the functions of a library that is gone.
        .arg("--keep-debuginfo=yes")
        .arg(format!("--leak-check={leak_check}"))
        // What is still reachable at the end belongs to statics: slot records and interned call
        // sites live as long as the process.
        .args([
            "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite",
        ])
        .arg(format!(
            "--suppressions={}",
            beside("valgrind.supp").display()
        ))
        .arg(binary)
        .env("KEYWAY_TESTS_RELOADS", RELOADS);
    let report = run_one(&mut valgrind, test);
    assert!(report.contains("ERROR SUMMARY: 0 errors"), "{report}");
    report
}

#[test]
fn address_sanitizer_finds_nothing_wrong() {
    if !cfg!(all(target_arch = "x86_64", target_env = "gnu")) {
        return skip("the test knows the sanitizer's target for x86-64 glibc only");
    }
    if !starts("cargo", &["+nightly", "--version"]) {
        return skip("there is no nightly toolchain, which the sanitizers need");
    }
    let mut twin = Command::new(sanitized_twin("x86_64-unknown-linux-gnu"));
    let suppressions = beside("lsan.supp");
    twin.env("ASAN_OPTIONS", "detect_stack_use_after_return=1")
        .env(
            "LSAN_OPTIONS",
            format!("suppressions={}", suppressions.display()),
        );
    let report = run_one(&mut twin, "the_core_works_with_linked_plugins");
    // The one leak on purpose; it shows that the sanitizer is at work.
    assert!(report.contains("Suppressions used:"), "{report}");
}

fn beside(name: &str) -> PathBuf {
    workspace().join("tests/tests/sanitizers").join(name)
}

/// Builds this test with the sanitizer, into a target directory of its own.
fn sanitized_twin(target: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("asan");
    // Through the proxy that chooses the toolchain; the cargo that runs the tests is the stable
    // one itself, and says so in the environment.
    let mut build = Command::new("cargo");
    build
        .args([
            "+nightly",
            "test",
            "-p",
            "keyway-tests",
            "--test",
            "sanitizers",
            "--no-run",
        ])
        .args(["--target", target])
        .current_dir(workspace())
        .env(
            "RUSTFLAGS",
            "-Zsanitizer=address --cfg keyway_no_thread_hooks",
        )
        .env("CARGO_TARGET_DIR", dir);
    for name in [
        "CARGO",
        "RUSTC",
        "RUSTDOC",
        "RUSTUP_TOOLCHAIN",
        "CARGO_ENCODED_RUSTFLAGS",
    ] {
        build.env_remove(name);
    }
    executable(&mut build, "sanitizers")
}

/// Runs a build of a test; answers its binary.
fn executable(build: &mut Command, test: &str) -> PathBuf {
    build.arg("--message-format=json-render-diagnostics");
    let output = build.output().expect("cargo can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{build:?} failed:\n{errors}");
    let messages = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let executable = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_test = message["target"]["name"] == test;
        is_test.then(|| message["executable"].as_str().map(PathBuf::from))?
    });
    executable.expect("cargo names the executable")
}

/// Runs one test of a test binary in a process of its own; answers what it wrote to stderr.
fn run_one(command: &mut Command, test: &str) -> String {
    let libraries = ["image-filter", "misbehaves"].map(|name| {
        let path = plugin(name);
        format!("{name}={}", path.display())
    });
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("RUST_BACKTRACE", "0")
        .env(LIBRARIES, libraries.join("\n"));
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it starts");
    let stdout = String::from_utf8_lossy(&stdout);
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    assert!(
        status.success() && stdout.contains("1 passed"),
        "{command:?} ended with {status}\n{stdout}\n{stderr}"
    );
    stderr
}

fn starts(program: &str, args: &[&str]) -> bool {
    let output = Command::new(program)
        .args(args)
        .env_remove("RUSTUP_TOOLCHAIN")
        .output();
    output.is_ok_and(|output| output.status.success())
}

#[expect(
    clippy::print_stderr,
    reason = "a skipped test is seen with --nocapture"
)]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}
