//! What there is to say of a loaded plugin.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keyway_manifest::Manifest;
use semver::Version;

use crate::config::ConfigValue;
use crate::inspect::ContentHash;
use crate::reload::ReloadReport;

/// The state of a loaded plugin.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PluginStatus {
    /// The name under which it is loaded: its id, with the namespace in front if it has one.
    pub name: String,
    /// The id from its manifest.
    pub id: String,
    /// The version from its manifest.
    pub version: Version,
    /// The number of the version that serves: 1 for the one that was loaded first, and one more
    /// for each that was started after it.
    pub generation: u64,
    /// False when a reload in exclusive mode failed so that neither the new version nor the old one
    /// could be started. The next reload may put that right.
    pub serves: bool,
    /// Whether it is kept from reloading by [`Host::pin`](crate::Host::pin).
    pub pinned: bool,
    /// The version that is ready to serve again, while the one that serves is on probation.
    pub previous: Option<Version>,
    /// Versions that were replaced and have not ended yet, oldest first.
    pub draining: Vec<DrainingStatus>,
    /// What became of the last trigger that reached it.
    pub last_reload: Option<Arc<ReloadReport>>,
    /// The whole manifest.
    pub manifest: Arc<Manifest>,
    /// The file that it was loaded from; none if it is linked statically.
    pub path: Option<PathBuf>,
    /// The private copy that is mapped into memory.
    pub staged: Option<PathBuf>,
    /// The hash of the file.
    pub hash: Option<ContentHash>,
    /// The interface minor that host and plugin speak.
    pub interface_minor: u16,
    /// What it offers.
    pub capabilities: Vec<RegisteredCapability>,
    /// The names of the plugin's own threads, which keep its library open for as long as they run.
    pub threads: Vec<String>,
    /// Panics that were contained since it was loaded.
    pub panics: u64,
    /// Log events that were dropped because the plugin logged too fast.
    pub dropped_events: u64,
    /// Its settings with their values, as far as these may be shown, and where they come from.
    pub config: Vec<ConfigValue>,
    /// How long each phase of loading took.
    pub times: LoadTimes,
    /// What is not in order, but no reason to refuse the plugin.
    pub warnings: Vec<String>,
}

/// A version of a plugin that was replaced and has not ended yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainingStatus {
    /// Its version.
    pub version: Version,
    /// Its number.
    pub generation: u64,
    /// Asynchronous calls into it that are pending.
    pub calls: usize,
    /// The names of its own threads.
    pub threads: Vec<String>,
}

/// One capability that a plugin offers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct RegisteredCapability {
    /// The identifier, for example `keyway.tool`.
    pub id: String,
    /// The major version.
    pub major: u32,
    /// The name under which it is offered.
    pub name: String,
    /// The plugin that offers it.
    pub plugin: String,
}

/// How long each phase of loading a plugin took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadTimes {
    /// Reading the facts from the file and deciding on them.
    pub inspect: Duration,
    /// Making and hashing the private copy.
    pub stage: Duration,
    /// `dlopen` and the checks of what the library exports.
    pub open: Duration,
    /// Construct and prepare.
    pub prepare: Duration,
    /// Activate and register.
    pub activate: Duration,
}

impl LoadTimes {
    /// All phases together.
    pub fn total(&self) -> Duration {
        self.inspect + self.stage + self.open + self.prepare + self.activate
    }
}
