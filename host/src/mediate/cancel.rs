//! Ending what is under way, from another thread.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keyway::{ErrorKind, PluginError, Result};

use super::{codes, refusal};

/// Cancels one thing that was asked for, once or for ever. A clone is the same one.
#[derive(Clone, Default)]
pub(crate) struct Cancel {
    state: Arc<Mutex<State>>,
}

type Stop = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct State {
    cancelled: bool,
    /// Ends what is under way, if anything is.
    stop: Option<Stop>,
}

impl Cancel {
    /// Ends what is under way, and what would come after it.
    pub(crate) fn cancel(&self) {
        let stop = {
            let mut state = self.lock();
            state.cancelled = true;
            state.stop.take()
        };
        if let Some(stop) = stop {
            stop();
        }
    }

    /// The error, if it was cancelled.
    pub(super) fn check(&self) -> Result<()> {
        if self.lock().cancelled {
            return Err(cancelled());
        }
        Ok(())
    }

    #[cfg_attr(
        not(any(unix, feature = "http")),
        expect(dead_code, reason = "nothing here takes its time on this system")
    )]
    /// Does some work that `stop` ends early, whenever it is called, also before the work begins or after
    /// it is done.
    pub(super) fn during<T>(
        &self,
        stop: impl Fn() + Send + Sync + 'static,
        work: impl FnOnce() -> T,
    ) -> T {
        let stop: Stop = Arc::new(stop);
        let already = {
            let mut state = self.lock();
            state.stop = Some(Arc::clone(&stop));
            state.cancelled
        };
        if already {
            stop();
        }
        let answer = work();
        self.lock().stop = None;
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of what was cancelled.
#[cold]
pub(super) fn cancelled() -> PluginError {
    refusal::error(
        ErrorKind::Cancelled,
        &codes::ASK_CANCELLED,
        "nobody waits for it any more, or the plugin was stopped",
    )
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel")
            .field("cancelled", &self.lock().cancelled)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn what_is_under_way_is_stopped_once_and_what_comes_later_at_once() {
        let stops = Arc::new(AtomicU32::new(0));
        let stop = || {
            let stops = Arc::clone(&stops);
            move || {
                stops.fetch_add(1, Ordering::Relaxed);
            }
        };
        let cancel = Cancel::default();
        cancel.during(stop(), || assert_eq!(cancel.check(), Ok(())));
        assert_eq!(stops.load(Ordering::Relaxed), 0);

        cancel.during(stop(), || {
            cancel.cancel();
            cancel.cancel();
        });
        assert_eq!(stops.load(Ordering::Relaxed), 1);
        let error = cancel.check().expect_err("it was cancelled");
        assert_eq!(error.error_code(), "ask-cancelled");

        cancel.during(stop(), || ());
        assert_eq!(stops.load(Ordering::Relaxed), 2);
    }
}
