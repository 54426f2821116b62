//! Several plugins, and several copies of one, in the same process at the same time.

use std::sync::atomic::{AtomicBool, Ordering};

use keyway_host::{HostErrorKind, LoadOptions};
use keyway_tests::plugin;
use keyway_tests::scene::Scene;
use misbehaves::{Trouble, TroubleHandle};

use crate::{copy, handle, stop, trouble};

#[test]
fn copies_have_statics_of_their_own() {
    let scene = Scene::new();
    let copies: Vec<_> = ["a", "b", "c"].map(|name| copy(&scene, name)).into();
    for rounds in 1..=3 {
        for copy in &copies {
            assert_eq!(copy.count(), Ok(rounds));
        }
    }
    let status = scene.host.plugin("b/misbehaves").expect("it is loaded");
    assert_eq!(
        (status.id.as_str(), status.name.as_str()),
        ("misbehaves", "b/misbehaves")
    );
    let offered: Vec<_> = status
        .capabilities
        .iter()
        .map(|offer| &*offer.name)
        .collect();
    assert_eq!(offered, ["b/double", "b/trouble"]);

    stop(&scene, "b/misbehaves");
    copies[1].count().expect_err("it is gone");
    assert_eq!(copies[0].count(), Ok(4), "the others are not");
    let again = copy(&scene, "b");
    assert_eq!(again.count(), Ok(1), "a new copy starts anew");
    assert_eq!(copies[1].count(), Ok(2), "and the old handle leads to it");
}

#[test]
fn a_panic_counts_for_the_copy_in_which_it_happened() {
    let scene = Scene::new();
    let (one, _other) = (copy(&scene, "one"), copy(&scene, "other"));
    one.panic("here").expect_err("it panics");
    let panics = |name| scene.host.plugin(name).expect("it is loaded").panics;
    assert_eq!(
        (panics("one/misbehaves"), panics("other/misbehaves")),
        (1, 0)
    );
}

#[test]
fn four_threads_load_eight_copies_at_once() {
    let scene = Scene::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let scene = &scene;
            scope.spawn(move || {
                for number in 0..2 {
                    let copy = copy(scene, &format!("{thread}-{number}"));
                    assert_eq!(copy.count(), Ok(1));
                }
            });
        }
    });
    let loaded = scene.host.plugins();
    assert_eq!(loaded.len(), 9, "eight copies and the good plugin");
    for thread in 0..4 {
        for number in 0..2 {
            let copy = handle(&scene, &format!("{thread}-{number}/trouble"));
            assert_eq!(copy.count(), Ok(2), "each copy counted its own calls");
        }
    }
    assert_eq!(scene.host.block_on(scene.host.shutdown()).len(), 0);
    assert!(scene.host.plugins().is_empty() && scene.host.capabilities().is_empty());
}

#[test]
fn of_loads_under_one_name_at_once_one_wins_and_the_others_are_told() {
    let scene = Scene::new();
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| scene.load(plugin("misbehaves"))))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no load panics"))
            .collect()
    });
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(won, 1, "{results:?}");
    for error in results.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind(), HostErrorKind::AlreadyLoaded, "{error}");
    }
    assert_eq!(handle(&scene, "trouble").count(), Ok(1));
}

#[test]
fn calls_go_on_while_others_are_loaded_and_ended() {
    let scene = Scene::new();
    let trouble: TroubleHandle = trouble(&scene);
    let done = AtomicBool::new(false);
    let calls = std::thread::scope(|scope| {
        let callers = [(); 2].map(|()| {
            scope.spawn(|| {
                let mut calls = 0;
                while !done.load(Ordering::Relaxed) {
                    trouble.count().expect("no call is lost");
                    calls += 1;
                }
                calls
            })
        });
        // A round that fails must not leave the callers running for ever.
        let rounds = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..4 {
                assert_eq!(copy(&scene, "guest").count(), Ok(1));
                let options = LoadOptions::new().namespace("guest");
                let load = scene.host.load_with(plugin("misbehaves"), options);
                scene.host.block_on(load).expect_err("the name is taken");
                stop(&scene, "guest/misbehaves");
            }
        }));
        done.store(true, Ordering::Relaxed);
        rounds.expect("every round goes well");
        callers
            .map(|caller| caller.join().expect("no caller panics"))
            .iter()
            .sum::<u64>()
    });
    assert_eq!(trouble.count(), Ok(calls + 1), "each call arrived once");
}
