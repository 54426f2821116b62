//! The limit on concurrent calls: who waits, in which order, and who is refused.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use keyway::{ErrorKind, PluginError, Result};
use keyway_tests::host_builder;
use keyway_tests::poll::{Wakes, poll_once};
use keyway_tests::scene::Scene;
use misbehaves::{Trouble, TroubleHandle};

use crate::trouble;

/// One call may run, and two may wait.
fn narrow() -> (Scene, TroubleHandle) {
    let scene = Scene::with(host_builder().max_concurrency(1).max_queued(2));
    let trouble = trouble(&scene);
    (scene, trouble)
}

#[track_caller]
fn assert_busy<T: std::fmt::Debug>(result: Result<T>) {
    let error: PluginError = result.expect_err("there is no room");
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(
        error.message(),
        "plugin 'misbehaves' v0.1.0 is at its limit of concurrent calls"
    );
    assert!(error.is_retryable());
}

#[test]
fn calls_over_the_limit_run_in_the_order_in_which_they_came() {
    let (_scene, trouble) = narrow();
    let mut first = pin!(trouble.pend(1));
    let mut second = pin!(trouble.pend(1));
    let mut third = pin!(trouble.pend(1));
    let (second_woken, third_woken) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
    assert!(poll_once(first.as_mut()).is_pending(), "it runs");
    assert!(second_woken.poll(second.as_mut()).is_pending(), "it waits");
    assert!(third_woken.poll(third.as_mut()).is_pending(), "it waits");
    assert_eq!(poll_once(first.as_mut()), Poll::Ready(Ok(1)));
    assert_eq!(
        (second_woken.count(), third_woken.count()),
        (1, 0),
        "the second is next"
    );

    // Coming first does not help the third.
    assert!(third_woken.poll(third.as_mut()).is_pending());
    assert!(second_woken.poll(second.as_mut()).is_pending(), "it runs");
    assert!(third_woken.poll(third.as_mut()).is_pending());
    assert_eq!(second_woken.poll(second.as_mut()), Poll::Ready(Ok(1)));
    assert_eq!(third_woken.count(), 1, "now it is the third's turn");
    assert!(third_woken.poll(third.as_mut()).is_pending(), "it runs");
    assert_eq!(third_woken.poll(third.as_mut()), Poll::Ready(Ok(1)));
    assert_eq!(trouble.count(), Ok(1), "nobody is inside any more");
}

#[test]
fn a_call_over_the_queue_is_refused_as_busy() {
    let (scene, trouble) = narrow();
    let mut running = pin!(trouble.pend(1));
    let mut waiting = [Box::pin(trouble.pend(0)), Box::pin(trouble.pend(0))];
    assert!(poll_once(running.as_mut()).is_pending());
    for call in &mut waiting {
        assert!(poll_once(call.as_mut()).is_pending());
    }
    assert_busy(scene.host.block_on(trouble.pend(0)));
    drop(waiting);
    let mut fits = pin!(trouble.pend(0));
    assert!(
        poll_once(fits.as_mut()).is_pending(),
        "there is room in the queue again"
    );
    assert_eq!(poll_once(running.as_mut()), Poll::Ready(Ok(1)));
    assert_eq!(poll_once(fits.as_mut()), Poll::Ready(Ok(0)));
}

#[test]
fn a_sync_call_over_the_limit_is_refused_instead_of_waiting() {
    let (_scene, trouble) = narrow();
    let mut running = pin!(trouble.pend(1));
    assert!(poll_once(running.as_mut()).is_pending());
    assert_busy(trouble.count());
    assert_eq!(poll_once(running.as_mut()), Poll::Ready(Ok(1)));
    assert_eq!(trouble.count(), Ok(1), "the refused call did not arrive");
}

#[test]
fn a_running_call_that_is_dropped_makes_room() {
    let (scene, trouble) = narrow();
    let mark = scene.path("mark");
    let mut next = pin!(trouble.pend(0));
    {
        let mut running = pin!(trouble.never(mark.display().to_string()));
        assert!(poll_once(running.as_mut()).is_pending());
        assert!(poll_once(next.as_mut()).is_pending());
    }
    assert!(mark.exists());
    assert_eq!(poll_once(next.as_mut()), Poll::Ready(Ok(0)));
}

#[test]
fn a_call_that_panics_makes_room() {
    let (_scene, trouble) = narrow();
    for _ in 0..3 {
        trouble.panic("once more").expect_err("it panics");
        let mut call = pin!(trouble.panic_at_poll(2, "/dev/null".to_owned()));
        assert!(poll_once(call.as_mut()).is_pending());
        assert!(matches!(poll_once(call.as_mut()), Poll::Ready(Err(_))));
    }
    assert_eq!(trouble.count(), Ok(1));
}

#[test]
fn the_deadline_of_a_call_runs_while_it_waits() {
    let (scene, trouble) = narrow();
    let mut running = pin!(trouble.pend(1));
    assert!(poll_once(running.as_mut()).is_pending());
    let hasty = trouble.with_deadline(Duration::from_millis(20));
    let error = scene
        .host
        .block_on(hasty.pend(0))
        .expect_err("nobody lets it in");
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(poll_once(running.as_mut()), Poll::Ready(Ok(1)));
    assert_eq!(trouble.count(), Ok(1));
}

#[cfg(target_os = "linux")]
#[test]
fn the_plugins_own_limit_counts_where_it_is_lower() {
    let scene = Scene::with(host_builder().max_concurrency(100).max_queued(0));
    let good = std::fs::read(keyway_tests::plugin("misbehaves")).expect("the fixture");
    let limited = keyway_tests::binary::with_note(&good, |note| {
        note.change_manifest(|plugin| {
            let resources = serde_json::json!({ "max_concurrency": 1 });
            plugin.insert("resources".to_owned(), resources);
        });
    });
    scene
        .load(scene.file("liblimited.so", limited))
        .expect("it loads");
    let trouble: TroubleHandle = crate::handle(&scene, "trouble");
    let mut running = pin!(trouble.pend(1));
    assert!(poll_once(running.as_mut()).is_pending());
    assert_busy(trouble.count());
    assert_busy(scene.host.block_on(trouble.pend(0)));
}

#[test]
fn copies_of_a_plugin_have_a_limit_each() {
    let (scene, trouble) = narrow();
    let other = crate::copy(&scene, "other");
    let mut running = pin!(trouble.pend(1));
    assert!(poll_once(running.as_mut()).is_pending());
    assert_eq!(other.count(), Ok(1));
    assert_busy(trouble.count());
}
