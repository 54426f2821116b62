//! Starting and stopping in the order of dependencies.

use keyway_host::plan::Trigger;
use keyway_host::{HostErrorKind, Runtime};
use keyway_tests::many::Part;
use serde_json::json;

use crate::scene::{Scene, done, start};

/// `app` needs `store` and `net`; `net` needs `base`; `other` needs nobody.
fn family(scene: &Scene) {
    scene
        .add(
            Part::new("app")
                .needs("store", json!("^1"))
                .needs("net", json!(">=1, <2")),
        )
        .add(Part::new("store"))
        .add(Part::new("net").needs("base", json!("*")))
        .add(Part::new("base"))
        .add(Part::new("other"));
}

fn position(log: &[String], line: &str) -> usize {
    let found = log.iter().position(|one| one == line);
    found.unwrap_or_else(|| panic!("no {line} in {log:?}"))
}

#[test]
fn plugins_start_after_what_they_need_and_stop_before_it() {
    let scene = Scene::new();
    family(&scene);
    let host = scene.host();
    let report = start(&host);
    assert!(report.is_ok(), "{report}");
    assert_eq!(done(&report), ["base", "other", "store", "net", "app"]);
    let log = scene.log();
    for (first, then) in [("base", "net"), ("net", "app"), ("store", "app")] {
        let (first, then) = (format!("activate {first}"), format!("prepare {then}"));
        assert!(position(&log, &first) < position(&log, &then), "{log:?}");
    }
    let echo = host.tool("app").expect("it is offered");
    let answer = host
        .block_on(echo.call(json!({ "a": 1 })))
        .expect("it serves");
    assert_eq!(answer, json!({ "name": "app", "got": { "a": 1 } }));

    let report = host.block_on(host.stop_all()).expect("the host lives");
    assert_eq!(done(&report), ["app", "net", "base", "other", "store"]);
    let log = scene.log();
    for (first, then) in [("app", "net"), ("net", "base"), ("app", "store")] {
        let (first, then) = (format!("deactivate {first}"), format!("deactivate {then}"));
        assert!(position(&log, &first) < position(&log, &then), "{log:?}");
    }
    let app = host.record("app").expect("it is there");
    assert!(matches!(app.runtime, Runtime::Stopped), "{app}");
    assert!(start(&host).is_ok(), "they can be started again");
    assert!(start(&host).done.is_empty(), "those that run are left");
    host.block_on(host.stop("other")).expect("it ends");
    assert_eq!(
        done(&start(&host)),
        ["other"],
        "one that was stopped by its name does not run"
    );
}

#[test]
fn one_that_fails_takes_those_that_need_it_with_it_and_nobody_else() {
    let scene = Scene::new();
    family(&scene);
    scene.add(
        Part::new("net")
            .needs("base", json!("*"))
            .config("fail", "activate"),
    );
    let host = scene.host();
    let report = start(&host);
    assert_eq!(done(&report), ["base", "other", "store"]);
    let failed = &report.failed["net"];
    assert_eq!(failed.kind(), HostErrorKind::Activate);
    assert_eq!(failed.message(), "activate failed: net fails in activate");
    let skipped = &report.skipped["app"];
    assert_eq!(skipped.code.id, "dependency-failed");
    assert_eq!(
        skipped.to_string(),
        "plugin 'app': it needs 'net', which could not be started"
    );
    let log = scene.log();
    assert!(!log.contains(&"prepare app".to_owned()), "{log:?}");
    let net = host.record("net").expect("it is there");
    assert_eq!(net.runtime.name(), "failed");

    // It is repaired, and the rest follows.
    scene.add(Part::new("net").needs("base", json!("*")));
    let report = start(&host);
    assert!(report.is_ok(), "{report}");
    assert_eq!(done(&report), ["net", "app"]);
}

#[test]
fn one_that_is_disabled_stops_after_those_that_need_it_and_they_are_blocked_without_it() {
    let scene = Scene::new();
    family(&scene);
    let host = scene.host();
    start(&host);
    scene.log();
    let report = host.block_on(host.disable("net")).expect("it is known");
    assert_eq!(done(&report), ["app", "net"]);
    assert_eq!(scene.log(), ["deactivate app", "deactivate net"]);
    let net = host.record("net").expect("it is there");
    assert_eq!(
        net.enablement.to_string(),
        "disabled: it was disabled while the host ran"
    );
    let app = host.record("app").expect("it is there");
    assert_eq!(app.enablement.name(), "blocked");
    assert!(
        start(&host).done.is_empty(),
        "nothing brings it back but enabling it"
    );

    let error = host.block_on(host.enable("app")).expect_err("it lacks net");
    assert_eq!(error.kind(), HostErrorKind::Refused);
    assert_eq!(error.code(), "dependency-missing");

    let report = host.block_on(host.enable("net")).expect("it starts");
    assert_eq!(done(&report), ["net"]);
    let report = host.block_on(host.enable("app")).expect("it starts");
    assert_eq!(done(&report), ["app"]);
}

#[test]
fn one_that_is_restarted_takes_those_that_need_it_along() {
    let scene = Scene::new();
    family(&scene);
    let host = scene.host();
    start(&host);
    scene.log();
    let before = host.tool("app").expect("it is offered");
    let report = host.block_on(host.restart("base")).expect("it is known");
    assert!(report.is_ok(), "{report}");
    assert_eq!(done(&report), ["base", "net", "app"]);
    assert_eq!(
        scene.log(),
        [
            "deactivate app",
            "deactivate net",
            "deactivate base",
            "prepare base",
            "activate base",
            "prepare net",
            "activate net",
            "prepare app",
            "activate app",
        ]
    );
    host.block_on(before.call(json!({})))
        .expect("a handle that was taken before serves again");
    let error = host
        .block_on(host.restart("bas"))
        .expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "no root has a plugin 'bas'; hint: did you mean 'base'?"
    );
}

#[test]
fn one_that_starts_lazily_waits_until_somebody_needs_it() {
    let scene = Scene::new();
    let lazy = json!({ "startup": false });
    scene
        .add(Part::new("idle").with("activation", lazy.clone()))
        .add(Part::new("needed").with("activation", lazy))
        .add(Part::new("app").needs("needed", json!("1")));
    let host = scene.host();
    let report = start(&host);
    assert_eq!(done(&report), ["needed", "app"]);
    let idle = host.record("idle").expect("it is there");
    assert_eq!((idle.lazy, idle.runtime.name()), (true, "resolved"));
    let tool = host.tool("idle").expect("a plugin declares it");
    assert_eq!(scene.log().len(), 4, "nobody called it");
    let answer = host
        .block_on(tool.call(json!({})))
        .expect("it is started for that");
    assert_eq!(answer["name"], "idle");
    assert_eq!(scene.log(), ["prepare idle", "activate idle"]);
    assert!(
        host.record("idle")
            .expect("it is there")
            .runtime
            .is_active()
    );
}

#[test]
fn a_plan_says_who_is_started_for_what_and_starts_nobody() {
    let scene = Scene::new();
    let lazy = json!({ "startup": false, "on": ["event:message.*"] });
    scene
        .add(
            Part::new("listener")
                .with("activation", lazy)
                .needs("store", json!("*")),
        )
        .add(Part::new("store"));
    let host = scene.host();
    host.block_on(host.discover()).expect("the host lives");
    let plan = host.plan(Trigger::Event("message.received"));
    let told: Vec<String> = plan
        .entries
        .iter()
        .map(|entry| format!("{}: {}", entry.plugin, entry.reasons[0]))
        .collect();
    assert_eq!(
        told,
        [
            "store: dependency of 'listener'",
            "listener: asks to be started on event:message.*"
        ]
    );
    assert!(scene.log().is_empty());
    let report = host.block_on(host.activate(Trigger::Event("message.received")));
    assert_eq!(done(&report.expect("they start")), ["store", "listener"]);
    let error = host
        .block_on(host.activate(Trigger::Tool("stoer")))
        .expect_err("nobody has it");
    assert_eq!(error.code(), "nothing-to-activate");
    assert!(
        error
            .to_string()
            .ends_with("hint: there are these names: listener, store"),
        "{error}"
    );
}
