//! Where calls wait while a plugin is closed for a reload.
//!
//! The host puts closed entries that lead to one room into all slots of a plugin, later the entries
//! that shall serve, and then opens the room: whoever waits enters its slot anew. Asynchronous
//! calls are pending meanwhile, synchronous ones block their thread.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

// The loom models of the switch include this file from another crate.
#[cfg(keyway_loom)]
use loom::sync::{Condvar, Mutex, MutexGuard};
#[cfg(not(keyway_loom))]
use std::sync::{Condvar, Mutex, MutexGuard};

/// How many calls may wait in a room, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomLimits {
    /// Calls that wait at the same time, asynchronous and synchronous ones together.
    pub waiting: usize,
    /// How long a call waits in this room before it answers that the plugin is busy. A call that
    /// meets another closed room afterwards waits there with that one's patience.
    ///
    /// It is also what frees a call that waits for itself: a synchronous call from a thread that is
    /// inside of the plugin already, where the reload waits for that thread to leave.
    pub patience: Duration,
}

/// Where calls wait while a plugin is closed. It opens once and stays open.
///
/// Whoever made it opens it on every path, and only when no slot leads to it any more: a call that
/// finds a closed entry whose room is open looks into the slot again at once.
pub struct WaitingRoom {
    limits: RoomLimits,
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    open: bool,
    waiting: usize,
    next_place: u64,
    /// Of the asynchronous calls that were polled since they came.
    wakers: BTreeMap<u64, Waker>,
}

impl WaitingRoom {
    /// A room that is closed.
    #[must_use]
    pub fn new(limits: RoomLimits) -> Arc<Self> {
        Arc::new(WaitingRoom {
            limits,
            state: Mutex::new(State::default()),
            opened: Condvar::new(),
        })
    }

    /// Lets all calls that wait go back to their slots, and every one that still comes.
    pub fn open(&self) {
        let wakers = {
            let mut state = self.lock();
            state.open = true;
            std::mem::take(&mut state.wakers)
        };
        self.opened.notify_all();
        // A waker is foreign code; it runs outside the lock.
        wakers.into_values().for_each(Waker::wake);
    }

    /// How many calls have a place: those that wait, and after the opening also those that were
    /// not polled or scheduled since.
    pub fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// The limits that the room was made with.
    pub fn limits(&self) -> RoomLimits {
        self.limits
    }

    /// A place for one call, unless the room is full. An open room has a place for everyone.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.lock();
        if !state.open && state.waiting >= self.limits.waiting {
            return None;
        }
        let number = state.next_place;
        state.next_place += 1;
        state.waiting += 1;
        Some(Place {
            number,
            room: Arc::clone(self),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of others runs under the lock, so the state is whole even after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for WaitingRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("WaitingRoom")
            .field("limits", &self.limits)
            .field("open", &state.open)
            .field("waiting", &state.waiting)
            .finish()
    }
}

/// The place of one call that waits; dropping it frees it.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    room: Arc<WaitingRoom>,
}

impl Place {
    /// Blocks the thread until the room opens. Answers false when patience ended before that.
    pub(super) fn block(self) -> bool {
        let room = &self.room;
        let end = Instant::now().checked_add(room.limits.patience);
        let mut state = room.lock();
        while !state.open {
            let Some(end) = end else {
                state = room
                    .opened
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = room
                .opened
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }

    /// Ready once the room is open.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        // Cloning and dropping a waker are foreign code as well.
        let waker = cx.waker().clone();
        let mut state = self.room.lock();
        if state.open {
            drop(state);
            return Poll::Ready(());
        }
        let replaced = state.wakers.insert(self.number, waker);
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.room.lock();
        state.waiting -= 1;
        let waker = state.wakers.remove(&self.number);
        drop(state);
        drop(waker);
    }
}
