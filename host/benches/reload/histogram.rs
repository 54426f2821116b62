//! Counts of times, fine enough for percentiles of hundreds of millions of calls.

use std::time::Duration;

use crate::report::Times;

/// Each power of two is divided into so many steps, so a percentile is exact to 3 %.
const STEPS: usize = 32;

/// Nanoseconds up to 2 to the power of 40, which is a quarter of an hour.
const POWERS: usize = 40;

#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            counts: vec![0; STEPS * POWERS],
            max: 0,
        }
    }
}

impl Histogram {
    pub(crate) fn record(&mut self, taken: Duration) {
        let ns = taken.as_nanos() as u64;
        self.counts[step_of(ns)] += 1;
        self.max = self.max.max(ns);
    }

    pub(crate) fn add(&mut self, other: &Histogram) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.max = self.max.max(other.max);
    }

    pub(crate) fn calls(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(crate) fn times(&self) -> Times {
        Times {
            p50: self.percentile(0.5),
            p99: self.percentile(0.99),
            p999: Some(self.percentile(0.999)),
            max: self.max as f64,
        }
    }

    fn percentile(&self, part: f64) -> f64 {
        let wanted = (self.calls() as f64 * part) as u64;
        let mut seen = 0;
        for (step, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen > wanted {
                return start_of(step) as f64;
            }
        }
        self.max as f64
    }
}

/// Below [`STEPS`] each nanosecond has a step of its own.
fn step_of(ns: u64) -> usize {
    let power = ns.checked_ilog2().unwrap_or(0) as usize;
    let step = match power.checked_sub(STEPS.ilog2() as usize) {
        None | Some(0) => ns as usize,
        Some(shift) => shift * STEPS + (ns >> shift) as usize,
    };
    step.min(STEPS * POWERS - 1)
}

fn start_of(step: usize) -> u64 {
    match step / STEPS {
        0 | 1 => step as u64,
        row => ((step % STEPS + STEPS) as u64) << (row - 1),
    }
}
