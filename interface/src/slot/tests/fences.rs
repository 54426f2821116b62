//! The fences alone: the store-buffering litmus test, in the shape the slot relies on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::super::barrier;

const ROUNDS: u64 = if cfg!(miri) { 50 } else { 100_000 };

/// Spins until `place` holds at least `round`, but not forever on a machine that is short of processors.
fn await_round(place: &AtomicU64, round: u64) {
    let mut spins = 0;
    while place.load(Ordering::Acquire) < round {
        spins += 1;
        if spins < 1000 {
            std::hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}

#[test]
fn reader_and_writer_never_both_miss_what_the_other_wrote() {
    let (cell, current) = (AtomicU64::new(0), AtomicU64::new(0));
    let (started, reader_done) = (AtomicU64::new(0), AtomicU64::new(0));
    let seen_by_reader = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=ROUNDS {
                await_round(&started, round);
                cell.store(round, Ordering::Release);
                if barrier::asymmetric() {
                    barrier::light();
                } else {
                    barrier::full();
                }
                seen_by_reader.store(current.load(Ordering::Acquire), Ordering::Relaxed);
                reader_done.store(round, Ordering::Release);
            }
        });
        for round in 1..=ROUNDS {
            started.store(round, Ordering::Release);
            // A different head start in each round, so that the two meet in some.
            for _ in 0..round % 64 {
                std::hint::spin_loop();
            }
            current.swap(round, Ordering::AcqRel);
            assert!(barrier::heavy(), "round {round}: the barrier was refused");
            let seen_by_writer = cell.load(Ordering::Acquire);
            await_round(&reader_done, round);
            let seen_by_reader = seen_by_reader.load(Ordering::Relaxed);
            assert!(
                seen_by_writer == round || seen_by_reader == round,
                "round {round}: the writer saw {seen_by_writer}, the reader {seen_by_reader}"
            );
        }
    });
}
