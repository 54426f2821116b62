//! Any tree of files.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::scene::{Scene, library, manifest};
use crate::discovery::names::library_of;
use crate::discovery::{Discovery, Gates, Origin, Root, Verdict, discover};
use crate::finding::Severity;

/// Something to be put at some place.
#[derive(Clone, Debug)]
enum Thing {
    Directory,
    Manifest(usize),
    Library(usize),
    Junk(Vec<u8>),
    Link(String),
}

fn name() -> impl Strategy<Value = String> {
    let library = library_of("a");
    prop_oneof![
        Just("plugin.toml".to_owned()),
        Just("plugin.json".to_owned()),
        Just(library.clone()),
        Just(library.replace('a', "b")),
        "[ab]".prop_map(|name| name),
        Just(".hidden".to_owned()),
        Just("ü'; $(x)".to_owned()),
    ]
}

fn path() -> impl Strategy<Value = String> {
    let root = prop_oneof![Just("ws"), Just("user")];
    (root, prop::collection::vec(name(), 1..4))
        .prop_map(|(root, names)| format!("{root}/{}", names.join("/")))
}

fn thing() -> impl Strategy<Value = Thing> {
    prop_oneof![
        Just(Thing::Directory),
        (0..3_usize).prop_map(Thing::Manifest),
        (0..3_usize).prop_map(Thing::Library),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Thing::Junk),
        prop_oneof![path(), Just(".".to_owned()), Just("..".to_owned())].prop_map(Thing::Link),
    ]
}

/// Puts things where they can be put: names that are taken stay what they are.
fn plant(scene: &Scene, things: &[(String, Thing)]) {
    const IDS: [&str; 3] = ["a", "b", "text-filter"];
    for (place, thing) in things {
        let path = scene.path(place);
        let above = path.parent().expect("it is in a root");
        if std::fs::create_dir_all(above).is_err() || path.symlink_metadata().is_ok() {
            continue;
        }
        let text = |id: &usize| manifest(IDS[*id], "1.0.0");
        let put = match thing {
            Thing::Directory => std::fs::create_dir(path),
            Thing::Manifest(id) => std::fs::write(path, text(id)),
            Thing::Library(id) => std::fs::write(path, library(&text(id))),
            Thing::Junk(bytes) => std::fs::write(path, bytes),
            Thing::Link(target) => std::os::unix::fs::symlink(scene.path(target), path),
        };
        put.expect("its name is free");
    }
}

fn check(discovery: &Discovery) -> Result<(), TestCaseError> {
    let paths: BTreeSet<_> = discovery.candidates.iter().map(|one| &one.path).collect();
    prop_assert_eq!(paths.len(), discovery.candidates.len(), "each file once");
    let used: BTreeSet<_> = discovery.found().map(|one| &one.id).collect();
    prop_assert_eq!(used.len(), discovery.found().count(), "each id once");
    for candidate in &discovery.candidates {
        let is_error = |severity| severity == Severity::Error;
        let refused = candidate
            .findings
            .iter()
            .any(|one| is_error(one.severity()));
        prop_assert_eq!(candidate.verdict == Verdict::Refused, refused);
        if !refused {
            prop_assert!(candidate.manifest.is_some() && candidate.id.is_some());
        }
        if let Verdict::Shadowed { by, .. } = &candidate.verdict {
            let winner = discovery.found().find(|one| one.path == *by);
            prop_assert_eq!(winner.map(|one| &one.id), Some(&candidate.id));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_has_one_answer_whatever_order_it_was_made_in(
        things in prop::collection::vec((path(), thing()), 0..24),
        links_may_leave: bool,
        max_entries in prop_oneof![Just(10_000_usize), 0..20_usize],
    ) {
        let roots = |scene: &Scene| {
            [(Origin::User, "user"), (Origin::Workspace, "ws")].map(|(origin, name)| {
                let root = Root::new(origin, scene.path(name));
                if links_may_leave { root.allow_links_out() } else { root }
            })
        };
        let gates = Gates::new().max_entries(max_entries);
        let scene = Scene::new();
        plant(&scene, &things);
        let discovery = discover(&roots(&scene), &gates);
        check(&discovery)?;
        prop_assert_eq!(&discovery, &discover(&roots(&scene), &gates));

        let other = Scene::new();
        copy_backwards(&scene, &other, "");
        prop_assert_eq!(scene.text(&discovery), other.text(&discover(&roots(&other), &gates)));
    }
}

/// Makes the same tree, in another order: of how it was made, a directory's own order is all that is
/// left.
fn copy_backwards(from: &Scene, to: &Scene, place: &str) {
    let entries = std::fs::read_dir(from.path(place)).expect("a directory");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    for name in names.into_iter().rev() {
        let place = format!("{place}/{}", name.to_str().expect("the names are UTF-8"));
        let place = place.trim_start_matches('/');
        let (old, new) = (from.path(place), to.path(place));
        let kind = old.symlink_metadata().expect("it is there").file_type();
        if kind.is_dir() {
            std::fs::create_dir(&new).expect("its name is free");
            copy_backwards(from, to, place);
        } else if kind.is_symlink() {
            let target = std::fs::read_link(&old).expect("a link");
            let inside = target
                .strip_prefix(from.path(""))
                .expect("a target in the scene");
            std::os::unix::fs::symlink(to.path("").join(inside), new).expect("its name is free");
        } else {
            std::fs::copy(old, new).expect("its name is free");
        }
    }
}
