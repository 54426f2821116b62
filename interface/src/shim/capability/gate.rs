//! The limit on concurrent calls into one plugin.
//!
//! Asynchronous calls over the limit wait in order of arrival, in a queue with a bound;
//! synchronous calls over the limit are refused. A plugin without a limit has no gate and pays
//! nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How many calls may run, and how many may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateLimits {
    /// Calls that run at the same time, at least 1.
    pub concurrent: usize,
    /// Asynchronous calls that wait for their turn.
    pub queued: usize,
}

/// Counts the calls that run inside one plugin, over all its capabilities and generations.
#[derive(Debug)]
pub struct Gate {
    limits: GateLimits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    waiting: VecDeque<Waiting>,
    next_ticket: u64,
    /// Tickets whose turn has come and whose owner has not polled since.
    granted: Vec<u64>,
}

#[derive(Debug)]
struct Waiting {
    ticket: u64,
    waker: Option<Waker>,
}

impl Gate {
    /// A gate with these limits.
    pub fn new(limits: GateLimits) -> Arc<Self> {
        Arc::new(Gate {
            limits,
            state: Mutex::default(),
        })
    }

    /// The limits that it was made with.
    pub fn limits(&self) -> GateLimits {
        self.limits
    }

    /// Calls that run now, and calls that wait.
    pub fn load(&self) -> (usize, usize) {
        let state = self.lock();
        (state.running, state.waiting.len())
    }

    /// A place for one call, if there is one at once.
    pub(super) fn try_enter(self: &Arc<Self>) -> Option<Permit> {
        let mut state = self.lock();
        if state.running >= self.limits.concurrent {
            return None;
        }
        state.running += 1;
        Some(Permit {
            gate: Arc::clone(self),
        })
    }

    /// A place in the queue, unless it is full. The turn comes at once where nobody waits.
    pub(super) fn queue(self: &Arc<Self>) -> Option<Turn> {
        let mut state = self.lock();
        let ticket = state.next_ticket;
        if state.running < self.limits.concurrent {
            state.running += 1;
            state.granted.push(ticket);
        } else if state.waiting.len() < self.limits.queued {
            state.waiting.push_back(Waiting {
                ticket,
                waker: None,
            });
        } else {
            return None;
        }
        state.next_ticket += 1;
        Some(Turn {
            gate: Arc::clone(self),
            ticket: Some(ticket),
        })
    }

    fn leave(&self) {
        let next = {
            let mut state = self.lock();
            match state.waiting.pop_front() {
                // The place goes from the call that ends to the one that has waited longest.
                Some(next) => {
                    state.granted.push(next.ticket);
                    next.waker
                }
                None => {
                    state.running -= 1;
                    None
                }
            }
        };
        // A waker is foreign code; it runs outside the lock.
        if let Some(waker) = next {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of others runs under the lock, so the state is whole even after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One running call.
#[derive(Debug)]
pub(super) struct Permit {
    gate: Arc<Gate>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.leave();
    }
}

/// A place in the queue.
#[derive(Debug)]
pub(super) struct Turn {
    gate: Arc<Gate>,
    /// Empty once the permit was handed out.
    ticket: Option<u64>,
}

impl Turn {
    pub(super) fn is_of(&self, gate: &Arc<Gate>) -> bool {
        self.ticket.is_some() && Arc::ptr_eq(&self.gate, gate)
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Permit> {
        let ticket = self.ticket.expect("a turn is taken once");
        let mut state = self.gate.lock();
        if let Some(index) = state.granted.iter().position(|granted| *granted == ticket) {
            state.granted.swap_remove(index);
            drop(state);
            self.ticket = None;
            return Poll::Ready(Permit {
                gate: Arc::clone(&self.gate),
            });
        }
        let replaced = state
            .waiting
            .iter_mut()
            .find(|waiting| waiting.ticket == ticket)
            .and_then(|waiting| waiting.waker.replace(cx.waker().clone()));
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut state = self.gate.lock();
        if let Some(index) = state.granted.iter().position(|granted| *granted == ticket) {
            state.granted.swap_remove(index);
            drop(state);
            self.gate.leave();
        } else {
            let index = state
                .waiting
                .iter()
                .position(|waiting| waiting.ticket == ticket);
            let removed = index.and_then(|index| state.waiting.remove(index));
            drop(state);
            drop(removed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(turn: &mut Turn) -> Poll<Permit> {
        turn.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_call_over_the_limit_waits_until_one_ends_and_one_over_the_queue_is_refused() {
        let gate = Gate::new(GateLimits {
            concurrent: 1,
            queued: 1,
        });
        let first = gate.try_enter().expect("the gate is empty");
        assert!(gate.try_enter().is_none());
        let mut second = gate.queue().expect("one may wait");
        assert!(gate.queue().is_none(), "the queue is full");
        assert!(poll(&mut second).is_pending());
        drop(first);
        let Poll::Ready(permit) = poll(&mut second) else {
            panic!("its turn has come")
        };
        assert_eq!(gate.load(), (1, 0));
        drop(permit);
        assert_eq!(gate.load(), (0, 0));
    }

    #[test]
    fn a_caller_that_gives_up_passes_its_turn_on() {
        let gate = Gate::new(GateLimits {
            concurrent: 1,
            queued: 2,
        });
        let first = gate.try_enter().expect("the gate is empty");
        let second = gate.queue().expect("there is room");
        let mut third = gate.queue().expect("there is room");
        drop(first);
        // The second's turn has come, but it never polls again.
        drop(second);
        assert!(poll(&mut third).is_ready());
        drop(third);
        assert_eq!(gate.load(), (0, 0), "no place is lost");
    }
}
