//! How the libraries of a host have ended, and how many may stay in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::mapped::is_mapped;
use crate::error::{HostError, HostErrorKind};

/// How many libraries of a host are in which state.
///
/// What could not be unloaded is told by the path of its private copy, with the cause as far as it
/// is known. Either can still be unloaded later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LibraryCounts {
    /// Open: in use; or still held by a call, a stream, a buffer or a thread of the plugin; or
    /// waiting for threads to destroy their thread-locals.
    pub open: usize,
    /// Closed, and seen to be gone from memory.
    pub unloaded: usize,
    /// Closed, but still in memory: the dynamic loader holds on to them. Looked at again whenever a
    /// library is closed and whenever these counts are asked for.
    pub pinned: BTreeMap<PathBuf, String>,
    /// Not closed, since that would not be safe, or nobody could tell: the platform has no thread
    /// hooks; the library was refused after its constructors had run, or these have left
    /// thread-locals, keys or threads behind; or the plugin wants its thread-locals destroyed by
    /// their own threads, and these do not come. The last is closed when they have come.
    pub retained: BTreeMap<PathBuf, String>,
    /// Destructors of thread-locals that were run for threads that stayed idle. What threads have
    /// destroyed themselves is not counted.
    pub destructors_run: usize,
    /// Destructors of thread-locals that were never run, by the plugin's own wish; and threads that
    /// stayed idle with values of the plugin's pthread keys, which no other thread can destroy.
    pub destructors_leaked: usize,
    /// pthread keys that were deleted.
    pub keys_deleted: usize,
}

impl LibraryCounts {
    /// How many libraries stay in memory though nothing uses them.
    fn kept(&self) -> usize {
        self.pinned.len() + self.retained.len()
    }

    /// The causes of what stays, each with its number, the most frequent first.
    fn causes(&self) -> Vec<(&str, usize)> {
        let mut causes = BTreeMap::new();
        for cause in self.pinned.values().chain(self.retained.values()) {
            *causes.entry(cause.as_str()).or_insert(0) += 1;
        }
        let mut causes: Vec<_> = causes.into_iter().collect();
        causes.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        causes
    }
}

/// How one library has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// It is gone from memory.
    Unloaded,
    /// It was closed, and the dynamic loader holds on to it.
    Pinned { cause: String },
    /// It was not closed.
    Retained { cause: String },
}

impl Closed {
    /// Says so in the host's log.
    pub(crate) fn log(&self, plugin: &str) {
        match self {
            Closed::Unloaded => tracing::debug!(plugin, "unloaded"),
            Closed::Pinned { cause } | Closed::Retained { cause } => {
                tracing::warn!(plugin, "the library stays in memory: {cause}");
            }
        }
    }
}

/// The counts of one host.
#[derive(Debug)]
pub(crate) struct Tally {
    max_retained: usize,
    counts: Mutex<LibraryCounts>,
    changed: Condvar,
}

impl Tally {
    /// Nothing yet, of a host that opens no further library once this many stay in memory.
    pub(crate) fn new(max_retained: usize) -> Self {
        Tally {
            max_retained,
            counts: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn counts(&self) -> LibraryCounts {
        self.probe();
        self.lock().clone()
    }

    /// Waits until no more libraries are open than are in use, for at most this long.
    pub(crate) fn wait_until_open_are(
        &self,
        in_use: impl Fn() -> usize,
        patience: Duration,
    ) -> LibraryCounts {
        let more_open = |counts: &mut LibraryCounts| counts.open > in_use();
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), patience, more_open);
        drop(waited);
        self.counts()
    }

    /// Whether another library may be opened.
    pub(super) fn admit(&self) -> Result<(), HostError> {
        let counts = self.counts();
        let (kept, most) = (counts.kept(), self.max_retained);
        if kept < most {
            return Ok(());
        }
        let causes = counts.causes();
        let told: Vec<_> = causes
            .iter()
            .take(3)
            .map(|(cause, number)| format!("{number} because {cause}"))
            .collect();
        let more = match causes.len().saturating_sub(told.len()) {
            0 => "",
            _ => "; and others",
        };
        Err(HostError::new(
            HostErrorKind::Retained,
            format!(
                "of stopped plugins, {kept} stay in memory as libraries that could not be unloaded; \
                 this host may keep {most}: {}{more}",
                told.join("; ")
            ),
        )
        .hint(
            "look at the causes in Host::libraries, and restart the process to be rid of them; \
             HostBuilder::max_retained allows more",
        ))
    }

    pub(super) fn opened(&self) {
        self.change(|counts| counts.open += 1);
    }

    /// A library that was open has ended, and this is what it took.
    pub(super) fn closed(&self, path: &Path, closed: &Closed, took: Took) {
        self.change(|counts| {
            // It may have been retained until its threads came.
            if counts.retained.remove(path).is_none() {
                counts.open -= 1;
            }
            counts.destructors_run += took.destructors_run;
            counts.destructors_leaked += took.destructors_leaked;
            counts.keys_deleted += took.keys_deleted;
            match closed {
                Closed::Unloaded => counts.unloaded += 1,
                Closed::Pinned { cause } => {
                    counts.pinned.insert(path.to_owned(), cause.clone());
                }
                Closed::Retained { cause } => {
                    counts.retained.insert(path.to_owned(), cause.clone());
                }
            }
        });
    }

    /// Looks whether the dynamic loader has let go of what was pinned.
    pub(super) fn probe(&self) {
        // The loader's own lock is not taken under ours.
        let pinned: Vec<PathBuf> = self.lock().pinned.keys().cloned().collect();
        for path in pinned.into_iter().filter(|path| !is_mapped(path)) {
            let mut counts = self.lock();
            // Somebody else may have looked at the same time.
            if counts.pinned.remove(&path).is_some() {
                counts.unloaded += 1;
                drop(counts);
                let _ = std::fs::remove_file(&path);
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut LibraryCounts)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, LibraryCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What closing a library took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Took {
    pub(super) destructors_run: usize,
    pub(super) destructors_leaked: usize,
    pub(super) keys_deleted: usize,
}
