//! The models. In each, the main thread is a writer, and the readers are threads of their own.

#![expect(
    unsafe_code,
    reason = "a watched value is shared on purpose, for loom to find races on it"
)]

use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use crate::slot::{Flag, NEST, Retired, Slot, deferred, end_thread, records, set_errand, sweep};

/// A value that loom watches: a read of it fails the model unless it happens after the making of
/// the value, and before its drop.
struct Watched {
    number: usize,
    memory: UnsafeCell<()>,
}

// SAFETY: nothing writes after the value is shared, except its drop, and that is what loom watches.
unsafe impl Sync for Watched {}

impl Watched {
    fn new(number: usize) -> Arc<Self> {
        let new = Self {
            number,
            memory: UnsafeCell::new(()),
        };
        new.memory.with_mut(|_| ());
        Arc::new(new)
    }

    fn read(&self) -> usize {
        self.memory.with(|_| self.number)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.memory.with_mut(|_| ());
    }
}

/// Explores `model` with at most `preemptions` involuntary switches in one execution.
pub(crate) fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

fn slot() -> Arc<Slot<Watched>> {
    Arc::new(Slot::new(Some(Watched::new(1))))
}

fn reader<R: 'static>(
    slot: &Arc<Slot<Watched>>,
    read: impl FnOnce(&Slot<Watched>) -> R + 'static,
) -> thread::JoinHandle<R> {
    let slot = Arc::clone(slot);
    thread::spawn(move || {
        let read = read(&slot);
        end_thread();
        read
    })
}

fn call(slot: &Slot<Watched>) -> usize {
    slot.with(|value| value.read())
        .expect("the slot is never empty")
}

/// Waits for the value and looks at its count, since loom orders the changes of a count only
/// against such a look.
fn wait(retired: Option<Retired<Watched>>) -> (Arc<Watched>, usize) {
    let retired = retired.expect("the slot is never empty");
    let value = retired.wait(Duration::MAX).expect("the calls return");
    let count = Arc::strong_count(&value);
    (value, count)
}

/// Like [`wait`], where nobody holds a lease.
fn reclaim(retired: Option<Retired<Watched>>) -> Arc<Watched> {
    let (value, count) = wait(retired);
    assert_eq!(count, 1);
    value
}

#[test]
fn a_reader_and_a_writer_that_reclaims() {
    explore(4, || {
        let slot = slot();
        let reader = reader(&slot, call);
        drop(reclaim(slot.swap(Some(Watched::new(2)))));
        assert!((1..=2).contains(&reader.join().unwrap()));
    });
}

#[test]
fn a_reader_that_calls_twice_and_a_writer_that_reclaims() {
    explore(4, || {
        let slot = slot();
        let reader = reader(&slot, |slot| (call(slot), call(slot)));
        drop(reclaim(slot.swap(Some(Watched::new(2)))));
        reader.join().unwrap();
    });
}

#[test]
fn a_reader_that_calls_twice_and_a_writer_that_swaps_twice() {
    explore(3, || {
        let slot = slot();
        let reader = reader(&slot, |slot| (call(slot), call(slot)));
        drop(reclaim(slot.swap(Some(Watched::new(2)))));
        drop(reclaim(slot.swap(Some(Watched::new(3)))));
        let (first, second) = reader.join().unwrap();
        assert!(
            first <= second,
            "a call found {first}, and the next one the older {second}"
        );
    });
}

#[test]
fn two_readers_and_a_writer_that_reclaims() {
    explore(3, || {
        let slot = slot();
        let readers = [reader(&slot, call), reader(&slot, call)];
        drop(reclaim(slot.swap(Some(Watched::new(2)))));
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

#[test]
fn a_nested_call_and_a_writer_that_reclaims() {
    explore(3, || {
        let slot = slot();
        let reader = reader(&slot, |slot| {
            slot.with(|outer| {
                let inner = call(slot);
                assert!(outer.read() <= inner);
            })
        });
        drop(reclaim(slot.swap(Some(Watched::new(2)))));
        reader.join().unwrap();
    });
}

#[test]
fn a_call_nested_beyond_the_cells_and_a_writer_that_reclaims() {
    explore(3, || {
        let slot = slot();
        let reader = reader(&slot, |slot| {
            // The levels above enter another slot, which nobody writes to, to keep the model small.
            let still = Slot::new(Some(Arc::new(())));
            beneath(&still, NEST, &mut || call(slot))
        });
        drop(wait(slot.swap(Some(Watched::new(2)))));
        reader.join().unwrap();
    });
}

/// Calls `f` with `levels` calls around it.
fn beneath(slot: &Slot<()>, levels: usize, f: &mut dyn FnMut() -> usize) -> usize {
    match levels {
        0 => f(),
        _ => slot
            .with(|_| beneath(slot, levels - 1, f))
            .expect("the slot is never empty"),
    }
}

#[test]
fn a_lease_taken_inside_a_call_and_a_writer_that_reclaims() {
    explore(4, || {
        let slot = slot();
        let reader = reader(&slot, |slot| {
            slot.lease().expect("the slot is never empty").read()
        });
        drop(wait(slot.swap(Some(Watched::new(2)))));
        reader.join().unwrap();
    });
}

#[test]
fn two_writers_and_a_reader() {
    explore(3, || {
        let slot = slot();
        let writer = reader(&slot, |slot| {
            reclaim(slot.swap(Some(Watched::new(2)))).number
        });
        let reader = reader(&slot, call);
        let mine = reclaim(slot.swap(Some(Watched::new(3)))).number;
        let theirs = writer.join().unwrap();
        assert_ne!(mine, theirs, "one publication was retired twice");
        reader.join().unwrap();
    });
}

#[test]
fn a_swap_from_inside_a_call_and_a_writer_elsewhere() {
    explore(3, || {
        let slot = slot();
        let reader = reader(&slot, |slot| {
            let retired = slot.with(|value| {
                let retired = slot.swap(Some(Watched::new(2)));
                value.read();
                retired
            });
            reclaim(retired.flatten()).number
        });
        let mine = reclaim(slot.swap(Some(Watched::new(3)))).number;
        assert_ne!(
            mine,
            reader.join().unwrap(),
            "one publication was retired twice"
        );
    });
}

#[test]
fn a_retired_value_given_up_under_a_call_and_swept_later() {
    explore(3, || {
        let slot = slot();
        let reader = reader(&slot, call);
        drop(slot.swap(Some(Watched::new(2))));
        sweep();
        reader.join().unwrap();
        sweep();
        assert_eq!(deferred(), 0);
    });
}

#[test]
fn the_same_value_published_again_under_a_call() {
    explore(3, || {
        let slot = slot();
        let again = Watched::new(2);
        let reader = reader(&slot, call);
        let first = slot.swap(Some(Arc::clone(&again)));
        let second = slot.swap(Some(Arc::clone(&again)));
        drop((wait(first), wait(second), again));
        reader.join().unwrap();
    });
}

#[test]
fn a_record_is_handed_from_a_thread_that_exits_to_one_that_starts() {
    explore(3, || {
        let slot = slot();
        let first = reader(&slot, call);
        let second = reader(&slot, |slot| {
            first.join().unwrap();
            call(slot)
        });
        drop(reclaim(slot.swap(Some(Watched::new(2)))));
        second.join().unwrap();
        assert_eq!(records(), 1);
    });
}

loom::lazy_static! {
    /// What a raiser does before it raises the flag; loom watches it. None after the run.
    static ref TASK: Task = Task(UnsafeCell::new(0));
    static ref RUNS: AtomicUsize = AtomicUsize::new(0);
}

struct Task(UnsafeCell<usize>);

// SAFETY: it is written before the flag is raised, and read by the errand: that this is an order is
// what loom watches.
unsafe impl Sync for Task {}

fn set_task(task: usize) {
    // SAFETY: see `Task`.
    TASK.0.with_mut(|place| unsafe { *place = task });
}

fn run_task() {
    // SAFETY: see `Task`.
    assert_eq!(TASK.0.with(|place| unsafe { *place }), 1);
    RUNS.fetch_add(1, Ordering::Relaxed);
}

fn runs() -> usize {
    RUNS.load(Ordering::Relaxed)
}

/// A thread that raises the flag of the calling one.
fn raiser() -> thread::JoinHandle<()> {
    set_errand(run_task);
    let flag = Flag::of_this_thread().expect("the thread has a record");
    thread::spawn(move || {
        set_task(1);
        flag.raise();
    })
}

#[test]
fn a_flag_that_is_raised_around_an_entry_is_seen_to_at_this_one_or_the_next_and_once() {
    explore(4, || {
        let slot = slot();
        let raiser = raiser();
        call(&slot);
        assert!(runs() <= 1);
        raiser.join().unwrap();
        call(&slot);
        assert_eq!(runs(), 1);
        call(&slot);
        assert_eq!(runs(), 1);
    });
}

#[test]
fn a_flag_that_is_raised_under_a_call_waits_for_the_end_of_that_call() {
    explore(3, || {
        let slot = slot();
        let raiser = raiser();
        slot.with(|outer| {
            let before = runs();
            assert_eq!(call(&slot), outer.read());
            assert_eq!(runs(), before, "the errand ran inside of a call");
        });
        raiser.join().unwrap();
        call(&slot);
        assert_eq!(runs(), 1);
    });
}

#[test]
fn a_flagged_reader_and_a_writer_that_reclaims() {
    explore(3, || {
        let slot = slot();
        let raiser = raiser();
        let writer = reader(&slot, |slot| {
            drop(reclaim(slot.swap(Some(Watched::new(2)))));
        });
        call(&slot);
        raiser.join().unwrap();
        call(&slot);
        assert_eq!(runs(), 1);
        writer.join().unwrap();
    });
}
