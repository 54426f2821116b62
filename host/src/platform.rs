//! All plugins that there are, whether they run or not: what is decided about each, and why.
//!
//! A plugin has a place on two axes. [`Enablement`] says whether it is to run at all, and follows from
//! files and settings alone. [`Runtime`] says how far it has come. Both are decided and shown here; who
//! acts on them is the host.

mod adjustment;
pub(crate) mod codes;
pub(crate) mod decide;
pub(crate) mod health;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keyway_manifest::{Manifest, PluginId};
use semver::Version;

pub use adjustment::{Adjustment, Configured};
pub use health::HealthPolicy;

use crate::discovery::Origin;
use crate::error::HostError;
use crate::finding::{Finding, Severity, Signal};
#[cfg(doc)]
use crate::resolve::Resolution;

/// Whether a plugin is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Enablement {
    /// It is.
    Enabled,
    /// Somebody has said that it is not.
    Disabled {
        /// Who, and where.
        reason: String,
    },
    /// It cannot, or must not: the findings of severity [`Error`](Severity::Error) say why.
    Blocked,
    /// It offers a capability that one plugin at a time may offer, and another one is to.
    SlotLoser {
        /// The capability's id.
        slot: String,
        /// The plugin that has it.
        winner: PluginId,
    },
    /// Another file with the same id comes first.
    Shadowed {
        /// That file.
        by: PathBuf,
        /// Where that one comes from.
        origin: Origin,
    },
}

impl Enablement {
    /// Whether it is to run.
    pub fn is_enabled(&self) -> bool {
        *self == Enablement::Enabled
    }

    /// `enabled`, `disabled`, `blocked`, `slot-loser` or `shadowed`.
    pub fn name(&self) -> &'static str {
        match self {
            Enablement::Enabled => "enabled",
            Enablement::Disabled { .. } => "disabled",
            Enablement::Blocked => "blocked",
            Enablement::SlotLoser { .. } => "slot-loser",
            Enablement::Shadowed { .. } => "shadowed",
        }
    }
}

/// With the reason in one line; the reasons of a blocked one are its findings.
impl fmt::Display for Enablement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Enablement::Enabled | Enablement::Blocked => Ok(()),
            Enablement::Disabled { reason } => write!(f, ": {reason}"),
            Enablement::SlotLoser { slot, winner } => write!(f, ": '{winner}' has {slot}"),
            Enablement::Shadowed { by, origin } => write!(f, " by {} ({origin})", by.display()),
        }
    }
}

/// How far a plugin has come.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Runtime {
    /// It was found, and is not to run.
    #[default]
    Discovered,
    /// All that it needs is there. It starts with the host, or when it is first needed.
    Resolved,
    /// Its code is in memory, and it is on its way to serving.
    Loaded,
    /// It serves.
    Active,
    /// It takes no calls any more, and finishes those that it has.
    Draining,
    /// It served, and was stopped.
    Stopped,
    /// It was to start, and could not.
    Failed {
        /// What became of it. Its [kind](HostError::kind) is the step that failed.
        reason: Arc<HostError>,
    },
}

impl Runtime {
    /// Whether it serves.
    pub fn is_active(&self) -> bool {
        matches!(self, Runtime::Active)
    }

    /// `discovered`, `resolved`, `loaded`, `active`, `draining`, `stopped` or `failed`.
    pub fn name(&self) -> &'static str {
        match self {
            Runtime::Discovered => "discovered",
            Runtime::Resolved => "resolved",
            Runtime::Loaded => "loaded",
            Runtime::Active => "active",
            Runtime::Draining => "draining",
            Runtime::Stopped => "stopped",
            Runtime::Failed { .. } => "failed",
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Runtime::Failed { reason } => write!(f, ": {reason}"),
            _ => Ok(()),
        }
    }
}

/// What there is to say of one candidate: of a plugin, or of something that looks like one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PluginRecord {
    /// Its id; none if its manifest does not read.
    pub id: Option<PluginId>,
    /// Its version, if its manifest reads.
    pub version: Option<Version>,
    /// Where it comes from.
    pub origin: Origin,
    /// What it was found by.
    pub path: PathBuf,
    /// Its library; none for a plugin without code.
    pub library: Option<PathBuf>,
    /// Its manifest, if it reads.
    pub manifest: Option<Arc<Manifest>>,
    /// Whether it is to run.
    pub enablement: Enablement,
    /// How far it has come.
    pub runtime: Runtime,
    /// Whether it starts only when it is first needed.
    pub lazy: bool,
    /// The plugins that it cannot do without itself, in the order in which they start. What those need in
    /// turn has [`Resolution::dependencies_of`]: a list of everything in each record would grow with the
    /// square of the number of plugins where they need each other in a row.
    pub dependencies: Vec<PluginId>,
    /// The plugins that cannot do without it themselves, likewise.
    pub dependents: Vec<PluginId>,
    /// All that was found out about it.
    pub findings: Vec<Finding>,
}

impl PluginRecord {
    /// How well it fits, all in all.
    pub fn signal(&self) -> Signal {
        Signal::of(&self.findings)
    }

    /// The plugin's id, or the path of what has none.
    pub fn label(&self) -> String {
        match &self.id {
            Some(id) => id.to_string(),
            None => self.path.display().to_string(),
        }
    }
}

/// Several lines for people: what it is, what is decided about it, and everything that was found out.
impl fmt::Display for PluginRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label())?;
        if let Some(version) = &self.version {
            write!(f, " v{version}")?;
        }
        write!(f, " ({}): {}", self.origin, self.enablement)?;
        // One whose file cannot be used any more may run still.
        if self.enablement.is_enabled() || self.runtime.is_active() {
            write!(f, ", {}", self.runtime)?;
        }
        if self.id.is_some() {
            write!(f, "\n  from {}", self.path.display())?;
        }
        for (what, ids) in [
            ("needs", &self.dependencies),
            ("needed by", &self.dependents),
        ] {
            if !ids.is_empty() {
                let ids: Vec<&str> = ids.iter().map(PluginId::as_str).collect();
                write!(f, "\n  {what} {}", ids.join(", "))?;
            }
        }
        for finding in &self.findings {
            let (severity, code, message) = (finding.severity(), finding.code, &finding.message);
            write!(f, "\n  {severity} [{code}]: {message}")?;
            if let Some(hint) = &finding.hint {
                write!(f, "\n    hint: {hint}")?;
            }
        }
        Ok(())
    }
}

/// What came of starting or stopping plugins.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The plugins that were started, or stopped, in the order in which that was done: level by level.
    pub done: Vec<PluginId>,
    /// Those that could not be, each with its error. One that was to be stopped has ended all the
    /// same.
    pub failed: BTreeMap<PluginId, Arc<HostError>>,
    /// Those that were not tried, since they need one that failed.
    pub skipped: BTreeMap<PluginId, Finding>,
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// Whether nothing failed and nothing was skipped.
    pub fn is_ok(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_empty()
    }
}

/// One line, and one more for each plugin that failed or was skipped.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            done,
            failed,
            skipped,
            took,
        } = self;
        write!(f, "{} done, {} failed", done.len(), failed.len())?;
        write!(f, ", {} skipped in {took:.1?}", skipped.len())?;
        for (id, error) in failed {
            write!(f, "\n  {id} [{}]: {error}", error.code())?;
        }
        for (id, finding) in skipped {
            write!(f, "\n  {id} [{}]: {}", finding.code, finding.message)?;
        }
        Ok(())
    }
}

/// Whether any of these speaks against using what they are about.
pub(crate) fn has_error(findings: &[Finding]) -> bool {
    let mut severities = findings.iter().map(Finding::severity);
    severities.any(|severity| severity == Severity::Error)
}
