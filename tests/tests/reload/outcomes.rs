//! Every trigger ends in exactly one outcome.

use std::sync::Arc;

use keeps_state::Counter;
use keyway_host::{EventKind, HostErrorKind, ReloadOptions, ReloadOutcome, ReloadPhase};
use keyway_tests::scene::told;
use keyway_tests::{plugin, variant};
use serde_json::json;

use super::scene::{NAME, PATIENCE, Scene, assert_committed, assert_refused, without_probation};

#[test]
fn a_new_file_takes_over_under_the_same_handle_and_the_old_library_goes() {
    let mut scene = Scene::new(without_probation(), "v1", json!({}));
    let counter = scene.counter();
    assert_eq!(counter.version().expect("it serves"), "0.1.0");
    let report = scene.replace("v2");
    assert_committed(&report);
    assert_eq!(counter.version().expect("it serves"), "0.1.1");
    let status = scene.host.plugin(NAME).expect("it is loaded");
    assert_eq!(
        (report.from.to_string(), report.generation),
        ("0.1.0".to_owned(), 2)
    );
    assert_eq!(
        (status.version.to_string(), status.generation),
        ("0.1.1".to_owned(), 2)
    );
    assert_eq!(report.to.as_ref(), Some(&status.version));
    assert!(report.times.total >= report.times.load.total());
    assert!(Arc::ptr_eq(
        &status.last_reload.expect("there was one"),
        &report
    ));
    let unloaded = scene.wait_for(|kind| match kind {
        EventKind::Unloaded { version } => Some(version.to_string()),
        _ => None,
    });
    assert_eq!(unloaded, "0.1.0");
    let counts = scene.host.libraries();
    assert_eq!((counts.open, counts.unloaded), (1, 1), "{counts:?}");
}

#[test]
fn the_steps_are_told_in_their_order() {
    let mut scene = Scene::new(without_probation(), "v1", json!({}));
    scene.replace("v2");
    assert_eq!(
        scene.names_until("Unloaded"),
        [
            "Offers",
            "Loaded",
            "Staged",
            "Checked",
            "Prepared",
            "Committed",
            "Proved",
            "Unloaded"
        ]
    );
}

#[test]
fn a_file_with_the_same_content_changes_nothing() {
    let scene = Scene::new(without_probation(), "v1", json!({}));
    let report = scene.replace("v1");
    assert!(
        matches!(report.outcome, ReloadOutcome::Unchanged),
        "{report:?}"
    );
    assert_eq!(report.generation, 1);
    assert_eq!(scene.host.libraries().open, 1, "nothing was opened");
}

#[test]
fn a_file_that_is_cut_short_is_refused_before_any_of_it_runs() {
    let scene = Scene::new(without_probation(), "v1", json!({}));
    let library = std::fs::read(variant(NAME, "v2")).expect("a library");
    scene.put_bytes(&library[..library.len() / 2]);
    let report = scene.reload();
    assert_refused(&report, ReloadPhase::Check, &["truncated"]);
    assert_eq!(scene.version(), "0.1.0");
    assert_eq!(scene.host.libraries().open, 1);
}

#[test]
fn a_missing_file_is_refused_and_named() {
    let scene = Scene::new(without_probation(), "v1", json!({}));
    std::fs::remove_file(scene.file()).expect("it is there");
    assert_refused(&scene.reload(), ReloadPhase::Stage, &["plugin.so"]);
    assert_eq!(scene.version(), "0.1.0");
}

#[test]
fn another_plugin_in_the_same_file_is_refused_with_both_names() {
    let scene = Scene::new(without_probation(), "v1", json!({}));
    scene.put_file(&plugin("text-filter"));
    let words = ["expected 'keeps-state'", "found 'text-filter'"];
    assert_refused(&scene.reload(), ReloadPhase::Check, &words);
    assert_eq!(scene.version(), "0.1.0");
}

#[test]
fn a_setting_that_the_new_version_does_not_take_is_refused_and_the_old_ones_stay() {
    let scene = Scene::new(without_probation(), "v1", json!({}));
    let report = scene.reload_with(json!({ "export": "no-such-trouble" }));
    assert!(
        matches!(&report.outcome, ReloadOutcome::Refused { phase, .. }
            if matches!(phase, ReloadPhase::Check | ReloadPhase::Prepare)),
        "{report:?}"
    );
    assert_eq!(scene.host.plugin(NAME).expect("it is loaded").generation, 1);
    // The settings of the last version that was taken over are those of the next reload.
    assert_committed(&scene.replace("v2"));
}

#[test]
fn what_was_refused_is_not_taken_over_by_asking_again_but_its_successor_is() {
    let scene = Scene::new(without_probation(), "v1", json!({}));
    scene.host.block_on(async {
        scene.put("other");
        let first = scene.host.reload(NAME).await.expect("it is loaded");
        let again = scene.host.reload(NAME).await.expect("it is loaded");
        for report in [first, again] {
            assert_refused(&report, ReloadPhase::State, &["state"]);
        }
    });
    assert_committed(&scene.replace("v2"));
}

#[test]
fn a_pinned_plugin_stays_until_it_is_unpinned_or_forced() {
    let scene = Scene::new(without_probation(), "v1", json!({}));
    scene.host.pin(NAME).expect("it is loaded");
    assert!(scene.host.plugin(NAME).expect("it is loaded").pinned);
    assert_refused(&scene.replace("v2"), ReloadPhase::Admit, &["pinned"]);
    scene.host.unpin(NAME).expect("it is loaded");
    assert_committed(&scene.reload());
    scene.host.pin(NAME).expect("it is loaded");
    let forced = scene.host.reload_with(NAME, ReloadOptions::new().force());
    let forced = scene.host.block_on(forced).expect("it is loaded");
    assert_committed(&forced);
    assert_eq!(forced.generation, 3);
}

#[test]
fn a_dry_run_tells_what_would_be_and_does_nothing() {
    let scene = Scene::new(without_probation(), "v1", json!({}));
    scene.put("v2");
    scene.host.pin(NAME).expect("it is loaded");
    let dry = scene.host.dry_run(NAME, ReloadOptions::new());
    let dry = scene.host.block_on(dry).expect("it would fit");
    assert_eq!(
        (dry.from.to_string(), dry.to.to_string(), dry.unchanged),
        ("0.1.0".to_owned(), "0.1.1".to_owned(), false)
    );
    assert_eq!(scene.version(), "0.1.0");
    scene.put_bytes(b"no library");
    let dry = scene.host.dry_run(NAME, ReloadOptions::new());
    let error = scene.host.block_on(dry).expect_err("it is no library");
    assert_eq!(error.kind(), HostErrorKind::Inspect, "{error}");
    scene.put("v1");
    let dry = scene.host.dry_run(NAME, ReloadOptions::new());
    let dry = scene.host.block_on(dry).expect("it is what serves");
    assert!(dry.unchanged);
}

#[test]
fn a_plugin_that_is_not_loaded_cannot_be_reloaded() {
    let scene = Scene::new(without_probation(), "v1", json!({}));
    let reload = scene.host.reload("keeps-stat");
    let error = scene.host.block_on(reload).expect_err("there is none");
    assert_eq!(error.kind(), HostErrorKind::NotFound);
    assert!(error.to_string().contains("keeps-state"), "{error}");
}

#[test]
fn two_triggers_at_once_are_served_one_after_the_other() {
    let scene = Scene::new(without_probation(), "v1", json!({}));
    scene.put("v2");
    let (one, other) = (scene.host.reload(NAME), scene.host.reload(NAME));
    let (one, other) = scene.host.block_on(async { tokio::join!(one, other) });
    let outcomes = [one, other].map(|report| report.expect("it is loaded").outcome.clone());
    let committed = outcomes.iter().filter(|outcome| outcome.is_committed());
    assert_eq!(committed.count(), 1, "{outcomes:?}");
    let unchanged = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, ReloadOutcome::Unchanged));
    assert_eq!(unchanged.count(), 1, "{outcomes:?}");
    let counts = scene.host.wait_for_unload(std::time::Duration::ZERO);
    assert!(counts.open <= 2, "{counts:?}");
}

#[test]
fn too_many_libraries_that_stay_in_memory_end_the_reloading_but_not_the_serving() {
    let mut scene = Scene::new(without_probation().max_retained(1), "v1", json!({}));
    let staged = scene.host.plugin(NAME).expect("it is loaded").staged;
    // The dynamic loader keeps a library for as long as anybody has it open.
    // SAFETY: the constructors have run already.
    #[expect(unsafe_code, reason = "opens a library of this test")]
    let holder = unsafe { libloading::Library::new(staged.expect("a copy")) };
    let holder = holder.expect("it is open anyway");
    assert_committed(&scene.replace("v2"));
    let cause = scene.wait_for(|kind| match kind {
        EventKind::Pinned { cause, .. } => Some(cause.clone()),
        _ => None,
    });
    assert!(cause.contains("dynamic loader"), "{cause}");
    let again = || {
        let reload = scene.host.reload_with(NAME, ReloadOptions::new().force());
        scene.host.block_on(reload).expect("it is loaded")
    };
    assert_refused(&again(), ReloadPhase::Open, &["1", "memory"]);
    assert_eq!(scene.version(), "0.1.1");
    drop(holder);
    assert_committed(&again());
}

#[test]
fn stopping_a_plugin_ends_all_its_versions() {
    let scene = Scene::new(keyway_tests::host_builder(), "v1", json!({}));
    assert_committed(&scene.replace("v2"));
    let status = scene.host.plugin(NAME).expect("it is loaded");
    assert_eq!(
        status.previous.map(|version| version.to_string()),
        Some("0.1.0".to_owned()),
        "it is on probation"
    );
    scene
        .host
        .block_on(scene.host.stop(NAME))
        .expect("it stops");
    let counts = scene.host.wait_for_unload(PATIENCE);
    assert_eq!((counts.open, counts.unloaded), (0, 2), "{counts:?}");
}

#[test]
fn what_a_new_version_does_not_offer_any_more_is_a_warning() {
    let host = without_probation().build().expect("a host");
    host.block_on(host.load(plugin("misbehaves")))
        .expect("it loads");
    let config = keyway_tests::scene::object(json!({ "offer": "nothing" }));
    let reload = host.reload_with("misbehaves", ReloadOptions::new().config(config));
    let report = host.block_on(reload).expect("it is loaded");
    assert_committed(&report);
    let warnings = told(&report.warnings).join("\n");
    for gone in ["keyway.tool/1 `double`", "tests.trouble/1 `trouble`"] {
        let warning = format!("offers {gone} no longer");
        assert!(warnings.contains(&warning), "{warnings}");
    }
}

#[test]
fn every_event_reads_as_one_line() {
    let mut scene = Scene::new(without_probation(), "v1", json!({}));
    scene.replace("v2");
    scene.replace("other");
    let text = scene.wait_for(|kind| match kind {
        EventKind::Refused { .. } => Some(kind.to_string()),
        EventKind::Committed { .. } => {
            let text = kind.to_string();
            assert!(text.starts_with("reloaded: v0.1.0 to v0.1.1 in "), "{text}");
            None
        }
        _ => None,
    });
    assert!(text.starts_with("refused in state: "), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}
