//! Waits for the calls that are inside of what was withdrawn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway::capability::Entry;
use keyway::slot::Retired;
use tokio::runtime::Handle;

use crate::supervise::supervise;

/// The longest pause between two looks at the calls that are left.
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// How long cancelled calls get to be polled and dropped by those who wait for them.
const FAREWELL: Duration = Duration::from_millis(500);

/// Returns when no call is left inside. At the deadline async calls are cancelled. The entries are
/// dropped on a thread of the host's, where destructors of the plugin may block.
pub(crate) async fn drain(
    runtime: &Handle,
    retired: Vec<Retired<Entry>>,
    deadline: Duration,
    plugin: &str,
) {
    if retired.is_empty() {
        return;
    }
    let work = move || async move { Ok(wait(retired, deadline)) };
    match supervise(runtime, deadline + 2 * FAREWELL, work).await {
        Ok(Left {
            stuck: 0,
            cancelled: 0,
        }) => {}
        Ok(Left { stuck, cancelled }) => tracing::warn!(
            plugin,
            "calls did not end within {deadline:?}: {cancelled} async ones were cancelled, {stuck} \
             sync ones still run"
        ),
        Err(error) => tracing::warn!(plugin, "waiting for calls to end: {error}"),
    }
}

/// Calls that did not end in time.
struct Left {
    stuck: usize,
    cancelled: usize,
}

fn wait(retired: Vec<Retired<Entry>>, deadline: Duration) -> Left {
    let end = Instant::now() + deadline;
    let mut left = Left {
        stuck: 0,
        cancelled: 0,
    };
    let mut entries = Vec::new();
    for retired in retired {
        // Sync calls: they are in the hazard record of their thread.
        match retired.wait(end.saturating_duration_since(Instant::now())) {
            Ok(entry) => entries.push(entry),
            Err(_occupied) => left.stuck += 1,
        }
    }
    left.cancelled = wait_for_async(&entries, end);
    if left.cancelled > 0 {
        entries.iter().for_each(|entry| entry.end_calls());
        wait_for_async(&entries, Instant::now() + FAREWELL);
    }
    left
}

/// Async calls are counted. Answers how many are left.
fn wait_for_async(entries: &[Arc<Entry>], end: Instant) -> usize {
    // Looked at now and then, since a call that ends should not pay for telling anyone.
    let mut pause = Duration::from_micros(50);
    loop {
        let pending: usize = entries.iter().map(|entry| entry.pending_calls()).sum();
        if pending == 0 || Instant::now() >= end {
            return pending;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
