//! One version of a plugin and what it asks for: until it is stopped, and then no more.
//!
//! A plugin may keep the host's object for ever, and its threads may ask while the plugin ends. So the
//! mediator is taken away from them when the plugin is stopped, and what is under way then is
//! cancelled: no thread of the plugin waits in the host for longer, and no program outlives its plugin.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keyway::Result;

use super::cancel::{Cancel, cancelled};
#[cfg(feature = "http")]
use super::{HttpRequest, HttpResponse};
use super::{Mediator, RunOutput, RunRequest};

/// What a version of a plugin asks of its mediator.
pub(crate) struct Session {
    state: Mutex<State>,
}

struct State {
    /// None when it has ended.
    mediator: Option<Mediator>,
    next: u64,
    /// By ticket, from when it was taken until what it was taken for has ended.
    tickets: BTreeMap<u64, Ticket>,
}

struct Ticket {
    cancel: Cancel,
    /// Whether what it was taken for has begun, and takes it back.
    used: bool,
}

impl Session {
    pub(crate) fn new(mediator: Mediator) -> Self {
        Session {
            state: Mutex::new(State {
                mediator: Some(mediator),
                next: 1,
                tickets: BTreeMap::new(),
            }),
        }
    }

    /// The mediator, for what is done in a moment.
    pub(crate) fn mediator(&self) -> Result<Mediator> {
        self.lock().mediator.clone().ok_or_else(cancelled)
    }

    /// A number for something that may be cancelled.
    pub(crate) fn take_ticket(&self) -> Result<u64> {
        let mut state = self.lock();
        if state.mediator.is_none() {
            return Err(cancelled());
        }
        let number = state.next;
        state.next += 1;
        let ticket = Ticket {
            cancel: Cancel::default(),
            used: false,
        };
        state.tickets.insert(number, ticket);
        Ok(number)
    }

    /// Ends what has this ticket, also if it has not begun.
    pub(crate) fn cancel(&self, number: u64) {
        let cancel = {
            let mut state = self.lock();
            // What begins without a ticket is refused; what has begun needs it to the end.
            match state.tickets.get(&number) {
                Some(ticket) if ticket.used => Some(ticket.cancel.clone()),
                _ => {
                    state.tickets.remove(&number);
                    None
                }
            }
        };
        if let Some(cancel) = cancel {
            cancel.cancel();
        }
    }

    /// Runs a program. Blocks.
    pub(crate) fn run(&self, number: u64, request: RunRequest) -> Result<RunOutput> {
        self.with_ticket(number, |mediator, cancel| {
            mediator.run_unless(request, cancel)
        })
    }

    /// Sends a web request. Blocks.
    #[cfg(feature = "http")]
    pub(crate) fn request(&self, number: u64, request: HttpRequest) -> Result<HttpResponse> {
        self.with_ticket(number, |mediator, cancel| {
            mediator.request_unless(request, cancel)
        })
    }

    fn with_ticket<T>(
        &self,
        number: u64,
        work: impl FnOnce(&Mediator, &Cancel) -> Result<T>,
    ) -> Result<T> {
        let (mediator, cancel) = {
            let mut state = self.lock();
            let mediator = state.mediator.clone().ok_or_else(cancelled)?;
            let ticket = state.tickets.get_mut(&number);
            // One that is in use already is not for something else as well.
            let ticket = ticket.filter(|ticket| !ticket.used).ok_or_else(cancelled)?;
            ticket.used = true;
            (mediator, ticket.cancel.clone())
        };
        let answer = work(&mediator, &cancel);
        self.lock().tickets.remove(&number);
        answer
    }

    /// Ends everything that is under way, and refuses what comes.
    pub(crate) fn close(&self) {
        let (mediator, tickets) = {
            let mut state = self.lock();
            (state.mediator.take(), std::mem::take(&mut state.tickets))
        };
        for ticket in tickets.values() {
            ticket.cancel.cancel();
        }
        drop(mediator);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Session")
            .field("open", &state.mediator.is_some())
            .field("tickets", &state.tickets.len())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, unix))]
mod tests;
