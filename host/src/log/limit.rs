//! How much a plugin may log.
//!
//! Each plugin has two token buckets, one for errors and one for all else, so that a flood of
//! debug output does not drown the error that explains it. What is over the limit is counted, and
//! reported now and then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The least time between two reports of dropped events.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// How much a plugin may log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogLimits {
    /// How many events pass per second in the long run, errors and others each. None at 0.
    pub(crate) events_per_second: u64,
    /// How many events pass at once after a quiet time; at least one.
    pub(crate) burst: u64,
}

impl Default for LogLimits {
    fn default() -> Self {
        LogLimits {
            events_per_second: 1_000,
            burst: 2_000,
        }
    }
}

impl LogLimits {
    /// The limits of a manifest: two seconds' worth of events may come at once.
    pub(crate) fn per_second(events: Option<u64>) -> Self {
        events.map_or_else(LogLimits::default, |events| LogLimits {
            events_per_second: events,
            burst: events.saturating_mul(2),
        })
    }
}

/// A token bucket in one word.
///
/// It keeps the time at which it would be full again. An event moves that time on by one interval,
/// and passes if the bucket would then be full within the time that a whole burst takes.
#[derive(Debug)]
struct Bucket {
    full_at: AtomicU64,
}

impl Bucket {
    fn admit(&self, limits: LogLimits, now: u64) -> bool {
        if limits.events_per_second == 0 {
            return false;
        }
        // In nanoseconds; more than one event per nanosecond is no limit at all.
        let interval = 1_000_000_000 / limits.events_per_second;
        let depth = interval.saturating_mul(limits.burst.max(1));
        let take = |full_at: u64| {
            let taken = full_at.max(now).saturating_add(interval);
            (taken - now <= depth).then_some(taken)
        };
        self.full_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }
}

/// The limits of one plugin and what went over them.
#[derive(Debug)]
pub(super) struct Limiter {
    limits: LogLimits,
    errors: Bucket,
    others: Bucket,
    dropped: AtomicU64,
    /// How many of the dropped ones have been reported.
    reported: AtomicU64,
    /// When the next report may be made, in nanoseconds; 0 while there is nothing to report.
    report_at: AtomicU64,
}

impl Limiter {
    pub(super) fn new(limits: LogLimits) -> Self {
        Limiter {
            limits,
            errors: Bucket {
                full_at: AtomicU64::new(0),
            },
            others: Bucket {
                full_at: AtomicU64::new(0),
            },
            dropped: AtomicU64::new(0),
            reported: AtomicU64::new(0),
            report_at: AtomicU64::new(0),
        }
    }

    /// Whether an event may pass; counts it if not.
    pub(super) fn admit(&self, is_error: bool, now: Duration) -> bool {
        let now = nanoseconds(now);
        let bucket = if is_error { &self.errors } else { &self.others };
        let admitted = bucket.admit(self.limits, now);
        if !admitted {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            let report_at = now.saturating_add(nanoseconds(REPORT_EVERY));
            // The first one since the last report starts the clock.
            let _ =
                self.report_at
                    .compare_exchange(0, report_at, Ordering::Relaxed, Ordering::Relaxed);
        }
        admitted
    }

    /// Whether there may be something to report; cheap.
    pub(super) fn is_over(&self) -> bool {
        self.report_at.load(Ordering::Relaxed) != 0
    }

    /// How many events were dropped since the last report, if it is time for one.
    pub(super) fn due(&self, now: Duration) -> Option<u64> {
        let report_at = self.report_at.load(Ordering::Relaxed);
        if report_at == 0 || nanoseconds(now) < report_at {
            return None;
        }
        // One of several threads makes the report.
        self.report_at
            .compare_exchange(report_at, 0, Ordering::Relaxed, Ordering::Relaxed)
            .ok()?;
        self.unreported()
    }

    /// How many events were dropped since the last report, whenever that was.
    pub(super) fn unreported(&self) -> Option<u64> {
        let dropped = self.dropped();
        let reported = self.reported.swap(dropped, Ordering::Relaxed);
        dropped.checked_sub(reported).filter(|&count| count > 0)
    }

    /// How many events were dropped since the plugin was loaded.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    // In 584 years the limits stop working.
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
