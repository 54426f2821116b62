//! What plugins asked for, and what came of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use keyway::{ErrorKind, PluginError};
use keyway_manifest::PluginId;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// A file's content.
    ReadFile,
    /// To write a file.
    WriteFile,
    /// The value of an environment variable.
    ReadEnv,
    /// A web request; each redirect that is followed is one of its own.
    Request,
    /// To run a program.
    Run,
    /// To look something up in the key-value store.
    ReadKey,
    /// To change something there.
    WriteKey,
}

impl Action {
    /// The number of kinds that have a rate of their own.
    pub(super) const KINDS: usize = 5;

    /// A stable identifier; it prints as this.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::ReadFile => "read-file",
            Action::WriteFile => "write-file",
            Action::ReadEnv => "read-env",
            Action::Request => "request",
            Action::Run => "run",
            Action::ReadKey => "read-key",
            Action::WriteKey => "write-key",
        }
    }

    pub(super) fn noun(self) -> &'static str {
        match self {
            Action::ReadFile | Action::WriteFile => "files",
            Action::ReadEnv => "environment variables",
            Action::Request => "requests",
            Action::Run => "programs",
            Action::ReadKey | Action::WriteKey => "keys",
        }
    }

    pub(super) fn kind(self) -> usize {
        match self {
            Action::ReadFile | Action::WriteFile => 0,
            Action::ReadEnv => 1,
            Action::Request => 2,
            Action::Run => 3,
            Action::ReadKey | Action::WriteKey => 4,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditOutcome {
    /// It was allowed and done.
    Done,
    /// It was not allowed.
    Denied {
        /// The code of the refusal.
        code: String,
    },
    /// It was allowed, and went wrong.
    Failed {
        /// The code of the error.
        code: String,
    },
}

impl AuditOutcome {
    pub(super) fn of(error: Option<&PluginError>) -> Self {
        let Some(error) = error else {
            return AuditOutcome::Done;
        };
        let code = error.error_code().to_owned();
        match error.kind() {
            // What asks too much or too often is refused as well.
            ErrorKind::Denied | ErrorKind::Busy => AuditOutcome::Denied { code },
            _ => AuditOutcome::Failed { code },
        }
    }
}

/// One thing that a plugin asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditRecord {
    /// The plugin.
    pub plugin: PluginId,
    /// What it asked for.
    pub action: Action,
    /// Of what: a path, a name, a program with the number of its arguments, a URL without what follows
    /// the `=` in its query. In one line, of at most some hundred characters.
    pub target: String,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// When it was asked.
    pub at: SystemTime,
    /// How long it took.
    pub took: Duration,
}

/// The newest records; the oldest go when there are too many. Refusals are also logged at `info`, and
/// everything else at `debug`, with the target `keyway::audit`.
pub struct AuditLog {
    kept: Mutex<Kept>,
    capacity: usize,
    listener: Option<Listener>,
}

type Listener = Box<dyn Fn(&AuditRecord) + Send + Sync>;

#[derive(Debug, Default)]
struct Kept {
    records: VecDeque<AuditRecord>,
    lost: u64,
}

/// Targets are cut to so many characters.
const LONGEST_TARGET: usize = 256;

impl AuditLog {
    /// Keeps so many records until they are taken.
    pub fn new(capacity: usize) -> Self {
        AuditLog {
            kept: Mutex::default(),
            capacity,
            listener: None,
        }
    }

    /// Also calls this for each record, on the thread that asked. It must not block.
    #[must_use]
    pub fn listener(mut self, listener: impl Fn(&AuditRecord) + Send + Sync + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Takes all records that are kept, oldest first.
    pub fn take(&self) -> Vec<AuditRecord> {
        self.kept().records.drain(..).collect()
    }

    /// How many records went before anybody took them.
    pub fn lost(&self) -> u64 {
        self.kept().lost
    }

    pub(super) fn record(&self, record: AuditRecord) {
        let AuditRecord {
            plugin,
            action,
            target,
            ..
        } = &record;
        match &record.outcome {
            AuditOutcome::Denied { code } => tracing::info!(
                target: "keyway::audit", %plugin, %action, of = %target, %code, "denied"
            ),
            AuditOutcome::Failed { code } => tracing::debug!(
                target: "keyway::audit", %plugin, %action, of = %target, %code, "failed"
            ),
            AuditOutcome::Done => tracing::debug!(
                target: "keyway::audit", %plugin, %action, of = %target, "done"
            ),
        }
        if let Some(listener) = &self.listener {
            listener(&record);
        }
        let mut kept = self.kept();
        kept.records.push_back(record);
        if kept.records.len() > self.capacity {
            kept.records.pop_front();
            kept.lost += 1;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps 1,024 records.
impl Default for AuditLog {
    fn default() -> Self {
        AuditLog::new(1024)
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog")
            .field("kept", &self.kept().records.len())
            .field("lost", &self.lost())
            .finish_non_exhaustive()
    }
}

/// A text of a plugin for logs: in one line, and not too long.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == LONGEST_TARGET {
            shown.push('…');
            break;
        }
        // Also what changes the direction of text, and what cannot be seen.
        if matches!(c, ' ' | '…') || c.is_alphanumeric() || c.is_ascii_graphic() {
            shown.push(c);
        } else {
            shown.extend(c.escape_default());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(target: &str) -> AuditRecord {
        AuditRecord {
            plugin: PluginId::new("weather").expect("an id"),
            action: Action::ReadEnv,
            target: target.to_owned(),
            outcome: AuditOutcome::Done,
            at: SystemTime::UNIX_EPOCH,
            took: Duration::ZERO,
        }
    }

    #[test]
    fn the_oldest_records_go_first_and_are_counted() {
        let log = AuditLog::new(2);
        for target in ["a", "b", "c"] {
            log.record(record(target));
        }
        assert_eq!(log.lost(), 1);
        assert_eq!(log.take(), [record("b"), record("c")]);
        assert!(log.take().is_empty());
    }

    #[test]
    fn a_listener_hears_of_everything() {
        let heard = std::sync::Arc::new(Mutex::new(Vec::new()));
        let notes = std::sync::Arc::clone(&heard);
        let log = AuditLog::new(0).listener(move |record| {
            notes.lock().expect("no panic").push(record.target.clone());
        });
        log.record(record("a"));
        assert_eq!(*heard.lock().expect("no panic"), ["a"]);
        assert!(log.take().is_empty());
    }

    #[test]
    fn targets_are_one_line_and_not_too_long() {
        assert_eq!(shown("/srv/ä b"), "/srv/ä b");
        assert_eq!(shown("a\nb\u{1b}[2J\u{202e}"), "a\\nb\\u{1b}[2J\\u{202e}");
        assert_eq!(shown(&"x".repeat(300)).chars().count(), LONGEST_TARGET + 1);
    }
}
