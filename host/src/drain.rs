//! Waits for the calls that are inside of what was withdrawn or replaced.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use keyway::slot::Retired;

use crate::clock::Clock;
use crate::host::Instance;
use crate::registry::Replaced;
use crate::thread_name::thread_name;

/// How often it looks again at once, before it starts to sleep.
const YIELDS: u32 = 64;
/// The first pause between two looks at the calls that are left, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// How long cancelled calls get to be polled and dropped by those who wait for them.
const FAREWELL: Duration = Duration::from_millis(500);

/// Calls that did not end in time.
#[must_use]
pub(crate) struct Left {
    /// What sync calls are inside of.
    pub(crate) stuck: Replaced,
    /// Async calls that are pending.
    pub(crate) pending: usize,
}

impl Left {
    pub(crate) fn is_nothing(&self) -> bool {
        self.stuck.is_empty() && self.pending == 0
    }

    /// Names the threads that sync calls are stuck on.
    pub(crate) fn on_threads(&self) -> String {
        let threads: BTreeSet<u64> = self.stuck.iter().flat_map(Retired::holders).collect();
        if threads.is_empty() {
            return String::new();
        }
        let names: Vec<_> = threads.into_iter().map(thread_name).collect();
        format!(", on: {}", names.join(", "))
    }
}

/// Returns when no call is left inside, or at the end of patience.
pub(crate) async fn drain(
    clock: &Clock,
    instance: &Instance,
    retired: Replaced,
    patience: impl Future<Output = ()>,
) -> Left {
    let mut patience = pin!(patience);
    let mut stuck = retired;
    let mut looks = 0;
    loop {
        // Looked at now and then, since a call that ends should not pay for telling anyone.
        let left = stuck.into_iter();
        stuck = left
            .filter_map(|retired| retired.try_reclaim().err())
            .collect();
        let left = Left {
            stuck,
            pending: instance.pending_calls(),
        };
        if left.is_nothing() {
            return left;
        }
        let mut pause = pin!(pause(clock, looks));
        let ended = std::future::poll_fn(|cx| {
            if patience.as_mut().poll(cx).is_ready() {
                return Poll::Ready(true);
            }
            pause.as_mut().poll(cx).map(|()| false)
        });
        if ended.await {
            return left;
        }
        stuck = left.stuck;
        looks += 1;
    }
}

async fn pause(clock: &Clock, looks: u32) {
    if looks < YIELDS {
        return tokio::task::yield_now().await;
    }
    let doublings = (looks - YIELDS).min(16);
    clock
        .sleep((PAUSES.0 * (1 << doublings)).min(PAUSES.1))
        .await;
}

/// The same, with an end: when patience is over async calls are cancelled.
pub(crate) async fn drain_or_cancel(
    clock: &Clock,
    instance: &Instance,
    retired: Replaced,
    patience: impl Future<Output = ()>,
) {
    let left = drain(clock, instance, retired, patience).await;
    if left.is_nothing() {
        return;
    }
    let cancelled = left.pending;
    if cancelled > 0 {
        instance.end_calls();
    }
    let left = drain(clock, instance, left.stuck, clock.sleep(FAREWELL)).await;
    tracing::warn!(
        plugin = &*instance.generation.name,
        version = %instance.generation.version,
        "calls did not end in time: {cancelled} async ones were cancelled; sync ones still run in \
         {} objects{}",
        left.stuck.len(),
        left.on_threads(),
    );
}
