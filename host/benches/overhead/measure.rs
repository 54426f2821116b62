//! Side by side measurement on a machine that does other things too.
//!
//! Baseline and candidate run in turns, in batches short enough that most are not interrupted. Each
//! pair of neighbouring batches gives one ratio; the median of those is the result, so a disturbed
//! batch costs one ratio and not the average.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Pairs of batches per candidate.
    pub(crate) rounds: usize,
    /// How long one batch takes, roughly.
    pub(crate) batch: Duration,
    /// Loads of the plugin.
    pub(crate) loads: usize,
}

impl Effort {
    pub(crate) const FULL: Effort = Effort {
        rounds: 401,
        batch: Duration::from_micros(200),
        loads: 101,
    };
    pub(crate) const QUICK: Effort = Effort {
        rounds: 41,
        batch: Duration::from_micros(100),
        loads: 21,
    };
}

/// What one candidate costs per call, in ns, and against its baseline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) ns: Quantiles,
    pub(crate) ratio: Quantiles,
    /// Candidate minus baseline, in ns.
    pub(crate) extra: Quantiles,
}

/// The middle of a distribution, where four fifths of it lie, and its ends, which on a busy machine
/// are batches that were interrupted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quantiles {
    pub(crate) median: f64,
    pub(crate) p10: f64,
    pub(crate) p90: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Quantiles {
    /// # Panics
    ///
    /// Without any value.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        Quantiles {
            median: values[last / 2],
            p10: values[last / 10],
            p90: values[last - last / 10],
            min: values[0],
            max: values[last],
        }
    }
}

/// A loop that makes so many calls.
pub(crate) type Batch<'a> = dyn FnMut(u64) + 'a;

/// Measures a candidate against a baseline.
pub(crate) fn pair(
    effort: Effort,
    baseline: &mut Batch<'_>,
    candidate: &mut Batch<'_>,
) -> Measured {
    let (few, many) = (
        calls_per_batch(effort.batch, candidate),
        calls_per_batch(effort.batch, baseline),
    );
    let mut pairs = Vec::with_capacity(effort.rounds);
    for round in 0..effort.rounds {
        // Who goes first changes, so that a drift of the clock favours neither.
        pairs.push(if round % 2 == 0 {
            let base = time(many, baseline);
            (base, time(few, candidate))
        } else {
            let new = time(few, candidate);
            (time(many, baseline), new)
        });
    }
    Measured {
        ns: Quantiles::of(pairs.iter().map(|(_, new)| *new).collect()),
        ratio: Quantiles::of(pairs.iter().map(|(base, new)| new / base).collect()),
        extra: Quantiles::of(pairs.iter().map(|(base, new)| new - base).collect()),
    }
}

/// Measures one thing alone; ns per call.
pub(crate) fn alone(effort: Effort, batch: &mut Batch<'_>) -> Quantiles {
    let calls = calls_per_batch(effort.batch, batch);
    Quantiles::of((0..effort.rounds).map(|_| time(calls, batch)).collect())
}

/// Time per call of one batch, in ns.
pub(crate) fn time(calls: u64, batch: &mut Batch<'_>) -> f64 {
    let clock = Instant::now();
    batch(black_box(calls));
    clock.elapsed().as_nanos() as f64 / calls as f64
}

/// How many calls fill a batch.
pub(crate) fn calls_per_batch(wanted: Duration, batch: &mut Batch<'_>) -> u64 {
    // The first call of a thread does work that later ones find done.
    batch(1);
    let mut calls = 1;
    loop {
        // An interrupted batch only looks long, so the shortest of a few tells.
        let per_call = (0..5).map(|_| time(calls, batch)).fold(f64::MAX, f64::min);
        let taken = per_call * calls as f64;
        if taken >= wanted.as_nanos() as f64 / 4.0 {
            return ((wanted.as_nanos() as f64 / per_call) as u64).max(1);
        }
        calls *= 4;
    }
}
