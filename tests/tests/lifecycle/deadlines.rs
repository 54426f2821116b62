//! Deadlines and cancellation: a call that ends early is dropped inside the plugin, too.

use std::pin::pin;
use std::time::Duration;

use keyway::ErrorKind;
use keyway_tests::host_builder;
use keyway_tests::poll::poll_once;
use keyway_tests::scene::Scene;
use misbehaves::{Trouble, TroubleHandle};

use crate::trouble;

const SHORT: Duration = Duration::from_millis(30);

#[track_caller]
fn assert_too_late(scene: &Scene, trouble: &TroubleHandle, deadline: &str) {
    let mark = scene.path("mark");
    let call = trouble.never(mark.display().to_string());
    let error = scene.host.block_on(call).expect_err("it never ends");
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(
        error.message(),
        format!("plugin 'misbehaves' v0.1.0 did not answer within {deadline}")
    );
    assert!(error.is_retryable());
    assert!(mark.exists(), "the plugin's future was not dropped");
    assert_eq!(
        scene.host.block_on(trouble.pend(0)),
        Ok(0),
        "a call that is ready at once is in time"
    );
}

#[test]
fn a_call_that_misses_its_own_deadline_is_cancelled() {
    let scene = Scene::new();
    let trouble = trouble(&scene).with_deadline(SHORT);
    assert_too_late(&scene, &trouble, "30ms");
    scene.assert_unharmed();
}

#[test]
fn a_call_that_misses_the_hosts_deadline_is_cancelled() {
    let scene = Scene::with(host_builder().call_deadline(SHORT));
    let trouble = trouble(&scene);
    assert_too_late(&scene, &trouble, "30ms");
}

#[cfg(target_os = "linux")]
#[test]
fn a_call_that_misses_the_plugins_deadline_is_cancelled() {
    // The plugin's own word counts, and the host's only where it says nothing.
    let scene = Scene::with(host_builder().call_deadline(Duration::from_secs(3_600)));
    let good = std::fs::read(keyway_tests::plugin("misbehaves")).expect("the fixture");
    let hasty = keyway_tests::binary::with_note(&good, |note| {
        note.change_manifest(|plugin| {
            let resources = serde_json::json!({ "call_deadline_ms": 40 });
            plugin.insert("resources".to_owned(), resources);
        });
    });
    scene
        .load(scene.file("libhasty.so", hasty))
        .expect("it loads");
    let trouble = crate::handle(&scene, "trouble");
    assert_too_late(&scene, &trouble, "40ms");
    std::fs::remove_file(scene.path("mark")).expect("it is there");
    assert_too_late(&scene, &trouble.with_deadline(SHORT), "30ms");
}

#[test]
fn a_call_that_is_dropped_is_cancelled_in_the_plugin() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    let mark = scene.path("mark");
    {
        let mut call = pin!(trouble.never(mark.display().to_string()));
        assert!(poll_once(call.as_mut()).is_pending());
        assert!(!mark.exists());
    }
    assert!(mark.exists(), "the plugin's future was not dropped");
    assert_eq!(trouble.count(), Ok(1));
}

#[test]
fn a_call_that_is_dropped_before_its_first_poll_never_reaches_the_plugin() {
    let scene = Scene::new();
    let trouble = trouble(&scene);
    let mark = scene.path("mark");
    drop(trouble.never(mark.display().to_string()));
    assert!(!mark.exists(), "the plugin was called");
}
