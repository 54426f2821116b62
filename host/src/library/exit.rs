//! Whether the process is ending.
//!
//! `exit` has the dynamic loader hold on to all libraries while it runs their destructors, and other
//! threads go on meanwhile. A library that is closed then stays in memory, which says nothing of the
//! library.
#![cfg_attr(unix, expect(unsafe_code, reason = "registers with `exit`"))]

#[cfg(unix)]
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static BEGUN: AtomicBool = AtomicBool::new(false);

/// Whether `exit` was called, or `main` has returned, after [`watch`] was called. It is known before the
/// loader holds on to any library.
pub(super) fn has_begun() -> bool {
    BEGUN.load(Ordering::Acquire)
}

/// Takes notice of the end of the process from now on.
#[cfg(unix)]
pub(super) fn watch() {
    static WATCHED: Once = Once::new();

    extern "C" fn begin() {
        BEGUN.store(true, Ordering::Release);
    }
    WATCHED.call_once(|| {
        // What is registered last runs first, and the loader has registered itself before `main`. A
        // refusal costs no more than a warning too many.
        // SAFETY: the function may be called at any time on any thread, and where this code lies in a
        // library that is unloaded, `exit` is told of that by the C runtime.
        let _ = unsafe { libc::atexit(begin) };
    });
}

#[cfg(not(unix))]
pub(super) fn watch() {}
