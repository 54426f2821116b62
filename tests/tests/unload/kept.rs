//! What keeps a library in memory, and that it is told.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keyway_host::HostErrorKind;
use keyway_tests::{host_builder, plugin, rustc_cdylib, scene};
use lives_in_threads::Traces;

use crate::scene::{PATIENCE, assert_unloaded, host, loaded, stop};

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
