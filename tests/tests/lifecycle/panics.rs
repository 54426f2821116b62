//! Panics in every place of a call. Each is an error with message and place, or nobody's, and the
//! next call works.

use std::pin::pin;
use std::task::Poll;

use keyway::{ErrorKind, PluginError, Result};
use keyway_tests::poll::poll_once;
use keyway_tests::scene::Scene;
use misbehaves::{Trouble, TroubleHandle};

use crate::trouble;

/// The panic of the fixture's `trouble.rs` with this message.
#[track_caller]
fn assert_panicked<T>(result: Result<T>, message: &str) {
    let error: PluginError = result.err().expect("it panics");
    assert_eq!(error.kind(), ErrorKind::Panicked, "{error}");
    assert_eq!(error.message(), message);
    assert!(!error.is_retryable());
    let location = error.location().expect("a place");
    let (file, position) = location.split_once(".rs:").expect("a file and a position");
    assert!(file.ends_with("misbehaves/src/trouble"), "{location}");
    let position: Vec<u32> = position.split(':').map_while(|n| n.parse().ok()).collect();
    assert!(position.len() == 2 && !position.contains(&0), "{location}");
    assert_eq!(
        error.to_string(),
        format!("the plugin panicked: {message} (at {location})")
    );
}

#[track_caller]
fn assert_serves(scene: &Scene, trouble: &TroubleHandle, panics: u64) {
    assert_eq!(trouble.count().expect("the next call works"), 1);
    let status = scene.host.plugin("misbehaves").expect("it is loaded");
    assert_eq!(status.panics, panics, "contained panics are counted");
    scene.assert_unharmed();
}

#[test]
fn a_panic_in_a_call_is_its_error() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    assert_panicked(trouble.panic("übel"), "asked to panic: übel");
    assert_panicked(trouble.panic_with_number(7), "a panic without a message");
    let long = "long ".repeat(1_000);
    assert_panicked(trouble.panic(&long), &format!("asked to panic: {long}"));
    assert_serves(&scene, &trouble, 3);
}

#[test]
fn a_panic_in_the_first_poll_or_a_later_one_is_the_error_of_the_call() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    for poll in 1..=3 {
        let mark = scene.path(&format!("poll-{poll}"));
        let mut call = pin!(trouble.panic_at_poll(poll, mark.display().to_string()));
        for _ in 1..poll {
            assert!(poll_once(call.as_mut()).is_pending());
            assert!(!mark.exists());
        }
        let Poll::Ready(result) = poll_once(call.as_mut()) else {
            panic!("it panics at poll {poll}")
        };
        assert_panicked(result, &format!("asked to panic at poll {poll}"));
        assert!(mark.exists(), "what the future owned is dropped at once");
    }
    assert_serves(&scene, &trouble, 3);
}

#[test]
fn a_panic_in_a_stream_is_its_last_item() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    let mut numbers = trouble.numbers(2).expect("it starts");
    scene.host.block_on(async {
        assert_eq!(numbers.next().await, Some(Ok(0)));
        assert_eq!(numbers.next().await, Some(Ok(1)));
        let last = numbers.next().await.expect("the panic");
        assert_eq!(
            last.as_ref().map_err(PluginError::kind),
            Err(ErrorKind::Panicked)
        );
        let last = last.expect_err("it panics");
        assert!(
            last.message().contains("asked to panic at number 2"),
            "{last}"
        );
        assert!(
            last.location()
                .is_some_and(|place| place.contains("trouble.rs:")),
            "{last}"
        );
        assert_eq!(numbers.next().await, None);
        assert_eq!(numbers.next().await, None, "the end stays the end");
    });
    assert_serves(&scene, &trouble, 1);
}

#[test]
fn a_panic_in_a_destructor_stays_in_the_plugin() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    {
        let mut call = pin!(trouble.panic_at_drop());
        assert!(poll_once(call.as_mut()).is_pending());
    }
    let mut stream = trouble.stream_that_panics_at_drop().expect("it starts");
    assert_eq!(scene.host.block_on(stream.next()), Some(Ok(0)));
    drop(stream);
    let buffer = trouble.buffer_that_panics_at_drop().expect("a buffer");
    assert_eq!(&*buffer, b"a buffer");
    drop(buffer);
    assert_eq!(trouble.count().expect("the next call works"), 1);
    scene.assert_unharmed();
}

#[test]
fn a_panic_on_a_thread_of_the_plugin_stays_on_it() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    assert_eq!(trouble.panic_on_thread(), Ok(true));
    assert_eq!(trouble.count(), Ok(1));
    scene.assert_unharmed();
}

#[test]
fn a_panic_is_noted_on_the_thread_where_it_happened() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    std::thread::scope(|scope| {
        for number in 0..4 {
            let trouble = &trouble;
            scope.spawn(move || {
                for round in 0..50 {
                    let text = format!("{number}-{round}");
                    assert_panicked(trouble.panic(&text), &format!("asked to panic: {text}"));
                }
            });
        }
    });
    assert_serves(&scene, &trouble, 200);
}
