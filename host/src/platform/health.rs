//! When plugins are asked for their health, and what follows from what they say. Pure: the time comes in
//! as an argument.

use std::time::{Duration, Instant};

/// How a host looks after the health of the plugins in its roots.
///
/// A plugin that says that it cannot do its work is asked again, with growing delays. If it says so too
/// often in a row, it is restarted, with the plugins that need it. If that does not help either, it is
/// stopped for good, in *quarantine*, until somebody [enables](crate::Host::enable) it or the host starts
/// again.
///
/// Plugins that were loaded with [`Host::load`](crate::Host::load) are left to the application, which has
/// [`Host::health_check`](crate::Host::health_check) for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct HealthPolicy {
    interval: Duration,
    delay: Duration,
    max_failures: u32,
    max_restarts: u32,
}

/// Every 30 seconds; after a failure again after one second, then two, then four; a restart after three
/// failures in a row; the quarantine when three restarts did not help.
impl Default for HealthPolicy {
    fn default() -> Self {
        HealthPolicy {
            interval: Duration::from_secs(30),
            delay: Duration::from_secs(1),
            max_failures: 3,
            max_restarts: 3,
        }
    }
}

impl HealthPolicy {
    /// Asks each plugin this often, otherwise as by default.
    pub fn every(interval: Duration) -> Self {
        HealthPolicy {
            interval,
            delay: Duration::from_secs(1).min(interval),
            ..HealthPolicy::default()
        }
    }

    /// Asks again so long after a first failure. The delay doubles with each further failure, up to the
    /// interval.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Restarts a plugin after so many failures in a row; at least 1.
    pub fn max_failures(mut self, failures: u32) -> Self {
        self.max_failures = failures.max(1);
        self
    }

    /// Gives a plugin up when it fails as often again after so many restarts. The restarts count until
    /// the plugin was well for three intervals.
    pub fn max_restarts(mut self, restarts: u32) -> Self {
        self.max_restarts = restarts;
        self
    }

    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    /// The delay after so many failures in a row, at least one.
    fn delay_after(&self, failures: u32) -> Duration {
        let doubled = failures.saturating_sub(1).min(31);
        let delay = self.delay.saturating_mul(1 << doubled);
        delay.min(self.interval)
    }
}

/// For how many intervals a plugin has to be well until its restarts are forgotten.
const WELL: u32 = 3;

/// What is known of the health of one plugin.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    /// When it is asked the next time.
    pub(crate) due: Instant,
    /// Failures in a row.
    failures: u32,
    restarts: u32,
    /// Since when it has been well without a break.
    well_since: Option<Instant>,
}

/// What follows from a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Well,
    /// It has failed so many times in a row, and is asked again.
    Ill(u32),
    Restart,
    GiveUp,
}

impl Health {
    /// Of a plugin that has just started.
    pub(crate) fn new(now: Instant, policy: &HealthPolicy) -> Self {
        Health {
            due: now + policy.interval,
            failures: 0,
            restarts: 0,
            well_since: None,
        }
    }

    /// The plugin was asked. Where that leads to a restart, that has happened by the next check.
    pub(crate) fn checked(&mut self, well: bool, now: Instant, policy: &HealthPolicy) -> Verdict {
        if well {
            self.failures = 0;
            let since = *self.well_since.get_or_insert(now);
            if now.duration_since(since) >= policy.interval.saturating_mul(WELL) {
                self.restarts = 0;
            }
            self.due = now + policy.interval;
            return Verdict::Well;
        }
        self.well_since = None;
        self.failures += 1;
        self.due = now + policy.delay_after(self.failures);
        if self.failures < policy.max_failures {
            return Verdict::Ill(self.failures);
        }
        if self.restarts >= policy.max_restarts {
            return Verdict::GiveUp;
        }
        self.failures = 0;
        self.restarts += 1;
        self.due = now + policy.delay_after(self.restarts);
        Verdict::Restart
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// What a plugin says at each check, and what follows, with the seconds until the next check.
    fn course(policy: HealthPolicy, says: &[bool]) -> Vec<(Verdict, u64)> {
        let mut now = Instant::now();
        let mut health = Health::new(now, &policy);
        let check = |well: &bool| {
            now = health.due;
            let verdict = health.checked(*well, now, &policy);
            (verdict, health.due.duration_since(now).as_secs())
        };
        says.iter().map(check).collect()
    }

    #[test]
    fn it_is_asked_again_with_growing_delays_then_restarted_then_given_up() {
        let policy = HealthPolicy::every(30 * SECOND)
            .max_failures(3)
            .max_restarts(2);
        assert_eq!(
            course(policy, &[false; 9]),
            [
                (Verdict::Ill(1), 1),
                (Verdict::Ill(2), 2),
                (Verdict::Restart, 1),
                (Verdict::Ill(1), 1),
                (Verdict::Ill(2), 2),
                (Verdict::Restart, 2),
                (Verdict::Ill(1), 1),
                (Verdict::Ill(2), 2),
                (Verdict::GiveUp, 4),
            ]
        );
    }

    #[test]
    fn a_delay_is_never_longer_than_the_interval() {
        let policy = HealthPolicy::every(5 * SECOND).max_failures(u32::MAX);
        let delays = course(policy, &[false; 40])
            .into_iter()
            .map(|(_, delay)| delay);
        assert_eq!(delays.take(5).collect::<Vec<_>>(), [1, 2, 4, 5, 5]);
        let short = HealthPolicy::every(Duration::from_millis(10));
        assert_eq!(short.delay, Duration::from_millis(10));
    }

    #[test]
    fn being_well_again_forgets_failures_at_once_and_restarts_later() {
        let policy = HealthPolicy::every(SECOND).max_failures(2).max_restarts(1);
        let ill_again = |well: usize| {
            let mut says = vec![false, false];
            says.extend(vec![true; well]);
            says.extend([false, false]);
            course(policy, &says).pop().map(|(verdict, _)| verdict)
        };
        assert_eq!(ill_again(0), Some(Verdict::GiveUp));
        assert_eq!(ill_again(3), Some(Verdict::GiveUp));
        assert_eq!(ill_again(4), Some(Verdict::Restart));
        let single = course(policy, &[false, true, false]);
        assert_eq!(single[2].0, Verdict::Ill(1));
    }

    #[test]
    fn no_restart_at_all_gives_up_at_once() {
        let policy = HealthPolicy::default().max_failures(0).max_restarts(0);
        assert_eq!(course(policy, &[false])[0].0, Verdict::GiveUp);
    }
}
