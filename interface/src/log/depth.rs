//! How deep the calling thread is in the bridge.
//!
//! A `Debug` implementation may log, and so may a plugin that the host's log is sent to. One that
//! logs what it is just reporting would recurse until the stack of the host ends.

use std::cell::Cell;

/// Deeper than an honest `Debug` implementation goes, and far from the end of any stack.
const LIMIT: u32 = 4;

thread_local! {
    // Without a destructor, which would tie the thread to the plugin's library.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// One level of recursion, left again when this is dropped, also by a panic.
#[derive(Debug)]
pub(super) struct Depth(());

impl Depth {
    /// One level deeper; nothing at the limit.
    #[inline]
    pub(super) fn enter() -> Option<Depth> {
        (DEPTH.get() < LIMIT).then(Depth::enter_always)
    }

    /// One level deeper, for what must not be left out, such as the end of a span. It recurses
    /// only as far as there are spans, and at the limit no new ones are made.
    #[inline]
    pub(super) fn enter_always() -> Depth {
        DEPTH.set(DEPTH.get() + 1);
        Depth(())
    }
}

impl Drop for Depth {
    #[inline]
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}
