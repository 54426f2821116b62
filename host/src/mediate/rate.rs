//! Token buckets, and places for what runs at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::limits::Rate;

/// A bucket that is full at first, and gets one token every so often.
///
/// It is kept as the time at which it will be full again, so nothing has to be counted while nobody
/// asks.
#[derive(Debug)]
pub(super) struct Bucket {
    /// The time in which one token comes.
    interval: Duration,
    /// The time in which all but one come.
    slack: Duration,
    full_at: Mutex<Option<Instant>>,
}

impl Bucket {
    pub(super) fn new(rate: Rate) -> Self {
        let interval = Duration::from_secs(1) / rate.per_second.get();
        Bucket {
            interval,
            slack: interval.saturating_mul(rate.burst.get() - 1),
            full_at: Mutex::new(None),
        }
    }

    /// Takes a token, or answers in how long there will be one.
    pub(super) fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let from = full_at.map_or(now, |full_at| full_at.max(now));
        let missing = from.saturating_duration_since(now);
        if missing > self.slack {
            return Err(missing - self.slack);
        }
        *full_at = from.checked_add(self.interval);
        Ok(())
    }
}

/// A number of places; who has a [`Place`] sits on one.
#[derive(Clone, Debug)]
pub(super) struct Places {
    taken: Arc<AtomicUsize>,
    all: usize,
}

#[derive(Debug)]
pub(super) struct Place(Arc<AtomicUsize>);

impl Places {
    pub(super) fn new(all: usize) -> Self {
        Places {
            taken: Arc::default(),
            all,
        }
    }

    /// A place, if one is free.
    pub(super) fn take(&self) -> Option<Place> {
        let more = |taken: usize| (taken < self.all).then_some(taken + 1);
        let taken = self
            .taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        taken.ok().map(|_| Place(Arc::clone(&self.taken)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_a_burst_and_then_one_at_a_time() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let bucket = Bucket::new(Rate::new(10, 3));
        for _ in 0..3 {
            assert_eq!(bucket.take(at(0)), Ok(()));
        }
        assert_eq!(bucket.take(at(0)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(at(40)), Err(Duration::from_millis(60)));
        assert_eq!(bucket.take(at(100)), Ok(()));
        assert_eq!(bucket.take(at(199)), Err(Duration::from_millis(1)));
        assert_eq!(bucket.take(at(200)), Ok(()));
        // It does not get fuller than full.
        for _ in 0..3 {
            assert_eq!(bucket.take(at(10_000)), Ok(()));
        }
        assert_eq!(bucket.take(at(10_000)), Err(Duration::from_millis(100)));
    }

    #[test]
    fn a_refusal_takes_no_token() {
        let start = Instant::now();
        let bucket = Bucket::new(Rate::new(1, 1));
        assert_eq!(bucket.take(start), Ok(()));
        for _ in 0..10 {
            assert_eq!(bucket.take(start), Err(Duration::from_secs(1)));
        }
        assert_eq!(bucket.take(start + Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn a_place_is_free_again_when_it_is_left() {
        let places = Places::new(2);
        let (one, two) = (places.take(), places.take());
        assert!(one.is_some() && two.is_some() && places.take().is_none());
        drop(one);
        assert!(places.take().is_some());
        assert!(Places::new(0).take().is_none());
    }
}
