//! Says when the host's log filter has changed.
//!
//! `tracing` tells each call site when what the subscribers want of it changes, also those that
//! nobody wanted before. It does so under its locks, where no plugin may be called, so the sites
//! only count the change in here, and a [`FilterWatch`] waits for it on a thread of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How often what is wanted of any call site has changed.
#[derive(Debug)]
struct Epoch {
    count: Mutex<u64>,
    counted: Condvar,
}

static EPOCH: Epoch = Epoch {
    count: Mutex::new(0),
    counted: Condvar::new(),
};

/// Notes that what is wanted of a call site has changed. Calls nobody and waits for nothing but a
/// lock that is only ever held for a moment.
pub(super) fn changed() {
    *count() += 1;
    EPOCH.counted.notify_all();
}

fn count() -> MutexGuard<'static, u64> {
    EPOCH.count.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that grows whenever what is wanted of any call site changes.
pub(crate) fn epoch() -> u64 {
    *count()
}

/// Waits for changes of the host's log filter.
///
/// A change of the filter counts many times, once per call site, and a watch may wake up in the
/// middle of it. It wakes up again for the rest: after the last call site has changed, one more
/// [`wait`](FilterWatch::wait) returns. So a plugin that asks for its call sites after each of them
/// ends up with the new filter.
#[derive(Debug)]
pub(crate) struct FilterWatch {
    seen: u64,
    stopped: Arc<AtomicBool>,
}

/// Ends the waiting of a [`FilterWatch`], on any thread; also when it is dropped.
#[derive(Debug)]
pub(crate) struct FilterWatchStop(Arc<AtomicBool>);

impl FilterWatch {
    /// A watch that sees what changes from now on.
    pub(crate) fn new() -> (Self, FilterWatchStop) {
        let stopped = Arc::new(AtomicBool::new(false));
        let watch = FilterWatch {
            seen: *count(),
            stopped: Arc::clone(&stopped),
        };
        (watch, FilterWatchStop(stopped))
    }

    /// Blocks until the filter has changed since the last call, and answers true; answers false
    /// once the watch is stopped.
    pub(crate) fn wait(&mut self) -> bool {
        let unchanged = |count: &mut u64| *count == self.seen && !self.is_stopped();
        let count = EPOCH.counted.wait_while(count(), unchanged);
        self.seen = *count.unwrap_or_else(PoisonError::into_inner);
        !self.is_stopped()
    }

    /// Whether the filter has changed since the last call.
    #[cfg(test)]
    pub(crate) fn has_changed(&mut self) -> bool {
        let count = *count();
        std::mem::replace(&mut self.seen, count) != count
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

impl Drop for FilterWatchStop {
    fn drop(&mut self) {
        // Under the lock, or a watch that has just looked would sleep through it.
        let count = count();
        self.0.store(true, Ordering::Relaxed);
        drop(count);
        EPOCH.counted.notify_all();
    }
}
