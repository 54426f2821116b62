//! Several real files that change together.

use std::fs;

use super::scene::Scene;

#[test]
fn files_that_are_replaced_together_are_one_set() {
    let mut scene = Scene::patient();
    scene.watch("a.so");
    scene.watch("b.so");
    for _ in 0..5 {
        // Both are deleted before the first is back, so that no delay of this thread parts them.
        fs::remove_file(scene.path("a.so")).expect("to be deleted");
        fs::remove_file(scene.path("b.so")).expect("to be deleted");
        scene.link_to("a.so");
        scene.link_to("b.so");
        assert_eq!(scene.settled(), ["a.so", "b.so"]);
        scene.synchronize();
    }
}

#[test]
fn a_complete_file_waits_for_one_that_is_being_written() {
    use std::io::Write;
    let mut scene = Scene::settling(crate::watch::Settle {
        held: 2 * super::scene::PATIENCE,
        set: 2 * super::scene::PATIENCE,
        ..Default::default()
    });
    scene.watch("a.so");
    let path = scene.watch("b.so");
    let mut file = fs::File::create(path).expect("the file");
    file.write_all(b"half").expect("to be written");
    scene.move_to("a.so");
    file.write_all(b"the other half").expect("to be written");
    drop(file);
    assert_eq!(scene.settled(), ["a.so", "b.so"]);
    scene.synchronize();
}

#[test]
fn a_file_that_is_gone_for_good_does_not_keep_the_others() {
    let mut scene = Scene::patient();
    scene.watch("a.so");
    let path = scene.watch("b.so");
    fs::remove_file(path).expect("to be deleted");
    scene.move_to("a.so");
    // Its end comes first, whichever of the two bounds is reached first.
    let mut ends = Vec::new();
    while ends.len() < 2 {
        match scene.next() {
            crate::watch::Report::Detected { .. } => {}
            crate::watch::Report::Missing { path } => ends.push(path),
            crate::watch::Report::Settled { set } => {
                ends.extend(set.into_iter().map(|file| file.path))
            }
            other => panic!("expected two ends, found {other:?}"),
        }
    }
    ends.sort();
    assert_eq!(ends, [scene.path("a.so"), scene.path("b.so")]);
    scene.synchronize();
}
