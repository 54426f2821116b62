//! How the work grows, in questions to the file system and in text that is written, and not in seconds.

use super::scene::{Scene, library, manifest};
use crate::discovery::names::library_of;
use crate::discovery::{Discoverer, Gates, Origin, Verdict};
use crate::steps;

/// All ids have the same length, so that texts differ by what they say only.
fn id(number: usize) -> String {
    format!("plugin-{number:06}")
}

type Shape = (&'static str, fn(&Scene, usize));

/// What there is of each plugin.
const SHAPES: [Shape; 8] = [
    ("a library", |scene, n| {
        let file = format!("ws/{}", library_of(&id(n)));
        scene.file(&file, library(&manifest(&id(n), "1.0.0")));
    }),
    ("a directory with a manifest and a library", |scene, n| {
        scene.plugin(&format!("ws/{}", id(n)), &id(n), "1.0.0");
    }),
    ("a plugin without code", |scene, n| {
        let content = "[plugin.content]\nskills = [\"one.md\", \"two.md\"]\n";
        let text = manifest(&id(n), "1.0.0") + content;
        scene.file(&format!("ws/{}/plugin.toml", id(n)), text);
        scene.file(&format!("ws/{}/one.md", id(n)), "one");
    }),
    ("a file that is damaged", |scene, n| {
        scene.file(&format!("ws/{}", library_of(&id(n))), "no library");
    }),
    ("another file for one id", |scene, n| {
        let file = format!("ws/{}", library_of(&id(n)));
        scene.file(&file, library(&manifest("always-this", "1.0.0")));
    }),
    ("a broken file of an id that others have", |scene, n| {
        let file = format!("ws/{}/{}", id(n), library_of("always-this"));
        scene.file(&file, "no library");
        let file = format!("opt/{}", library_of(&id(n)));
        scene.file(&file, library(&manifest("always-this", "1.0.0")));
    }),
    ("a link to a library elsewhere in the root", |scene, n| {
        let name = library_of(&id(n));
        scene.file(
            &format!("ws/all/{name}"),
            library(&manifest(&id(n), "1.0.0")),
        );
        scene.link(&format!("ws/{name}"), format!("all/{name}"));
    }),
    ("a directory that everybody may write to", |scene, n| {
        scene.plugin(&format!("ws/{}", id(n)), &id(n), "1.0.0");
        scene.mode(&format!("ws/{}", id(n)), 0o777);
    }),
];

/// Steps of a first look and of a second one, and the bytes of all that is said.
fn effort(shape: fn(&Scene, usize), plugins: usize) -> [usize; 3] {
    let scene = Scene::new();
    scene.directory("ws").directory("opt");
    for number in 0..plugins {
        shape(&scene, number);
    }
    let roots = [
        scene.root(Origin::Workspace, "ws"),
        scene.root(Origin::Builtin, "opt"),
    ];
    let mut discoverer = Discoverer::new(&roots, Gates::new());
    let (changes, cold) = steps::of(|| discoverer.rescan());
    assert!(changes.appeared.len() + changes.findings.len() >= plugins);
    let (changes, warm) = steps::of(|| discoverer.rescan());
    assert!(changes.is_empty());
    assert_eq!(discoverer.files_read(), 0);
    let own = discoverer.last().candidates.iter();
    let said = own.flat_map(|one| &one.findings);
    let said = said.chain(&discoverer.last().findings);
    [cold, warm, said.map(|one| one.to_string().len()).sum()]
}

#[test]
fn ten_times_the_plugins_are_ten_times_the_work() {
    for (each, shape) in SHAPES {
        let (few, many) = (effort(shape, 30), effort(shape, 300));
        let grows = few
            .iter()
            .zip(many)
            .all(|(few, many)| many <= 11 * few + 100);
        assert!(grows, "{each}: {few:?} of 30 plugins, {many:?} of 300");
    }
}

#[test]
fn every_file_is_read_once_however_many_there_are() {
    const PLUGINS: usize = 1000;
    let scene = Scene::new();
    for number in 0..PLUGINS {
        scene.plugin(&format!("ws/{}", id(number)), &id(number), "1.0.0");
    }
    let mut discoverer = Discoverer::new(&[scene.root(Origin::Workspace, "ws")], Gates::new());
    discoverer.rescan();
    let found = discoverer.last().found();
    assert_eq!(found.count(), PLUGINS);
    assert_eq!(discoverer.files_read(), 2 * PLUGINS);
    let all = &discoverer.last().candidates;
    assert!(all.iter().all(|one| one.verdict == Verdict::Found));
}
