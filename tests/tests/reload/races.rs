//! Reloads against everything that may happen at the same time.
//!
//! The tests of sanitizers run each of these once more, under valgrind.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use keeps_state::Counter;
use keyway_host::{Host, HostBuilder, ReloadOptions, ReloadPhase, ReloadReport};
use keyway_tests::poll::poll_once;
use keyway_tests::scene::object;
use keyway_tests::{host_builder, plugin};
use lives_in_threads::{Traces, TracesHandle};
use serde_json::json;

use super::scene::{NAME, PATIENCE, Scene, assert_committed, assert_refused, without_probation};

/// How often a race reloads: enough to meet what happens at the same time, and few enough for a debug
/// build. The environment may say that it is to be less, where everything is slow.
fn reloads() -> usize {
    let Ok(told) = std::env::var("KEYWAY_TESTS_RELOADS") else {
        return 40;
    };
    told.parse().expect("KEYWAY_TESTS_RELOADS is a number")
}

/// Under valgrind and with other tests beside it, a step may take its time.
fn patient(builder: HostBuilder) -> HostBuilder {
    builder.lifecycle_deadline(PATIENCE)
}

fn with_traces() -> (Host, TracesHandle) {
    let host = patient(without_probation()).build().expect("a host");
    host.block_on(host.load(plugin("lives-in-threads")))
        .expect("it loads");
    let traces = host.capability("traces").expect("it is offered");
    (host, traces)
}

fn force(host: &Host, name: &str) {
    let reload = host.reload_with(name, ReloadOptions::new().force());
    assert_committed(&host.block_on(reload).expect("it is loaded"));
}

/// Answers the report of a reload that failed, for the test to see when its threads have ended.
fn reload_often(host: &Host, name: &str, after_each: impl Fn()) -> Option<Arc<ReloadReport>> {
    let mut failed = None;
    for _ in 0..reloads() {
        let reload = host.reload_with(name, ReloadOptions::new().force());
        let report = host.block_on(reload).expect("it is loaded");
        if !report.outcome.is_committed() {
            failed = Some(report);
        }
        after_each();
    }
    failed
}

/// Does something over and over on other threads until the plugin was reloaded often enough.
fn while_reloading(host: &Host, name: &str, work: impl Fn() + Sync) -> usize {
    let (over, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let failed = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    work();
                    done.fetch_add(1, Ordering::Relaxed);
                    // Valgrind runs one thread at a time; the reload has to have its turns.
                    std::thread::yield_now();
                }
            });
        }
        let failed = reload_often(host, name, || ());
        // Before anything is asserted, or the threads would go on for ever.
        over.store(true, Ordering::Relaxed);
        failed
    });
    assert!(failed.is_none(), "{failed:#?}");
    done.into_inner()
}

fn assert_all_gone(host: &Host) {
    let errors = host.block_on(host.shutdown());
    assert!(errors.is_empty(), "{errors:?}");
    let counts = host.wait_for_unload(PATIENCE);
    assert_eq!(counts.open, 0, "{counts:?}");
    assert_eq!(counts.unloaded, reloads() + 1, "{counts:?}");
    assert!(
        counts.pinned.is_empty() && counts.retained.is_empty(),
        "{counts:?}"
    );
}

#[test]
fn threads_that_call_and_end() {
    let (host, traces) = with_traces();
    let calls = while_reloading(&host, "lives-in-threads", || {
        let traces = traces.clone();
        let thread = std::thread::spawn(move || {
            traces.thread_local().expect("no call fails");
            traces.current_thread().expect("no call fails");
        });
        thread.join().expect("it ends in peace");
    });
    assert!(calls > 0);
    assert_all_gone(&host);
}

#[test]
fn threads_that_leave_all_kinds_of_traces_and_live_on() {
    let (host, traces) = with_traces();
    let calls = while_reloading(&host, "lives-in-threads", || {
        traces.thread_local().expect("no call fails");
        traces.current_thread().expect("no call fails");
        assert_eq!(traces.thread().expect("no call fails"), 42);
        assert!(traces.caught_panic().expect("no call fails"));
    });
    assert!(calls > 0);
    assert_all_gone(&host);
}

#[test]
fn the_last_lease_is_dropped_on_any_thread() {
    let (host, traces) = with_traces();
    let calls = while_reloading(&host, "lives-in-threads", || {
        let buffer = traces.buffer().expect("no call fails");
        let other = std::thread::spawn(move || drop(buffer));
        other.join().expect("it ends in peace");
    });
    assert!(calls > 0);
    assert_all_gone(&host);
}

static HOST: OnceLock<Host> = OnceLock::new();

extern "C" fn reload_own_plugin() {
    let host = HOST.get().expect("the test has set it");
    force(host, NAME);
}

extern "C" fn reload_other_plugin() {
    let host = HOST.get().expect("the test has set it");
    force(host, "lives-in-threads");
}

#[test]
fn a_plugin_is_reloaded_from_inside_of_a_call_into_it_or_into_another() {
    let scene = Scene::new(patient(without_probation()), "v1", json!({}));
    let load = scene.host.load(plugin("lives-in-threads"));
    scene.host.block_on(load).expect("it loads");
    HOST.set(scene.host.clone())
        .expect("only this test sets it");
    let counter = scene.counter();
    let other = reload_other_plugin as extern "C" fn() as usize;
    assert_eq!(counter.call_back(other).expect("it works"), "0.1.0");
    scene.put("v2");
    let own = reload_own_plugin as extern "C" fn() as usize;
    let answered = counter.call_back(own).expect("it works");
    assert_eq!(answered, "0.1.0", "the call ends where it has started");
    assert_eq!(counter.version().expect("it serves"), "0.1.1");
    let status = |name: &str| scene.host.plugin(name).expect("it is loaded");
    assert_eq!(status("lives-in-threads").generation, 2);
    assert_eq!(status(NAME).generation, 2);
}

#[test]
fn a_file_that_changes_again_while_it_is_tried_is_given_up_for_the_newer_one() {
    let host = patient(without_probation()).build().expect("a host");
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("plugin.so");
    let library = std::fs::read(plugin("misbehaves")).expect("a library");
    let put = |trailer: &[u8]| {
        let new = file.with_extension("new");
        std::fs::write(&new, [&library[..], trailer].concat()).expect("a file");
        std::fs::rename(new, &file).expect("it takes its place");
    };
    put(b"");
    host.block_on(host.load(&file)).expect("it loads");
    // Its prepare keeps its thread until the test lets it go on.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let config = object(json!({ "at": "prepare", "how": "block", "port": port }));
    put(b"1");
    std::thread::scope(|scope| {
        let older = scope.spawn(|| {
            let options = ReloadOptions::new().config(config);
            host.block_on(host.reload_with("misbehaves", options))
        });
        let (blocked, _) = listener.accept().expect("it blocks");
        put(b"2");
        let mut newer = Box::pin(host.reload("misbehaves"));
        assert!(poll_once(newer.as_mut()).is_pending());
        drop(blocked);
        let older = older.join().expect("no panic").expect("it is loaded");
        assert_refused(
            &older,
            ReloadPhase::Prepare,
            &["the file has changed again"],
        );
        let newer = host.block_on(newer).expect("it is loaded");
        assert_committed(&newer);
    });
}

#[test]
fn triggers_from_many_threads_end_in_one_outcome_each() {
    let scene = Scene::new(patient(without_probation()), "v1", json!({}));
    let each = reloads() / 4;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..each).for_each(|_| force(&scene.host, NAME)));
        }
    });
    let status = scene.host.plugin(NAME).expect("it is loaded");
    let triggers = u64::try_from(4 * each).expect("it is small");
    assert_eq!(status.generation, 1 + triggers);
}

#[test]
fn a_host_that_shuts_down_in_the_middle_of_reloads_ends_everything() {
    for round in 0..reloads() / 4 {
        let scene = Scene::new(patient(host_builder()), "v1", json!({}));
        let host = &scene.host;
        let started = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    // Ends when there is no such plugin any more, or none that may be reloaded.
                    let force = || host.reload_with(NAME, ReloadOptions::new().force());
                    while let Ok(report) = host.block_on(force()) {
                        started.fetch_add(1, Ordering::Relaxed);
                        if !report.outcome.is_committed() {
                            break;
                        }
                    }
                });
            }
            while started.load(Ordering::Relaxed) < round {
                std::thread::yield_now();
            }
            let errors = host.block_on(host.shutdown());
            assert!(errors.is_empty(), "{errors:?}");
        });
        let counts = host.wait_for_unload(PATIENCE);
        assert_eq!(counts.open, 0, "{counts:?}");
    }
}

#[test]
fn a_host_that_is_dropped_with_versions_in_every_state_leaves_nothing_behind() {
    let (host, traces) = with_traces();
    let buffer = traces.buffer().expect("it works");
    force(&host, "lives-in-threads");
    traces.thread_local().expect("it works");
    drop(host);
    // The handle is still there, and what it leads to.
    traces.thread_local().expect("it works");
    drop(buffer);
}

#[test]
fn calls_are_served_by_both_sides_of_every_reload() {
    let scene = Arc::new(Scene::new(patient(without_probation()), "v1", json!({})));
    let counter = scene.counter();
    let calls = while_reloading(&scene.host, NAME, || {
        counter.version().expect("no call fails");
        let nested = never_reloads as extern "C" fn() as usize;
        counter.call_back(nested).expect("no call fails");
    });
    assert!(calls > reloads());
}

extern "C" fn never_reloads() {}

static REPLACED: AtomicUsize = AtomicUsize::new(0);
static NO_MORE: AtomicBool = AtomicBool::new(false);

extern "C" fn outlast_two_reloads() {
    let entered = REPLACED.load(Ordering::SeqCst);
    let is_over = || NO_MORE.load(Ordering::SeqCst);
    while REPLACED.load(Ordering::SeqCst) < entered + 2 && !is_over() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A host that let a version go with calls inside of it would have closed its library by the time that
/// they return to it.
#[test]
fn calls_that_outlast_reloads_return_to_where_they_have_started() {
    let scene = Scene::new(patient(without_probation()), "v1", json!({}));
    let failed = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let outlast = outlast_two_reloads as extern "C" fn() as usize;
                let counter = scene.counter();
                while !NO_MORE.load(Ordering::SeqCst) {
                    counter.call_back(outlast).expect("no call fails");
                }
            });
        }
        let failed = reload_often(&scene.host, NAME, || {
            REPLACED.fetch_add(1, Ordering::SeqCst);
        });
        NO_MORE.store(true, Ordering::SeqCst);
        failed
    });
    assert!(failed.is_none(), "{failed:#?}");
    assert_all_gone(&scene.host);
}
