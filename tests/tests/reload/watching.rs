//! A file that changes is reloaded without being asked.

use keeps_state::Counter;
use keyway_host::{EventKind, ReloadOutcome, Trigger};
use keyway_tests::variant;
use serde_json::json;

use super::scene::{NAME, Scene, without_probation};

#[test]
fn a_new_file_takes_over_by_itself_and_one_that_is_no_good_is_told_once() {
    let mut scene = Scene::new(without_probation().hot_reload(true), "v1", json!({}));
    let counter = scene.counter();
    counter.add(3).expect("it serves");
    scene.put("v2");
    let report = scene.wait_for(|kind| match kind {
        EventKind::Committed { report } => Some(report.clone()),
        _ => None,
    });
    assert_eq!(report.trigger, Trigger::FileChanged);
    assert_eq!(counter.version().expect("it serves"), "0.1.1");
    assert_eq!(counter.total().expect("it serves"), 3);

    let library = std::fs::read(variant(NAME, "v1")).expect("a library");
    scene.put_bytes(&library[..library.len() / 3]);
    scene.wait_for(|kind| matches!(kind, EventKind::Refused { .. }).then_some(()));
    assert_eq!(counter.version().expect("it serves"), "0.1.1");
    scene.put("v2");
    scene.wait_for(|kind| matches!(kind, EventKind::Unchanged { .. }).then_some(()));
}

#[test]
fn a_build_that_deletes_and_links_is_seen_and_so_is_polling() {
    for polling in [false, true] {
        let mut builder = without_probation().hot_reload(true);
        if polling {
            builder = builder.watch_interval(std::time::Duration::from_millis(20));
        }
        let mut scene = Scene::new(builder, "v1", json!({}));
        let built = scene.path("deps.so");
        std::fs::copy(variant(NAME, "v2"), &built).expect("a file");
        std::fs::remove_file(scene.file()).expect("it is there");
        std::fs::hard_link(&built, scene.file()).expect("a link");
        let report = scene.wait_for(|kind| match kind {
            EventKind::Committed { report } => Some(report.clone()),
            _ => None,
        });
        assert!(report.times.total >= report.times.settle);
        assert_eq!(scene.version(), "0.1.1");
    }
}

#[test]
fn a_plugin_that_was_stopped_is_watched_no_more() {
    let mut scene = Scene::new(without_probation().hot_reload(true), "v1", json!({}));
    scene.put("v2");
    let outcome = scene.wait_for(|kind| match kind {
        EventKind::Committed { report } => Some(report.outcome.clone()),
        _ => None,
    });
    assert!(matches!(outcome, ReloadOutcome::Committed));
    scene
        .host
        .block_on(scene.host.stop(NAME))
        .expect("it stops");
    assert!(scene.host.plugins().is_empty());
}
