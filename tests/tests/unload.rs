//! A stopped plugin's library is closed and gone, whatever it has left on the threads that called
//! it; and where something still needs it, it stays.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::sync::mpsc::channel;
use std::time::Duration;

use keyway_host::{Host, LibraryCounts};
use keyway_tests::{host, plugin};
use lives_in_threads::{Traces, TracesHandle};

/// More than any of these tests needs, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn loaded(host: &Host) -> TracesHandle {
    host.block_on(host.load(plugin("lives-in-threads")))
        .expect("it loads");
    host.capability("traces").expect("it is offered")
}

fn stop(host: &Host) {
    host.block_on(host.stop("lives-in-threads"))
        .expect("it stops");
}

fn assert_unloaded(host: &Host, times: usize) -> LibraryCounts {
    let counts = host.wait_for_unload(PATIENCE);
    assert_eq!((counts.open, counts.unloaded), (0, times), "{counts:?}");
    assert!(
        counts.pinned.is_empty() && counts.retained == 0,
        "{counts:?}"
    );
    counts
}

fn is_mapped(name: &str) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("linux has it");
    maps.lines().any(|line| line.contains(name))
}

/// Everything that a call can leave behind.
fn leave_traces(traces: &TracesHandle) {
    traces.thread_local().expect("it works");
    traces.current_thread().expect("it works");
    traces.keys(1).expect("it works");
    assert_eq!(traces.thread().expect("it works"), 42);
    assert!(traces.caught_panic().expect("it works"));
}

#[test]
fn a_stopped_plugin_is_gone_from_memory_and_from_the_disk() {
    let host = host();
    let traces = loaded(&host);
    leave_traces(&traces);
    let staged = host
        .plugin("lives-in-threads")
        .expect("it is loaded")
        .staged
        .expect("a copy");
    let name = staged.to_str().expect("a path of this test").to_owned();
    assert!(is_mapped(&name));
    stop(&host);
    assert_unloaded(&host, 1);
    assert!(!is_mapped(&name), "no mapping is left");
    assert!(!staged.exists(), "the private copy is of no use any more");
    assert!(
        traces.thread_local().is_err(),
        "the handle is still valid and says that nothing serves"
    );
}

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

#[test]
fn a_thread_of_the_plugin_keeps_the_library_open_and_is_named() {
    let host = host();
    let traces = loaded(&host);
    traces.long_thread().expect("it starts");
    let names = || {
        host.plugin("lives-in-threads")
            .expect("it is loaded")
            .threads
    };
    while names() != ["long-runner"] {
        std::thread::yield_now();
    }
    let buffer = traces.buffer().expect("it works");
    traces.finish().expect("it works");
    stop(&host);
    drop(buffer);
    assert_unloaded(&host, 1);
}

#[test]
fn a_buffer_of_the_plugin_keeps_the_library_open() {
    let host = host();
    let traces = loaded(&host);
    let buffer = traces.buffer().expect("it works");
    stop(&host);
    assert_eq!(
        host.wait_for_unload(Duration::ZERO).open,
        1,
        "the buffer lies in the library"
    );
    assert_eq!(&buffer[..], b"in the library's read-only data");
    drop(buffer);
    assert_unloaded(&host, 1);
}

#[test]
fn generations_come_and_go_without_using_up_keys() {
    let host = host();
    // Four live threads call every generation; each generation takes more than a 1,024th of all
    // keys that a process has.
    let (generations, keys) = (40, 32);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let (give, take) = channel::<TracesHandle>();
                let (done, wait) = channel();
                scope.spawn(move || {
                    for traces in take {
                        leave_traces(&traces);
                        done.send(()).expect("the test waits");
                    }
                });
                (give, wait)
            })
            .collect();
        for generation in 1..=generations {
            let traces = loaded(&host);
            traces.keys(keys).expect("there are keys left");
            for (give, _) in &callers {
                give.send(traces.clone()).expect("the thread waits");
            }
            for (_, wait) in &callers {
                wait.recv().expect("the thread has called");
            }
            stop(&host);
            assert_unloaded(&host, generation);
        }
    });
}

#[test]
fn threads_that_end_while_the_library_goes_are_no_danger() {
    let host = host();
    for generation in 1..=20 {
        let traces = loaded(&host);
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let traces = traces.clone();
                // Whether it is called before or after the plugin stops is left to chance.
                std::thread::spawn(move || {
                    let _ = traces.thread_local();
                    let _ = traces.current_thread();
                })
            })
            .collect();
        stop(&host);
        for thread in threads {
            thread.join().expect("it ends in peace");
        }
        assert_unloaded(&host, generation);
    }
}
