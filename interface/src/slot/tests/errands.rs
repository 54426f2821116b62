//! Threads that are flagged run their errand, where and when they may.
//!
//! The errand is one for the whole process, so all of this is one test.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::thread;

use super::super::{Flag, NEST, Slot, set_errand};
use super::nested;

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
    /// What the errand of this thread does besides counting.
    static ALSO: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

fn run() {
    RUNS.set(RUNS.get() + 1);
    ALSO.with_borrow(|also| also.as_ref().map_or((), |also| also()));
}

#[test]
fn a_flagged_thread_runs_the_errand_before_its_next_call_and_not_inside_of_one() {
    set_errand(run);
    let slot = Arc::new(Slot::new(Some(Arc::new(7))));
    let flag = Flag::of_this_thread().expect("the thread has a record");
    let call = || slot.with(|value| **value);

    assert_eq!((call(), RUNS.get()), (Some(7), 0), "it is not flagged");
    flag.raise();
    flag.raise();
    assert_eq!(RUNS.get(), 0, "a flag interrupts nothing");
    assert_eq!((call(), RUNS.get()), (Some(7), 1));
    assert_eq!((call(), RUNS.get()), (Some(7), 1), "once is enough");

    // Inside of a call, at any depth, the errand waits.
    for levels in 1..NEST + 2 {
        let before = RUNS.get();
        let inside = nested(&slot, levels, &mut || {
            flag.raise();
            (call(), RUNS.get())
        });
        assert_eq!(inside, (Some(7), before), "at {levels} levels");
        assert_eq!((call(), RUNS.get()), (Some(7), before + 1));
    }

    // The errand may call, and is not run inside of itself; a flag that is raised meanwhile is
    // seen to before the call that brought it about goes on.
    let before = RUNS.get();
    let inner = Arc::clone(&slot);
    ALSO.set(Some(Box::new(move || {
        let runs = RUNS.get();
        if runs == before + 1 {
            flag.raise();
        }
        assert_eq!(inner.with(|value| **value), Some(7));
        assert_eq!(RUNS.get(), runs);
    })));
    flag.raise();
    assert_eq!((call(), RUNS.get()), (Some(7), before + 2));
    ALSO.take();

    // An empty slot is entered like any other.
    let before = RUNS.get();
    flag.raise();
    assert_eq!(Slot::<u32>::new(None).with(|_| ()), None);
    assert_eq!(RUNS.get(), before + 1);

    // Another thread's flag is nothing to this one; its record goes to the next thread, flag
    // and all, which does no harm.
    let theirs = thread::spawn(Flag::of_this_thread).join();
    let theirs = theirs
        .expect("the thread is well")
        .expect("it had a record");
    theirs.raise();
    assert_eq!((call(), RUNS.get()), (Some(7), before + 1));
    let other = Arc::clone(&slot);
    let next = thread::spawn(move || other.with(|value| **value));
    assert_eq!(next.join().expect("the thread is well"), Some(7));
}
