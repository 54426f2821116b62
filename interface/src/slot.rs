//! The place a caller finds the current generation of an object in, and leaves again in about two
//! nanoseconds.
//!
//! A [`Slot`] owns one `Arc<T>` that can be replaced at any time. A reader enters it for the length
//! of one synchronous call without touching a reference count; whoever replaces the value gets the
//! old one back as [`Retired`], and learns from it when the last of those calls has returned.
//!
//! # How it works
//!
//! Every thread owns a *record*: a cache line with a few *cells*. To enter, a reader writes the
//! current pointer to one of its cells, reads the slot again, and is inside if the pointer is still
//! the same; to leave, it clears the cell. A writer swaps the pointer and then looks for the old
//! one in the cells of all threads.
//!
//! The reader's write must not be delayed past its second read, which on every common processor
//! takes a full fence of some 5 to 10 ns. Here the writer pays: on Linux
//! `membarrier(PRIVATE_EXPEDITED)` makes every running thread of the process execute that fence,
//! once per swap, and the reader needs none. Where that system call is missing or refused, on other
//! systems, under Miri and under loom, the reader executes the fence. The mode is decided once per
//! process, before the first record is handed out.
//!
//! # Errands
//!
//! A thread can be asked to run an [errand](set_errand) before its next call: whoever holds its
//! [`Flag`] raises it, and the thread finds out by one more load from the cache line that it is about
//! to write to. A raised flag takes the thread off the fast path; there it lowers the flag and runs
//! the errand, unless it is inside of a value already: then the flag waits for a later entry.
//!
//! # Why it is sound
//!
//! The comments at unsafe code refer to the first four of these arguments by name.
//!
//! - **Published.** A non-null pointer in `current` came out of `Arc::into_raw`, and the strong
//!   count that went with it belongs to the slot. One `swap` takes both out together, so each
//!   publication is retired exactly once, by whichever of several racing writers got the pointer
//!   back.
//! - **Entered.** Let a reader write `p` to a cell (R1) and then find `current == p` (R2), and let
//!   a writer replace that publication of `p` (W1) and then scan the cells (W2). R1 and R2, W1 and
//!   W2 are each separated by a full fence, the reader's possibly by way of `membarrier`. So R2
//!   sees W1, or W2 sees R1 or a later value of the cell. R2 read the publication that W1 ended, so
//!   it did not see W1: the scan meets `p` in the cell for as long as the reader is inside. Once it
//!   meets something else, that is a value the reader stored with `Release` on leaving or later,
//!   the scan loads with `Acquire`, and so everything the reader did inside happened before. The
//!   fence need not be repeated for later scans of the same retired value. A record that is
//!   registered too late for the scan to see it was registered after W1 (both take the registry's
//!   lock), and its R2 sees W1.
//! - **Owner.** The plain (non-atomic) parts of a record are touched by one thread at a time: the
//!   one that claimed it. The registry's lock orders one owner's last access before the next one's
//!   first.
//! - **Retired.** A `Retired` owns the strong count of the publication it ended, and gives it up
//!   only after a scan that found the address in no cell.
//! - **Flagged.** Nothing that concerns memory rests on the flag: a call that misses it enters as if
//!   it came a moment earlier, and the errand runs at a later entry. So the load of the fast path is
//!   relaxed, and no fence stands between it and the entry. What does hold: only the thread itself
//!   lowers the flag, by a `fetch_and` with `Acquire` that comes before the errand, and it is raised by
//!   a `fetch_or` with `Release`. So each raise is followed by a run that sees all that the raiser did before;
//!   several raises may share one run, which sees what each of the raisers did, since such an
//!   operation continues the release of the one before it. The thread is inside of no value then,
//!   since all its cells are free and only it takes one.
//!
//! *The same address again.* An address can be published a second time in two ways. The same `Arc`
//! can be swapped in again: each publication has a count of its own, so a reader of the second one
//! that makes the first look held only delays its reclamation. Or the memory was reclaimed and
//! reused for a new value: then a reader that loaded the old pointer before and validates it
//! against the new one is inside the *new* value. It is protected like any other, because the cell
//! holds that address, and it uses the pointer of its second load, so that the provenance is that
//! of the new allocation too.
//!
//! # Limits
//!
//! A slot is not for signal handlers. A forked child inherits the cells of threads it does not
//! have: what those were inside of is never reclaimed there. loom and Miri know no `membarrier`:
//! under them the fence is the reader's, so what they show is the protocol (records, cells,
//! validation, retirement, reuse) with fences, and the step from a fence on the reader to one that
//! the kernel executes for it rests on the argument above and on the stress tests.

#![expect(
    unsafe_code,
    reason = "raw pointers cross threads here; the module documentation has the argument"
)]

// The paths are spelled out because the loom models include this file from another crate, and a
// module that is included by path looks for its children beside itself.
#[path = "slot/barrier.rs"]
mod barrier;
#[path = "slot/errand.rs"]
mod errand;
#[path = "slot/record.rs"]
mod record;
#[path = "slot/retired.rs"]
mod retired;
#[path = "slot/sync.rs"]
mod sync;
#[cfg(all(test, not(keyway_loom)))]
#[path = "slot/tests.rs"]
mod tests;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::{self, NonNull};

use sync::{Arc, AtomicPtr, Ordering};

pub use errand::{Flag, set_errand};
#[cfg(keyway_loom)]
pub use record::end_thread;
pub use record::{NEST, records};
pub use retired::{Retired, deferred, sweep};

/// Holds the current value, lets readers inside for one call each, and lets writers replace it
/// under them.
///
/// See the [module documentation](self) for the mechanism.
pub struct Slot<T: Send + Sync + 'static> {
    /// Null while the slot is empty.
    current: AtomicPtr<T>,
    owns: PhantomData<Arc<T>>,
}

impl<T: Send + Sync + 'static> Slot<T> {
    /// A slot that holds `value`, or is empty.
    #[must_use]
    pub fn new(value: Option<Arc<T>>) -> Self {
        Self {
            current: AtomicPtr::new(into_raw(value)),
            owns: PhantomData,
        }
    }

    /// Runs `f` inside the current value; `None` when the slot is empty.
    ///
    /// The value stays alive and is the same for the whole of `f`, whatever is swapped in
    /// meanwhile, and also when `f` unwinds. `f` may enter this slot or others again: the first
    /// [`NEST`] levels of a thread each take a cell, deeper ones a counted lease, which is slower
    /// and otherwise the same, except that dropping the value may then fall to this thread.
    ///
    /// Keep `f` to the call itself: as long as it runs, the value it is in cannot be reclaimed. It
    /// works while the thread's thread-locals are being destroyed, too.
    ///
    /// Where the thread is [flagged](Flag), it runs its errand first.
    #[inline(always)]
    pub fn with<R>(&self, f: impl FnOnce(&Entered<'_, T>) -> R) -> Option<R> {
        if let Some(cell) = record::occupy_quickly() {
            let value = NonNull::new(cell.protect_quickly(&self.current))?;
            return Some(f(&Entered {
                value,
                inside: PhantomData,
            }));
        }
        let mut f = Some(f);
        let mut result = None;
        // One object call instead of a second generic copy of the rest: it is cold and would be
        // inlined everywhere.
        self.with_slowly(&mut |entered| result = f.take().map(|f| f(entered)));
        result
    }

    /// Everything that [`with`](Self::with) leaves out: a thread's first call, errands, calls
    /// without `membarrier`, deep nesting.
    #[cold]
    #[inline(never)]
    fn with_slowly(&self, call: &mut dyn FnMut(&Entered<'_, T>)) {
        let attached = record::attach();
        attached.run_errand();
        if let Some(cell) = attached.occupy() {
            if let Some(value) = NonNull::new(cell.protect(&self.current)) {
                call(&Entered {
                    value,
                    inside: PhantomData,
                });
            }
            return;
        }
        let cell = attached.occupy_transient();
        let Some(value) = NonNull::new(cell.protect(&self.current)) else {
            return;
        };
        let lease = Entered {
            value,
            inside: PhantomData,
        }
        .lease();
        drop(cell);
        call(&Entered {
            value,
            inside: PhantomData,
        });
        drop(lease);
    }

    /// A counted lease on the current value, for what outlives one call; `None` when the slot is
    /// empty.
    #[must_use]
    pub fn lease(&self) -> Option<Arc<T>> {
        self.with(|entered| entered.lease())
    }

    /// Publishes `new` and returns what it replaced, which calls may still be inside; `None` when
    /// the slot was empty.
    ///
    /// It never waits, so it may be called from inside a value of the same slot. Calls that start
    /// after it has returned find `new`. It also [sweeps](sweep) the values whose `Retired` was
    /// dropped too early, so that a `T` can be dropped on this thread.
    pub fn swap(&self, new: Option<Arc<T>>) -> Option<Retired<T>> {
        let old = NonNull::new(self.current.swap(into_raw(new), Ordering::AcqRel));
        // SAFETY: Published. This swap took `old` out of the slot, and its count with it.
        let retired = old.map(|old| unsafe { Retired::new(old) });
        sweep();
        retired
    }
}

impl<T: Send + Sync + 'static> Drop for Slot<T> {
    fn drop(&mut self) {
        // No call is inside by way of this slot, since each borrows it, and `&mut self` was handed
        // over by synchronisation.
        let current = self.current.swap(ptr::null_mut(), Ordering::Acquire);
        if let Some(current) = NonNull::new(current) {
            // SAFETY: Published. The count is taken out here and by nobody else.
            drop(unsafe { Arc::from_raw(current.as_ptr()) });
        }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let occupied = !self.current.load(Ordering::Relaxed).is_null();
        f.debug_struct("Slot")
            .field("occupied", &occupied)
            .finish_non_exhaustive()
    }
}

/// The value a call is inside of. It cannot leave the closure it was handed to, nor the thread.
pub struct Entered<'a, T> {
    /// Came out of `Arc::into_raw`. It is kept as a pointer, because a reference would not carry
    /// the right to the counts.
    value: NonNull<T>,
    inside: PhantomData<&'a T>,
}

impl<T: Send + Sync + 'static> Entered<'_, T> {
    /// A counted lease on the value this call is inside of, even if the slot has moved on.
    #[must_use]
    pub fn lease(&self) -> Arc<T> {
        let value = self.value.as_ptr();
        // SAFETY: Entered. The publication's count keeps the allocation alive during the call, and
        // the pointer is the one that `Arc::into_raw` returned. The new count is the one that
        // `from_raw` takes over.
        unsafe {
            Arc::increment_strong_count(value);
            Arc::from_raw(value)
        }
    }
}

impl<T> Deref for Entered<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: Entered. The value lives at least as long as this borrow, which ends with the
        // call.
        unsafe { self.value.as_ref() }
    }
}

impl<T> fmt::Debug for Entered<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}

fn into_raw<T>(value: Option<Arc<T>>) -> *mut T {
    value.map_or(ptr::null_mut(), |value| Arc::into_raw(value).cast_mut())
}
