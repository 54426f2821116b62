//! The events of a host, kept for a test to look at.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::event::{Event, Events};
use crate::host::Host;

/// How long to wait for an event. Only a test that fails takes as long: a machine that is busy with other
/// things takes seconds for what is usually done in milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that a host has told, from its beginning.
#[derive(Clone)]
pub struct CapturedEvents {
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    entries: Mutex<Vec<Entry>>,
    grown: Condvar,
}

struct Entry {
    event: Event,
    /// Whether somebody has waited for it.
    taken: bool,
}

impl CapturedEvents {
    pub(super) fn of(host: &Host) -> Self {
        let log = Arc::new(Log::default());
        let (events, written) = (host.events(), Arc::clone(&log));
        let thread = std::thread::Builder::new().name("keyway-captured".to_owned());
        let started = thread.spawn(move || write_down(events, &written));
        started.unwrap_or_else(|error| panic!("no thread for the events: {error}"));
        CapturedEvents { log }
    }

    /// All events so far, in their order. What happens at this moment may or may not be among them:
    /// [`wait_for`](Self::wait_for) is for those that a test relies on.
    pub fn all(&self) -> Vec<Event> {
        self.log
            .lock()
            .iter()
            .map(|entry| entry.event.clone())
            .collect()
    }

    /// The first event for which this is true, whether it has happened or is yet to happen. Each event is
    /// answered once, so to wait for the same again waits for the next one.
    ///
    /// Blocks the calling thread, for one minute at most.
    ///
    /// # Panics
    ///
    /// When none comes, with those that came instead.
    #[track_caller]
    pub fn wait_for(&self, wanted: impl Fn(&Event) -> bool) -> Event {
        match self.wait_at_most(PATIENCE, wanted) {
            Ok(event) => event,
            Err(others) => panic!("no such event within {PATIENCE:?}; these came:{others}"),
        }
    }

    /// The same with a bound of the caller's own; the error lists what came instead.
    fn wait_at_most(
        &self,
        patience: Duration,
        wanted: impl Fn(&Event) -> bool,
    ) -> Result<Event, String> {
        let end = Instant::now() + patience;
        let mut entries = self.log.lock();
        loop {
            let mut open = entries.iter_mut().filter(|entry| !entry.taken);
            if let Some(found) = open.find(|entry| wanted(&entry.event)) {
                found.taken = true;
                return Ok(found.event.clone());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let told =
                    |Entry { event, .. }: &Entry| format!("\n  {}: {}", event.plugin, event.kind);
                return Err(entries.iter().map(told).collect());
            }
            let waited = self.log.grown.wait_timeout(entries, left);
            entries = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until the host is gone.
fn write_down(mut events: Events, log: &Log) {
    while let Some(event) = events.next_blocking() {
        let taken = false;
        log.lock().push(Entry { event, taken });
        log.grown.notify_all();
    }
}

impl fmt::Debug for CapturedEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Bus, EventKind};

    fn loaded(version: &str) -> EventKind {
        let version = version.parse().expect("a version");
        EventKind::Loaded { version }
    }

    #[test]
    fn each_event_is_answered_once_and_the_order_of_waiting_is_free() {
        let bus = Bus::new();
        let log = Arc::new(Log::default());
        let events = bus.events();
        bus.tell(&"a".into(), loaded("1.0.0"));
        bus.tell(&"b".into(), loaded("2.0.0"));
        bus.tell(&"a".into(), loaded("3.0.0"));
        drop(bus);
        write_down(events, &log);
        let captured = CapturedEvents { log };
        let said = |plugin: &str| {
            let found = captured.wait_at_most(Duration::ZERO, |event| &*event.plugin == plugin);
            found.map(|event| event.kind.to_string())
        };
        assert_eq!(said("b").as_deref(), Ok("loaded v2.0.0"));
        assert_eq!(said("a").as_deref(), Ok("loaded v1.0.0"));
        assert_eq!(said("a").as_deref(), Ok("loaded v3.0.0"));
        let all = "\n  a: loaded v1.0.0\n  b: loaded v2.0.0\n  a: loaded v3.0.0";
        assert_eq!(said("a"), Err(all.to_owned()));
        assert_eq!(captured.all().len(), 3);
    }
}
