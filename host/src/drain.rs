//! Waits for the calls that are inside of what was withdrawn.

use std::time::{Duration, Instant};

use keyway::capability::Entry;
use keyway::slot::Retired;
use tokio::runtime::Handle;

use crate::supervise::supervise;

/// The longest pause between two looks at the calls that are left.
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// Returns when no call is left inside, or after the deadline. The entries are dropped on a thread
/// of the host's, where destructors of the plugin may block.
pub(crate) async fn drain(
    runtime: &Handle,
    retired: Vec<Retired<Entry>>,
    deadline: Duration,
    plugin: &str,
) {
    if retired.is_empty() {
        return;
    }
    let drained = supervise(runtime, deadline, move || async move {
        Ok(wait(retired, deadline))
    });
    match drained.await {
        Ok(0) => {}
        Ok(left) => tracing::warn!(plugin, "{left} calls did not end within {deadline:?}"),
        Err(error) => tracing::warn!(plugin, "waiting for calls to end: {error}"),
    }
}

/// Answers how many calls are left.
fn wait(retired: Vec<Retired<Entry>>, deadline: Duration) -> usize {
    let end = Instant::now() + deadline;
    let mut stuck = 0;
    let mut entries = Vec::new();
    for retired in retired {
        // Sync calls: they are in the hazard record of their thread.
        match retired.wait(end.saturating_duration_since(Instant::now())) {
            Ok(entry) => entries.push(entry),
            Err(_occupied) => stuck += 1,
        }
    }
    // Async calls: they are counted. Looked at now and then, since a call that ends should not pay
    // for telling anyone.
    let mut pause = Duration::from_micros(50);
    loop {
        let pending: usize = entries.iter().map(|entry| entry.pending_calls()).sum();
        if pending == 0 || Instant::now() >= end {
            return stuck + pending;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
