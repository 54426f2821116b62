//! What threads are asked to do before their next call.
//!
//! Some things only a certain thread can do, such as destroying its own thread-locals, and a thread
//! cannot be interrupted. So it is flagged: it runs the errand when it comes by the next time, which
//! is when it enters a slot.

use super::record::{self, Record};
use super::sync::{Mutex, global, lock};

global! {
    static ERRAND: Mutex<Option<fn()>> = Mutex::new(None);
}

/// Says what threads run that were [flagged](Flag::raise), in the whole process. A second errand
/// takes the place of the first.
///
/// It is called on the flagged thread, inside of no value of any slot. It may enter slots; a flag
/// that is raised meanwhile is seen to when it returns.
pub fn set_errand(errand: fn()) {
    *lock(&ERRAND) = Some(errand);
}

pub(super) fn run() {
    let errand = *lock(&ERRAND);
    if let Some(errand) = errand {
        errand();
    }
}

/// The flag of one thread.
///
/// It belongs to the thread's record, which the next thread gets when this one has ended: a flag
/// that is raised too late makes that thread run an errand for nothing, and does no other harm.
#[derive(Clone, Copy)]
pub struct Flag(&'static Record);

impl Flag {
    /// The calling thread's flag; `None` at the very end of a thread, when it has no record of its
    /// own any more.
    #[must_use]
    pub fn of_this_thread() -> Option<Self> {
        record::attach().kept().map(Flag)
    }

    /// Asks the thread to run the errand. It does so when it enters a slot the next time while it is
    /// inside of no other one, before it enters; never, if it does not come back. Whatever the caller
    /// did before happens before that.
    pub fn raise(&self) {
        self.0.flag();
    }
}

impl std::fmt::Debug for Flag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flag").finish_non_exhaustive()
    }
}
