//! The state of the old version is the new one's to begin with, or the reload does not happen.

use keeps_state::Counter;
use keyway_host::ReloadPhase;
use keyway_tests::binary::with_reload;
use keyway_tests::scene::told;
use keyway_tests::variant;
use serde_json::json;

use super::scene::{NAME, Scene, assert_committed, assert_refused, without_probation};

/// Version 0.1.0 with a total of 5.
fn counted(config: serde_json::Value) -> Scene {
    let scene = Scene::new(without_probation(), "v1", config);
    scene.counter().add(2).expect("it serves");
    scene.counter().add(3).expect("it serves");
    scene
}

fn total(scene: &Scene) -> u64 {
    scene.counter().total().expect("it serves")
}

#[test]
fn a_state_of_an_older_version_is_migrated_and_one_of_the_same_is_taken_as_it_is() {
    let scene = counted(json!({}));
    assert_committed(&scene.replace("v2"));
    assert_eq!(total(&scene), 5, "migrated");
    scene.counter().add(1).expect("it serves");
    assert_committed(&scene.reload_with(json!({})));
    assert_eq!(total(&scene), 6, "as it is");
    assert_eq!(scene.counter().calls().expect("it serves"), 1);
}

#[test]
fn a_state_that_the_new_version_does_not_know_keeps_the_old_one_in_place() {
    let scene = counted(json!({}));
    assert_refused(&scene.replace("other"), ReloadPhase::State, &["state"]);
    assert_refused(&scene.replace("stateless"), ReloadPhase::State, &["state"]);
    assert_eq!((total(&scene), scene.version()), (5, "0.1.0".to_owned()));
}

#[test]
fn a_plugin_that_prefers_its_state_goes_on_without_it_and_says_so() {
    let scene = counted(json!({}));
    let library = std::fs::read(variant(NAME, "other")).expect("a library");
    scene.put_bytes(&with_reload(&library, json!({ "state": "prefer" })));
    let report = scene.reload();
    assert_committed(&report);
    assert_eq!(total(&scene), 0);
    let warning = told(&report.warnings).join("\n");
    assert!(
        warning.contains("without the state of v0.1.0"),
        "{warning:?}"
    );
}

#[test]
fn a_plugin_that_resets_its_state_is_never_asked_for_it() {
    let scene = counted(json!({ "export": "panic" }));
    let library = std::fs::read(variant(NAME, "v2")).expect("a library");
    scene.put_bytes(&with_reload(&library, json!({ "state": "reset" })));
    let report = scene.reload();
    assert_committed(&report);
    assert_eq!((total(&scene), report.warnings.len()), (0, 0));
}

#[test]
fn whatever_goes_wrong_with_the_state_the_old_version_serves_on() {
    for (trouble, words) in [
        ("panic", "panic"),
        ("fail", "asked to fail"),
        ("huge", "too large"),
    ] {
        let scene = counted(json!({ "export": trouble }));
        assert_refused(&scene.replace("v2"), ReloadPhase::State, &[words]);
        assert_eq!((total(&scene), scene.version()), (5, "0.1.0".to_owned()));
    }
}

#[test]
fn an_export_that_hangs_is_given_up_at_the_deadline() {
    let builder = without_probation().lifecycle_deadline(std::time::Duration::from_millis(200));
    let scene = Scene::new(builder, "v1", json!({ "export": "hang" }));
    let words = ["export_state", "did not finish within"];
    assert_refused(&scene.replace("v2"), ReloadPhase::State, &words);
    assert_eq!(scene.version(), "0.1.0");
}

#[test]
fn an_import_that_panics_is_contained() {
    let scene = counted(json!({}));
    scene.put("v2");
    let report = scene.reload_with(json!({ "import": "panic" }));
    assert_refused(&report, ReloadPhase::State, &["import_state", "panic"]);
    assert_eq!((total(&scene), scene.version()), (5, "0.1.0".to_owned()));
}
