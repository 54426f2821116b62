//! Roots that are watched, and looked at again whenever that is reported.

use std::fs;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::scene::{Scene, library, manifest};
use crate::discovery::{Discoverer, Gates, Origin, Root};
use crate::watch::{RootReport, RootWatch};

/// Decides only when a test has failed.
const PATIENCE: Duration = Duration::from_secs(30);

struct Observed {
    discoverer: Discoverer,
    reports: Receiver<RootReport>,
    _watch: RootWatch,
}

impl Observed {
    fn new(roots: &[Root], interval: Option<Duration>) -> Self {
        let (sender, reports) = channel();
        let report = move |report| {
            // The test may be over.
            let _ = sender.send(report);
        };
        let watch = RootWatch::start(roots, interval, report).expect("a watch");
        let mut discoverer = Discoverer::new(roots, Gates::new());
        discoverer.rescan();
        Observed {
            discoverer,
            reports,
            _watch: watch,
        }
    }

    /// Looks again at each report, until just these plugins are used.
    #[track_caller]
    fn until(&mut self, expected: &[&str]) {
        loop {
            let report = self.reports.recv_timeout(PATIENCE);
            assert!(
                matches!(report, Ok(RootReport::Changed { .. })),
                "{report:?}; still {:?}",
                self.used()
            );
            self.discoverer.rescan();
            if self.used() == expected {
                return;
            }
        }
    }

    /// As "id version".
    fn used(&self) -> Vec<String> {
        let found = self.discoverer.last().found();
        found
            .map(|one| match (&one.id, &one.version) {
                (Some(id), Some(version)) => format!("{id} {version}"),
                other => panic!("a plugin without a name: {other:?}"),
            })
            .collect()
    }
}

fn watched(scene: &Scene) -> Observed {
    Observed::new(&[scene.root(Origin::Workspace, "ws")], None)
}

#[test]
fn plugins_come_change_and_go() {
    let scene = Scene::new();
    scene.directory("ws");
    let mut observed = watched(&scene);
    scene.plugin("ws/weather", "weather", "1.0.0");
    observed.until(&["weather 1.0.0"]);
    scene.file("ws/lone.so", library(&manifest("lone", "1.0.0")));
    observed.until(&["lone 1.0.0", "weather 1.0.0"]);
    scene.plugin("ws/weather", "weather", "1.1.0");
    observed.until(&["lone 1.0.0", "weather 1.1.0"]);
    fs::remove_dir_all(scene.path("ws/weather")).expect("it is there");
    observed.until(&["lone 1.0.0"]);
    fs::remove_file(scene.path("ws/lone.so")).expect("it is there");
    observed.until(&[]);
}

#[test]
fn a_root_may_appear_vanish_and_come_back() {
    let scene = Scene::new();
    let mut observed = Observed::new(&[scene.root(Origin::User, "a/b/plugins")], None);
    for _ in 0..3 {
        scene.plugin("a/b/plugins/weather", "weather", "1.0.0");
        observed.until(&["weather 1.0.0"]);
        fs::remove_dir_all(scene.path("a")).expect("it is there");
        observed.until(&[]);
    }
}

#[test]
fn directories_are_renamed_into_place_and_away() {
    let scene = Scene::new();
    scene
        .directory("ws")
        .plugin("built/weather", "weather", "1.0.0");
    let mut observed = watched(&scene);
    for _ in 0..3 {
        fs::rename(scene.path("built/weather"), scene.path("ws/weather")).expect("it is there");
        observed.until(&["weather 1.0.0"]);
        fs::rename(scene.path("ws/weather"), scene.path("built/weather")).expect("it is there");
        observed.until(&[]);
    }
}

#[test]
fn the_root_itself_is_replaced() {
    let scene = Scene::new();
    scene
        .plugin("ws/weather", "weather", "1.0.0")
        .plugin("next/weather", "weather", "2.0.0");
    let mut observed = watched(&scene);
    fs::rename(scene.path("ws"), scene.path("old")).expect("it is there");
    fs::rename(scene.path("next"), scene.path("ws")).expect("it is there");
    observed.until(&["weather 2.0.0"]);
    scene.plugin("ws/mail", "mail", "1.0.0");
    observed.until(&["mail 1.0.0", "weather 2.0.0"]);
}

#[test]
fn rights_that_are_put_right_are_noticed() {
    let scene = Scene::new();
    scene.plugin("ws/weather", "weather", "1.0.0");
    for (name, open, closed) in [
        ("ws", 0o777, 0o755),
        ("ws/weather", 0o777, 0o755),
        ("ws/weather/libweather.so", 0o666, 0o644),
    ] {
        scene.mode(name, open);
        let mut observed = watched(&scene);
        assert!(observed.used().is_empty(), "{name}");
        scene.mode(name, closed);
        observed.until(&["weather 1.0.0"]);
    }
}

#[test]
fn both_sides_of_links_are_followed() {
    let scene = Scene::new();
    scene
        .directory("ws")
        .plugin("v1", "weather", "1.0.0")
        .plugin("v2", "weather", "2.0.0")
        .file("target/lone.so", library(&manifest("lone", "1.0.0")))
        .link("ws/lone.so", "../target/lone.so")
        .link("ws/weather", "../v1");
    let root = scene.root(Origin::Workspace, "ws").allow_links_out();
    let mut observed = Observed::new(&[root], None);
    assert_eq!(observed.used(), ["lone 1.0.0", "weather 1.0.0"]);
    // As deployments do it, in one step.
    scene.link("new", "../v2");
    fs::rename(scene.path("new"), scene.path("ws/weather")).expect("it is there");
    observed.until(&["lone 1.0.0", "weather 2.0.0"]);
    scene.plugin("v2", "weather", "2.1.0");
    observed.until(&["lone 1.0.0", "weather 2.1.0"]);
    scene.file("target/lone.so", library(&manifest("lone", "1.1.0")));
    observed.until(&["lone 1.1.0", "weather 2.1.0"]);
}

#[test]
fn an_explicit_library_is_followed() {
    let scene = Scene::new();
    let root = scene.root(Origin::Explicit, "target/lone.so");
    let mut observed = Observed::new(&[root], None);
    for version in ["1.0.0", "1.1.0"] {
        scene.file("target/lone.so", library(&manifest("lone", version)));
        observed.until(&[&format!("lone {version}")]);
    }
    fs::remove_dir_all(scene.path("target")).expect("it is there");
    observed.until(&[]);
}

#[test]
fn without_kernel_events_roots_are_looked_at_regularly() {
    let scene = Scene::new();
    let roots = [scene.root(Origin::Workspace, "ws")];
    let mut observed = Observed::new(&roots, Some(Duration::from_millis(10)));
    scene.plugin("ws/weather", "weather", "1.0.0");
    observed.until(&["weather 1.0.0"]);
    scene.plugin("ws/weather", "weather", "1.1.0");
    observed.until(&["weather 1.1.0"]);
    fs::remove_dir_all(scene.path("ws/weather")).expect("it is there");
    observed.until(&[]);
}
