//! Watches the directories in which plugins are looked for, and reports when it is worth looking
//! there again: a manifest or a library has come, gone or changed and is complete, a directory has,
//! or rights and owners are others.
//!
//! Each such file is followed like any watched one, so that a build or a copy is reported when it is
//! done. [`survey`] says what of a root is to be watched, and is made anew whenever a name in it
//! comes or goes.

mod shell;
mod survey;

#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::WatchOptions;
use super::kernel::Kernel;
use super::shell::Message;
use crate::discovery::Root;
use crate::error::{HostError, HostErrorKind};

use self::shell::Shell;

/// What happened to watched roots.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootReport {
    /// Something is different there. What it is, [`Discoverer::rescan`](crate::Discoverer::rescan)
    /// says; it may also be nothing, as for a file that was only touched.
    Changed {
        /// As they were given; at least one.
        roots: Vec<PathBuf>,
    },
    /// Kernel events cannot be had, or are not enough; the root is looked at regularly. Once per root.
    Polling {
        /// As it was given.
        root: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Watches roots until it is dropped.
///
/// It owns a thread, "keyway-roots", on which all reports are made; the backend for kernel events
/// has a second one. Dropping it ends the thread and waits for that, unless the drop happens on that
/// very thread. What happens between the start and a first scan after it is reported; so start it,
/// then scan.
#[derive(Debug)]
pub struct RootWatch {
    messages: Sender<Message>,
    stopped: Arc<AtomicBool>,
    /// Taken by drop.
    thread: Option<JoinHandle<()>>,
}

impl RootWatch {
    /// Watches from now on. None of the roots need exist. With an interval the roots are looked at
    /// so often, instead of asking the system for events.
    ///
    /// `report` should come back soon, and must not wait for whoever drops the watch.
    ///
    /// # Errors
    ///
    /// The thread could not be started. That kernel events cannot be had is no error but a
    /// [`RootReport::Polling`].
    pub fn start(
        roots: &[Root],
        interval: Option<Duration>,
        report: impl FnMut(RootReport) + Send + 'static,
    ) -> Result<RootWatch, HostError> {
        let options = WatchOptions {
            interval,
            ..WatchOptions::default()
        };
        RootWatch::start_with(roots, options, report, Kernel::connect)
    }

    fn start_with(
        roots: &[Root],
        options: WatchOptions,
        report: impl FnMut(RootReport) + Send + 'static,
        connect: impl FnOnce(Sender<Message>) -> Result<Kernel, String>,
    ) -> Result<RootWatch, HostError> {
        let (messages, inbox) = channel();
        let kernel = match options.interval {
            Some(_) => None,
            None => Some(connect(messages.clone())),
        };
        let stopped = Arc::new(AtomicBool::new(false));
        // Surveyed here and not on the thread: what happens after this call is a change.
        let shell = Shell::new(
            roots,
            options,
            kernel,
            inbox,
            stopped.clone(),
            Box::new(report),
        );
        let thread = std::thread::Builder::new()
            .name("keyway-roots".to_owned())
            .spawn(move || shell.run())
            .map_err(|error| {
                HostError::new(
                    HostErrorKind::Host,
                    "cannot start the thread that watches plugin directories",
                )
                .hint("check the limit on threads of this user and container")
                .source(error)
            })?;
        Ok(RootWatch {
            messages,
            stopped,
            thread: Some(thread),
        })
    }
}

impl Drop for RootWatch {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // The thread is gone only if `report` has panicked on it.
        let _ = self.messages.send(Message::Stop);
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}
