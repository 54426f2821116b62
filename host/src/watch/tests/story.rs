//! Tells the core what happens at which millisecond, and writes down what it reports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::watch::change::Observation;
use crate::watch::set::Files;
use crate::watch::state::{FileState, Sign};
use crate::watch::{Report, Settle};

/// Files that exist in a table only.
pub(super) struct Story {
    begin: Instant,
    now: u64,
    files: Files,
    pub(super) found: BTreeMap<&'static str, Option<FileState>>,
    /// One line per report: time, what, which files, and of settled ones when they were complete.
    pub(super) log: Vec<String>,
}

impl Story {
    pub(super) fn new(baseline: &[(&'static str, Option<FileState>)]) -> Self {
        let mut files = Files::new(Settle::default());
        for (path, state) in baseline {
            assert!(files.add(Path::new(path), *state));
        }
        Story {
            begin: Instant::now(),
            now: 0,
            files,
            found: baseline.iter().copied().collect(),
            log: Vec::new(),
        }
    }

    fn instant(&self) -> Instant {
        self.begin + Duration::from_millis(self.now)
    }

    fn millisecond(&self, at: Instant) -> u128 {
        at.duration_since(self.begin).as_millis()
    }

    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Changes what is found of a file, without a sign of it.
    pub(super) fn find(&mut self, path: &'static str, state: Option<FileState>) {
        self.found.insert(path, state);
    }

    /// Gives a sign; the file is what was last found.
    pub(super) fn sign(&mut self, path: &'static str, sign: Sign) {
        let seen = Observation {
            at: self.instant(),
            now: self.instant(),
            sign,
            state: self.found[path],
        };
        let report = self.files.observe(Path::new(path), seen);
        report.into_iter().for_each(|report| self.write(report));
    }

    /// Lets the core settle what it can, as the thread does after each batch.
    pub(super) fn settle(&mut self) {
        self.look_at(self.files.settling(self.instant()));
        let report = self.files.settle(self.instant());
        report.into_iter().for_each(|report| self.write(report));
    }

    /// Lets time pass, with all looks that the core asks for.
    pub(super) fn pass(&mut self, until: u64) {
        self.settle();
        while let Some(next) = self.files.next() {
            let next = u64::try_from(self.millisecond(next)).expect("a short story");
            if next > until {
                break;
            }
            self.wake(next);
        }
        self.now = until;
    }

    /// Lets time pass until the core has nothing left to wait for.
    pub(super) fn end(&mut self) {
        self.settle();
        for _ in 0..1000 {
            let Some(next) = self.files.next() else {
                return;
            };
            let next = u64::try_from(self.millisecond(next)).expect("a short story");
            self.wake(next);
        }
        panic!("the core never comes to rest: {:#?}", self.files);
    }

    fn wake(&mut self, at: u64) {
        assert!(at >= self.now, "the core wants to wake up in the past");
        self.now = at;
        self.look_at(self.files.due(self.instant()));
        self.settle();
    }

    fn look_at(&mut self, paths: Vec<PathBuf>) {
        for path in paths {
            let known = self.found.keys().find(|known| path == Path::new(known));
            self.sign(known.copied().expect("one of its files"), Sign::Look);
        }
    }

    fn write(&mut self, report: Report) {
        let name = |path: PathBuf| path.display().to_string();
        let line = match report {
            Report::Detected { path, at } => {
                assert_eq!(at, self.instant());
                format!("detected {}", name(path))
            }
            Report::Missing { path } => format!("missing {}", name(path)),
            Report::Settled { set } => {
                let set = set.into_iter().map(|file| {
                    assert_eq!(file.settled, self.instant());
                    assert!(file.detected <= file.complete);
                    format!(" {}@{}", name(file.path), self.millisecond(file.complete))
                });
                format!("settled{}", set.collect::<String>())
            }
            Report::Polling { path, .. } => panic!("the core does not poll {}", path.display()),
        };
        self.log.push(format!("{} {line}", self.now));
    }
}
