//! The asynchronous calls that have started inside of one entry and have not ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use super::entry::Entry;

/// Counts them, and can end them all.
#[derive(Debug, Default)]
pub(super) struct PendingCalls {
    ended: AtomicBool,
    calls: Mutex<Calls>,
}

#[derive(Debug, Default)]
struct Calls {
    /// Whom to wake, by the number of the call.
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl PendingCalls {
    pub(super) fn count(&self) -> usize {
        let calls = self.lock();
        calls.wakers.len() - calls.free.len()
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Makes every pending call, and every one that would be, answer that it was cancelled.
    pub(super) fn end(&self) {
        let wakers: Vec<Waker> = {
            let calls = self.lock();
            // Under the lock, so that a call either sees it or is woken.
            self.ended.store(true, Ordering::Release);
            calls.wakers.iter().flatten().cloned().collect()
        };
        // A waker is foreign code; it runs outside the lock.
        wakers.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lease that counts as a pending call.
pub(super) struct Pending {
    number: usize,
    entry: Arc<Entry>,
}

impl Pending {
    /// Counts a call; answers also whether it may go on, as [`Pending::watch`] does.
    pub(super) fn new(entry: Arc<Entry>, cx: &Context<'_>) -> (Self, bool) {
        let waker = Some(cx.waker().clone());
        let mut calls = entry.pending.lock();
        let number = match calls.free.pop() {
            Some(number) => {
                calls.wakers[number] = waker;
                number
            }
            None => {
                calls.wakers.push(waker);
                calls.wakers.len() - 1
            }
        };
        let goes_on = !entry.pending.has_ended();
        drop(calls);
        (Pending { number, entry }, goes_on)
    }

    pub(super) fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    /// Whether the entry's calls were ended.
    pub(super) fn has_ended(&self) -> bool {
        self.entry.pending.has_ended()
    }

    /// Remembers whom to wake when the entry's calls are ended. Answers false if they are.
    pub(super) fn watch(&self, cx: &Context<'_>) -> bool {
        let pending = &self.entry.pending;
        let mut calls = pending.lock();
        let place = &mut calls.wakers[self.number];
        let same = place
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()));
        let replaced = if same {
            None
        } else {
            place.replace(cx.waker().clone())
        };
        let goes_on = !pending.has_ended();
        drop(calls);
        drop(replaced);
        goes_on
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut calls = self.entry.pending.lock();
        let waker = calls.wakers[self.number].take();
        calls.free.push(self.number);
        drop(calls);
        drop(waker);
    }
}
