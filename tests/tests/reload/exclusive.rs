//! In exclusive mode there is only ever one version, and calls wait for it.

use std::sync::atomic::{AtomicBool, Ordering};

use keeps_state::Counter;
use keyway_host::{EventKind, ReloadOutcome, ReloadPhase};
use serde_json::{Value, json};

use super::scene::{NAME, Scene, assert_committed, assert_refused, without_probation};

fn locked(scene: &Scene) -> Value {
    json!({ "lock": scene.path("lock") })
}

/// Version 0.1.0, which holds a lock that nobody else can take meanwhile.
fn scene() -> Scene {
    let scene = Scene::new(without_probation(), "v1_exclusive", json!({}));
    assert_committed(&scene.reload_with(locked(&scene)));
    scene
}

#[test]
fn what_can_exist_only_once_goes_from_the_old_version_to_the_new_one() {
    let scene = scene();
    scene.counter().add(7).expect("it serves");
    assert_committed(&scene.replace("v2_exclusive"));
    assert_eq!(scene.version(), "0.1.1");
    assert_eq!(scene.counter().total().expect("it serves"), 7);
}

#[test]
fn the_same_in_snapshot_mode_is_refused_since_the_lock_is_taken() {
    let scene = Scene::new(without_probation(), "v1", json!({}));
    assert_committed(&scene.reload_with(locked(&scene)));
    assert_refused(&scene.replace("v2"), ReloadPhase::Activate, &["lock"]);
    assert_eq!(scene.version(), "0.1.0");
}

#[test]
fn a_new_version_that_fails_gives_everything_back() {
    let scene = scene();
    scene.counter().add(7).expect("it serves");
    for version in ["other_exclusive", "stateless_exclusive"] {
        assert_refused(&scene.replace(version), ReloadPhase::State, &["state"]);
        assert_eq!(scene.counter().total().expect("it serves"), 7);
    }
    // It fails only when the old version has been deactivated: there is no such directory.
    scene.put("v2_exclusive");
    let report = scene.reload_with(json!({ "lock": scene.path("nowhere/lock") }));
    assert_refused(&report, ReloadPhase::Activate, &["lock"]);
    assert_eq!(scene.version(), "0.1.0", "it was started again");
    assert_eq!(scene.counter().total().expect("it serves"), 7);
    assert_committed(&scene.replace("v2_exclusive"));
    assert_eq!(scene.counter().total().expect("it serves"), 7);
}

#[test]
fn where_neither_version_can_be_started_that_is_said_and_the_state_is_kept_for_the_next() {
    let mut scene = scene();
    scene.counter().add(7).expect("it serves");
    let counter = scene.counter();
    // The lock is a file in a directory that goes away, so that nobody can take it again.
    let (home, away) = (scene.path("locks"), scene.path("away"));
    std::fs::create_dir(&home).expect("a directory");
    assert_committed(&scene.reload_with(json!({ "lock": home.join("lock") })));
    scene.put("v2_exclusive");
    std::fs::rename(&home, &away).expect("it moves");
    let report = scene.reload_with(json!({ "lock": home.join("lock") }));
    let ReloadOutcome::Lost { phase, restart, .. } = &report.outcome else {
        panic!("{report:#?}");
    };
    assert_eq!(*phase, ReloadPhase::Activate);
    assert!(restart.to_string().contains("activate failed"), "{restart}");
    scene.wait_for(|kind| matches!(kind, EventKind::Lost { .. }).then_some(()));
    assert!(!scene.host.plugin(NAME).expect("it is loaded").serves);
    let error = counter.total().expect_err("nothing serves");
    assert_eq!(error.kind(), keyway::ErrorKind::Unavailable);

    let again = scene.reload_with(json!({ "lock": home.join("lock") }));
    assert!(
        matches!(again.outcome, ReloadOutcome::Lost { .. }),
        "{again:#?}"
    );
    std::fs::rename(&away, &home).expect("it moves back");
    // Nobody could give it back where it was taken.
    std::fs::remove_file(home.join("lock")).expect("it moved along");
    // Also the very file that served before is tried again, since it does not serve.
    scene.put("v1_exclusive");
    assert_committed(&scene.reload());
    assert_eq!(counter.total().expect("it serves"), 7, "the state was kept");
    let status = scene.host.plugin(NAME).expect("it is loaded");
    assert!(status.serves && status.previous.is_none(), "{status:?}");
}

#[test]
fn calls_that_arrive_meanwhile_wait_and_none_is_lost() {
    let scene = scene();
    let over = AtomicBool::new(false);
    let added: u64 = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let (counter, over) = (scene.counter(), &over);
                scope.spawn(move || {
                    let mut added = 0;
                    while !over.load(Ordering::Relaxed) {
                        counter.add(1).expect("no call fails");
                        added += 1;
                    }
                    added
                })
            })
            .collect();
        scene.put("v2_exclusive");
        let reports = [(); 8].map(|()| scene.reload_with(locked(&scene)));
        // Before anything is asserted, or the callers would go on for ever.
        over.store(true, Ordering::Relaxed);
        reports.iter().for_each(|report| assert_committed(report));
        callers
            .into_iter()
            .map(|caller| caller.join().expect("no call fails"))
            .sum()
    });
    assert_eq!(scene.counter().total().expect("it serves"), added);
    assert!(scene.host.plugin(NAME).expect("it is loaded").generation > 5);
}
