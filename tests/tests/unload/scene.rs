//! Hosts with the plugin `lives-in-threads`, and a thread that calls it when it is told to.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use keyway_host::{Host, LibraryCounts};
use keyway_tests::{host_builder, plugin};
use lives_in_threads::{Traces, TracesHandle};

/// More than any of these tests needs, on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any of these tests runs.
pub(crate) const AN_HOUR: Duration = Duration::from_secs(3600);

/// A host that waits for no idle thread.
pub(crate) fn host() -> Host {
    waiting_host(Duration::ZERO)
}

/// A host that waits for idle threads for this long.
pub(crate) fn waiting_host(deadline: Duration) -> Host {
    let builder = host_builder().idle_thread_deadline(deadline);
    builder.build().expect("a host")
}

pub(crate) fn loaded(host: &Host) -> TracesHandle {
    host.block_on(host.load(plugin("lives-in-threads")))
        .expect("it loads");
    host.capability("traces").expect("it is offered")
}

pub(crate) fn stop(host: &Host) {
    host.block_on(host.stop("lives-in-threads"))
        .expect("it stops");
}

pub(crate) fn assert_unloaded(host: &Host, times: usize) -> LibraryCounts {
    let counts = host.wait_for_unload(PATIENCE);
    assert_eq!((counts.open, counts.unloaded), (0, times), "{counts:?}");
    assert!(
        counts.pinned.is_empty() && counts.retained.is_empty(),
        "{counts:?}"
    );
    counts
}

/// Everything that a call can leave behind.
pub(crate) fn leave_traces(traces: &TracesHandle) {
    traces.thread_local().expect("it works");
    traces.current_thread().expect("it works");
    traces.keys(1).expect("it works");
    assert_eq!(traces.thread().expect("it works"), 42);
    assert!(traces.caught_panic().expect("it works"));
}

/// A thread that calls when it is told to.
pub(crate) struct Caller {
    calls: Sender<Box<dyn FnOnce() + Send>>,
    done: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Caller {
    pub(crate) fn new() -> Self {
        let (calls, todo) = channel::<Box<dyn FnOnce() + Send>>();
        let (say, done) = channel();
        let thread = std::thread::Builder::new().name("caller".to_owned());
        let thread = thread.spawn(move || {
            for call in todo {
                call();
                say.send(()).expect("the test waits");
            }
        });
        Caller {
            calls,
            done,
            thread: thread.expect("a thread"),
        }
    }

    pub(crate) fn does(&self, call: impl FnOnce() + Send + 'static) {
        self.calls.send(Box::new(call)).expect("the thread waits");
        self.done.recv().expect("the thread is well");
    }

    /// Has the thread call again and again until this holds.
    pub(crate) fn calls_until(&self, traces: &TracesHandle, holds: impl Fn() -> bool) {
        let bound = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < bound, "it never came true");
            let traces = traces.clone();
            self.does(move || drop(traces.thread_local()));
        }
    }

    pub(crate) fn end(self) {
        drop(self.calls);
        self.thread.join().expect("it ends in peace");
    }
}

/// The thread that made the only witness, and the one that destroyed it.
pub(crate) fn witnessed(report: &Path) -> (u64, u64) {
    let report = std::fs::read_to_string(report).expect("it was destroyed");
    let threads = report.trim_end().split_once(' ').expect("one line");
    let [made, destroyed] = [threads.0, threads.1].map(|id| id.parse().expect("a number"));
    (made, destroyed)
}

/// What a thread leaves is destroyed by that very thread, when it calls any plugin the next time after
/// the plugin was stopped.
#[track_caller]
pub(crate) fn assert_destroyed_at_the_next_call(
    leave: impl FnOnce(&Caller, &TracesHandle, &Path) -> PathBuf,
) {
    let (first, second) = (waiting_host(AN_HOUR), host());
    let home = tempfile::tempdir().expect("a directory");
    let (caller, traces) = (Caller::new(), loaded(&first));
    let report = leave(&caller, &traces, home.path());
    stop(&first);
    assert_eq!(
        first.wait_for_unload(Duration::ZERO).open,
        1,
        "its thread has not called"
    );
    let other = loaded(&second);
    caller.calls_until(&other, || first.libraries().open == 0);
    assert_unloaded(&first, 1);
    let (made, destroyed) = witnessed(&report);
    assert_eq!(made, destroyed);
    caller.end();
    stop(&second);
    assert_unloaded(&second, 1);
}
