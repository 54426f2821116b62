//! The fences alone: the store-buffering litmus test, in the shape the slot relies on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::super::barrier;

const ROUNDS: u64 = if cfg!(miri) { 50 } else { 40_000 };

/// A cache line of its own: two variables on one line would be seen in order by accident.
#[derive(Default)]
#[repr(align(128))]
struct Line(AtomicU64);

/// Spins until `place` holds at least `round`, but not forever on a machine that is short of
/// processors.
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
    let lines: [Line; 5] = Default::default();
    let [cell, current, started, reader_done, seen_by_reader] =
        lines.each_ref().map(|line| &line.0);
    let asymmetric = barrier::asymmetric();
    // Counted and judged at the end: a panic in between would leave the other thread waiting.
    let (mut refused, mut missed) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(move || {
            for round in 1..=ROUNDS {
                await_round(started, round);
                // As in the slot. It also brings the line here, so that the second load can
                // overtake the store.
                std::hint::black_box(current.load(Ordering::Relaxed));
                cell.store(round, Ordering::Release);
                if asymmetric {
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
            for step in 0..round % 128 {
                std::hint::black_box(step);
            }
            current.swap(round, Ordering::AcqRel);
            refused += u64::from(!barrier::heavy());
            let seen_by_writer = cell.load(Ordering::Acquire);
            await_round(reader_done, round);
            let seen_by_reader = seen_by_reader.load(Ordering::Relaxed);
            missed += u64::from(seen_by_writer != round && seen_by_reader != round);
        }
    });
    assert_eq!(
        (refused, missed),
        (0, 0),
        "barriers refused and rounds missed, of {ROUNDS}"
    );
}
