//! The soak in short: what holds over ten thousand reloads holds over a hundred.
//!
//! `host/examples/soak` has the long one. It runs in a process of its own, since it counts what its
//! process uses.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use keyway_tests::cargo;
use serde_json::Value;

/// Runs the soak; answers its report. That no promise was broken is its exit code.
fn soak(arguments: &[&str]) -> Value {
    let run = [
        "run",
        "--quiet",
        "-p",
        "keyway-host",
        "--example",
        "soak",
        "--",
    ];
    let output = cargo(&run).args(arguments).output();
    let output = output.expect("cargo can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} failed:\n{errors}");
    let report = String::from_utf8(output.stdout).expect("it writes UTF-8");
    let last = report.lines().last().expect("it writes one line");
    serde_json::from_str(last).expect("the line is JSON")
}

fn count(report: &Value, of: &str) -> u64 {
    let count = report[of].as_u64();
    count.unwrap_or_else(|| panic!("no count of {of} in {report}"))
}

#[test]
fn a_hundred_reloads_lose_no_call_and_leave_nothing_behind() {
    let report = soak(&["--reloads", "100", "--threads", "4"]);
    assert_eq!(count(&report, "reloads"), 100, "{report}");
    assert_eq!(count(&report, "failed_calls"), 0, "{report}");
    assert_eq!(count(&report, "leftover_mappings"), 0, "{report}");
    assert_eq!(count(&report, "unloads_verified"), 101, "{report}");
    assert!(count(&report, "calls") > 1_000, "{report}");
}

#[test]
fn in_exclusive_mode_nothing_that_was_counted_is_lost() {
    let report = soak(&["--reloads", "30", "--threads", "4", "--exclusive"]);
    assert_eq!(count(&report, "reloads"), 30, "{report}");
    assert_eq!(
        report["state"]["total"], report["state"]["added"],
        "{report}"
    );
}

#[test]
fn of_triggers_that_overtake_each_other_each_ends_in_one_outcome() {
    let report = soak(&["--reloads", "100", "--hammer", "--threads", "4"]);
    assert!(count(&report, "reloads") > 0, "{report}");
    assert_eq!(count(&report, "failed_calls"), 0, "{report}");
}

#[test]
fn broken_builds_are_refused_where_they_ought_to_be_and_hurt_nobody() {
    let report = soak(&["--broken", "18", "--threads", "4"]);
    assert_eq!(count(&report, "failed_calls"), 0, "{report}");
    assert_eq!(
        count(&report, "reloads"),
        1,
        "a good one comes last: {report}"
    );
    let refused = serde_json::json!({
        "activate": 2, "check": 6, "health": 2, "open": 4, "prepare": 2, "state": 2,
    });
    assert_eq!(report["refused"], refused, "{report}");
    assert_eq!(count(&report, "leftover_mappings"), 0, "{report}");
}
