//! Plugins that say that they are not well.

use std::time::Duration;

use keyway_host::{EventKind, HealthPolicy, Host, Runtime};
use keyway_tests::many::Part;
use serde_json::json;

use crate::scene::{Scene, Told, call, start};

/// A plugin that is ill for as long as the file `ill` is there, and one that needs it.
fn scene(policy: impl Into<Option<HealthPolicy>>) -> (Scene, Host) {
    let scene = Scene::new();
    let ill = format!("health:{}", scene.path("ill").display());
    scene
        .add(Part::new("frail").config("fail", &ill))
        .add(Part::new("friend").needs("frail", json!("*")))
        .add(Part::new("other"));
    let host = scene.builder().health(policy).build().expect("a host");
    (scene, host)
}

#[test]
fn one_that_stays_ill_is_restarted_then_given_up_until_somebody_enables_it() {
    let often = HealthPolicy::every(Duration::from_millis(5));
    let (scene, host) = scene(often.max_failures(2).max_restarts(1));
    assert!(start(&host).is_ok());
    let told = Told::by(&host);
    std::fs::write(scene.path("ill"), "").expect("a file");
    let mut course = Vec::new();
    let finding = told.wait(|plugin, kind| match kind {
        EventKind::Unhealthy { reason, restarting } => {
            assert_eq!(plugin, "frail");
            assert!(reason.to_string().contains("frail is ill"), "{reason}");
            course.push(*restarting);
            None
        }
        EventKind::GivenUp { finding } => Some(finding.clone()),
        _ => None,
    });
    assert_eq!(course, [false, true, false]);
    assert_eq!(finding.code.id, "unhealthy");
    let record = host.record("frail").expect("it is there");
    assert_eq!(record.enablement.name(), "blocked", "{record}");
    assert!(record.findings.contains(&finding), "{record}");
    assert!(matches!(record.runtime, Runtime::Stopped), "{record}");
    let friend = host.record("friend").expect("it is there");
    assert_eq!(friend.enablement.name(), "blocked", "{friend}");
    assert_eq!(call(&host, "other")["name"], "other");

    std::fs::remove_file(scene.path("ill")).expect("it is there");
    assert!(start(&host).done.is_empty(), "it stays given up");
    let report = host.block_on(host.enable("frail")).expect("it starts");
    assert!(report.is_ok(), "{report}");
    assert_eq!(call(&host, "frail")["name"], "frail");
}

#[test]
fn one_that_is_ill_for_a_while_is_asked_again_and_left_alone() {
    let policy = HealthPolicy::every(Duration::from_millis(5)).max_failures(u32::MAX);
    let (scene, host) = scene(policy);
    start(&host);
    let told = Told::by(&host);
    scene.log();
    std::fs::write(scene.path("ill"), "").expect("a file");
    for _ in 0..5 {
        let restarting = told.wait(|_, kind| match kind {
            EventKind::Unhealthy { restarting, .. } => Some(*restarting),
            _ => None,
        });
        assert!(!restarting);
    }
    std::fs::remove_file(scene.path("ill")).expect("it is there");
    assert_eq!(call(&host, "friend")["name"], "friend");
    assert!(scene.log().is_empty(), "nobody was stopped or started");
}

#[test]
fn without_a_policy_nobody_is_asked() {
    let (scene, host) = scene(None);
    std::fs::write(scene.path("ill"), "").expect("a file");
    let told = Told::by(&host);
    start(&host);
    let error = host.block_on(host.health_check("frail"));
    assert!(error.is_err(), "only the application asks");
    host.block_on(host.stop_all()).expect("the host lives");
    told.wait(|plugin, kind| match kind {
        EventKind::Unhealthy { .. } => panic!("somebody has asked: {kind}"),
        EventKind::Stopped { .. } => (plugin == "frail").then_some(()),
        _ => None,
    });
}
