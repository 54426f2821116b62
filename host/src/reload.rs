//! What a reload is asked for and what comes of it: the words of [`Host::reload`](crate::Host::reload).
//!
//! Each trigger ends in exactly one [`ReloadReport`].

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use semver::Version;
use serde_json::{Map, Value};

use crate::error::HostError;
use crate::finding::Finding;
use crate::inspect::ContentHash;
use crate::settings::PluginSettings;
use crate::status::LoadTimes;

/// What made a plugin reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trigger {
    /// Its file has changed.
    FileChanged,
    /// The application asked for it.
    Requested,
    /// The version that was taken over last did not prove itself.
    Probation,
}

/// What became of one trigger.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReloadOutcome {
    /// The file is the one that serves.
    Unchanged,
    /// The new version serves.
    Committed,
    /// The new version was not taken over; the version that served before serves on. That is also the
    /// outcome of a rollback that cannot be.
    Refused {
        /// The phase in which it was refused.
        phase: ReloadPhase,
        /// Why.
        reason: Arc<HostError>,
    },
    /// The version before serves again.
    RolledBack {
        /// Why.
        reason: Arc<HostError>,
    },
    /// Nothing serves any more: the new version failed when the old one had been deactivated, as it
    /// is in exclusive mode, and the old one could not be started again. Calls answer that nobody
    /// serves. The state that the old one gave away is kept for the next version that is tried.
    Lost {
        /// The phase in which the new version failed.
        phase: ReloadPhase,
        /// Why it failed.
        reason: Arc<HostError>,
        /// Why the old one could not be started again.
        restart: Arc<HostError>,
    },
}

impl ReloadOutcome {
    /// Whether the new version serves.
    pub fn is_committed(&self) -> bool {
        matches!(self, ReloadOutcome::Committed)
    }

    /// Why it was refused, rolled back or lost.
    pub fn reason(&self) -> Option<&HostError> {
        match self {
            ReloadOutcome::Refused { reason, .. }
            | ReloadOutcome::RolledBack { reason }
            | ReloadOutcome::Lost { reason, .. } => Some(reason),
            ReloadOutcome::Unchanged | ReloadOutcome::Committed => None,
        }
    }
}

/// The phases of a reload, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ReloadPhase {
    /// Whether the plugin may be reloaded at all now, and to this file.
    Admit,
    /// A private copy is made and hashed.
    Stage,
    /// The copy is inspected and decided on. No code of it runs.
    Check,
    /// The copy is opened, and all layouts are compared.
    Open,
    /// The new version makes its root object and prepares itself.
    Prepare,
    /// In exclusive mode: the calls that the old version has started come to their end.
    Drain,
    /// The old version exports its state, the new one imports it.
    State,
    /// The new version starts its work.
    Activate,
    /// The new version is asked whether it can do its work.
    Health,
    /// Its registrations take the place of the old ones.
    Commit,
}

impl ReloadPhase {
    /// The phase's stable name.
    pub fn name(self) -> &'static str {
        match self {
            ReloadPhase::Admit => "admit",
            ReloadPhase::Stage => "stage",
            ReloadPhase::Check => "check",
            ReloadPhase::Open => "open",
            ReloadPhase::Prepare => "prepare",
            ReloadPhase::Drain => "drain",
            ReloadPhase::State => "state",
            ReloadPhase::Activate => "activate",
            ReloadPhase::Health => "health",
            ReloadPhase::Commit => "commit",
        }
    }
}

impl fmt::Display for ReloadPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What became of one trigger, with the time that each phase took.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReloadReport {
    /// The name under which the plugin is loaded.
    pub plugin: String,
    /// What made it reload.
    pub trigger: Trigger,
    /// What became of it.
    pub outcome: ReloadOutcome,
    /// The version that served before.
    pub from: Version,
    /// The version in the file, as far as it was read; of a rollback, the version that it went back
    /// to.
    pub to: Option<Version>,
    /// The hash of the file that was tried, once it was staged. Builds of one version differ in it.
    pub hash: Option<ContentHash>,
    /// The number of the version that serves now: 1 for the one that was loaded first.
    pub generation: u64,
    /// The times of the phases.
    pub times: ReloadTimes,
    /// What is not in order, but no reason to refuse the new version.
    pub warnings: Vec<Finding>,
}

/// How long each phase of a reload took; zero for those that did not come to pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReloadTimes {
    /// From the last sign of writing until the file was taken to be complete. Zero if the
    /// application asked for the reload.
    pub settle: Duration,
    /// Waiting for another reload of the plugin to end.
    pub wait: Duration,
    /// Stage, inspect, open, prepare and activate.
    pub load: LoadTimes,
    /// Waiting for calls to end, in exclusive mode.
    pub drain: Duration,
    /// Export and import of the state.
    pub state: Duration,
    /// The health check.
    pub health: Duration,
    /// The switch of all registrations.
    pub commit: Duration,
    /// From the last sign of writing to the file, or from the request, to the outcome.
    pub total: Duration,
}

/// How one reload differs from a plain one.
#[derive(Clone, Default)]
#[must_use]
pub struct ReloadOptions {
    pub(crate) path: Option<PathBuf>,
    pub(crate) config: Option<Map<String, Value>>,
    pub(crate) settings: Option<Arc<PluginSettings>>,
    pub(crate) force: bool,
}

impl ReloadOptions {
    /// A plain reload: from the file that the plugin came from, with the configuration that it has.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the new version from another file, which is the plugin's from then on.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Gives the new version another configuration, also if the file is unchanged.
    pub fn config(mut self, config: Map<String, Value>) -> Self {
        self.config = Some(config);
        self
    }

    /// Gives the new version what the host's file says of the plugin now, also if the plugin's own file is
    /// unchanged. See [`LoadOptions::settings`](crate::LoadOptions::settings).
    pub fn settings(mut self, settings: &PluginSettings) -> Self {
        self.settings = Some(Arc::new(settings.clone()));
        self
    }

    /// Reloads also a file that is unchanged, and a plugin that is pinned.
    ///
    /// A file that was refused or rolled back needs no force: it is only changes of files that do not
    /// try it again.
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }
}

/// Settings may be secret, so only their names are shown.
impl fmt::Debug for ReloadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.config.as_ref().map(|config| config.keys());
        f.debug_struct("ReloadOptions")
            .field("path", &self.path)
            .field("config_keys", &keys.map(|keys| keys.collect::<Vec<_>>()))
            .field("force", &self.force)
            .finish()
    }
}

/// What a reload would do, as far as that can be found out without doing it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DryRun {
    /// The version that serves.
    pub from: Version,
    /// The version in the file.
    pub to: Version,
    /// The hash of the file.
    pub hash: ContentHash,
    /// Whether the file is the one that serves already.
    pub unchanged: bool,
    /// What is not in order, but no reason to refuse the new version.
    pub warnings: Vec<Finding>,
    /// The times of the phases that were tried.
    pub times: ReloadTimes,
}

/// How long a version that was taken over is watched, and what sends it back. Default: five seconds,
/// in which three panics are one too many.
///
/// For as long the last version that has proved itself stays in memory, ready to serve again. The new
/// one is sent back by a panic more than [allowed](Probation::max_panics), and at the end of the time by a
/// health check that fails; without either it has [proved](crate::EventKind::Proved) itself, also if
/// nobody has called it.
///
/// # What becomes of the state
///
/// What the new version has taken in meanwhile is lost when it is sent back. In snapshot mode the old
/// version goes on with what it has in memory; in exclusive mode it starts anew from the state that it
/// gave away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Probation {
    pub(crate) time: Duration,
    pub(crate) max_panics: u64,
}

impl Default for Probation {
    /// Five seconds, in which three panics are one too many.
    fn default() -> Self {
        Probation {
            time: Duration::from_secs(5),
            max_panics: 2,
        }
    }
}

impl Probation {
    /// No probation: the version before ends at once.
    pub const NONE: Probation = Probation {
        time: Duration::ZERO,
        max_panics: u64::MAX,
    };

    /// Watches each new version for this long; at the end it is asked for its health once more.
    pub fn of(time: Duration) -> Self {
        Probation {
            time,
            ..Probation::default()
        }
    }

    /// Rolls back once more panics than this were contained since the new version took over, of all
    /// callers together. Default: 2.
    pub fn max_panics(mut self, panics: u64) -> Self {
        self.max_panics = panics;
        self
    }
}
