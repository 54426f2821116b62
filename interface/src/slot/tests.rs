//! What holds for a slot on real threads. The stress is in `stress`, the exhaustive small cases are
//! the loom models.

#[path = "tests/errands.rs"]
mod errands;
#[path = "tests/fences.rs"]
mod fences;
#[path = "tests/stress.rs"]
mod stress;
#[path = "tests/threads.rs"]
mod threads;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Entered, NEST, Retired, Slot, sweep};

/// Knows whether it was dropped, and tells a tally.
#[derive(Debug)]
struct Canary {
    number: usize,
    alive: AtomicBool,
    dropped: Arc<AtomicUsize>,
}

impl Canary {
    fn new(number: usize, dropped: &Arc<AtomicUsize>) -> Arc<Self> {
        let dropped = Arc::clone(dropped);
        Arc::new(Self {
            number,
            alive: AtomicBool::new(true),
            dropped,
        })
    }

    fn sing(&self) -> usize {
        assert!(
            self.alive.load(Ordering::SeqCst),
            "canary {} was dropped while in use",
            self.number
        );
        self.number
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.alive.store(false, Ordering::SeqCst);
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// Yields until `condition` holds: another test may have taken a value from the common list and not
/// dropped it yet.
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < end, "never came true: {what}");
        thread::yield_now();
    }
}

fn tally() -> Arc<AtomicUsize> {
    Arc::new(AtomicUsize::new(0))
}

/// Calls `f` with `levels` calls around it.
fn nested<T: Send + Sync, R>(slot: &Slot<T>, levels: usize, f: &mut dyn FnMut() -> R) -> R {
    match levels {
        0 => f(),
        _ => slot
            .with(|_| nested(slot, levels - 1, f))
            .expect("the slot holds a value"),
    }
}

#[test]
fn an_empty_slot_runs_nothing_and_leases_nothing() {
    let slot = Slot::<u32>::new(None);
    for _ in 0..2 {
        assert_eq!(
            slot.with(|_| panic!("there is nothing to be inside of")),
            None::<()>
        );
        assert!(slot.lease().is_none());
    }
    assert!(slot.swap(Some(Arc::new(1))).is_none());
    assert_eq!(slot.with(|value| **value), Some(1));
    let retired = slot.swap(None).expect("the slot held a value");
    assert_eq!(*retired.try_reclaim().expect("no call is inside"), 1);
    assert_eq!(slot.with(|_| ()), None);
}

#[test]
fn a_swap_returns_the_old_value_and_calls_find_the_new_one() {
    let slot = Slot::new(Some(Arc::new("old")));
    let retired = slot
        .swap(Some(Arc::new("new")))
        .expect("the slot held a value");
    assert_eq!(*retired.get(), "old");
    assert_eq!(slot.with(|value| **value), Some("new"));
    assert_eq!(
        *retired.wait(Duration::ZERO).expect("no call is inside"),
        "old"
    );
}

#[test]
fn a_value_stays_until_the_last_call_inside_of_it_returns() {
    let dropped = tally();
    let slot = Slot::new(Some(Canary::new(1, &dropped)));
    let (entered, has_entered) = mpsc::channel();
    let (leave, may_leave) = mpsc::channel::<()>();
    let (slot, dropped_so_far) = (&slot, &dropped);
    // The body owns the channels, so that a failure in it lets the reader go.
    thread::scope(move |scope| {
        scope.spawn(move || {
            slot.with(|canary| {
                entered.send(()).expect("the test waits");
                may_leave.recv().expect("the test lets go");
                assert_eq!(canary.sing(), 1);
            })
        });
        has_entered.recv().expect("the reader enters");
        let retired = slot.swap(None).expect("the slot held a value");
        let retired = retired.try_reclaim().expect_err("a call is inside");
        let retired = retired
            .wait(Duration::from_millis(1))
            .expect_err("a call is inside");
        leave.send(()).expect("the reader waits");
        let canary = retired.wait(Duration::MAX).expect("the call returns");
        assert_eq!(Arc::strong_count(&canary), 1);
        assert_eq!(dropped_so_far.load(Ordering::SeqCst), 0);
    });
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn a_retired_value_names_the_threads_that_are_inside() {
    fn this_thread() -> u64 {
        let link = std::fs::read_link("/proc/thread-self").expect("linux has it");
        let id = link
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok());
        id.expect("a number")
    }
    let slot = Slot::new(Some(Arc::new(1)));
    let (entered, has_entered) = mpsc::channel();
    let (leave, may_leave) = mpsc::channel::<()>();
    let slot = &slot;
    thread::scope(move |scope| {
        scope.spawn(move || {
            slot.with(|_| {
                entered.send(this_thread()).expect("the test waits");
                may_leave.recv().expect("the test lets go");
            })
        });
        let reader = has_entered.recv().expect("the reader enters");
        let retired = slot.with(|_| slot.swap(None)).flatten();
        let retired = retired.expect("the slot held a value");
        assert_eq!(retired.holders(), [reader]);
        leave.send(()).expect("the reader waits");
        let value = retired.wait(Duration::MAX);
        assert_eq!(*value.expect("the call returns"), 1);
    });
}

#[test]
fn a_swap_from_inside_a_call_does_not_wait_for_that_call() {
    let dropped = tally();
    let slot = Slot::new(Some(Canary::new(1, &dropped)));
    let retired = slot.with(|canary| {
        let retired = slot
            .swap(Some(Canary::new(2, &dropped)))
            .expect("the slot held a value");
        assert_eq!(slot.with(|canary| canary.sing()), Some(2));
        // It would wait for this very call, so it does not wait at all.
        let retired = retired
            .wait(Duration::MAX)
            .expect_err("this call is inside");
        assert_eq!(canary.sing(), 1);
        retired
    });
    let old = retired
        .expect("the slot held a value")
        .try_reclaim()
        .expect("the call returned");
    assert_eq!((old.sing(), Arc::strong_count(&old)), (1, 1));
}

#[test]
fn another_thread_can_wait_for_the_call_that_swapped() {
    let dropped = tally();
    let slot = Slot::new(Some(Canary::new(1, &dropped)));
    let waiting = slot.with(|_| {
        let retired = slot.swap(None).expect("the slot held a value");
        thread::spawn(move || retired.wait(Duration::MAX).map(|canary| canary.sing()))
    });
    let waited = waiting
        .expect("the slot held a value")
        .join()
        .expect("the waiter is well");
    assert_eq!(waited.expect("the call returned"), 1);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[test]
fn a_call_that_unwinds_leaves_the_value() {
    let slot = Slot::new(Some(Arc::new(1)));
    // More often than there are cells, and also beyond them: a cell that is not given back would
    // show.
    for levels in [1, 2, NEST, NEST + 2].repeat(NEST) {
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            nested(&slot, levels, &mut || resume_unwind(Box::new("out")))
        }));
        assert!(unwound.is_err());
        let retired = slot.swap(Some(Arc::new(1))).expect("the slot held a value");
        let value = retired.try_reclaim().expect("the unwound calls are out");
        assert_eq!(Arc::strong_count(&value), 1);
    }
}

#[test]
fn calls_nested_deeper_than_the_cells_hold_counted_leases() {
    let slot = Slot::new(Some(Arc::new(1)));
    for levels in 1..NEST + 4 {
        let counted = nested(&slot, levels, &mut || {
            // One count is the slot's. The call that asks is one level deeper than the others.
            slot.with(|value| Arc::strong_count(&value.lease()) - 2)
        });
        assert_eq!(
            counted,
            Some((levels + 1).saturating_sub(NEST)),
            "at {levels} levels"
        );
    }
    assert_eq!(
        Arc::strong_count(&slot.lease().expect("the slot holds a value")),
        2
    );
}

#[test]
fn each_level_keeps_the_value_it_entered() {
    fn descend(slot: &Slot<Canary>, dropped: &Arc<AtomicUsize>, level: usize) {
        if level == NEST + 3 {
            return;
        }
        slot.with(|canary| {
            drop(slot.swap(Some(Canary::new(level + 1, dropped))));
            descend(slot, dropped, level + 1);
            assert_eq!(canary.sing(), level);
        });
    }
    let dropped = tally();
    let slot = Slot::new(Some(Canary::new(0, &dropped)));
    descend(&slot, &dropped, 0);
    drop(slot);
    sweep();
    eventually("all are dropped", || {
        dropped.load(Ordering::SeqCst) == NEST + 4
    });
}

#[test]
fn a_lease_outlives_call_and_slot() {
    let dropped = tally();
    let slot = Slot::new(Some(Canary::new(1, &dropped)));
    let inside = slot.with(|canary| {
        drop(slot.swap(Some(Canary::new(2, &dropped))));
        canary.lease()
    });
    let inside = inside.expect("the slot held a value");
    let outside = slot.lease().expect("the slot holds a value");
    drop(slot);
    assert_eq!((inside.sing(), outside.sing()), (1, 2));
    sweep();
    eventually("the lease is the last count", || {
        Arc::strong_count(&inside) == 1
    });
    drop((inside, outside));
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
}

#[test]
fn a_retired_value_given_up_too_early_is_dropped_by_a_later_sweep() {
    let dropped = tally();
    let slot = Slot::new(Some(Canary::new(1, &dropped)));
    slot.with(|canary| {
        drop(slot.swap(None));
        sweep();
        assert_eq!(canary.sing(), 1);
        assert!(super::deferred() >= 1);
    });
    sweep();
    eventually("it is dropped", || dropped.load(Ordering::SeqCst) == 1);
}

#[test]
fn a_drop_that_swaps_and_sweeps_does_not_deadlock() {
    struct Chain(Arc<Slot<u32>>);
    impl Drop for Chain {
        fn drop(&mut self) {
            drop(self.0.swap(Some(Arc::new(2))));
            sweep();
        }
    }
    let inner = Arc::new(Slot::new(Some(Arc::new(1))));
    let slot = Slot::new(Some(Arc::new(Chain(Arc::clone(&inner)))));
    slot.with(|_| drop(slot.swap(None)));
    sweep();
    eventually("the chain is dropped", || {
        inner.with(|value| **value) == Some(2)
    });
}

#[test]
fn the_same_value_can_be_published_again_while_a_call_is_inside() {
    let slot = Slot::new(Some(Arc::new(1)));
    let value = slot.lease().expect("the slot holds a value");
    let first = slot.with(|_| {
        let first = slot
            .swap(Some(Arc::clone(&value)))
            .expect("the slot held a value");
        first.try_reclaim().expect_err("a call is inside")
    });
    let first = first.expect("the slot held a value");
    // Inside of the second publication, the first cannot be told from it, and waits.
    let first = slot.with(|_| first.try_reclaim().expect_err("the address is held"));
    let first = first
        .expect("the slot holds a value")
        .try_reclaim()
        .expect("no call is inside");
    assert_eq!(Arc::strong_count(&value), 3);
    drop((first, slot));
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn an_entered_value_stays_on_its_thread_and_a_retired_one_need_not() {
    trait NotSend<Marker> {
        fn check() {}
    }
    impl<T: ?Sized> NotSend<()> for T {}
    impl<T: ?Sized + Send> NotSend<u8> for T {}
    trait NotSync<Marker> {
        fn check() {}
    }
    impl<T: ?Sized> NotSync<()> for T {}
    impl<T: ?Sized + Sync> NotSync<u8> for T {}
    fn send_and_sync<T: Send + Sync>() {}

    // Each is ambiguous, and so does not compile, once the type has the trait.
    <Entered<'_, u32> as NotSend<_>>::check();
    <Entered<'_, u32> as NotSync<_>>::check();
    send_and_sync::<Retired<u32>>();
    send_and_sync::<Slot<u32>>();
}
