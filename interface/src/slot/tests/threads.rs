//! Threads that come and go: their records are used again, and calls work to the very end of a
//! thread.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::super::{Slot, records};

const THREADS: usize = if cfg!(miri) { 20 } else { 3000 };

/// More than the test runner has threads on any machine this runs on, and far less than the threads
/// of a test.
const OTHER_TESTS: usize = if cfg!(miri) { 15 } else { 256 };

#[test]
fn threads_that_come_and_go_share_a_few_records() {
    let slot = Arc::new(Slot::new(Some(Arc::new(7))));
    let before = records();
    for _ in 0..THREADS / 2 {
        let pair = [(); 2].map(|()| {
            let slot = Arc::clone(&slot);
            thread::spawn(move || slot.with(|value| slot.with(|inner| **value + **inner)))
        });
        for thread in pair {
            assert_eq!(thread.join().expect("the thread is well"), Some(Some(14)));
        }
    }
    assert!(
        records() - before <= OTHER_TESTS,
        "{} records, {before} before",
        records()
    );
}

/// Calls when its thread's thread-locals are destroyed.
struct Last {
    slot: Arc<Slot<usize>>,
    calls: Arc<AtomicUsize>,
}

impl Drop for Last {
    fn drop(&mut self) {
        for _ in 0..2 {
            let sum = self
                .slot
                .with(|value| self.slot.with(|inner| **value + **inner));
            assert_eq!(sum, Some(Some(14)));
            let retired = self.slot.with(|_| self.slot.swap(Some(Arc::new(7))));
            let value = retired
                .flatten()
                .expect("the slot holds a value")
                .try_reclaim();
            // Another thread's test cannot hold it: the slot is this test's, and its threads run
            // one by one.
            assert_eq!(*value.expect("the calls returned"), 7);
            self.calls.fetch_add(1, Ordering::SeqCst);
        }
    }
}

thread_local! {
    static EARLIER: RefCell<Option<Last>> = const { RefCell::new(None) };
    static LATER: RefCell<Option<Last>> = const { RefCell::new(None) };
}

#[test]
fn calls_from_destructors_of_thread_locals_work_and_leave_no_record_behind() {
    let slot = Arc::new(Slot::new(Some(Arc::new(7))));
    let calls = Arc::new(AtomicUsize::new(0));
    let before = records();
    let threads = THREADS / 4;
    for number in 0..threads {
        let last = [(); 2].map(|()| Last {
            slot: Arc::clone(&slot),
            calls: Arc::clone(&calls),
        });
        let slot = Arc::clone(&slot);
        let thread = thread::spawn(move || {
            // Destructors run in either order, by platform: so one is registered before the slot's
            // own and one after it, and every second thread makes its very first call in a
            // destructor.
            let [earlier, later] = last;
            EARLIER.set(Some(earlier));
            if number % 2 == 0 {
                assert_eq!(slot.with(|value| **value), Some(7));
            }
            LATER.set(Some(later));
        });
        thread.join().expect("the thread is well");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 4 * threads);
    assert!(
        records() - before <= OTHER_TESTS,
        "{} records, {before} before",
        records()
    );
}
