//! Statics that are given back when their library goes.
//!
//! Rust drops no static, so what one holds is lost with each generation: of a tokio runtime's handle
//! that is tens of kilobytes and three file descriptors. When a library is closed there comes a
//! moment in which nothing of it runs, and only then can such a value go, since until then somebody
//! may have a reference to it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

/// A value that is made when it is first asked for, and lives until the library is closed, or where
/// that never is, as long as the process.
pub struct Lasting<T> {
    value: AtomicPtr<T>,
    /// Held while the value is made.
    making: Mutex<()>,
}

/// What a [`Lasting`] of any type can do.
pub trait Lasts: Sync {
    /// Drops the value, if there is one.
    ///
    /// # Safety
    ///
    /// Nothing uses what [`Lasting::get`] has answered, and nothing asks at the same time.
    unsafe fn give_back(&self);
}

impl<T: Send + Sync + 'static> Lasting<T> {
    /// No value yet.
    #[expect(clippy::new_without_default, reason = "it is for statics")]
    pub const fn new() -> Self {
        Lasting {
            value: AtomicPtr::new(std::ptr::null_mut()),
            making: Mutex::new(()),
        }
    }

    /// The value, if it was made.
    #[inline]
    pub fn get(&'static self) -> Option<&'static T> {
        // SAFETY: what is in here came from a box, and is dropped by `give_back` alone, whose caller
        // sees to it that nobody has this reference any more.
        unsafe { self.value.load(Ordering::Acquire).as_ref() }
    }

    /// The value, made if there is none.
    pub fn get_or_init(&'static self, make: impl FnOnce() -> T) -> &'static T {
        if let Some(value) = self.get() {
            return value;
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = self.get() {
            return value;
        }
        let value = Box::into_raw(Box::new(make()));
        self.value.store(value, Ordering::Release);
        // SAFETY: as in `get`.
        unsafe { &*value }
    }
}

impl<T: Send + Sync + 'static> Lasts for Lasting<T> {
    unsafe fn give_back(&self) {
        let value = self.value.swap(std::ptr::null_mut(), Ordering::Acquire);
        if !value.is_null() {
            // SAFETY: it came from a box, nobody else has taken it out, and nobody uses it, says the
            // caller.
            drop(unsafe { Box::from_raw(value) });
        }
    }
}

/// Drops all lasting values of this library.
///
/// # Safety
///
/// Nothing of the library runs any more but what calls this, and nobody has anything of it.
pub unsafe fn give_back_all() {
    for lasting in crate::runtime::lasting() {
        // A panic could be reported to nobody: the host has let go of the library.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: passed on to the caller.
            unsafe { lasting.give_back() };
        }));
    }
}

impl<T> fmt::Debug for Lasting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lasting").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Lasting, Lasts};

    #[test]
    fn a_value_is_made_once_and_dropped_when_it_is_given_back() {
        static VALUE: Lasting<Arc<()>> = Lasting::new();
        let inner = Arc::new(());
        assert!(VALUE.get().is_none());
        VALUE.get_or_init(|| Arc::clone(&inner));
        VALUE.get_or_init(|| unreachable!("it is there"));
        assert!(VALUE.get().is_some_and(|value| Arc::ptr_eq(value, &inner)));
        assert_eq!(Arc::strong_count(&inner), 2);
        for _ in 0..2 {
            // SAFETY: nobody has the reference.
            unsafe { VALUE.give_back() };
            assert_eq!(Arc::strong_count(&inner), 1);
            assert!(VALUE.get().is_none());
        }
    }
}
