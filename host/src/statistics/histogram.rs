//! Times in steps that grow with them: exact to an eighth, in four kilobytes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Each power of two is divided into so many steps.
const STEPS: usize = 1 << STEPS_LOG2;
const STEPS_LOG2: u32 = 3;

/// Nanoseconds up to 2 to the power of 42, which is more than an hour; what takes longer counts as
/// that long.
const POWERS: usize = 42;

const BUCKETS: usize = (POWERS - STEPS_LOG2 as usize + 1) * STEPS;

/// Counts times. Any number of threads may do so at once.
pub(super) struct Histogram {
    counts: [AtomicU64; BUCKETS],
    max: AtomicU64,
}

impl Histogram {
    pub(super) fn record(&self, taken: Duration) {
        let ns = u64::try_from(taken.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket_of(ns)].fetch_add(1, Ordering::Relaxed);
        if ns > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(ns, Ordering::Relaxed);
        }
    }

    /// What was counted so far; calls that end meanwhile may or may not be in it.
    pub(super) fn read(&self) -> Times {
        Times {
            counts: self
                .counts
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .collect(),
            max: self.max.load(Ordering::Relaxed),
        }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            counts: [const { AtomicU64::new(0) }; BUCKETS],
            max: AtomicU64::new(0),
        }
    }
}

impl std::fmt::Debug for Histogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.read().count())
            .finish_non_exhaustive()
    }
}

/// The counts at one moment.
pub(super) struct Times {
    counts: Vec<u64>,
    max: u64,
}

impl Times {
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// A time that so many of a hundred calls did not exceed: the end of their step, but not more
    /// than the longest of all. Zero where nothing was counted.
    pub(super) fn percentile(&self, of_hundred: u64) -> Duration {
        let wanted = (self.count() * of_hundred).div_ceil(100);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if *count > 0 && seen >= wanted {
                return Duration::from_nanos(end_of(bucket).min(self.max));
            }
        }
        Duration::ZERO
    }

    pub(super) fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }
}

/// Below [`STEPS`] each nanosecond has a bucket of its own.
fn bucket_of(ns: u64) -> usize {
    let power = ns.checked_ilog2().unwrap_or(0);
    let Some(shift) = power.checked_sub(STEPS_LOG2) else {
        return ns as usize;
    };
    let step = (ns >> shift) as usize - STEPS;
    let bucket = (shift as usize + 1) * STEPS + step;
    bucket.min(BUCKETS - 1)
}

/// The longest time that is counted in a bucket.
fn end_of(bucket: usize) -> u64 {
    let (row, step) = (bucket / STEPS, bucket % STEPS);
    if bucket == BUCKETS - 1 {
        return u64::MAX;
    }
    match row {
        0 => step as u64,
        _ => ((STEPS + step + 1) as u64) * (1 << (row - 1)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_time_is_counted_where_it_belongs(ns in 0..u64::MAX) {
            let bucket = bucket_of(ns);
            prop_assert!(ns <= end_of(bucket));
            if bucket > 0 {
                prop_assert!(ns > end_of(bucket - 1));
            }
        }

        #[test]
        fn a_percentile_is_exact_to_an_eighth(mut times in prop::collection::vec(0_u64..1 << 40, 1..200), part in 1_u64..=100) {
            let histogram = Histogram::default();
            for ns in &times {
                histogram.record(Duration::from_nanos(*ns));
            }
            times.sort_unstable();
            let rank = (times.len() as u64 * part).div_ceil(100) as usize;
            let exact = times[rank - 1];
            let read = histogram.read().percentile(part).as_nanos() as u64;
            prop_assert!(read >= exact, "{read} for {exact}");
            prop_assert!(read <= exact + exact / 8 + 1, "{read} for {exact}");
        }
    }

    #[test]
    fn nothing_counted_reads_as_zero() {
        let times = Histogram::default().read();
        assert_eq!((times.count(), times.percentile(99)), (0, Duration::ZERO));
    }
}
