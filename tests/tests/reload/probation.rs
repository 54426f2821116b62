//! A version that does not prove itself is sent back.

use std::time::Duration;

use keeps_state::Counter;
use keyway_host::{
    EventKind, LoadOptions, Probation, ReloadOptions, ReloadOutcome, ReloadPhase, Trigger,
};
use keyway_tests::scene::object;
use keyway_tests::{host_builder, plugin};
use misbehaves::{Trouble, TroubleHandle};
use serde_json::json;

use super::scene::{NAME, PATIENCE, Scene, assert_committed, assert_refused};

/// So long that it ends only when the test says so.
fn for_ever() -> Probation {
    Probation::of(Duration::from_secs(24 * 3600))
}

#[test]
fn the_version_before_serves_again_when_the_application_asks_for_it() {
    let scene = Scene::new(host_builder().probation(for_ever()), "v1", json!({}));
    scene.counter().add(4).expect("it serves");
    assert_committed(&scene.replace("v2"));
    let report = scene.host.block_on(scene.host.rollback(NAME));
    let report = report.expect("it is loaded");
    assert!(
        matches!(report.outcome, ReloadOutcome::RolledBack { .. }),
        "{report:?}"
    );
    assert_eq!(
        (report.generation, scene.version()),
        (1, "0.1.0".to_owned())
    );
    assert_eq!(scene.counter().total().expect("it serves"), 4);
    let again = scene.host.block_on(scene.host.rollback(NAME));
    let words = ["no version to go back to"];
    assert_refused(&again.expect("it is loaded"), ReloadPhase::Admit, &words);
    assert_committed(&scene.reload());
    assert_eq!(scene.version(), "0.1.1", "asked for, it is tried again");
}

#[test]
fn in_exclusive_mode_the_version_before_starts_anew_from_the_state_that_it_gave_away() {
    let builder = host_builder().probation(for_ever());
    let scene = Scene::new(builder, "v1_exclusive", json!({}));
    assert_committed(&scene.reload_with(json!({ "lock": scene.path("lock") })));
    scene.counter().add(4).expect("it serves");
    assert_committed(&scene.replace("v2_exclusive"));
    let report = scene.host.block_on(scene.host.rollback(NAME));
    let report = report.expect("it is loaded");
    assert!(
        matches!(report.outcome, ReloadOutcome::RolledBack { .. }),
        "{report:?}"
    );
    assert_eq!(scene.version(), "0.1.0");
    assert_eq!(scene.counter().total().expect("it serves"), 4);
    assert_committed(&scene.reload());
    assert_eq!(scene.version(), "0.1.1", "the lock was given back");
}

#[test]
fn more_panics_than_allowed_send_a_version_back() {
    let host = host_builder()
        .probation(for_ever().max_panics(2))
        .build()
        .expect("a host");
    let mut events = host.events();
    host.block_on(host.load(plugin("misbehaves")))
        .expect("it loads");
    let options = ReloadOptions::new().force();
    let report = host.block_on(host.reload_with("misbehaves", options));
    assert_committed(&report.expect("it is loaded"));
    let trouble: TroubleHandle = host.capability("trouble").expect("it is offered");
    for _ in 0..3 {
        trouble.panic("as asked").expect_err("it panics");
    }
    let reason = host.block_on(async {
        let find = async {
            loop {
                let event = events.next().await.expect("the host lives");
                if let EventKind::RolledBack { reason, .. } = event.kind {
                    return reason;
                }
            }
        };
        tokio::time::timeout(PATIENCE, find).await
    });
    let reason = reason.expect("it is sent back");
    assert!(
        reason.to_string().contains("it panicked 3 times within"),
        "{reason}"
    );
    // The event comes a moment before the report.
    let report = loop {
        let status = host.plugin("misbehaves").expect("it is loaded");
        let last = status.last_reload.expect("there was one");
        if last.trigger == Trigger::Probation {
            break last;
        }
        std::thread::yield_now();
    };
    assert_eq!(report.generation, 1);
}

#[test]
fn a_version_that_is_ill_from_the_start_never_serves() {
    let host = keyway_tests::host();
    host.block_on(host.load_with(plugin("misbehaves"), LoadOptions::new()))
        .expect("it loads");
    let config = object(json!({ "at": "health-check", "how": "fail" }));
    let reload = host.reload_with("misbehaves", ReloadOptions::new().config(config));
    let report = host.block_on(reload).expect("it is loaded");
    assert_refused(&report, ReloadPhase::Health, &["health check"]);
    assert_eq!(
        host.plugin("misbehaves").expect("it is loaded").generation,
        1
    );
}

#[test]
fn the_version_to_go_back_to_is_the_last_that_has_proved_itself() {
    let scene = Scene::new(host_builder().probation(for_ever()), "v1", json!({}));
    assert_committed(&scene.replace("v2"));
    assert_committed(&scene.reload_with(json!({})));
    let status = scene.host.plugin(NAME).expect("it is loaded");
    assert_eq!(
        status.previous.map(|version| version.to_string()),
        Some("0.1.0".to_owned())
    );
    let report = scene.host.block_on(scene.host.rollback(NAME));
    assert_eq!(report.expect("it is loaded").generation, 1);
    let counts = scene.host.wait_for_unload(PATIENCE);
    assert_eq!((counts.open, counts.unloaded), (1, 2), "{counts:?}");
}

#[test]
fn a_version_that_is_ill_at_the_end_of_its_probation_is_sent_back() {
    let builder = host_builder().probation(Probation::of(Duration::from_millis(1)));
    let host = builder.build().expect("a host");
    let mut events = host.events();
    host.block_on(host.load(plugin("misbehaves")))
        .expect("it loads");
    let config = object(json!({ "at": "health-check", "how": "fail", "after": 1 }));
    let reload = host.reload_with("misbehaves", ReloadOptions::new().config(config));
    assert_committed(&host.block_on(reload).expect("it is loaded"));
    let report = host.block_on(async {
        let find = async {
            loop {
                let event = events.next().await.expect("the host lives");
                if let EventKind::RolledBack { report, .. } = event.kind {
                    return report;
                }
            }
        };
        tokio::time::timeout(PATIENCE, find).await
    });
    let report = report.expect("it is sent back");
    assert_eq!((report.trigger, report.generation), (Trigger::Probation, 1));
    let reason = report.outcome.reason().expect("it has one").to_string();
    assert!(reason.contains("asked to fail at HealthCheck"), "{reason}");
}

#[test]
fn a_version_that_has_proved_itself_ends_the_one_before() {
    let builder = host_builder().probation(Probation::of(Duration::from_millis(1)));
    let mut scene = Scene::new(builder, "v1", json!({}));
    assert_committed(&scene.replace("v2"));
    let proved = scene.wait_for(|kind| match kind {
        EventKind::Proved { version } => Some(version.to_string()),
        _ => None,
    });
    assert_eq!(proved, "0.1.1");
    scene.wait_for(|kind| matches!(kind, EventKind::Unloaded { .. }).then_some(()));
}
