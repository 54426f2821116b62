//! The panics of a plugin in this process, wherever they happen: the host logs each, also those on threads of
//! the plugin's own, which no call answers.

use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::verdict::Verdict;

/// A panic that the host contained.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Panic {
    /// Which plugin panicked, with the panic's own message.
    pub(crate) message: String,
    /// In the plugin's source, with line and column.
    pub(crate) place: String,
}

static SEEN: Mutex<Vec<Panic>> = Mutex::new(Vec::new());

/// Takes note of all panics from now on. Where the process has a subscriber already, nothing is noted.
pub(crate) fn watch() {
    let _ = tracing::subscriber::set_global_default(Listener);
}

impl Panic {
    /// A panic is a fault, also where it is contained.
    pub(crate) fn verdict(&self) -> Verdict {
        Verdict::failed(format!(
            "{} (at {}); expected no panic, also none that is contained",
            self.message, self.place
        ))
        .hint(
            "answer an error instead: a panic ends a call, and counts against the plugin's health",
        )
    }
}

/// The latest of the panics that were not taken yet.
pub(crate) fn last() -> Option<Panic> {
    seen().last().cloned()
}

/// The panics since the last time.
pub(crate) fn take() -> Vec<Panic> {
    std::mem::take(&mut seen())
}

fn seen() -> MutexGuard<'static, Vec<Panic>> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens to what the host logs of panics, and to nothing else.
struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && metadata.target() == "keyway_host::log"
            && *metadata.level() == Level::ERROR
            && metadata.fields().field("place").is_some()
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut panic = Panic::default();
        event.record(&mut panic);
        seen().push(panic);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Visit for Panic {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "place" {
            value.clone_into(&mut self.place);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}
