//! All watched files together: which of them are complete, and which belong in one report.
//!
//! Pure, like [`change`](super::change).

use std::collections::BTreeMap;
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
    }

    pub(super) fn observe(&mut self, path: &Path, seen: Observation) -> Option<Report> {
        let file = self.files.get_mut(path)?;
        match file.tracked.observe(seen, &self.times)? {
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
        self.files
            .iter()
            .filter(|(_, file)| file.tracked.next_look().is_some_and(|at| at <= now))
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// When to come back without being told to: for [`Files::due`] or [`Files::settle`].
    pub(super) fn next(&self) -> Option<Instant> {
        let looks = self
            .files
            .values()
            .filter_map(|file| file.tracked.next_look());
        looks.chain(self.set_deadline()).min()
    }

    /// The files that [`Files::settle`] would report. Some may have waited for others, so they are
    /// to be looked at once more before that.
    pub(super) fn settling(&self, now: Instant) -> Vec<PathBuf> {
        if !self.may_settle(now) {
            return Vec::new();
        }
        let ready = self
            .files
            .iter()
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
        for (path, file) in &mut self.files {
            file.overdue |= file.tracked.is_busy();
            if let Some(change) = file.tracked.take_ready() {
                set.push(Changed {
                    path: path.clone(),
                    detected: change.detected,
                    complete: change.last,
                    settled: now,
                });
            }
        }
        Some(Report::Settled { set })
    }

    fn may_settle(&self, now: Instant) -> bool {
        let awaited = |file: &File| file.tracked.is_busy() && !file.overdue;
        self.set_deadline()
            .is_some_and(|deadline| now >= deadline || !self.files.values().any(awaited))
    }

    /// When the first of the complete files has waited for long enough.
    fn set_deadline(&self) -> Option<Instant> {
        let ready = self.files.values().filter_map(|file| file.tracked.ready());
        ready.min().map(|since| since + self.times.set)
    }
}
