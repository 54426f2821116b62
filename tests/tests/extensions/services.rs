//! Services: they run while their plugin serves, one version at a time, and are gone before it ends.

use keyway::ErrorKind;
use keyway_host::{EventKind, Host, ReloadOutcome};
use keyway_tests::scripted::Scripted;
use serde_json::json;

use crate::scene::{SHORT, Scene, fault, reload, start, until, wait_for};

/// A plugin with the service `janitor`; each line in its log begins with `mark`.
fn janitor(mark: &str, does: &str) -> Scripted {
    let plugin = Scripted::new("cleaner").mark(mark);
    plugin.offers("service", "janitor", json!({ "does": does }))
}

fn exclusive(plugin: Scripted) -> Scripted {
    plugin.with("reload", json!({ "mode": "exclusive" }))
}

/// Waits until the service says that it is ready.
#[track_caller]
fn ready(host: &Host) {
    until("the service is ready", || {
        let services = host.services();
        let mut reports = services
            .iter()
            .filter_map(|service| service.report.as_ref());
        reports.any(|report| report.ready)
    });
}

#[test]
fn a_service_runs_while_its_plugin_serves_and_is_gone_before_that_ends() {
    let scene = Scene::new();
    scene.add(janitor("1", ""));
    let host = scene.started();
    ready(&host);
    let services = host.services();
    let service = &services[0];
    assert_eq!((&*service.name, &*service.plugin), ("janitor", "cleaner"));
    assert!(service.state.is_running(), "{}", service.state);
    let report = service.report.as_ref().expect("it is ready");
    assert_eq!(report.message, "janitor is ready");

    host.block_on(host.stop("cleaner")).expect("it stops");
    assert_eq!(
        scene.whole_log(),
        [
            "1 activate",
            "1 janitor begins",
            "1 janitor is to stop",
            "1 janitor sweeps up",
            "1 janitor is gone",
            "1 deactivate",
        ]
    );
    assert!(host.services().is_empty());
    let libraries = host.wait_for_unload(std::time::Duration::from_secs(60));
    assert_eq!(libraries.open, 0, "nothing of it holds the library");
}

#[test]
fn in_a_reload_the_new_one_begins_when_the_old_one_is_gone_and_a_rollback_is_the_same_backwards() {
    let scene = Scene::new();
    scene.add(janitor("1", ""));
    let host = scene.started();
    ready(&host);
    scene.add(janitor("2", ""));
    reload(&host, "cleaner");
    ready(&host);
    assert_eq!(
        scene.whole_log(),
        [
            "1 activate",
            "1 janitor begins",
            "2 activate",
            "1 janitor is to stop",
            "1 janitor sweeps up",
            "1 janitor is gone",
            "2 janitor begins",
        ],
        "and the old version is ready to serve again"
    );
    let report = host
        .block_on(host.rollback("cleaner"))
        .expect("it is loaded");
    let is_back = matches!(report.outcome, ReloadOutcome::RolledBack { .. });
    assert!(is_back, "{report:#?}");
    until("the old one runs again", || {
        let log = scene.log_so_far();
        log.contains(&"1 janitor begins".to_owned()) && log.contains(&"2 deactivate".to_owned())
    });
    let log = scene.whole_log();
    let position = |line: &str| log.iter().position(|one| one == line);
    assert_eq!(log[..2], ["2 janitor is to stop", "2 janitor sweeps up"]);
    assert!(
        position("2 janitor is gone") < position("1 janitor begins"),
        "{log:?}"
    );
    assert!(
        position("2 janitor is gone") < position("2 deactivate"),
        "{log:?}"
    );
    assert_eq!(host.services().len(), 1);
}

#[test]
fn in_exclusive_mode_a_service_is_gone_before_the_state_is_handed_over() {
    let scene = Scene::new();
    scene.add(exclusive(janitor("1", "")));
    let host = scene.started();
    ready(&host);
    scene.add(exclusive(janitor("2", "")));
    reload(&host, "cleaner");
    ready(&host);
    assert_eq!(
        scene.whole_log(),
        [
            "1 activate",
            "1 janitor begins",
            "1 janitor is to stop",
            "1 janitor sweeps up",
            "1 janitor is gone",
            "1 deactivate",
            "2 activate",
            "2 janitor begins",
        ]
    );
    let report = host
        .block_on(host.rollback("cleaner"))
        .expect("it is loaded");
    let is_back = matches!(report.outcome, ReloadOutcome::RolledBack { .. });
    assert!(is_back, "{report:#?}");
    ready(&host);
    assert_eq!(
        scene.whole_log(),
        [
            "2 janitor is to stop",
            "2 janitor sweeps up",
            "2 janitor is gone",
            "2 deactivate",
            "1 activate",
            "1 janitor begins",
        ]
    );
}

#[test]
fn a_reload_that_is_refused_leaves_the_old_service_running_or_starts_it_again() {
    for is_exclusive in [false, true] {
        let scene = Scene::new();
        let of = |plugin| {
            if is_exclusive {
                exclusive(plugin)
            } else {
                plugin
            }
        };
        scene.add(of(janitor("1", "")));
        let host = scene.started();
        ready(&host);
        scene.whole_log();
        let bad = janitor("2", "").offers("no-kind", "x", json!({}));
        scene.add(of(
            bad.with("capabilities", json!({ "services": ["janitor"] }))
        ));
        let report = host.block_on(host.reload("cleaner")).expect("it is loaded");
        assert!(
            matches!(report.outcome, ReloadOutcome::Refused { .. }),
            "{report:#?}"
        );
        ready(&host);
        let expected: &[&str] = match is_exclusive {
            false => &["2 activate"],
            true => &[
                "1 janitor is to stop",
                "1 janitor sweeps up",
                "1 janitor is gone",
                "1 deactivate",
                "2 activate",
                "1 activate",
                "1 janitor begins",
            ],
        };
        assert_eq!(scene.whole_log(), expected, "exclusive: {is_exclusive}");
    }
}

#[test]
fn a_service_that_ends_is_told_of_and_the_plugin_serves_on() {
    for (does, kind, says) in [
        ("fail", ErrorKind::Failed, "janitor fails"),
        ("panic", ErrorKind::Panicked, "janitor panics"),
        ("refuse", ErrorKind::Failed, "it does not begin"),
    ] {
        let scene = Scene::new();
        scene.add(janitor("", does).offers("command", "work", json!({})));
        let host = scene.builder().build().expect("a host");
        let mut events = host.events();
        host.block_on(host.start_all()).expect("the host lives");
        let (name, reason) = fault(&host, &mut events);
        assert_eq!((&*name, reason.kind()), ("janitor", kind));
        assert_eq!(reason.message(), says);
        assert_eq!(host.services()[0].state.name(), "failed");
        let run = host.commands();
        let output = host.block_on(run.run("/work", keyway::Scope::new()));
        output.expect("the plugin serves on");
        host.block_on(host.stop("cleaner")).expect("it stops");
    }
    let scene = Scene::new();
    scene.add(janitor("", "end"));
    let host = scene.builder().build().expect("a host");
    let mut events = host.events();
    host.block_on(host.start_all()).expect("the host lives");
    let ended = wait_for(&host, &mut events, |kind| match kind {
        EventKind::Ended { capability } => Some(capability.name.clone()),
        _ => None,
    });
    assert_eq!(ended, "janitor");
    assert_eq!(host.services()[0].state.name(), "ended");
    // It is not started again, as its plugin was not.
    assert_eq!(scene.log(), ["janitor begins", "janitor is gone"]);
    scene.add(janitor("new", "end"));
    reload(&host, "cleaner");
    until("the new version has a service of its own", || {
        scene
            .log_so_far()
            .contains(&"new janitor is gone".to_owned())
    });
}

#[test]
fn a_service_that_does_not_stop_is_cancelled() {
    let scene = Scene::new();
    scene.add(janitor("", "stubborn"));
    let host = start(scene.builder().lifecycle_deadline(SHORT));
    ready(&host);
    host.block_on(host.stop("cleaner")).expect("it stops");
    let log = scene.log();
    let expected = ["janitor begins", "janitor is to stop", "janitor is gone"];
    assert_eq!(log, expected, "it did not get to sweep up");
    let libraries = host.wait_for_unload(std::time::Duration::from_secs(60));
    assert_eq!(libraries.open, 0);
}

#[test]
fn a_service_that_blocks_its_thread_holds_up_nobody_but_its_library() {
    let scene = Scene::new();
    scene.add(janitor("", "block"));
    let host = start(scene.builder().lifecycle_deadline(SHORT));
    until("the service blocks", || {
        scene.log_so_far().contains(&"janitor begins".to_owned())
    });
    host.block_on(host.stop("cleaner"))
        .expect("it stops all the same");
    assert!(!scene.log().contains(&"janitor is gone".to_owned()));
    assert_eq!(host.libraries().open, 1, "it is still inside");
}

#[test]
fn a_service_ends_with_its_host_even_if_nobody_stops_that() {
    let scene = Scene::new();
    scene.add(janitor("", ""));
    let host = scene.started();
    ready(&host);
    drop(host);
    until("the service is gone", || {
        scene.log_so_far().contains(&"janitor is gone".to_owned())
    });
}

#[test]
fn the_service_of_an_ordinary_plugin_runs() {
    let host = keyway_tests::host();
    let every_kind = keyway_tests::plugin("every-kind");
    host.block_on(host.load(every_kind)).expect("it loads");
    ready(&host);
    let report = host.services()[0].report.clone();
    assert_eq!(report.expect("it is ready").message, "1 running");
}
