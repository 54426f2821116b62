//! When a root is reported, in real directories. What is found there then is tested with the
//! discovery.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

use super::{RootReport, RootWatch};
use crate::discovery::{Origin, Root};
use crate::watch::kernel::Kernel;
use crate::watch::{Settle, WatchOptions};

/// Decides only when a test has failed.
const PATIENCE: Duration = Duration::from_secs(30);

struct Scene {
    home: TempDir,
    reports: Receiver<RootReport>,
    _watch: RootWatch,
    serial: u32,
}

impl Scene {
    /// Two roots, `ws` and `barrier`. A file that nobody closes takes longer than any test to
    /// settle.
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        for root in ["ws/weather", "barrier"] {
            fs::create_dir_all(home.path().join(root)).expect("a directory");
        }
        fs::write(home.path().join("ws/weather/plugin.toml"), "text").expect("a file");
        let options = WatchOptions {
            interval: None,
            settle: Settle {
                held: 2 * PATIENCE,
                ..Settle::default()
            },
        };
        let roots = ["ws", "barrier"].map(|name| Root::new(Origin::User, home.path().join(name)));
        let (sender, reports) = channel();
        let report = move |report| {
            // The scene may be over.
            let _ = sender.send(report);
        };
        let watch = RootWatch::start_with(&roots, options, report, Kernel::connect);
        Scene {
            home,
            reports,
            _watch: watch.expect("a watch"),
            serial: 0,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Which roots are reported until one is that was changed after all else.
    fn reported(&mut self) -> Vec<String> {
        self.serial += 1;
        let new = self.path("new");
        fs::write(&new, "text").expect("a file");
        let barrier = format!("barrier/{}.so", self.serial);
        fs::rename(new, self.path(&barrier)).expect("to be renamed");
        let mut reported = Vec::new();
        loop {
            match self.reports.recv_timeout(PATIENCE).expect("a report") {
                RootReport::Changed { roots } => {
                    for root in roots {
                        if root == self.path("barrier") {
                            return reported;
                        }
                        let name = root.strip_prefix(self.home.path()).expect("a root");
                        reported.push(name.display().to_string());
                    }
                }
                other => panic!("expected a change, found {other:?}"),
            }
        }
    }
}

#[test]
fn what_matters_to_no_plugin_is_not_reported() {
    let mut scene = Scene::new();
    fs::write(scene.path("ws/README.md"), "text").expect("a file");
    fs::write(scene.path("ws/weather/.plugin.toml.tmp"), "text").expect("a file");
    fs::read(scene.path("ws/weather/plugin.toml")).expect("it is there");
    fs::write(scene.path("beside"), "text").expect("a file");
    assert!(scene.reported().is_empty());
}

#[test]
fn a_library_is_reported_when_its_writer_has_closed_it() {
    let mut scene = Scene::new();
    let mut library = File::create(scene.path("ws/weather/libweather.so")).expect("a file");
    library.write_all(b"half").expect("it can be written");
    assert!(scene.reported().is_empty());
    library.write_all(b"and half").expect("it can be written");
    assert!(scene.reported().is_empty());
    drop(library);
    let RootReport::Changed { roots } = scene.reports.recv_timeout(PATIENCE).expect("a report")
    else {
        panic!("it is a change");
    };
    assert_eq!(roots, [scene.path("ws")]);
}

#[test]
fn a_watch_may_be_dropped_by_what_it_reports() {
    let home = tempfile::tempdir().expect("a directory");
    let root = Root::new(Origin::User, home.path());
    let (keep, kept) = channel::<RootWatch>();
    let (sender, done) = channel();
    let report = move |_| {
        let watch = kept.recv_timeout(PATIENCE).expect("the watch");
        drop(watch);
        let _ = sender.send(());
    };
    keep.send(RootWatch::start(&[root], None, report).expect("a watch"))
        .expect("the report waits for it");
    fs::create_dir(home.path().join("weather")).expect("a directory");
    done.recv_timeout(PATIENCE).expect("the drop comes back");
}
