//! How the work grows that decides on plugins and shows what was decided, in comparisons and in edges that
//! are looked at, and not in seconds.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use tempfile::TempDir;

use super::Host;
use crate::discovery::{Discovery, Gates, Origin, Root, discover};
use crate::platform::decide::{Grounds, decide};
use crate::settings::Settings;
use crate::steps;

fn id(number: usize) -> String {
    format!("plugin-{number:06}")
}

type Shape = (&'static str, fn(usize, usize) -> String);

/// What the plugin of a number among so many depends on.
const SHAPES: [Shape; 5] = [
    ("nobody", |_, _| String::new()),
    ("the next one", |n, all| match n + 1 < all {
        true => format!("{} = \"1\"\n", id(n + 1)),
        false => String::new(),
    }),
    ("one that all need", |n, _| match n {
        0 => String::new(),
        _ => format!("{} = \"1\"\n", id(0)),
    }),
    ("one that is not there and need not be", |n, _| {
        format!("gone-{n:06} = {{ version = \"1\", optional = true }}\n")
    }),
    ("one that is not there", |n, _| {
        format!("gone-{n:06} = \"1\"\n")
    }),
];

/// Plugins without code: whether they are libraries makes no difference to what is decided.
fn plugins(number: usize, depends: fn(usize, usize) -> String) -> TempDir {
    let home = tempfile::tempdir().expect("a directory");
    for n in 0..number {
        let dir = home.path().join(id(n));
        std::fs::create_dir(&dir).expect("a directory");
        let manifest = format!(
            "[plugin]\nid = \"{}\"\nversion = \"1.0.0\"\nmin_host_version = \"1.0.0\"\n\
             [plugin.content]\nskills = []\nresources = [\"plugin.toml\"]\n\
             [plugin.dependencies]\n{}",
            id(n),
            depends(n, number)
        );
        std::fs::write(dir.join("plugin.toml"), manifest).expect("a file");
    }
    home
}

fn decided(discovery: &Discovery) -> usize {
    let decision = decide(&Grounds {
        candidates: &discovery.candidates,
        settings: &Settings::default(),
        said: &BTreeMap::new(),
        given_up: &BTreeMap::new(),
        exclusive: &BTreeSet::new(),
        misfit: &|_| None,
        hash: &|_| None,
    });
    decision.enablements.len()
}

#[test]
fn twice_the_plugins_are_twice_the_work_to_decide_on() {
    for (whom, depends) in SHAPES {
        let effort = |number| {
            let home = plugins(number, depends);
            let discovery = discover(&[Root::new(Origin::User, home.path())], &Gates::new());
            let (decided, steps) = steps::of(|| decided(&discovery));
            assert_eq!(decided, number);
            steps
        };
        // The search for names that were meant is bounded, and 450 that miss one reach the bound.
        let (few, many) = (effort(450), effort(900));
        assert!(
            many <= 2 * few + 100,
            "each depends on {whom}: {few} steps, {many}"
        );
    }
}

#[test]
fn ten_times_the_plugins_are_ten_times_the_work_to_show() {
    for (whom, depends) in SHAPES {
        let effort = |number| {
            let home = plugins(number, depends);
            let host = Host::builder("tests", Version::new(1, 0, 0))
                .root(Origin::User, home.path())
                .build()
                .expect("a host");
            host.block_on(host.discover()).expect("the host lives");
            let (records, steps) = steps::of(|| host.records());
            assert_eq!(records.len(), number);
            let text: usize = records.iter().map(|one| one.to_string().len()).sum();
            (steps, text)
        };
        let (few, many) = (effort(30), effort(300));
        assert!(
            many.0 <= 11 * few.0 + 11 && many.1 <= 11 * few.1,
            "each depends on {whom}: {few:?} steps and bytes, {many:?}"
        );
    }
}
