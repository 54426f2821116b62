//! Thread-locals: whose thread destroys them, and what becomes of those of idle threads.

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use keyway_tests::{binary, plugin};
use lives_in_threads::{Traces, TracesHandle};

use crate::scene::{
    AN_HOUR, Caller, PATIENCE, assert_destroyed_at_the_next_call, assert_unloaded, host,
    leave_traces, loaded, stop, waiting_host, witnessed,
};

#[test]
fn thread_locals_of_threads_that_live_on_are_destroyed_before_the_library_goes() {
    let host = host();
    let traces = loaded(&host);
    let (done, wait) = channel();
    let (go, going) = channel::<()>();
    let thread = std::thread::spawn({
        let traces = traces.clone();
        move || {
            leave_traces(&traces);
            done.send(()).expect("the test waits");
            going.recv().expect("the test says so");
            // The end of this thread leads nowhere any more.
        }
    });
    wait.recv().expect("the thread has called");
    stop(&host);
    let counts = assert_unloaded(&host, 1);
    assert!(counts.destructors_run >= 1, "{counts:?}");
    assert!(counts.keys_deleted >= 1, "{counts:?}");
    go.send(()).expect("the thread waits");
    thread.join().expect("it ends in peace");
}

#[test]
fn thread_locals_of_a_thread_that_ends_first_are_destroyed_when_it_ends() {
    let host = host();
    let traces = loaded(&host);
    std::thread::scope(|scope| {
        scope
            .spawn(|| traces.thread_local().expect("it works"))
            .join()
            .expect("it ends");
    });
    // A scope may be left a moment before its thread has run all destructors.
    let thread = std::thread::spawn({
        let traces = traces.clone();
        move || traces.thread_local().expect("it works")
    });
    thread.join().expect("it ends");
    assert_eq!(traces.destroyed().expect("it works"), 2);
    stop(&host);
    assert_eq!(assert_unloaded(&host, 1).destructors_run, 0);
}

/// Puts a thread-local on the thread that writes into a file by whom it was destroyed.
fn put_witness(caller: &Caller, traces: &TracesHandle, home: &Path) -> PathBuf {
    let report = home.join("report");
    let (traces, path) = (traces.clone(), report.to_str().expect("UTF-8").to_owned());
    caller.does(move || traces.witness(&path).expect("it works"));
    report
}

#[test]
fn a_thread_that_calls_any_plugin_destroys_its_own_thread_locals_of_a_stopped_one() {
    assert_destroyed_at_the_next_call(put_witness);
}

#[test]
fn a_call_of_the_stopped_plugin_itself_is_as_good_as_any() {
    let host = waiting_host(AN_HOUR);
    let home = tempfile::tempdir().expect("a directory");
    let (caller, traces) = (Caller::new(), loaded(&host));
    let report = put_witness(&caller, &traces, home.path());
    stop(&host);
    caller.calls_until(&traces, || host.libraries().open == 0);
    let (made, destroyed) = witnessed(&report);
    assert_eq!(made, destroyed);
    caller.end();
}

#[test]
fn thread_locals_of_a_thread_that_stays_idle_are_destroyed_by_another() {
    let host = host();
    let home = tempfile::tempdir().expect("a directory");
    let (caller, traces) = (Caller::new(), loaded(&host));
    let report = put_witness(&caller, &traces, home.path());
    stop(&host);
    let counts = assert_unloaded(&host, 1);
    assert!(counts.destructors_run >= 1, "{counts:?}");
    let (made, destroyed) = witnessed(&report);
    assert_ne!(made, destroyed);
    caller.end();
}

#[test]
fn a_library_that_waits_for_an_idle_thread_holds_up_no_other() {
    let (waiting, other) = (waiting_host(AN_HOUR), host());
    let (caller, traces) = (Caller::new(), loaded(&waiting));
    caller.does(move || traces.thread_local().expect("it works"));
    stop(&waiting);
    leave_traces(&loaded(&other));
    stop(&other);
    assert_unloaded(&other, 1);
    assert_eq!(waiting.libraries().open, 1);
    caller.end();
    assert_unloaded(&waiting, 1);
}

#[test]
fn the_manifest_says_what_becomes_of_thread_locals_of_idle_threads() {
    let library = std::fs::read(plugin("lives-in-threads")).expect("a library");
    let home = tempfile::tempdir().expect("a directory");
    let after_stop = |policy: &str| {
        let file = home.path().join(policy);
        let manifest = serde_json::json!({ "thread_locals": policy });
        std::fs::write(&file, binary::with_reload(&library, manifest)).expect("a file");
        let host = host();
        host.block_on(host.load(&file)).expect("it loads");
        let traces: TracesHandle = host.capability("traces").expect("it is offered");
        let caller = Caller::new();
        caller.does(move || traces.thread_local().expect("it works"));
        stop(&host);
        (host.wait_for_unload(PATIENCE), caller)
    };
    let (leaked, caller) = after_stop("leak");
    assert_eq!(
        (leaked.unloaded, leaked.retained.len()),
        (1, 0),
        "{leaked:?}"
    );
    assert!(leaked.destructors_leaked >= 1, "{leaked:?}");
    caller.end();
    let (retained, caller) = after_stop("retain");
    assert_eq!((retained.unloaded, retained.retained.len()), (0, 1));
    let cause = retained.retained.into_values().next().expect("one");
    assert!(cause.contains("caller"), "{cause}");
    caller.end();
}
