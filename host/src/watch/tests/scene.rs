//! A directory with real files in it, a watcher, and its reports.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tempfile::TempDir;

use crate::watch::kernel::Kernel;
use crate::watch::shell::Message;
use crate::watch::{Report, Settle, WatchOptions, Watcher};

/// Decides only when a test has failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The name of the file that shows that all is reported that happened before.
const BARRIER: &str = "barrier";

pub(super) struct Scene {
    home: TempDir,
    pub(super) watcher: Watcher,
    pub(super) reports: Receiver<Report>,
    serial: u64,
}

impl Scene {
    pub(super) fn new() -> Self {
        Scene::with(WatchOptions::default(), Kernel::connect)
    }

    /// A change that nobody closes takes longer than any test to settle.
    pub(super) fn patient() -> Self {
        Scene::settling(Settle {
            held: 2 * PATIENCE,
            ..Settle::default()
        })
    }

    pub(super) fn settling(settle: Settle) -> Self {
        let options = WatchOptions {
            settle,
            ..WatchOptions::default()
        };
        Scene::with(options, Kernel::connect)
    }

    /// Without kernel events.
    pub(super) fn polling() -> Self {
        let options = WatchOptions {
            interval: Some(Duration::from_millis(10)),
            settle: Settle {
                held: Duration::from_millis(60),
                missing: Duration::from_millis(200),
                ..Settle::default()
            },
        };
        Scene::with(options, |_| unreachable!("polling was asked for"))
    }

    pub(super) fn with(
        options: WatchOptions,
        connect: impl FnOnce(Sender<Message>) -> Result<Kernel, String>,
    ) -> Self {
        let (sender, reports) = channel();
        let report = move |report| {
            // The scene may be over.
            let _ = sender.send(report);
        };
        Scene {
            home: tempfile::tempdir().expect("a directory"),
            watcher: Watcher::start_with(options, report, connect).expect("a watcher"),
            reports,
            serial: 0,
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(super) fn create_dir(&self, name: &str) {
        fs::create_dir_all(self.path(name)).expect("a directory");
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("to be renamed");
    }

    /// Makes a file with new content beside the watched ones.
    fn build(&mut self) -> PathBuf {
        self.serial += 1;
        let path = self.path(&format!("build-{}", self.serial));
        fs::write(&path, format!("content {}", self.serial)).expect("a file");
        path
    }

    /// Makes a new file appear under a name, complete.
    pub(super) fn move_to(&mut self, name: &str) {
        let built = self.build();
        fs::rename(built, self.path(name)).expect("to be renamed");
    }

    /// Makes a new file appear as cargo does it: the old one is deleted, the new one linked.
    pub(super) fn link_to(&mut self, name: &str) {
        let built = self.build();
        let path = self.path(name);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
        }
        fs::hard_link(built, path).expect("a hard link");
    }

    pub(super) fn add(&self, name: &str) {
        self.watcher.add(&self.path(name));
    }

    /// A file that exists and is watched, with events that come.
    pub(super) fn watch(&mut self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("its directory")).expect("a directory");
        // Not written in place: where the directory is watched already, an event of writing that
        // is still on its way would count.
        self.move_to(name);
        self.watcher.add(&path);
        self.synchronize();
        path
    }

    pub(super) fn next(&self) -> Report {
        self.reports.recv_timeout(PATIENCE).expect("a report")
    }

    /// The names that are reported as settled next. What else is reported must be their detection.
    pub(super) fn settled(&self) -> Vec<String> {
        loop {
            match self.next() {
                Report::Detected { .. } => {}
                Report::Settled { set } => {
                    return set.iter().map(|changed| self.name(&changed.path)).collect();
                }
                other => panic!("expected a settled set, found {other:?}"),
            }
        }
    }

    /// Waits for a file to be reported as missing.
    pub(super) fn missing(&self) -> String {
        loop {
            match self.next() {
                Report::Detected { .. } => {}
                Report::Missing { path } => return self.name(&path),
                other => panic!("expected a missing file, found {other:?}"),
            }
        }
    }

    fn name(&self, path: &Path) -> String {
        let name = path
            .strip_prefix(self.home.path())
            .expect("a file of the scene");
        name.display().to_string()
    }

    /// Waits until all is known to the watcher that happened so far. Nothing else may be reported.
    pub(super) fn synchronize(&mut self) {
        self.add(BARRIER);
        // A link is known for complete also if it comes before the events do.
        self.link_to(BARRIER);
        let mut detected = 0;
        loop {
            match self.next() {
                Report::Detected { path, .. } if self.name(&path) == BARRIER => detected += 1,
                Report::Settled { set } if set.len() == 1 && self.name(&set[0].path) == BARRIER => {
                    break;
                }
                other => panic!("expected nothing more, found {other:?}"),
            }
        }
        assert_eq!(detected, 1);
        self.watcher.remove(&self.path(BARRIER));
    }
}
