//! What a library owns for as long as it is there.
//!
//! A static is never dropped, not even when its library goes. What it owns would be lost then: memory,
//! and open files with it.

use std::sync::atomic::{AtomicPtr, Ordering};

/// A value that is set once, and dropped with the library.
pub(crate) struct Lasting<T> {
    value: AtomicPtr<T>,
}

impl<T: Send + Sync + 'static> Lasting<T> {
    pub(crate) const fn new() -> Self {
        Lasting {
            value: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    #[inline]
    pub(crate) fn get(&'static self) -> Option<&'static T> {
        // SAFETY: the pointer is that of a box; whoever frees it makes sure that nobody uses it.
        unsafe { self.value.load(Ordering::Acquire).as_ref() }
    }

    /// Sets the value. One that is there already is never dropped.
    pub(crate) fn set(&'static self, value: T) -> &'static T {
        let value = Box::into_raw(Box::new(value));
        self.value.store(value, Ordering::Release);
        // SAFETY: as in `get`.
        unsafe { &*value }
    }

    /// Drops the value.
    ///
    /// # Safety
    ///
    /// Nothing that [`get`](Self::get) or [`set`](Self::set) has answered is in use, or will be.
    pub(crate) unsafe fn release(&'static self) {
        let value = self.value.swap(std::ptr::null_mut(), Ordering::AcqRel);
        if !value.is_null() {
            // SAFETY: `set` made it from a box, and the swap gives it away once.
            drop(unsafe { Box::from_raw(value) });
        }
    }
}
