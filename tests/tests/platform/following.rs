//! Files that come and go while the host runs.

use std::sync::Arc;

use keyway_host::{Adjustment, EventKind, Host, Runtime};
use keyway_tests::many::Part;
use serde_json::json;

use crate::scene::{Scene, Told, call, done, remove, start};

/// What the host did by itself, once that is something.
fn adjusted(told: &Told) -> Arc<Adjustment> {
    told.wait(|plugin, kind| match kind {
        EventKind::Adjusted { adjustment } => {
            assert_eq!(plugin, "");
            Some(Arc::clone(adjustment))
        }
        _ => None,
    })
}

fn rescan(host: &Host) -> Arc<Adjustment> {
    host.block_on(host.rescan()).expect("the host lives")
}

#[test]
fn plugins_that_come_are_started_and_those_that_go_are_stopped() {
    let scene = Scene::new();
    scene.add(Part::new("base"));
    let host = scene.builder().hot_reload(true).build().expect("a host");
    assert_eq!(done(&start(&host)), ["base"]);
    let told = Told::by(&host);

    scene.add(Part::new("app").needs("base", json!("^1")));
    let adjustment = adjusted(&told);
    assert_eq!(adjustment.to_string(), "started app");
    assert_eq!(call(&host, "app")["name"], "app");

    scene.log();
    remove(&scene.path("workspace"), "base");
    let adjustment = adjusted(&told);
    assert_eq!(adjustment.to_string(), "stopped app, base");
    assert_eq!(scene.log(), ["deactivate app", "deactivate base"]);
    assert!(host.tool("base").is_err(), "nobody offers it");
    let app = host.record("app").expect("its file is there");
    assert_eq!(app.enablement.name(), "blocked", "{app}");

    scene.add(Part::new("base").version("1.1.0"));
    let adjustment = adjusted(&told);
    assert_eq!(adjustment.to_string(), "started base, app");
}

#[test]
fn a_file_that_comes_before_another_takes_over_without_an_interruption_and_gives_back() {
    let scene = Scene::new();
    scene.add_to("builtin", Part::new("a").version("1.0.0"));
    let host = scene.host();
    start(&host);
    let tool = host.tool("a").expect("it is offered");
    let version = || host.plugin("a").expect("it runs").version.to_string();

    scene.add(Part::new("a").version("2.0.0"));
    let adjustment = rescan(&host);
    assert_eq!(adjustment.to_string(), "moved a");
    assert!(adjustment.moved["a"].outcome.is_committed());
    assert_eq!(version(), "2.0.0");
    let answer = host.block_on(tool.call(json!({})));
    assert_eq!(answer.expect("the handle stays valid")["name"], "a");

    remove(&scene.path("workspace"), "a");
    assert_eq!(rescan(&host).to_string(), "moved a");
    assert_eq!(version(), "1.0.0");
    assert!(rescan(&host).is_empty(), "nothing has changed since");
}

#[test]
fn a_newcomer_that_is_broken_disturbs_nobody_and_is_tried_again_when_it_was_mended() {
    let scene = Scene::new();
    scene.add(Part::new("well"));
    let host = scene.host();
    start(&host);
    scene.add(Part::new("new").config("fail", "activate"));
    let adjustment = rescan(&host);
    assert_eq!(adjustment.to_string(), "not started new");
    let record = host.record("new").expect("it is there");
    assert!(matches!(record.runtime, Runtime::Failed { .. }), "{record}");
    assert!(
        rescan(&host).is_empty(),
        "it is not tried again for nothing"
    );
    assert_eq!(call(&host, "well")["name"], "well");

    scene.add(Part::new("new").version("1.0.1"));
    assert_eq!(rescan(&host).to_string(), "started new");
}

#[test]
fn what_was_stopped_by_hand_stays_so_and_nothing_starts_before_the_host_was_started() {
    let scene = Scene::new();
    scene.add(Part::new("a"));
    let host = scene.host();
    assert!(rescan(&host).is_empty(), "start_all was not called");
    start(&host);
    host.block_on(host.stop("a")).expect("it stops");
    scene.add(Part::new("b"));
    assert_eq!(rescan(&host).to_string(), "started b");
    host.block_on(host.stop_all()).expect("the host lives");
    scene.add(Part::new("c"));
    assert!(rescan(&host).is_empty(), "the host was stopped");
}

#[test]
fn a_file_that_cannot_be_used_any_more_stops_nobody() {
    let scene = Scene::new();
    scene
        .add(Part::new("base"))
        .add(Part::new("app").needs("base", json!("^1")));
    let host = scene.builder().hot_reload(true).build().expect("a host");
    assert!(start(&host).is_ok());
    let told = Told::by(&host);
    scene.log();
    let file = scene.path("workspace/libbase.so");
    let whole = std::fs::read(&file).expect("it is there");
    std::fs::write(scene.path("half"), &whole[..whole.len() / 2]).expect("a file");
    std::fs::rename(scene.path("half"), &file).expect("the same directory");
    told.wait(|plugin, kind| match kind {
        EventKind::Refused { .. } => (plugin == "base").then_some(()),
        _ => None,
    });
    assert!(rescan(&host).is_empty(), "nobody stops for that");
    // Neither does one that asks for another host.
    scene.add(
        Part::new("base")
            .version("1.1.0")
            .with("min_host_version", json!("9.0.0")),
    );
    told.wait(|plugin, kind| match kind {
        EventKind::Refused { .. } => (plugin == "base").then_some(()),
        _ => None,
    });
    assert!(rescan(&host).is_empty(), "nor for that");
    let base = host.record("base").expect("its file is there");
    assert!(base.to_string().contains("blocked, active"), "{base}");
    for name in ["base", "app"] {
        assert_eq!(call(&host, name)["name"], name);
    }
    assert!(
        !scene
            .log()
            .iter()
            .any(|line| line.starts_with("deactivate"))
    );

    scene.add(Part::new("base").version("1.2.0"));
    told.wait(|plugin, kind| match kind {
        EventKind::Committed { .. } => (plugin == "base").then_some(()),
        _ => None,
    });
    rescan(&host);
    let base = host.record("base").expect("its file is there");
    assert!(base.to_string().contains("enabled, active"), "{base}");
}
