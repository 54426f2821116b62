//! Looking again: what is read again, and what is told.

use std::fs;
use std::path::PathBuf;
use std::slice;

use super::scene::{Scene, age, library, manifest};
use crate::discovery::{Discoverer, Gates, Origin, Verdict};

fn discoverer(scene: &Scene) -> Discoverer {
    let roots = [
        scene.root(Origin::Builtin, "opt"),
        scene.root(Origin::Workspace, "ws"),
    ];
    Discoverer::new(&roots, Gates::new())
}

#[test]
fn files_that_stay_what_they_were_are_not_read_again() {
    let scene = Scene::new();
    for number in 0..20 {
        scene.plugin(&format!("opt/p{number}"), &format!("p{number}"), "1.0.0");
    }
    scene.file("opt/broken.so", "no library");
    let mut discoverer = discoverer(&scene);
    let first = discoverer.rescan();
    assert_eq!((first.appeared.len(), discoverer.files_read()), (21, 41));
    let second = discoverer.rescan();
    assert!(second.is_empty(), "{second:?}");
    assert_eq!(discoverer.files_read(), 0);

    // Written in place: the same inode, size and time of modification, which can be set by hand.
    let path = scene.path("opt/p7/libp7.so");
    let modified = fs::metadata(&path)
        .and_then(|of| of.modified())
        .expect("a time");
    let bytes = fs::read(&path).expect("the library");
    fs::write(&path, bytes).expect("it can be written");
    let file = fs::File::options()
        .write(true)
        .open(&path)
        .expect("the file");
    file.set_modified(modified).expect("it is ours");
    let third = discoverer.rescan();
    assert_eq!(discoverer.files_read(), 1);
    let changed: Vec<_> = third.changed.iter().map(|one| &one.after.path).collect();
    assert_eq!(changed, [&scene.path("opt/p7/plugin.toml")]);
    assert!(third.successions.is_empty() && third.appeared.is_empty());
}

#[test]
fn precedence_is_looked_at_again_when_files_come_and_go() {
    let scene = Scene::new();
    scene.plugin("opt/weather", "weather", "1.0.0");
    let mut discoverer = discoverer(&scene);
    discoverer.rescan();
    let used = |discoverer: &Discoverer| -> Vec<PathBuf> {
        discoverer
            .last()
            .found()
            .map(|one| one.path.clone())
            .collect()
    };
    let (builtin, workspace) = (
        scene.path("opt/weather/plugin.toml"),
        scene.path("ws/weather/plugin.toml"),
    );

    scene.plugin("ws/weather", "weather", "2.0.0");
    let came = discoverer.rescan();
    assert_eq!(used(&discoverer), slice::from_ref(&workspace));
    assert_eq!(came.successions.len(), 1);
    assert_eq!(came.successions[0].before.as_ref(), Some(&builtin));
    assert_eq!(came.successions[0].after.as_ref(), Some(&workspace));
    assert!(matches!(
        came.changed[0].after.verdict,
        Verdict::Shadowed { .. }
    ));

    // Broken for a while, so that the one below it stands in.
    scene.file("ws/weather/plugin.toml", "no manifest");
    let broke = discoverer.rescan();
    assert_eq!(used(&discoverer), slice::from_ref(&builtin));
    assert_eq!(broke.changed.len(), 2);
    let stand_in = &broke.changed[1].after;
    assert_eq!(stand_in.findings[0].code.id, "stands-in");

    fs::remove_dir_all(scene.path("ws")).expect("it is there");
    let went = discoverer.rescan();
    assert_eq!(used(&discoverer), [builtin]);
    assert_eq!(went.vanished.len(), 1);
    assert!(went.successions.is_empty(), "it was in use already");
    let said: Vec<_> = went
        .findings
        .iter()
        .map(|finding| finding.code.id)
        .collect();
    assert_eq!(said, ["root-missing"]);
}

#[test]
fn a_library_that_was_just_written_is_read_until_it_has_aged() {
    let scene = Scene::new();
    scene.directory("opt");
    let path = scene.path("opt/fresh.so");
    fs::write(&path, library(&manifest("fresh", "1.0.0"))).expect("a file");
    let mut discoverer = discoverer(&scene);
    for _ in 0..2 {
        discoverer.rescan();
        assert_eq!(discoverer.files_read(), 1);
    }
    age(&path);
    let reads: Vec<usize> = (0..2)
        .map(|_| {
            discoverer.rescan();
            discoverer.files_read()
        })
        .collect();
    assert_eq!(reads, [1, 0]);
}

#[test]
fn rights_that_are_put_right_show_at_the_next_look() {
    let scene = Scene::new();
    scene
        .plugin("opt/weather", "weather", "1.0.0")
        .mode("opt", 0o777);
    let mut discoverer = discoverer(&scene);
    discoverer.rescan();
    assert_eq!(discoverer.last().found().count(), 0);
    scene.mode("opt", 0o755);
    let changes = discoverer.rescan();
    assert_eq!(discoverer.last().found().count(), 1);
    assert_eq!(changes.successions.len(), 1);
    assert_eq!(discoverer.files_read(), 0, "its files are what they were");
}
