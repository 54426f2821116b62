//! What there is to say of a loaded plugin.

pub(crate) mod codes;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keyway_manifest::Manifest;
use semver::Version;

use crate::config::ConfigValue;
use crate::finding::{Finding, Signal};
use crate::inspect::ContentHash;
use crate::permission::Grant;
use crate::registry::Key;
use crate::reload::ReloadReport;
use crate::statistics::Statistics;

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
    /// What kind of plugin it is, by what it offers.
    pub shape: Shape,
    /// What it offers.
    pub capabilities: Vec<RegisteredCapability>,
    /// How many bytes of address space the library's code and data take. What the plugin allocates is not in
    /// it: that comes from the allocator of the process or of the plugin, and nobody can tell it apart. None
    /// if the plugin is linked statically, and for files of other formats than ELF.
    pub mapped_bytes: Option<u64>,
    /// The names of the plugin's own threads, which keep its library open for as long as they run.
    pub threads: Vec<String>,
    /// Panics that were contained since the version that serves was loaded, in calls and outside of
    /// them.
    pub panics: u64,
    /// How its calls went, as far as they are [metered](crate::HostBuilder::metering).
    pub statistics: Statistics,
    /// Log events that were dropped because the plugin logged too fast.
    pub dropped_events: u64,
    /// Its settings with their values, as far as these may be shown, and where they come from.
    pub config: Vec<ConfigValue>,
    /// How long each phase of loading took.
    pub times: LoadTimes,
    /// What it may ask of the host: what its manifest asks for, as far as that is granted.
    pub permissions: Grant,
    /// What is not in order, but no reason to refuse the plugin.
    pub warnings: Vec<Finding>,
}

impl PluginStatus {
    /// How well it fits, all in all.
    pub fn signal(&self) -> Signal {
        Signal::of(&self.warnings)
    }
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

impl RegisteredCapability {
    pub(crate) fn of(key: Key, plugin: &str) -> Self {
        RegisteredCapability {
            id: key.id,
            major: key.major,
            name: key.name,
            plugin: plugin.to_owned(),
        }
    }
}

/// What kind of plugin it is, by what it really registered.
///
/// Capabilities in the sense of this are channels, providers, pipeline stages, memory backends, skills,
/// voice handlers, and an application's own. Tools, commands, services and event hooks are things that
/// any plugin may have besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// It offers one kind of capability.
    Plain,
    /// It offers several kinds of capabilities.
    Hybrid,
    /// It registers event hooks and nothing else.
    HookOnly,
    /// It offers tools, commands or services, or nothing at all.
    NonCapability,
}

impl Shape {
    /// `plain`, `hybrid`, `hook-only` or `non-capability`.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Plain => "plain",
            Shape::Hybrid => "hybrid",
            Shape::HookOnly => "hook-only",
            Shape::NonCapability => "non-capability",
        }
    }

    /// The shape of a plugin that registers capabilities of these ids.
    pub(crate) fn of<'a>(ids: impl Iterator<Item = &'a str>) -> Self {
        let ids: BTreeSet<&str> = ids.collect();
        let besides = [
            "keyway.tool",
            "keyway.command",
            "keyway.service",
            "keyway.event-hook",
        ];
        match ids.iter().filter(|id| !besides.contains(*id)).count() {
            0 if ids.iter().eq(&["keyway.event-hook"]) => Shape::HookOnly,
            0 => Shape::NonCapability,
            1 => Shape::Plain,
            _ => Shape::Hybrid,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
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
