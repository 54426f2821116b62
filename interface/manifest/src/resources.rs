//! The limits that a plugin asks to be held to.

use std::time::Duration;

/// The resource limits of a plugin; a missing one leaves the default of the host in force.
///
/// Every limit that is present lies between 1 and [`limits::MAX_RESOURCE`](crate::limits::MAX_RESOURCE).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Resources {
    /// The most memory, in mebibytes.
    pub max_memory_mb: Option<u64>,
    /// The most processor time, in seconds.
    pub max_cpu_seconds: Option<u64>,
    /// The most calls in progress at a time.
    pub max_concurrency: Option<u64>,
    /// The deadline of one call, in milliseconds.
    pub call_deadline_ms: Option<u64>,
    /// The largest argument or result of a call, in bytes.
    pub max_payload_bytes: Option<u64>,
    /// The most log events that are passed on per second.
    pub log_events_per_second: Option<u64>,
}

impl Resources {
    /// The keys of `[plugin.resources]`, in the order of the fields.
    pub(crate) const KEYS: [&'static str; 6] = [
        "max_memory_mb",
        "max_cpu_seconds",
        "max_concurrency",
        "call_deadline_ms",
        "max_payload_bytes",
        "log_events_per_second",
    ];

    /// The limits in the order of [`Self::KEYS`].
    pub(crate) fn values(&self) -> [Option<u64>; 6] {
        [
            self.max_memory_mb,
            self.max_cpu_seconds,
            self.max_concurrency,
            self.call_deadline_ms,
            self.max_payload_bytes,
            self.log_events_per_second,
        ]
    }

    /// The inverse of [`Self::values`].
    pub(crate) fn from_values(values: [Option<u64>; 6]) -> Self {
        let [
            max_memory_mb,
            max_cpu_seconds,
            max_concurrency,
            call_deadline_ms,
            max_payload_bytes,
            log_events_per_second,
        ] = values;
        Self {
            max_memory_mb,
            max_cpu_seconds,
            max_concurrency,
            call_deadline_ms,
            max_payload_bytes,
            log_events_per_second,
        }
    }

    /// The most memory in bytes.
    #[must_use]
    pub fn max_memory_bytes(&self) -> Option<u64> {
        self.max_memory_mb
            .map(|mebibytes| mebibytes.saturating_mul(1 << 20))
    }

    /// The most processor time.
    #[must_use]
    pub fn max_cpu(&self) -> Option<Duration> {
        self.max_cpu_seconds.map(Duration::from_secs)
    }

    /// The deadline of one call.
    #[must_use]
    pub fn call_deadline(&self) -> Option<Duration> {
        self.call_deadline_ms.map(Duration::from_millis)
    }
}
