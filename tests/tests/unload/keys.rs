//! Values of pthread keys, and what std keeps of threads with their help.

use std::path::{Path, PathBuf};

use keyway_tests::child;
use lives_in_threads::{Traces, TracesHandle};

use crate::scene::{
    AN_HOUR, Caller, assert_destroyed_at_the_next_call, assert_unloaded, host, loaded, stop,
    waiting_host, witnessed,
};

/// Has the thread give a key a value with a witness.
fn put_key_witness(caller: &Caller, traces: &TracesHandle, home: &Path, rounds: u32) -> PathBuf {
    let report = home.join("report");
    let (traces, path) = (traces.clone(), report.to_str().expect("UTF-8").to_owned());
    caller.does(move || traces.key_witness(&path, rounds).expect("it works"));
    report
}

#[test]
fn the_value_of_a_key_is_destroyed_by_its_own_thread_at_its_next_call() {
    assert_destroyed_at_the_next_call(|caller, traces, home| {
        put_key_witness(caller, traces, home, 0)
    });
}

#[test]
fn the_value_of_a_key_is_destroyed_by_its_own_thread_when_that_ends() {
    let host = waiting_host(AN_HOUR);
    let home = tempfile::tempdir().expect("a directory");
    let (caller, traces) = (Caller::new(), loaded(&host));
    let report = put_key_witness(&caller, &traces, home.path(), 0);
    caller.end();
    let (made, destroyed) = witnessed(&report);
    assert_eq!(made, destroyed);
    stop(&host);
    assert_unloaded(&host, 1);
}

#[test]
fn values_that_destructors_of_keys_set_are_destroyed_as_often_as_the_c_library_would() {
    let host = waiting_host(AN_HOUR);
    let home = tempfile::tempdir().expect("a directory");
    for (rounds, destroyed) in [(2, 3), (100, 4)] {
        let home = home.path().join(rounds.to_string());
        std::fs::create_dir(&home).expect("a directory");
        let (caller, traces) = (Caller::new(), loaded(&host));
        let report = put_key_witness(&caller, &traces, &home, rounds);
        caller.end();
        let report = std::fs::read_to_string(report).expect("it was destroyed");
        assert_eq!(report.lines().count(), destroyed, "{rounds} more rounds");
        stop(&host);
    }
    assert_unloaded(&host, 2);
}

#[test]
fn the_value_of_a_key_on_a_thread_that_stays_idle_is_lost_and_counted() {
    let host = host();
    let home = tempfile::tempdir().expect("a directory");
    let (caller, traces) = (Caller::new(), loaded(&host));
    let report = put_key_witness(&caller, &traces, home.path(), 0);
    stop(&host);
    let counts = assert_unloaded(&host, 1);
    assert_eq!(counts.destructors_leaked, 1, "{counts:?}");
    assert!(!report.exists(), "no other thread can reach it");
    caller.end();
    assert!(!report.exists(), "the end of the thread leads nowhere");
}

/// What was destroyed, and whether std still knew the thread then.
fn order_of(report: &Path) -> Vec<String> {
    let report = std::fs::read_to_string(report).expect("they were destroyed");
    report.lines().map(str::to_owned).collect()
}

#[test]
fn values_of_keys_go_after_all_thread_locals_to_which_std_still_knows_the_thread() {
    let host = waiting_host(AN_HOUR);
    let home = tempfile::tempdir().expect("a directory");
    let [own, ended, called] = ["own", "ended", "called"].map(|name| home.path().join(name));
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let traces = loaded(&host);
    let ender = Caller::new();
    let (paths, ending) = ([text(&own), text(&ended)], traces.clone());
    ender.does(move || {
        ending.order_on_own_thread(&paths[0]).expect("it works");
        ending.order(&paths[1]).expect("it works");
    });
    ender.end();
    let caller = Caller::new();
    let (path, calling) = (text(&called), traces.clone());
    caller.does(move || calling.order(&path).expect("it works"));
    stop(&host);
    caller.calls_until(&traces, || host.libraries().open == 0);
    assert_unloaded(&host, 1);
    for report in [own, ended, called] {
        let order = order_of(&report);
        assert_eq!(order[..2], ["thread-local known"; 2], "{order:?}");
        assert!(order[2].starts_with("key "), "{order:?}");
        assert_eq!(order.len(), 3);
    }
    caller.end();
}

#[test]
fn what_std_keeps_of_threads_goes_with_them() {
    // Memory is measured, so the process has to be one of its own.
    child::passes("keys::threads_come_and_go", &[]);
}

/// Bytes that are allocated in this process.
fn allocated() -> usize {
    #[expect(unsafe_code, reason = "only the C library knows")]
    // SAFETY: no arguments, no failure.
    let memory = unsafe { libc::mallinfo2() };
    memory.uordblks
}

#[test]
#[ignore = "the second half of what_std_keeps_of_threads_goes_with_them"]
fn threads_come_and_go() {
    const THREADS: usize = 1_000;
    // std's handle of a thread takes 48 bytes at least; this is for what else goes on.
    const NOISE: usize = THREADS * 16;
    let host = host();
    let traces = loaded(&host);
    let of_plugin = || assert_eq!(traces.thread().expect("it works"), 42);
    let of_host = || {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| traces.current_thread().expect("it works"));
            thread.join().expect("it ends in peace");
        });
    };
    for (whose, run) in [("plugin", &of_plugin as &dyn Fn()), ("host", &of_host)] {
        let come_and_go = || (0..THREADS).for_each(|_| run());
        // Until caches and lists have their size.
        come_and_go();
        let before = allocated();
        come_and_go();
        let grown = allocated().saturating_sub(before);
        assert!(
            grown < NOISE,
            "{THREADS} threads of the {whose}: {grown} bytes"
        );
    }
    stop(&host);
    assert_unloaded(&host, 1);
}
