//! Durations, and what a sceptic wants to know of them.

use std::time::Duration;

/// How long each reload took.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Milliseconds that this share of all reloads did not exceed: 1.0 for the longest; none
    /// without any.
    pub(crate) fn quantile_ms(&self, share: f64) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        let at = (last as f64 * share).ceil() as usize;
        Some(milliseconds(sorted[at.min(last)]))
    }
}

/// With three digits after the point.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
