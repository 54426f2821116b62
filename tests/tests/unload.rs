//! A stopped plugin's library is closed and gone, whatever it has left on the threads that called
//! it; and where something still needs it, it stays.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use keyway_host::{Host, HostErrorKind, LibraryCounts};
use keyway_tests::{child, host_builder, plugin, rustc_cdylib, scene};
use lives_in_threads::{Traces, TracesHandle};

/// More than any of these tests needs, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any of these tests runs.
const AN_HOUR: Duration = Duration::from_secs(3600);

/// A host that waits for no idle thread.
fn host() -> Host {
    waiting_host(Duration::ZERO)
}

/// A host that waits for idle threads for this long.
fn waiting_host(deadline: Duration) -> Host {
    let builder = host_builder().idle_thread_deadline(deadline);
    builder.build().expect("a host")
}

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
        counts.pinned.is_empty() && counts.retained.is_empty(),
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

/// A thread that calls when it is told to.
struct Caller {
    calls: Sender<Box<dyn FnOnce() + Send>>,
    done: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Caller {
    fn new() -> Self {
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

    fn does(&self, call: impl FnOnce() + Send + 'static) {
        self.calls.send(Box::new(call)).expect("the thread waits");
        self.done.recv().expect("the thread is well");
    }

    /// Has the thread call again and again until this holds.
    fn calls_until(&self, traces: &TracesHandle, holds: impl Fn() -> bool) {
        let bound = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < bound, "it never came true");
            let traces = traces.clone();
            self.does(move || drop(traces.thread_local()));
        }
    }

    fn end(self) {
        drop(self.calls);
        self.thread.join().expect("it ends in peace");
    }
}

/// Puts a thread-local on the thread that writes into a file by whom it was destroyed.
fn put_witness(caller: &Caller, traces: &TracesHandle, home: &Path) -> PathBuf {
    let report = home.join("report");
    let (traces, path) = (traces.clone(), report.to_str().expect("UTF-8").to_owned());
    caller.does(move || traces.witness(&path).expect("it works"));
    report
}

/// The thread that made the only witness, and the one that destroyed it.
fn witnessed(report: &Path) -> (u64, u64) {
    let report = std::fs::read_to_string(report).expect("it was destroyed");
    let threads = report.trim_end().split_once(' ').expect("one line");
    let [made, destroyed] = [threads.0, threads.1].map(|id| id.parse().expect("a number"));
    (made, destroyed)
}

#[test]
fn a_thread_that_calls_any_plugin_destroys_its_own_thread_locals_of_a_stopped_one() {
    let (first, second) = (waiting_host(AN_HOUR), host());
    let home = tempfile::tempdir().expect("a directory");
    let (caller, traces) = (Caller::new(), loaded(&first));
    let report = put_witness(&caller, &traces, home.path());
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

/// Has the thread give a key a value with a witness.
fn put_key_witness(caller: &Caller, traces: &TracesHandle, home: &Path, rounds: u32) -> PathBuf {
    let report = home.join("report");
    let (traces, path) = (traces.clone(), report.to_str().expect("UTF-8").to_owned());
    caller.does(move || traces.key_witness(&path, rounds).expect("it works"));
    report
}

#[test]
fn the_value_of_a_key_is_destroyed_by_its_own_thread_at_its_next_call() {
    let (first, second) = (waiting_host(AN_HOUR), host());
    let home = tempfile::tempdir().expect("a directory");
    let (caller, traces) = (Caller::new(), loaded(&first));
    let report = put_key_witness(&caller, &traces, home.path(), 0);
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
    child::passes("threads_come_and_go", &[]);
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
fn a_library_that_somebody_else_holds_is_pinned_until_he_lets_go() {
    let host = host_builder()
        .idle_thread_deadline(Duration::ZERO)
        .max_retained(1)
        .build()
        .expect("a host");
    let traces = loaded(&host);
    let status = host.plugin("lives-in-threads").expect("it is loaded");
    let staged = status.staged.expect("a copy");
    #[expect(unsafe_code, reason = "nothing else makes the loader hold a library")]
    // SAFETY: it is loaded already, so nothing of it runs, and nothing of it is used by way of this.
    let second = unsafe { libloading::Library::new(&staged) }.expect("it is loaded already");
    drop(traces);
    stop(&host);
    let counts = host.wait_for_unload(PATIENCE);
    assert_eq!((counts.open, counts.unloaded), (0, 0), "{counts:?}");
    let cause = counts.pinned.get(&staged).expect("it is pinned");
    assert!(cause.contains("dynamic loader holds it"), "{cause}");
    assert!(staged.exists(), "debuggers need it");

    let load = host.load(plugin("lives-in-threads"));
    let error = host.block_on(load).expect_err("one is all it may keep");
    scene::assert_says(
        &error,
        HostErrorKind::Retained,
        &[
            "1 stay in memory",
            "this host may keep 1",
            "dynamic loader holds it",
        ],
    );

    second.close().expect("it is let go");
    let counts = assert_unloaded(&host, 1);
    assert_eq!(counts, host.libraries());
    assert!(!staged.exists(), "the private copy is of no use any more");
    loaded(&host);
    stop(&host);
    assert_unloaded(&host, 2);
}

#[test]
fn the_cause_of_a_pin_is_told_from_the_file() {
    let home = tempfile::tempdir().expect("a directory");
    let library = home.path().join("libforbids.so");
    rustc_cdylib(
        "image-filter",
        &["-Clink-arg=-Wl,-z,nodelete", "-Cprefer-dynamic=no"],
        &library,
    );
    let host = host();
    host.block_on(host.load(&library)).expect("it loads");
    host.block_on(host.stop("image-filter")).expect("it stops");
    let counts = host.wait_for_unload(PATIENCE);
    let causes: Vec<_> = counts.pinned.values().collect();
    assert_eq!((counts.open, causes.len()), (0, 1), "{counts:?}");
    assert!(causes[0].contains("DF_1_NODELETE"), "{causes:?}");
}

/// Keeps the messages of warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Message(String);
        impl tracing::field::Visit for Message {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        if *event.metadata().level() == tracing::Level::WARN {
            self.0.lock().expect("nobody panics").push(message.0);
        }
    }
}

#[test]
fn a_sync_call_that_does_not_end_is_named_by_its_thread_and_keeps_the_library_open() {
    use tracing_subscriber::layer::SubscriberExt as _;

    // What the test waits for, and the time that loading gets.
    let host = host_builder()
        .idle_thread_deadline(Duration::ZERO)
        .lifecycle_deadline(Duration::from_secs(3))
        .build()
        .expect("a host");
    let home = tempfile::tempdir().expect("a directory");
    let [entered, leave] = ["entered", "leave"].map(|name| home.path().join(name));
    let files = [&entered, &leave].map(|path| path.to_str().expect("UTF-8").to_owned());
    let traces = loaded(&host);
    let thread = std::thread::Builder::new().name("stuck-caller".to_owned());
    let calling = traces.clone();
    let thread = thread.spawn(move || calling.block(&files[0], &files[1]));
    let thread = thread.expect("a thread");
    let bound = Instant::now() + PATIENCE;
    while !entered.exists() {
        assert!(Instant::now() < bound, "the call does not start");
        std::thread::yield_now();
    }
    let warnings = Warnings::default();
    let subscriber = tracing_subscriber::registry().with(warnings.clone());
    // For the whole process: it is a thread of the host's own that says it.
    tracing::subscriber::set_global_default(subscriber).expect("only this test sets it");
    stop(&host);
    let warnings = warnings.0.lock().expect("nobody panics").clone();
    let said = warnings
        .iter()
        .any(|text| text.ends_with("on: stuck-caller"));
    assert!(said, "{warnings:?}");
    assert_eq!(host.libraries().open, 1, "the call is inside");
    std::fs::write(&leave, "").expect("a file");
    let answer = thread.join().expect("it ends in peace");
    answer.expect("the call was not harmed");
    // What a call was inside of goes with the next change of any slot.
    loaded(&host);
    stop(&host);
    assert_unloaded(&host, 2);
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
