//! The end of a plugin, and of its host, under calls and values that outlive it.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use keyway::{ErrorKind, Result};
use keyway_host::HostErrorKind;
use keyway_tests::plugin;
use keyway_tests::poll::{Wakes, poll_once};
use keyway_tests::scene::Scene;
use misbehaves::Trouble;

use crate::{Gatekeeper, stop, trouble};

#[track_caller]
fn assert_unavailable<T: std::fmt::Debug>(result: Result<T>) {
    let error = result.expect_err("nobody serves");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.message(),
        "no plugin serves tests.trouble/1 `trouble` at the moment"
    );
    assert!(error.is_retryable());
}

#[test]
fn a_sync_call_that_runs_when_its_plugin_ends_finishes() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    let gatekeeper = Gatekeeper::new();
    let port = gatekeeper.port();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| trouble.block(port));
        let inside = gatekeeper.inside();
        stop(&scene, "misbehaves");
        assert_unavailable(trouble.count());
        drop(inside);
        assert_eq!(
            call.join().expect("no panic"),
            Ok(0),
            "the call went to its end"
        );
    });
    scene.assert_unharmed();
}

#[test]
fn an_async_call_that_runs_when_its_plugin_ends_finishes() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    let mut call = pin!(trouble.pend(2));
    assert!(poll_once(call.as_mut()).is_pending());
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| stop(&scene, "misbehaves"));
        assert!(poll_once(call.as_mut()).is_pending());
        assert_eq!(poll_once(call.as_mut()), Poll::Ready(Ok(2)));
        stopping.join().expect("it stops");
    });
    assert_unavailable(scene.host.block_on(trouble.pend(0)));
}

#[test]
fn an_async_call_that_does_not_end_is_cancelled_when_its_plugin_ends() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    let mark = scene.path("mark");
    let mut call = Box::pin(trouble.never(mark.display().to_string()));
    let wakes = Arc::new(Wakes::default());
    assert!(wakes.poll(call.as_mut()).is_pending());
    stop(&scene, "misbehaves");
    assert!(wakes.count() > 0, "whoever waits for the call is told");
    let Poll::Ready(Err(error)) = wakes.poll(call.as_mut()) else {
        panic!("the call goes on without its plugin");
    };
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(
        error.message(),
        "plugin 'misbehaves' v0.1.0 was stopped while this call was running"
    );
    assert!(mark.exists(), "what ran in the plugin was dropped");
}

#[test]
fn a_handle_serves_again_when_its_plugin_is_back() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    let double = scene.host.tool("double").expect("it is offered");
    assert_eq!(trouble.count(), Ok(1));
    stop(&scene, "misbehaves");
    assert_unavailable(trouble.count());
    let call = double.call(serde_json::json!({ "number": 1 }));
    let error = scene.host.block_on(call).expect_err("nobody serves");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.message(),
        "no plugin serves tool `double` at the moment"
    );
    let error = scene.host.tool("double").expect_err("nobody offers it");
    assert_eq!(error.kind(), HostErrorKind::NotFound);

    scene.load(plugin("misbehaves")).expect("it comes back");
    assert_eq!(trouble.count(), Ok(1), "it is a new copy of the library");
    let call = double.call(serde_json::json!({ "number": 1 }));
    assert_eq!(scene.host.block_on(call).expect("it serves")["double"], 2);
}

#[test]
fn what_a_plugin_gave_away_outlives_its_end() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    let mark = scene.path("mark");
    let buffer = trouble
        .buffer("the plugin's own memory", mark.display().to_string())
        .expect("a buffer");
    let part = buffer.slice(4..10);
    let mut numbers = trouble.numbers(u64::MAX).expect("a stream");
    assert_eq!(scene.host.block_on(numbers.next()), Some(Ok(0)));
    stop(&scene, "misbehaves");
    assert_eq!(&*buffer, b"the plugin's own memory");
    assert_eq!(scene.host.block_on(numbers.next()), Some(Ok(1)));
    drop(buffer);
    assert!(!mark.exists(), "a part of it is still in use");
    assert_eq!(&*part, b"plugin");
    drop(part);
    assert!(
        mark.exists(),
        "the plugin was not told that its buffer is free"
    );
}

#[test]
fn everything_that_outlives_its_host_works_on_or_answers() {
    let scene = Scene::new();
    let home = tempfile::tempdir().expect("a directory");
    let mark = |name: &str| home.path().join(name).display().to_string();
    let trouble = trouble(&scene);
    let double = scene.host.tool("double").expect("it is offered");
    let buffer = trouble.buffer("bytes", mark("buffer")).expect("a buffer");
    let mut numbers = trouble.numbers(u64::MAX).expect("a stream");
    let mut pending = pin!(trouble.pend(2));
    assert!(poll_once(pending.as_mut()).is_pending());
    let mut never = Box::pin(trouble.never(mark("never")));
    assert!(poll_once(never.as_mut()).is_pending());

    drop(scene);

    // A handle either serves on or says that it does not.
    match trouble.count() {
        Ok(count) => assert_eq!(count, 1),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
    }
    let mut call = pin!(double.call(serde_json::json!({ "number": 1 })));
    match poll_once(call.as_mut()) {
        Poll::Ready(Ok(answer)) => assert_eq!(answer["double"], 2),
        Poll::Ready(Err(error)) => assert_eq!(error.kind(), ErrorKind::Unavailable),
        Poll::Pending => panic!("it has nothing to wait for"),
    }
    assert_eq!(&*buffer, b"bytes");
    assert!(matches!(
        poll_once(pin!(numbers.next())),
        Poll::Ready(Some(Ok(0)))
    ));
    assert!(poll_once(pending.as_mut()).is_pending());
    assert_eq!(poll_once(pending.as_mut()), Poll::Ready(Ok(2)));
    drop((buffer, never, numbers));
    let is_marked = |name| home.path().join(name).exists();
    assert!(
        is_marked("buffer") && is_marked("never"),
        "the plugin's destructors ran"
    );
}

#[test]
fn a_deadline_outlives_the_host_whose_clock_it_runs_on() {
    let scene = Scene::new();
    let home = tempfile::tempdir().expect("a directory");
    let mark = home.path().join("mark");
    let trouble = trouble(&scene).with_deadline(Duration::from_millis(50));
    let mut early = Box::pin(trouble.never(mark.display().to_string()));
    let wakes = Arc::new(Wakes::default());
    assert!(wakes.poll(early.as_mut()).is_pending());
    drop(scene);

    // Another host drives the calls, since theirs is gone.
    let other = keyway_tests::host();
    let error = other.block_on(early).expect_err("it never ends");
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(mark.exists());
    let late = other.block_on(trouble.never(mark.display().to_string()));
    let error = late.expect_err("it never ends, or is never started");
    let kinds = [ErrorKind::DeadlineExceeded, ErrorKind::Unavailable];
    assert!(kinds.contains(&error.kind()), "{error}");
}

#[test]
fn a_host_can_be_dropped_while_a_call_runs() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    let gatekeeper = Gatekeeper::new();
    let port = gatekeeper.port();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| trouble.block(port));
        let inside = gatekeeper.inside();
        drop(scene);
        drop(inside);
        assert_eq!(call.join().expect("no panic"), Ok(0));
    });
}

#[test]
fn a_host_can_be_dropped_inside_an_async_runtime() {
    let outer = keyway_tests::host();
    outer.block_on(async {
        let inner = keyway_tests::host();
        inner.load(plugin("misbehaves")).await.expect("it loads");
        drop(inner);
    });
}

#[test]
fn what_is_not_loaded_cannot_be_stopped_and_a_near_name_is_suggested() {
    let scene = Scene::new();
    let _trouble = trouble(&scene);
    let stop = scene.host.stop("misbehave");
    let error = scene.host.block_on(stop).expect_err("there is none");
    assert_eq!(error.kind(), HostErrorKind::NotFound);
    assert_eq!(
        error.to_string(),
        "no plugin 'misbehave' is loaded; hint: did you mean 'misbehaves'?"
    );
}
