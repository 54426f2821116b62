//! One thread closes every library, never a caller's.
//!
//! A generation's last lease may be dropped anywhere: on a thread of the application inside an
//! unrelated call, or on a thread of the plugin itself. Closing runs code of the plugin and unmaps
//! the rest, so it happens here. A library that waits for the threads which hold its thread-locals
//! waits in a list; the others go on meanwhile.
#![expect(unsafe_code, reason = "closes libraries")]

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use keyway::shim::hooks::PluginThreads;

use super::exit;
use super::mapped::is_mapped;
use super::tally::{Closed, Tally, Took};
use super::threads::{Record, host_thread};

/// What becomes of the thread-locals of threads that do not come by in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum IdleThreads {
    /// Their destructors run on the reaper, when nothing else is inside of the plugin.
    #[default]
    Run,
    /// Their destructors do not run: what the thread-locals own is lost.
    Leak,
    /// The library stays until their threads have come: for values that are bound to their thread.
    Retain,
}

/// Told how a library has ended.
type Listener = Box<dyn FnOnce(&Closed) + Send>;

/// A library with all that it takes to close it.
pub(super) struct Closing {
    pub(super) handle: libloading::Library,
    /// None where the library has no thread hooks: then it cannot be closed.
    pub(super) threads: Option<&'static PluginThreads>,
    pub(super) record: Arc<Record>,
    pub(super) path: PathBuf,
    pub(super) tally: Arc<Tally>,
    /// What is known beforehand to keep the library in memory.
    pub(super) pin: Option<String>,
    pub(super) idle_threads: IdleThreads,
    /// How long threads get to come by.
    pub(super) patience: Duration,
    pub(super) listeners: Mutex<Vec<Listener>>,
}

enum Message {
    Close(Box<Closing>),
    /// A thread has destroyed what it had of a library that is being closed.
    Look,
}

fn reaper() -> Option<&'static Mutex<Sender<Message>>> {
    static REAPER: OnceLock<Option<Mutex<Sender<Message>>>> = OnceLock::new();
    let reaper = REAPER.get_or_init(|| {
        let (give, take) = channel();
        let started = std::thread::Builder::new()
            .name("keyway-reaper".to_owned())
            .spawn(|| run(take));
        started.is_ok().then(|| Mutex::new(give))
    });
    reaper.as_ref()
}

fn send(message: Message) -> Result<(), Message> {
    let Some(reaper) = reaper() else {
        return Err(message);
    };
    let reaper = reaper.lock().unwrap_or_else(PoisonError::into_inner);
    reaper.send(message).map_err(|refused| refused.0)
}

/// Gives a library to the reaper.
pub(super) fn close(closing: Closing) {
    if let Err(Message::Close(closing)) = send(Message::Close(Box::new(closing))) {
        closing.retain("there is no thread to close it on: the system refused to start one");
    }
}

/// Says that a thread has destroyed what it had of a library that is being closed.
pub(super) fn look_again() {
    // Without a reaper nothing waits.
    let _ = send(Message::Look);
}

fn run(messages: Receiver<Message>) {
    host_thread();
    let mut waiting: Vec<Waiting> = Vec::new();
    loop {
        let next = waiting.iter().filter_map(|waiting| waiting.until).min();
        let message = match next {
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => messages.recv_timeout(until.saturating_duration_since(Instant::now())),
        };
        match message {
            Ok(Message::Close(closing)) => waiting.extend(closing.begin()),
            Ok(Message::Look) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        waiting = waiting.into_iter().filter_map(Waiting::look).collect();
    }
}

/// A library whose thread-locals were not all destroyed when it was last looked at.
struct Waiting {
    closing: Box<Closing>,
    /// When to give up waiting for threads; none once that has passed, or where it never does.
    until: Option<Instant>,
    overdue: bool,
    /// Whether it was reported as retained, and is closed only when its threads come after all.
    retained: bool,
}

impl Waiting {
    /// Closes the library if it is time; answers it if it is not.
    fn look(mut self) -> Option<Self> {
        let record = &self.closing.record;
        if record.is_clear() {
            self.closing.finish(Took::default());
            return None;
        }
        if self.retained {
            return Some(self);
        }
        if self.until.is_some_and(|until| until <= Instant::now()) {
            self.until = None;
            self.overdue = true;
        }
        let mut took = Took::default();
        match self.closing.idle_threads {
            IdleThreads::Retain if self.overdue => {
                let threads = record.holders().join(", ");
                self.closing.report(
                    &Closed::Retained {
                        cause: format!(
                            "its plugin wants thread-locals destroyed by their own threads, and \
                             these have not called since: {threads}"
                        ),
                    },
                    Took::default(),
                );
                self.retained = true;
                return Some(self);
            }
            // Threads that cannot be flagged are not waited for.
            IdleThreads::Run | IdleThreads::Leak if self.overdue || !record.is_awaited() => {
                if !record.take() {
                    // A thread is about it at this moment, and will say when it is done.
                    return Some(self);
                }
                match self.closing.idle_threads {
                    IdleThreads::Leak => {
                        let taken = record.drop_left();
                        took.destructors_leaked = taken.done + taken.lost;
                    }
                    _ => {
                        let taken = record.run_left();
                        took.destructors_run = taken.done;
                        took.destructors_leaked = taken.lost;
                    }
                }
            }
            _ => return Some(self),
        }
        self.closing.finish(took);
        None
    }
}

impl Closing {
    /// Leaves the library to the end of the process. There is nobody left to be told.
    fn leave(self) {
        self.record.forget();
        leave(&self.tally, &self.path, Took::default());
        std::mem::forget(self.handle);
    }

    /// Keeps the library for good.
    pub(super) fn retain(self, cause: impl Into<String>) {
        let cause = cause.into();
        self.record.forget();
        self.report(&Closed::Retained { cause }, Took::default());
        std::mem::forget(self.handle);
    }

    /// Asks the threads that hold thread-locals to destroy them. Answers none where the library
    /// cannot be closed.
    fn begin(self: Box<Self>) -> Option<Waiting> {
        if exit::has_begun() {
            self.leave();
            return None;
        }
        let Some(threads) = self.threads else {
            self.retain(
                "what it has left on threads is not known: it has no thread hooks, which exist on \
                 Linux with glibc on x86-64 and aarch64",
            );
            return None;
        };
        // SAFETY: the library is open.
        let before = unsafe { (threads.before_install)() };
        if before > 0 {
            self.retain(format!(
                "its constructors have left {before} thread-locals, keys or threads behind before \
                 the host could take them over"
            ));
            return None;
        }
        self.record.begin_closing();
        Some(Waiting {
            until: Instant::now().checked_add(self.patience),
            closing: self,
            overdue: false,
            retained: false,
        })
    }

    /// Closes the library, of which no thread holds anything any more, and looks whether it is gone.
    fn finish(self, mut took: Took) {
        // From here on its code can leave nothing behind: destructors of statics that `dlclose` runs
        // may touch thread-locals, which would outlive it.
        self.record.forget();
        if let Some(threads) = self.threads {
            // SAFETY: the library is open, and nothing of it runs: its generation is gone, hence all
            // objects, calls and threads of it, and so are the destructors of its thread-locals.
            took.keys_deleted = unsafe { (threads.delete_keys)() } as usize;
        }
        let Closing {
            handle,
            path,
            tally,
            pin,
            listeners,
            ..
        } = self;
        let held = || {
            pin.unwrap_or_else(|| {
                "the dynamic loader holds it; `keyway inspect` says whether it forbids unloading"
                    .to_owned()
            })
        };
        let closed = match handle.close() {
            Err(error) => Closed::Pinned {
                cause: error.to_string(),
            },
            Ok(()) if is_mapped(&path) => {
                if exit::has_begun() {
                    return leave(&tally, &path, took);
                }
                Closed::Pinned { cause: held() }
            }
            Ok(()) => {
                // Debuggers need the copy for as long as it is mapped, and nobody afterwards.
                let _ = std::fs::remove_file(&path);
                Closed::Unloaded
            }
        };
        tally.probe();
        tracing::debug!(path = %path.display(), ?took, ?closed, "closed");
        tally.closed(&path, &closed, took);
        tell(&listeners, &closed);
    }

    fn report(&self, closed: &Closed, took: Took) {
        self.tally.closed(&self.path, closed, took);
        tell(&self.listeners, closed);
    }
}

/// Counts a library that stays because the process is ending.
fn leave(tally: &Tally, path: &Path, took: Took) {
    let cause = "the process is ending".to_owned();
    tally.closed(path, &Closed::Retained { cause }, took);
}

/// Tells each listener, once.
fn tell(listeners: &Mutex<Vec<Listener>>, closed: &Closed) {
    let listeners = std::mem::take(&mut *listeners.lock().unwrap_or_else(PoisonError::into_inner));
    for listener in listeners {
        listener(closed);
    }
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closing")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
