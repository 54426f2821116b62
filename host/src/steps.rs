//! Counts work of one thread, so that tests can say how it grows without a clock. What a step is says who
//! counts it: an edge that is looked at, a question to the file system, a comparison.

use std::cell::Cell;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

pub(crate) fn add(steps: usize) {
    TAKEN.set(TAKEN.get() + steps);
}

/// How many steps `work` takes.
pub(crate) fn of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = TAKEN.get();
    let answer = work();
    (answer, TAKEN.get() - before)
}
