//! Readers of every kind against writers of every kind, with canaries that know when they were
//! dropped.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::super::{NEST, Slot, sweep};
use super::{Canary, eventually, nested, tally};

const SWAPS: usize = if cfg!(miri) { 40 } else { 10_000 };

/// One round of everything a reader can do.
fn read(slot: &Slot<Canary>, round: usize) {
    let sang = slot.with(|canary| {
        let number = canary.sing();
        match round % 5 {
            0 => {}
            1 => nested(slot, 2, &mut || assert_eq!(canary.sing(), number)),
            2 => nested(slot, NEST + 1, &mut || assert_eq!(canary.sing(), number)),
            3 => assert_eq!(canary.lease().sing(), number),
            _ => {
                let unwound = catch_unwind(AssertUnwindSafe(|| {
                    slot.with(|inner| {
                        inner.sing();
                        resume_unwind(Box::new("out"))
                    })
                }));
                assert!(unwound.is_err());
            }
        }
        assert_eq!(canary.sing(), number);
    });
    assert!(sang.is_some(), "the slot is never empty");
    slot.lease().expect("the slot is never empty").sing();
}

/// One swap, and one of the ways to go on with what it returned.
fn write(slot: &Slot<Canary>, number: usize, created: &AtomicUsize, dropped: &Arc<AtomicUsize>) {
    created.fetch_add(1, Ordering::SeqCst);
    let new = Canary::new(number, dropped);
    match number % 4 {
        0 => drop(slot.swap(Some(new))),
        1 => {
            let retired = slot.swap(Some(new)).expect("the slot is never empty");
            retired
                .wait(Duration::MAX)
                .expect("the readers leave")
                .sing();
        }
        2 => {
            let mut retired = slot.swap(Some(new)).expect("the slot is never empty");
            let canary = loop {
                retired = match retired.try_reclaim() {
                    Ok(canary) => break canary,
                    Err(retired) => retired,
                };
                retired.get().sing();
                thread::yield_now();
            };
            canary.sing();
        }
        _ => {
            let old = slot.with(|canary| {
                let retired = slot.swap(Some(new)).expect("the slot is never empty");
                canary.sing();
                retired
            });
            old.expect("the slot is never empty").get().sing();
        }
    }
}

#[test]
fn no_value_is_dropped_under_a_call_and_each_is_dropped_once() {
    let created = AtomicUsize::new(1);
    let dropped = tally();
    let slot = Slot::new(Some(Canary::new(0, &dropped)));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut round = 0;
                while !stop.load(Ordering::Relaxed) {
                    read(&slot, round);
                    round += 1;
                }
            });
        }
        let writers = [0, 1].map(|writer| {
            let (slot, created, dropped) = (&slot, &created, &dropped);
            scope.spawn(move || {
                for swap in 0..SWAPS {
                    write(slot, 2 * swap + writer, created, dropped);
                }
            })
        });
        // Stop the readers even if a writer failed, so that the failure is reported and not waited
        // for.
        let ends = writers.map(thread::ScopedJoinHandle::join);
        stop.store(true, Ordering::Relaxed);
        for end in ends {
            end.expect("the writer is well");
        }
    });
    drop(slot);
    sweep();
    let created = created.load(Ordering::SeqCst);
    assert_eq!(created, 2 * SWAPS + 1);
    eventually("all are dropped", || {
        dropped.load(Ordering::SeqCst) >= created
    });
    assert_eq!(dropped.load(Ordering::SeqCst), created);
}
