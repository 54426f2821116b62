//! Where the mediator has its time from.

use std::fmt::Debug;
use std::time::{Instant, SystemTime};

/// A clock, for rates and for the times in records.
pub trait TimeSource: Debug + Send + Sync {
    /// Never goes back.
    fn now(&self) -> Instant;

    /// What a clock on the wall says.
    fn wall(&self) -> SystemTime;
}

/// The clocks of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTimeSource;

impl TimeSource for SystemTimeSource {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}
