//! Directories that come and go, and links.

use std::fs;

use super::scene::Scene;

#[test]
fn a_directory_may_appear_later_with_those_above_it() {
    let mut scene = Scene::new();
    scene.add("target/debug/x.so");
    scene.synchronize();
    scene.create_dir("target/debug");
    scene.link_to("target/debug/x.so");
    assert_eq!(scene.settled(), ["target/debug/x.so"]);
    scene.link_to("target/debug/x.so");
    assert_eq!(scene.settled(), ["target/debug/x.so"]);
    scene.synchronize();
}

#[test]
fn many_levels_may_appear_one_after_the_other() {
    let mut scene = Scene::new();
    scene.add("a/b/c/d/e/f/x.so");
    scene.synchronize();
    for directory in ["a", "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/e", "a/b/c/d/e/f"] {
        scene.create_dir(directory);
        scene.synchronize();
    }
    scene.move_to("a/b/c/d/e/f/x.so");
    assert_eq!(scene.settled(), ["a/b/c/d/e/f/x.so"]);
    scene.synchronize();
}

#[test]
fn a_directory_may_be_deleted_and_made_again() {
    let mut scene = Scene::new();
    scene.watch("target/debug/x.so");
    for _ in 0..10 {
        fs::remove_dir_all(scene.path("target")).expect("to be deleted");
        scene.create_dir("target/debug");
        scene.link_to("target/debug/x.so");
        assert_eq!(scene.settled(), ["target/debug/x.so"]);
        // The directory that is there now is the one that is watched.
        scene.link_to("target/debug/x.so");
        assert_eq!(scene.settled(), ["target/debug/x.so"]);
        scene.synchronize();
    }
}

#[test]
fn a_directory_may_be_gone_for_long() {
    let mut scene = Scene::new();
    scene.watch("target/debug/x.so");
    fs::remove_dir_all(scene.path("target")).expect("to be deleted");
    assert_eq!(scene.missing(), "target/debug/x.so");
    scene.create_dir("target/debug");
    scene.synchronize();
    scene.link_to("target/debug/x.so");
    assert_eq!(scene.settled(), ["target/debug/x.so"]);
    scene.synchronize();
}

/// Replaces a directory on the way by another one, and looks which of the two is watched then.
#[track_caller]
fn replace(moved: &str) {
    let mut scene = Scene::new();
    scene.watch("target/debug/x.so");
    scene.create_dir("other/target/debug");
    scene.link_to("other/target/debug/x.so");
    scene.synchronize();
    scene.rename(moved, "old");
    scene.rename(&format!("other/{moved}"), moved);
    assert_eq!(scene.settled(), ["target/debug/x.so"]);
    let left_behind = format!("old/{}x.so", if moved == "target" { "debug/" } else { "" });
    scene.move_to(&left_behind);
    scene.synchronize();
    scene.move_to("target/debug/x.so");
    assert_eq!(scene.settled(), ["target/debug/x.so"]);
    scene.synchronize();
}

#[test]
fn the_directory_may_be_replaced_by_another_one() {
    replace("target/debug");
}

#[test]
fn the_directory_above_may_be_replaced_by_another_one() {
    replace("target");
}

#[test]
fn a_directory_may_be_renamed_away_and_back() {
    let mut scene = Scene::new();
    scene.watch("target/debug/x.so");
    for moved in ["target/debug", "target"] {
        scene.rename(moved, "elsewhere");
        assert_eq!(scene.missing(), "target/debug/x.so");
        scene.rename("elsewhere", moved);
        assert_eq!(scene.settled(), ["target/debug/x.so"]);
        scene.link_to("target/debug/x.so");
        assert_eq!(scene.settled(), ["target/debug/x.so"]);
        scene.synchronize();
    }
}

#[test]
fn files_of_one_name_in_two_directories_are_not_mistaken_for_each_other() {
    let mut scene = Scene::patient();
    scene.watch("debug/x.so");
    scene.watch("release/x.so");
    scene.move_to("release/x.so");
    assert_eq!(scene.settled(), ["release/x.so"]);
    scene.move_to("debug/x.so");
    assert_eq!(scene.settled(), ["debug/x.so"]);
    scene.synchronize();
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Points a link at another target, as deployments do it: in one step.
    fn point(scene: &Scene, link: &str, target: &str) {
        let new = scene.path("new-link");
        symlink(scene.path(target), &new).expect("a link");
        fs::rename(new, scene.path(link)).expect("to be renamed");
    }

    #[test]
    fn the_file_may_be_a_link_and_both_of_its_sides_may_change() {
        let mut scene = Scene::patient();
        scene.create_dir("target/debug");
        scene.create_dir("plugins");
        scene.move_to("target/debug/x.so");
        scene.move_to("target/other.so");
        point(&scene, "plugins/x.so", "target/debug/x.so");
        scene.add("plugins/x.so");
        scene.synchronize();
        scene.link_to("target/debug/x.so");
        assert_eq!(scene.settled(), ["plugins/x.so"]);
        point(&scene, "plugins/x.so", "target/other.so");
        assert_eq!(scene.settled(), ["plugins/x.so"]);
        scene.move_to("target/debug/x.so");
        scene.synchronize();
        scene.move_to("target/other.so");
        assert_eq!(scene.settled(), ["plugins/x.so"]);
        scene.synchronize();
    }

    #[test]
    fn a_link_to_a_directory_on_the_way_may_be_replaced() {
        let mut scene = Scene::new();
        for release in ["v1", "v2"] {
            scene.create_dir(&format!("{release}/plugins"));
            scene.move_to(&format!("{release}/plugins/x.so"));
        }
        point(&scene, "current", "v1");
        scene.add("current/plugins/x.so");
        scene.synchronize();
        point(&scene, "current", "v2");
        assert_eq!(scene.settled(), ["current/plugins/x.so"]);
        scene.move_to("v2/plugins/x.so");
        assert_eq!(scene.settled(), ["current/plugins/x.so"]);
        scene.synchronize();
    }

    #[test]
    fn a_link_may_lead_to_what_is_not_there_yet() {
        let mut scene = Scene::new();
        point(&scene, "x.so", "target/debug/x.so");
        scene.add("x.so");
        scene.synchronize();
        scene.create_dir("target/debug");
        scene.link_to("target/debug/x.so");
        assert_eq!(scene.settled(), ["x.so"]);
        scene.synchronize();
    }
}
