//! A value that was replaced while calls may still be inside of it, and the list of those that were
//! given up too early.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use super::sync::{Arc, Mutex, global, lock, yield_now};
use super::{barrier, record};

/// How often [`Retired::wait`] looks again at once, yielding the processor, before it starts to
/// sleep.
const YIELDS: u32 = 64;
/// The first sleep; each further one is twice as long.
const FIRST_SLEEP: Duration = Duration::from_micros(50);
/// The longest sleep, and so about the longest delay between the last call's return and the answer.
const LONGEST_SLEEP: Duration = Duration::from_millis(1);

/// A value that is no longer in its slot, and that calls which entered before may still be inside
/// of.
///
/// Get the `Arc` out with [`try_reclaim`](Self::try_reclaim) or [`wait`](Self::wait): from then on
/// nothing is inside but what holds a counted lease. Dropping a `Retired` drops its count at once
/// if no call is inside. Otherwise the count goes to a list of the process, and is dropped by the
/// first [`sweep`], `swap`, `try_reclaim` or `wait` of any slot that finds the last call gone, *on
/// that thread*: so keep the `Retired` where it matters where `T` is dropped.
#[must_use = "dropped at once, the value may be dropped later and on another thread"]
pub struct Retired<T: Send + Sync + 'static> {
    pending: ManuallyDrop<Pending>,
    owns: PhantomData<Arc<T>>,
}

impl<T: Send + Sync + 'static> Retired<T> {
    /// # Safety
    ///
    /// `value` was published, and the caller has just taken it out of its slot together with its
    /// count.
    pub(super) unsafe fn new(value: NonNull<T>) -> Self {
        let pending = Pending {
            value: value.cast(),
            fenced: barrier::heavy(),
            drop_count: drop_count::<T>,
        };
        Self {
            pending: ManuallyDrop::new(pending),
            owns: PhantomData,
        }
    }

    /// The value. It can be used like through any lease for as long as this exists.
    #[must_use]
    pub fn get(&self) -> &T {
        // SAFETY: Retired. The count that `self` owns keeps the value alive.
        unsafe { self.pending.value.cast::<T>().as_ref() }
    }

    /// Looks once whether a call is still inside, and returns the value if none is.
    ///
    /// It also [sweeps](sweep), so that other values can be dropped on this thread.
    ///
    /// # Errors
    ///
    /// Returns `self` while a call is inside.
    pub fn try_reclaim(self) -> Result<Arc<T>, Self> {
        sweep();
        self.reclaim()
    }

    /// Waits until no call is inside, for at most `deadline`, and returns the value.
    ///
    /// Callers leave without telling anyone, which is what makes them fast, so this looks again and
    /// again: first yielding the processor, then sleeping for 50 us and up to 1 ms between two
    /// looks. It returns at once when the calling thread itself is inside the value, since it would
    /// wait for itself. Like [`try_reclaim`](Self::try_reclaim) it sweeps, once.
    ///
    /// # Errors
    ///
    /// Returns `self` if a call was still inside at the deadline, or is one of the calling thread's
    /// own.
    pub fn wait(mut self, deadline: Duration) -> Result<Arc<T>, Self> {
        let end = Instant::now().checked_add(deadline);
        sweep();
        let mut looks = 0;
        loop {
            self = match self.reclaim() {
                Ok(value) => return Ok(value),
                Err(retired) => retired,
            };
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) || record::is_held_here(self.pending.address()) {
                return Err(self);
            }
            pause(looks, left.unwrap_or(Duration::MAX));
            looks += 1;
        }
    }

    /// The threads that are inside, by the kernel's ids: for people to read, since each may leave at
    /// any moment. Empty where the system has no such ids (other than Linux), and for calls that are
    /// nested deeper than [`NEST`](super::NEST).
    #[must_use]
    pub fn holders(&self) -> Vec<u64> {
        record::holders(self.pending.address())
    }

    fn reclaim(mut self) -> Result<Arc<T>, Self> {
        if !self.pending.is_clear() {
            return Err(self);
        }
        let value = self.pending.value.cast::<T>();
        std::mem::forget(self);
        // SAFETY: Retired. No call is inside, and `self`, which owned the count, has just been
        // forgotten.
        Ok(unsafe { Arc::from_raw(value.as_ptr()) })
    }
}

impl<T: Send + Sync + 'static> Drop for Retired<T> {
    fn drop(&mut self) {
        // SAFETY: it is taken once, here, and not used afterwards.
        let mut pending = unsafe { ManuallyDrop::take(&mut self.pending) };
        if pending.is_clear() {
            drop(pending);
        } else {
            lock(&DEFERRED).push(pending);
        }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for Retired<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retired").finish_non_exhaustive()
    }
}

fn pause(looks: u32, left: Duration) {
    // loom knows no time; a yield is what lets the other threads of a model run.
    if looks < YIELDS || cfg!(keyway_loom) {
        yield_now();
    } else {
        let doublings = (looks - YIELDS).min(16);
        let sleep = FIRST_SLEEP
            .saturating_mul(1 << doublings)
            .min(LONGEST_SLEEP);
        std::thread::sleep(sleep.min(left));
    }
}

/// A count that was taken out of a slot, with its type erased. Dropping it drops the count, so it
/// must be clear by then.
struct Pending {
    value: NonNull<()>,
    /// Whether the writer's fence has taken effect since the value was replaced. Once is enough.
    fenced: bool,
    drop_count: unsafe fn(NonNull<()>),
}

// SAFETY: a `Pending` is made from an `Arc<T>` with `T: Send + Sync`, and is used like one.
unsafe impl Send for Pending {}
// SAFETY: as above.
unsafe impl Sync for Pending {}

impl Pending {
    fn address(&self) -> *const () {
        self.value.as_ptr()
    }

    fn is_clear(&mut self) -> bool {
        self.fenced = self.fenced || barrier::heavy();
        self.fenced && !record::is_held(self.address())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // SAFETY: Retired. It is dropped only after `is_clear`, and was made with the function of
        // its own type.
        unsafe { (self.drop_count)(self.value) }
    }
}

/// # Safety
///
/// `value` came out of `Arc::<T>::into_raw`, and the caller owns that count and gives it up.
unsafe fn drop_count<T>(value: NonNull<()>) {
    // SAFETY: the caller's promise.
    drop(unsafe { Arc::from_raw(value.cast::<T>().as_ptr()) });
}

global! {
    /// What was dropped as `Retired` with a call still inside.
    static DEFERRED: Mutex<Vec<Pending>> = Mutex::new(Vec::new());
}

/// Drops the values whose [`Retired`] was dropped while a call was inside, where none is any more;
/// returns how many are left.
///
/// Every swap does this as well. Call it where values should be dropped without waiting for the
/// next one.
pub fn sweep() -> usize {
    let mut deferred = lock(&DEFERRED);
    let mut clear = Vec::new();
    let mut next = 0;
    while let Some(pending) = deferred.get_mut(next) {
        if pending.is_clear() {
            clear.push(deferred.swap_remove(next));
        } else {
            next += 1;
        }
    }
    let left = deferred.len();
    // Dropping a value runs its code, which may come back here.
    drop(deferred);
    drop(clear);
    left
}

/// How many values wait for a [`sweep`].
#[must_use]
pub fn deferred() -> usize {
    lock(&DEFERRED).len()
}
