//! How a plugin's calls go: how many, how they ended, and how long they took.

mod histogram;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keyway::ErrorKind;
use keyway::capability::Ending;

use histogram::Histogram;

/// Which calls are counted and timed.
///
/// It costs two readings of the clock and additions to counters that all threads share: some 190 ns a
/// call on the virtual machine that Keyway is measured on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Metering {
    /// None.
    Off,
    /// Those of the capabilities that come with Keyway, such as tools. An application's own keep
    /// their speed.
    #[default]
    BuiltIn,
    /// All.
    All,
}

/// How a plugin's calls went since it was loaded, over all its versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Calls that ended, in any way.
    pub calls: u64,
    /// Of these, the ones that answered an error, panics among them.
    pub errors: u64,
    /// Of these, the ones that panicked.
    pub panics: u64,
    /// Calls that were given up by who made them.
    pub dropped: u64,
    /// Calls that the policy did not let through. They are not among `calls`.
    pub denied: u64,
    /// How long calls took, from the moment in which they were allowed: half of them at most this.
    pub p50: Duration,
    /// The same for 90 of 100.
    pub p90: Duration,
    /// The same for 99 of 100.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// Where calls are counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    errors: AtomicU64,
    panics: AtomicU64,
    dropped: AtomicU64,
    denied: AtomicU64,
    times: Histogram,
}

impl Counters {
    pub(crate) fn ended(&self, ending: Ending<'_>, took: Duration) {
        self.times.record(took);
        match ending {
            Ending::Answered => {}
            Ending::Failed(error) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                if error.kind() == ErrorKind::Panicked {
                    self.panics.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ending::Dropped => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn denied(&self) {
        self.denied.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Statistics {
        let times = self.times.read();
        Statistics {
            calls: times.count(),
            errors: self.errors.load(Ordering::Relaxed),
            panics: self.panics.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            denied: self.denied.load(Ordering::Relaxed),
            p50: times.percentile(50),
            p90: times.percentile(90),
            p99: times.percentile(99),
            max: times.max(),
        }
    }
}
