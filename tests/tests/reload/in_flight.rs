//! What has started on a version finishes on it.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use keyway::ErrorKind;
use keyway_host::{EventKind, Host, ReloadOptions, ReloadPhase};
use keyway_tests::binary::with_reload;
use keyway_tests::plugin;
use keyway_tests::poll::{Wakes, poll_once};
use misbehaves::{Trouble, TroubleHandle};
use serde_json::json;

use super::scene::{PATIENCE, assert_committed, assert_refused, without_probation};

fn loaded() -> (Host, TroubleHandle) {
    let host = without_probation().build().expect("a host");
    host.block_on(host.load(plugin("misbehaves")))
        .expect("it loads");
    let trouble = host.capability("trouble").expect("it is offered");
    (host, trouble)
}

/// Replaces the version that serves by another copy of itself.
fn replace(host: &Host) {
    let reload = host.reload_with("misbehaves", ReloadOptions::new().force());
    assert_committed(&host.block_on(reload).expect("it is loaded"));
}

#[test]
fn a_pending_call_finishes_on_the_version_that_it_started_on_and_keeps_it() {
    let (host, trouble) = loaded();
    let mut events = host.events();
    let mut call = Box::pin(trouble.pend(3));
    assert!(poll_once(call.as_mut()).is_pending());
    replace(&host);
    let told = host.block_on(async {
        let find = async {
            loop {
                let event = events.next().await.expect("the host lives");
                if let EventKind::Draining { version, calls } = event.kind {
                    return (version.to_string(), calls);
                }
            }
        };
        tokio::time::timeout(PATIENCE, find).await
    });
    let told = told.expect("it is told");
    assert_eq!(told, ("0.1.0".to_owned(), 1));
    let draining = host.plugin("misbehaves").expect("it is loaded").draining;
    assert_eq!(draining.len(), 1, "{draining:?}");
    assert_eq!((draining[0].generation, draining[0].calls), (1, 1));
    let counts = host.libraries();
    assert_eq!((counts.open, counts.unloaded), (2, 0), "{counts:?}");
    assert_eq!(host.block_on(call).expect("it is not lost"), 3);
    let counts = wait_for_unloaded(&host, 1);
    assert_eq!(counts, 1, "only the new one is open");
}

#[test]
fn a_stream_and_a_buffer_outlive_the_version_that_they_came_from() {
    let (host, trouble) = loaded();
    let mut numbers = trouble.numbers(u64::MAX).expect("it works");
    assert_eq!(next(&host, &mut numbers), Some(0));
    let home = tempfile::tempdir().expect("a directory");
    let mark = home.path().join("mark").to_string_lossy().into_owned();
    let buffer = trouble.buffer("from the old", mark).expect("it works");
    replace(&host);
    assert_eq!(next(&host, &mut numbers), Some(1));
    assert_eq!(&buffer[..], b"from the old");
    let counts = host.libraries();
    assert_eq!((counts.open, counts.unloaded), (2, 0), "{counts:?}");
    drop(numbers);
    drop(buffer);
    wait_for_unloaded(&host, 1);
}

#[test]
fn in_exclusive_mode_a_call_that_does_not_end_keeps_the_old_version_and_is_not_cancelled() {
    let deadline = Duration::from_millis(100);
    let builder = without_probation().lifecycle_deadline(deadline);
    let host = builder.build().expect("a host");
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("plugin.so");
    let library = std::fs::read(plugin("misbehaves")).expect("a library");
    let exclusive = with_reload(&library, json!({ "mode": "exclusive" }));
    std::fs::write(&file, exclusive).expect("a file");
    host.block_on(host.load(&file)).expect("it loads");
    let trouble: TroubleHandle = host.capability("trouble").expect("it is offered");
    let mut call = Box::pin(trouble.pend(3));
    assert!(poll_once(call.as_mut()).is_pending());
    let reload = host.reload_with("misbehaves", ReloadOptions::new().force());
    let report = host.block_on(reload).expect("it is loaded");
    assert_refused(
        &report,
        ReloadPhase::Drain,
        &["did not end", "1 asynchronous"],
    );
    // A call that came meanwhile was served by the old version, which serves on.
    assert_eq!(trouble.count().expect("it serves"), 1);
    assert_eq!(host.block_on(call).expect("it is not lost"), 3);
    replace(&host);
}

#[test]
fn in_exclusive_mode_calls_wait_for_the_new_version_and_one_too_many_is_told_to_try_again() {
    let host = without_probation().max_waiting(1).build().expect("a host");
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("plugin.so");
    let library = std::fs::read(plugin("misbehaves")).expect("a library");
    let exclusive = with_reload(&library, json!({ "mode": "exclusive" }));
    std::fs::write(&file, exclusive).expect("a file");
    host.block_on(host.load(&file)).expect("it loads");
    let trouble: TroubleHandle = host.capability("trouble").expect("it is offered");
    let mut started = Box::pin(trouble.pend(3));
    assert!(poll_once(started.as_mut()).is_pending());
    std::thread::scope(|scope| {
        let reload = scope.spawn(|| replace(&host));
        // The old version serves until it is closed; the first call that has to wait is the one.
        let mut waiting = loop {
            let mut call = Box::pin(trouble.pend(0));
            match poll_once(call.as_mut()) {
                Poll::Ready(answer) => assert_eq!(answer.expect("it serves"), 0),
                Poll::Pending => break call,
            }
        };
        let error = host
            .block_on(trouble.pend(0))
            .expect_err("one waits already");
        assert_eq!(
            (error.kind(), error.error_code(), error.is_retryable()),
            (ErrorKind::Busy, "reload-queue-full", true),
            "{error}"
        );
        assert!(poll_once(waiting.as_mut()).is_pending());
        assert_eq!(host.block_on(started).expect("it is not lost"), 3);
        reload.join().expect("it is replaced");
        assert_eq!(host.block_on(waiting).expect("it is not lost"), 0);
    });
    assert_eq!(trouble.count().expect("it serves"), 1, "by the new version");
}

#[test]
fn a_call_that_waits_for_its_turn_runs_on_the_version_that_serves_by_then() {
    let (host, trouble) = loaded();
    trouble.count().expect("it serves");
    let wakes = Arc::new(Wakes::default());
    let mut call = Box::pin(trouble.pend(1));
    replace(&host);
    assert!(wakes.poll(call.as_mut()).is_pending());
    let counts = wait_for_unloaded(&host, 1);
    assert_eq!(counts, 1, "a call that has not started holds nothing");
    assert_eq!(host.block_on(call).expect("it is not lost"), 1);
}

#[test]
fn a_limit_on_concurrent_calls_is_that_of_the_plugin_over_all_its_versions() {
    let builder = without_probation().max_concurrency(1);
    let host = builder.build().expect("a host");
    host.block_on(host.load(plugin("misbehaves")))
        .expect("it loads");
    let trouble: TroubleHandle = host.capability("trouble").expect("it is offered");
    let mut running = Box::pin(trouble.pend(3));
    assert!(poll_once(running.as_mut()).is_pending());
    let wakes = Arc::new(Wakes::default());
    let mut waiting = Box::pin(trouble.pend(1));
    assert!(wakes.poll(waiting.as_mut()).is_pending());
    replace(&host);
    assert!(
        trouble.count().is_err(),
        "the only place is taken, by a call into the version before"
    );
    assert_eq!(host.block_on(running).expect("it is not lost"), 3);
    assert!(wakes.count() > 0, "it is its turn");
    assert_eq!(host.block_on(waiting).expect("it is not lost"), 1);
    assert_eq!(trouble.count().expect("there is a place"), 1);
}

fn next(host: &Host, stream: &mut keyway::Stream<u64>) -> Option<u64> {
    let next = host.block_on(stream.next());
    next.map(|item| item.expect("a number"))
}

/// Waits until so many libraries were unloaded; answers how many are open then.
#[track_caller]
fn wait_for_unloaded(host: &Host, unloaded: usize) -> usize {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let counts = host.libraries();
        if counts.unloaded >= unloaded {
            return counts.open;
        }
        assert!(std::time::Instant::now() < end, "{counts:?}");
        std::thread::yield_now();
    }
}
