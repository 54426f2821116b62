//! Waits for the calls that are inside of what was withdrawn.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway::capability::Entry;
use keyway::slot::Retired;
use tokio::runtime::Handle;

use crate::supervise::supervise;
use crate::thread_name::thread_name;

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
        Ok(left) if left.stuck == 0 && left.cancelled == 0 => {}
        Ok(left) => tracing::warn!(
            plugin,
            "calls did not end within {deadline:?}: {} async ones were cancelled; sync ones still \
             run in {} objects{}",
            left.cancelled,
            left.stuck,
            left.on_threads(),
        ),
        Err(error) => tracing::warn!(plugin, "waiting for calls to end: {error}"),
    }
}

/// Calls that did not end in time.
#[derive(Default)]
struct Left {
    /// Entries that sync calls are still inside of.
    stuck: usize,
    /// The kernel's ids of the threads of these calls, as far as there are such.
    threads: BTreeSet<u64>,
    cancelled: usize,
}

impl Left {
    /// Names the threads that are stuck.
    fn on_threads(&self) -> String {
        if self.threads.is_empty() {
            return String::new();
        }
        let names: Vec<_> = self.threads.iter().copied().map(thread_name).collect();
        format!(", on: {}", names.join(", "))
    }
}

fn wait(retired: Vec<Retired<Entry>>, deadline: Duration) -> Left {
    let end = Instant::now() + deadline;
    let mut left = Left::default();
    let mut entries = Vec::new();
    for retired in retired {
        // Sync calls: they are in the hazard record of their thread.
        match retired.wait(end.saturating_duration_since(Instant::now())) {
            Ok(entry) => entries.push(entry),
            Err(occupied) => {
                left.stuck += 1;
                left.threads.extend(occupied.holders());
            }
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
