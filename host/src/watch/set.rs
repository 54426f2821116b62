//! All watched files together: which of them are complete, and which belong in one report.
//!
//! Pure, like [`change`](super::change).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::change::{Noticed, Observation, Tracked};
use super::state::FileState;
use super::{Changed, Report, Settle};

/// The watched files.
#[derive(Debug)]
pub(super) struct Files {
    times: Settle,
    files: BTreeMap<PathBuf, File>,
    /// Those that are not quiet: few of very many, so nothing that is done at each event looks at the
    /// others.
    moving: BTreeSet<PathBuf>,
}

#[derive(Debug)]
struct File {
    tracked: Tracked,
    /// A set has waited for the end of this file's change for as long as it may; others need not
    /// wait for the same change again.
    overdue: bool,
}

impl Files {
    pub(super) fn new(times: Settle) -> Self {
        Files {
            times,
            files: BTreeMap::new(),
            moving: BTreeSet::new(),
        }
    }

    /// False if it is there already.
    pub(super) fn add(&mut self, path: &Path, baseline: Option<FileState>) -> bool {
        if self.files.contains_key(path) {
            return false;
        }
        let file = File {
            tracked: Tracked::new(baseline),
            overdue: false,
        };
        self.files.insert(path.to_owned(), file);
        true
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.files.remove(path);
        self.moving.remove(path);
    }

    pub(super) fn observe(&mut self, path: &Path, seen: Observation) -> Option<Report> {
        let file = self.files.get_mut(path)?;
        let noticed = file.tracked.observe(seen, &self.times);
        if file.tracked.is_quiet() {
            self.moving.remove(path);
        } else if !self.moving.contains(path) {
            self.moving.insert(path.to_owned());
        }
        match noticed? {
            Noticed::Change(at) => {
                file.overdue = false;
                Some(Report::Detected {
                    path: path.to_owned(),
                    at,
                })
            }
            Noticed::Missing => Some(Report::Missing {
                path: path.to_owned(),
            }),
        }
    }

    /// Whether a file is in the middle of a change.
    pub(super) fn is_busy(&self, path: &Path) -> bool {
        let file = self.files.get(path);
        file.is_some_and(|file| file.tracked.is_busy())
    }

    /// The files to look at now.
    pub(super) fn due(&self, now: Instant) -> Vec<PathBuf> {
        self.moving()
            .filter(|(_, file)| file.tracked.next_look().is_some_and(|at| at <= now))
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// When to come back without being told to: for [`Files::due`] or [`Files::settle`].
    pub(super) fn next(&self) -> Option<Instant> {
        let looks = self
            .moving()
            .filter_map(|(_, file)| file.tracked.next_look());
        looks.chain(self.set_deadline()).min()
    }

    /// The files that [`Files::settle`] would report. Some may have waited for others, so they are
    /// to be looked at once more before that.
    pub(super) fn settling(&self, now: Instant) -> Vec<PathBuf> {
        if !self.may_settle(now) {
            return Vec::new();
        }
        let ready = self
            .moving()
            .filter(|(_, file)| file.tracked.ready().is_some());
        ready.map(|(path, _)| path.clone()).collect()
    }

    /// Reports the complete files, unless another one is in the middle of a change and may yet
    /// belong to them.
    pub(super) fn settle(&mut self, now: Instant) -> Option<Report> {
        if !self.may_settle(now) {
            return None;
        }
        let mut set = Vec::new();
        for path in std::mem::take(&mut self.moving) {
            let Some(file) = self.files.get_mut(&path) else {
                continue;
            };
            file.overdue |= file.tracked.is_busy();
            match file.tracked.take_ready() {
                Some(change) => set.push(Changed {
                    path,
                    detected: change.detected,
                    complete: change.last,
                    settled: now,
                }),
                None => drop(self.moving.insert(path)),
            }
        }
        Some(Report::Settled { set })
    }

    fn may_settle(&self, now: Instant) -> bool {
        let awaited = |(_, file): (&PathBuf, &File)| file.tracked.is_busy() && !file.overdue;
        self.set_deadline()
            .is_some_and(|deadline| now >= deadline || !self.moving().any(awaited))
    }

    fn moving(&self) -> impl Iterator<Item = (&PathBuf, &File)> {
        let moving = self.moving.iter();
        moving.filter_map(|path| Some((path, self.files.get(path)?)))
    }

    /// When the first of the complete files has waited for long enough.
    fn set_deadline(&self) -> Option<Instant> {
        let ready = self.moving().filter_map(|(_, file)| file.tracked.ready());
        ready.min().map(|since| since + self.times.set)
    }
}
