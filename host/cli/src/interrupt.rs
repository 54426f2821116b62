//! Ctrl-C: the first asks the run to end in order, the second ends it at once.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::ending::{Ending, Outcome};
use crate::exit;

/// Whether somebody asked this process, or a part of its work, to end. Clones tell the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    raised: bool,
    waker: Option<Waker>,
    then: Option<Box<dyn FnOnce() + Send>>,
}

impl Interrupt {
    /// Listens from here on. Without this the default holds: the process ends at once, and a
    /// private copy of a plugin would stay behind.
    pub(crate) fn listen() -> Self {
        let interrupt = Interrupt::default();
        let raised = interrupt.clone();
        let listening = ctrlc::set_handler(move || raised.raise());
        if let Err(error) = listening {
            tracing::debug!("cannot listen for Ctrl-C: {error}");
        }
        interrupt
    }

    fn is_raised(&self) -> bool {
        self.state().raised
    }

    /// The answer of `work`, unless the end is asked for first; `work` is dropped then.
    pub(crate) async fn or<F: Future>(&self, work: F) -> Outcome<F::Output> {
        let mut work = pin!(work);
        poll_fn(|context| {
            {
                let mut state = self.state();
                if state.raised {
                    return Poll::Ready(Err(Ending::Interrupted));
                }
                state.waker = Some(context.waker().clone());
            }
            work.as_mut().poll(context).map(Ok)
        })
        .await
    }

    /// Does this when it is asked for; at once if that is so already. It takes the place of what
    /// was to be done before.
    pub(crate) fn then(&self, what: impl FnOnce() + Send + 'static) {
        let mut state = self.state();
        if !state.raised {
            state.then = Some(Box::new(what));
            return;
        }
        drop(state);
        what();
    }

    /// Asks for the end.
    pub(crate) fn ask(&self) {
        let mut state = self.state();
        state.raised = true;
        let (waker, then) = (state.waker.take(), state.then.take());
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        if let Some(then) = then {
            then();
        }
    }

    fn raise(&self) {
        if self.is_raised() {
            // Ending in order was asked for before, and something does not end.
            std::process::exit(exit::INTERRUPTED.into());
        }
        self.ask();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("raised", &self.raised)
            .finish_non_exhaustive()
    }
}
