//! Plugins that go wrong in a step of their life.

use std::net::TcpListener;
use std::time::Duration;

use keyway::ErrorKind;
use keyway_host::{HostError, HostErrorKind};
use keyway_tests::host_builder;
use keyway_tests::scene::{Scene, assert_says};
use serde_json::json;

/// The error is a contained panic that names its place in the fixture.
#[track_caller]
fn assert_panicked(error: &HostError, message: &str) {
    let panic = error.plugin_error().expect("the plugin's error");
    assert_eq!(panic.kind(), ErrorKind::Panicked, "{error}");
    assert_eq!(panic.message(), message);
    let location = panic.location().expect("a place");
    let mut parts = location.rsplitn(3, ':');
    let numbers = [parts.next(), parts.next()].map(|part| part.and_then(|n| n.parse().ok()));
    assert!(
        matches!(numbers, [Some(1_u32..), Some(1_u32..)]),
        "{location}"
    );
    assert!(
        parts
            .next()
            .is_some_and(|file| file.ends_with("settings.rs")),
        "{location}"
    );
    assert!(error.to_string().contains(location), "{error}");
}

#[test]
fn a_panic_in_prepare_or_activate_is_the_error_of_that_step() {
    let scene = Scene::new();
    for (step, name, kind) in [
        ("prepare", "Prepare", HostErrorKind::Prepare),
        ("activate", "Activate", HostErrorKind::Activate),
    ] {
        let error = scene
            .misbehave(json!({ "at": step }))
            .expect_err("it panics");
        let failed = format!("{step} failed: the plugin panicked: asked to panic at {name}");
        assert_says(&error, kind, &["plugin 'misbehaves' v0.1.0", &failed]);
        assert_panicked(&error, &format!("asked to panic at {name}"));
        scene.assert_unharmed();
    }
    scene.misbehave(json!({})).expect("the name is free again");
}

#[test]
fn a_panic_whose_payload_is_no_text_still_names_its_place() {
    let scene = Scene::new();
    let config = json!({ "at": "prepare", "how": "panic-with-number" });
    let error = scene.misbehave(config).expect_err("it panics");
    assert_says(&error, HostErrorKind::Prepare, &["the plugin panicked"]);
    assert_panicked(&error, "a panic without a message");
    scene.assert_unharmed();
}

#[test]
fn an_error_of_a_step_keeps_its_code_and_whether_to_try_again() {
    let scene = Scene::new();
    let config = json!({ "at": "activate", "how": "fail" });
    let error = scene.misbehave(config).expect_err("it fails");
    assert_says(
        &error,
        HostErrorKind::Activate,
        &["activate failed: asked to fail at Activate"],
    );
    let own = error.plugin_error().expect("the plugin's error");
    assert_eq!(
        (own.kind(), own.error_code()),
        (ErrorKind::Failed, "asked-to-fail")
    );
    assert!(own.is_retryable());
    scene.assert_unharmed();
}

#[test]
fn a_configuration_of_another_type_is_an_error_of_prepare() {
    let scene = Scene::new();
    for (config, words) in [
        (json!({ "at": 7 }), "expected string or map"),
        (json!({ "att": "activate" }), "unknown field `att`"),
    ] {
        let error = scene.misbehave(config).expect_err("it does not fit");
        assert_says(
            &error,
            HostErrorKind::Prepare,
            &[
                "the configuration of plugin 'misbehaves' does not fit",
                words,
            ],
        );
        let own = error.plugin_error().expect("the plugin's error");
        assert_eq!(
            (own.kind(), own.error_code()),
            (ErrorKind::InvalidInput, "invalid-config")
        );
    }
    scene.assert_unharmed();
}

#[test]
fn a_panic_in_a_health_check_is_told_and_the_plugin_serves_on() {
    let scene = Scene::new();
    scene
        .misbehave(json!({ "at": "health-check" }))
        .expect("it loads");
    let error = scene
        .host
        .block_on(scene.host.health_check("misbehaves"))
        .expect_err("it panics");
    assert_says(
        &error,
        HostErrorKind::Health,
        &["plugin 'misbehaves' v0.1.0: the health check failed: the plugin panicked"],
    );
    assert_panicked(&error, "asked to panic at HealthCheck");
    assert_eq!(
        scene
            .host
            .plugin("misbehaves")
            .expect("it is loaded")
            .panics,
        1
    );
    let double = scene.host.tool("double").expect("it is offered");
    let answer = scene.host.block_on(double.call(json!({ "number": 2 })));
    assert_eq!(answer.expect("it serves")["double"], 4);
    scene.assert_unharmed();
}

#[test]
fn a_plugin_that_panics_on_its_way_out_is_gone_all_the_same() {
    let scene = Scene::new();
    for (step, words, message) in [
        (
            "deactivate",
            "deactivate failed: the plugin panicked",
            "asked to panic at Deactivate",
        ),
        (
            "drop-plugin",
            "stop failed: the plugin panicked",
            "asked to panic at DropPlugin",
        ),
    ] {
        scene.misbehave(json!({ "at": step })).expect("it loads");
        let stop = scene.host.stop("misbehaves");
        let error = scene.host.block_on(stop).expect_err("it panics");
        assert_says(
            &error,
            HostErrorKind::Stop,
            &["plugin 'misbehaves' v0.1.0: ", words],
        );
        assert_panicked(&error, message);
        let gone = scene.host.plugin("misbehaves").expect_err("it is gone");
        assert_eq!(gone.kind(), HostErrorKind::NotFound);
        scene.assert_unharmed();
    }
    scene.misbehave(json!({})).expect("the name is free again");
}

#[test]
fn an_object_that_panics_when_it_is_dropped_harms_nobody() {
    let scene = Scene::new();
    scene
        .misbehave(json!({ "at": "drop-object" }))
        .expect("it loads");
    let stop = scene.host.stop("misbehaves");
    scene.host.block_on(stop).expect("the plugin ends in order");
    scene.assert_unharmed();
    // The same where the objects of a refused plugin are dropped.
    let config = json!({ "at": "drop-object", "offer": "undeclared" });
    let error = scene.misbehave(config).expect_err("it offers too much");
    assert_says(&error, HostErrorKind::Registration, &["trouble-too"]);
    scene.assert_unharmed();
}

/// A scene whose plugins get little time.
fn hurried() -> Scene {
    Scene::with(host_builder().lifecycle_deadline(Duration::from_secs(2)))
}

#[test]
fn a_step_that_never_ends_is_cancelled_at_its_deadline() {
    let scene = hurried();
    for (step, kind) in [
        ("prepare", HostErrorKind::Prepare),
        ("activate", HostErrorKind::Activate),
    ] {
        let mark = scene.path(step);
        let config = json!({ "at": step, "how": "never-ready", "mark": &mark });
        let error = scene.misbehave(config).expect_err("it never ends");
        assert_says(
            &error,
            kind,
            &[
                &format!("{step} failed"),
                "did not finish within 2s and was cancelled",
            ],
        );
        let own = error.plugin_error().expect("the plugin's error");
        assert_eq!(own.kind(), ErrorKind::DeadlineExceeded);
        assert!(mark.exists(), "the future of {step} was not dropped");
        scene.assert_unharmed();
    }
}

#[test]
fn a_step_that_blocks_its_thread_is_told_and_its_late_end_is_harmless() {
    let scene = hurried();
    for (step, kind) in [
        ("prepare", HostErrorKind::Prepare),
        ("activate", HostErrorKind::Activate),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mark = scene.path(step);
        let config = json!({ "at": step, "how": "block", "port": port, "mark": &mark });
        let error = scene.misbehave(config).expect_err("it never ends");
        assert_says(
            &error,
            kind,
            &[
                &format!("{step} failed"),
                "did not finish within 2s",
                "it blocks its thread",
            ],
        );
        let (plugin, _) = listener.accept().expect("the plugin is in there");
        assert!(!mark.exists(), "nobody can end it");
        scene.assert_unharmed();
        drop(plugin);
    }
    scene.misbehave(json!({})).expect("the name is free again");
}

#[test]
fn a_host_can_be_dropped_while_a_plugin_blocks_a_thread() {
    let scene = hurried();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let config = json!({ "at": "activate", "how": "block", "port": port });
    scene.misbehave(config).expect_err("it never ends");
    let (plugin, _) = listener.accept().expect("the plugin is in there");
    drop(scene);
    Scene::new().assert_unharmed();
    drop(plugin);
}

#[test]
fn a_plugin_that_never_ends_its_deactivation_is_stopped() {
    let scene = hurried();
    let mark = scene.path("mark");
    let config = json!({ "at": "deactivate", "how": "never-ready", "mark": &mark });
    scene.misbehave(config).expect("it loads");
    let stop = scene.host.stop("misbehaves");
    let error = scene.host.block_on(stop).expect_err("it never ends");
    assert_says(
        &error,
        HostErrorKind::Stop,
        &["deactivate failed: it did not finish within 2s and was cancelled"],
    );
    assert!(mark.exists(), "the future was not dropped");
    scene.misbehave(json!({})).expect("the name is free again");
    scene.assert_unharmed();
}
