//! Watches the files of plugins, and reports when one has changed and is complete.
//!
//! What is watched are directories and exact names in them, never the files: cargo deletes and
//! re-links its output, so that a watch on the file dies at the first build. [`change`] decides
//! when one file is complete, [`set`] which files belong together; both are pure, time and what was
//! seen come in as arguments. [`trail`] finds the directories that matter for a path, [`kernel`]
//! asks for events there, and [`shell`] is the thread that brings it all together. Nothing is ever
//! read of the files, and nothing loaded.
//!
//! # When a file is complete
//!
//! | what happens | complete |
//! |---|---|
//! | a hard link or a renamed file takes the name | at once; [`Settle::coalesce`] later that is reported |
//! | a writer closes the file | [`Settle::quiet`] after the last close |
//! | a writer keeps it open, or nobody tells (polling, macOS, Windows) | nothing changed for [`Settle::held`] |
//! | it is touched: another time of modification, no writing seen | likewise |
//! | mode, owner or number of links change | that is no change |
//!
//! # What is not seen
//!
//! Of the directories above a file the nearest three are watched, both as the path spells them and
//! where symbolic links lead. Where one further up is renamed and another one takes its place,
//! nothing is noticed until something happens further down. A file that is written through another hard
//! link, or through a mapping that stays open after the file was closed, gives no event in its
//! directory.

mod change;
mod kernel;
mod mounts;
mod roots;
mod set;
mod shell;
mod state;
mod trail;
mod ways;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{HostError, HostErrorKind};

pub use self::roots::{RootReport, RootWatch};

use self::kernel::Kernel;
use self::shell::{Message, Shell};
use self::state::FileState;

/// How a watcher looks, and how long it waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct WatchOptions {
    /// Look this often instead of asking the kernel for events; at least
    /// [`SHORTEST_INTERVAL`]. None: kernel events, and where these cannot be had a look every
    /// [`FALLBACK_INTERVAL`].
    pub(crate) interval: Option<Duration>,
    /// The times that decide when a file is complete.
    pub(crate) settle: Settle,
}

/// A shorter interval would keep the thread busy for nothing: no build is that fast.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(5);

/// A look takes some ten system calls for each file, so that this costs next to nothing, and is
/// about as fast as a person notices.
const FALLBACK_INTERVAL: Duration = Duration::from_millis(500);

/// The times that decide when a file is complete.
#[derive(Clone, Debug)]
pub(crate) struct Settle {
    /// From a hard link or a rename to the report. Longer than the gap that cargo leaves between
    /// deleting its output and linking the new one (0.6 to 1.9 ms were measured), so that what one
    /// run of cargo links one after the other comes as one set.
    pub(crate) coalesce: Duration,
    /// From the last close after writing to the report. Tools that work on a finished file (strip,
    /// patchelf, a signer) open it again; what takes them longer gives a second report.
    pub(crate) quiet: Duration,
    /// For how long nothing may change in a file that nobody was seen to close. GNU ld was seen to
    /// write a library in 419 steps over 87 ms, far closer together than this. It is generous
    /// because writing through a mapping gives no events: only two looks can tell.
    pub(crate) held: Duration,
    /// For how long a file may be gone before it is missing. Cargo's own gap is under 2 ms; this
    /// is for tools that delete their output first. What takes them longer is missing meanwhile,
    /// and then a change.
    pub(crate) missing: Duration,
    /// For how long complete files wait for another one that is being changed. Long enough for the
    /// linker's and cargo's own work on the last of several libraries, short enough to live with
    /// when the other one never ends.
    pub(crate) set: Duration,
}

impl Default for Settle {
    fn default() -> Self {
        Settle {
            coalesce: Duration::from_millis(3),
            quiet: Duration::from_millis(10),
            held: Duration::from_millis(500),
            missing: Duration::from_secs(1),
            set: Duration::from_secs(1),
        }
    }
}

/// What happened to watched files. Each `Detected` of a path is followed by one `Settled` with it,
/// or by one `Missing`, before the next `Detected`, unless the path is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The first sign of a change.
    Detected {
        /// As it was given to [`Watcher::add`].
        path: PathBuf,
        /// When the sign was seen.
        at: Instant,
    },
    /// Complete files that belong together, sorted by path. The content may be what it was before:
    /// the file was touched, or written again.
    Settled {
        /// At least one.
        set: Vec<Changed>,
    },
    /// The file has been gone for [`Settle::missing`]. When it comes back, that is a change.
    Missing {
        /// As it was given to [`Watcher::add`].
        path: PathBuf,
    },
    /// Kernel events cannot be had, or are not enough; files there are looked at regularly. Once
    /// per directory.
    Polling {
        /// The directory of a watched file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// A file that has changed and is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// As it was given to [`Watcher::add`].
    pub(crate) path: PathBuf,
    /// The first sign of the change.
    pub(crate) detected: Instant,
    /// The last sign of writing, linking or renaming: from here latencies are measured.
    pub(crate) complete: Instant,
    /// When this was decided.
    pub(crate) settled: Instant,
}

/// Watches files until it is dropped.
///
/// It owns a thread, "keyway-watch", on which all reports are made; the backend for kernel events
/// has a second one. Both sleep while nothing happens in the watched directories. Dropping the watcher ends its thread and
/// waits for that, unless the drop happens on that very thread, inside of `report`.
#[derive(Debug)]
pub(crate) struct Watcher {
    messages: Sender<Message>,
    stopped: Arc<AtomicBool>,
    /// Taken by drop.
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts the thread. `report` is called on it, and should come back soon: meanwhile nothing is
    /// looked at. It must not wait for whoever drops the watcher.
    ///
    /// # Errors
    ///
    /// The thread could not be started. That kernel events cannot be had is no error but a
    /// [`Report::Polling`].
    pub(crate) fn start(
        options: WatchOptions,
        report: impl FnMut(Report) + Send + 'static,
    ) -> Result<Watcher, HostError> {
        Watcher::start_with(options, report, Kernel::connect)
    }

    fn start_with(
        options: WatchOptions,
        report: impl FnMut(Report) + Send + 'static,
        connect: impl FnOnce(Sender<Message>) -> Result<Kernel, String>,
    ) -> Result<Watcher, HostError> {
        let (messages, inbox) = channel();
        let kernel = match options.interval {
            Some(_) => None,
            None => Some(connect(messages.clone())),
        };
        let stopped = Arc::new(AtomicBool::new(false));
        let shell = Shell::new(options, kernel, inbox, stopped.clone(), Box::new(report));
        let thread = std::thread::Builder::new()
            .name("keyway-watch".to_owned())
            .spawn(move || shell.run())
            .map_err(|error| {
                HostError::new(
                    HostErrorKind::Host,
                    "cannot start the thread that watches plugin files",
                )
                .hint("check the limit on threads of this user and container")
                .source(error)
            })?;
        Ok(Watcher {
            messages,
            stopped,
            thread: Some(thread),
        })
    }

    /// Watches this file from now on. Neither it nor its directory need exist. What it is at this
    /// moment is not reported; every change after this call is, unless it leaves identity, size and
    /// time of modification as they were and happens before events come.
    ///
    /// Where its directory is watched already for another file, the events of a write just before
    /// the call may still be on their way; they count.
    ///
    /// A path that is watched already goes on being watched, and nothing else happens; it is not
    /// counted. What is no regular file counts as missing, and so does what cannot be looked at. A
    /// symbolic link stands for the file at its end; that the link is replaced is a change.
    pub(crate) fn add(&self, path: &Path) {
        // An empty path is the only one that cannot be made absolute here.
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let baseline = FileState::of(&absolute);
        self.send(Message::Add {
            path: path.to_owned(),
            absolute,
            baseline,
        });
    }

    /// Ends the watching of this path, spelled as it was added. Reports that are being made at this
    /// moment may still come.
    pub(crate) fn remove(&self, path: &Path) {
        self.send(Message::Remove(path.to_owned()));
    }

    fn send(&self, message: Message) {
        // The thread is gone only if `report` has panicked on it; then nobody is left to tell.
        let _ = self.messages.send(message);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        self.send(Message::Stop);
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // What `report` panicked with was printed by the panic hook.
            let _ = thread.join();
        }
    }
}
