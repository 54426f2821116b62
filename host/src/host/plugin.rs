//! A loaded plugin, and what there is to say of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use keyway::abi::root::{PluginRoot, PluginRootHandle};
use keyway_manifest::Manifest;
use semver::Version;
use tokio::runtime::Handle;

use crate::error::{HostError, HostErrorKind};
use crate::generation::Generation;
use crate::inspect::ContentHash;
use crate::library::Library;
use crate::registry::Registry;
use crate::supervise::supervise;

/// A plugin that serves.
pub(crate) struct LoadedPlugin {
    pub(crate) generation: Arc<Generation>,
    pub(crate) root: PluginRootHandle,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) path: Option<PathBuf>,
    pub(crate) hash: Option<ContentHash>,
    pub(crate) minor: u16,
    pub(crate) times: LoadTimes,
    pub(crate) warnings: Vec<String>,
}

impl LoadedPlugin {
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.generation.name
    }

    /// How errors name it.
    fn label(&self) -> String {
        format!("'{}' v{}", self.name(), self.generation.version)
    }

    pub(crate) async fn health_check(
        &self,
        runtime: &Handle,
        deadline: Duration,
    ) -> Result<(), HostError> {
        let root = self.root.clone();
        supervise(runtime, deadline, move || async move {
            root.health_check().await
        })
        .await
        .map_err(|error| {
            HostError::from_plugin(HostErrorKind::Health, "the health check", error)
                .of_plugin(&self.label())
        })
    }

    #[cfg(feature = "unstable-next-minor")]
    pub(crate) fn root_appended(&self) -> Result<String, HostError> {
        self.root.appended().map_err(|error| {
            HostError::from_plugin(HostErrorKind::Stop, "the appended method", error)
                .of_plugin(&self.label())
        })
    }

    /// Lets the plugin ask again which events are wanted.
    pub(crate) async fn log_filter_changed(&self, runtime: &Handle, deadline: Duration) {
        let root = self.root.clone();
        let told = supervise(runtime, deadline, move || async move {
            root.log_filter_changed()
        });
        if let Err(error) = told.await {
            tracing::debug!(
                plugin = &**self.name(),
                "not told of the new log filter: {error}"
            );
        }
    }

    /// Deactivates, then stops; the second happens whatever the first answers.
    pub(crate) async fn stop(&self, runtime: &Handle, deadline: Duration) -> Result<(), HostError> {
        let root = self.root.clone();
        let deactivated = supervise(
            runtime,
            deadline,
            move || async move { root.deactivate().await },
        )
        .await;
        let stopped = stop_root(runtime, deadline, &self.root).await;
        self.generation.log.close();
        let failed = |doing: &str, error| {
            HostError::from_plugin(HostErrorKind::Stop, doing, error).of_plugin(&self.label())
        };
        deactivated.map_err(|error| failed("deactivate", error))?;
        stopped.map_err(|error| failed("stop", error))
    }

    pub(crate) fn status(&self, registry: &Registry) -> PluginStatus {
        let mine = registry
            .list()
            .into_iter()
            .filter(|(_, owner)| *owner == *self.name());
        PluginStatus {
            name: self.name().to_string(),
            id: self.manifest.id.to_string(),
            version: self.generation.version.clone(),
            manifest: Arc::clone(&self.manifest),
            path: self.path.clone(),
            staged: self.generation.staged.clone(),
            hash: self.hash,
            interface_minor: self.minor,
            capabilities: mine
                .map(|(key, owner)| RegisteredCapability {
                    id: key.id,
                    major: key.major,
                    name: key.name,
                    plugin: owner.to_string(),
                })
                .collect(),
            threads: self
                .generation
                .library
                .as_ref()
                .map(Library::thread_names)
                .unwrap_or_default(),
            panics: self.generation.panics.load(Ordering::Relaxed),
            dropped_events: self.generation.log.dropped(),
            times: self.times,
            warnings: self.warnings.clone(),
        }
    }
}

/// Drops the plugin's value and ends its tasks.
pub(crate) async fn stop_root(
    runtime: &Handle,
    deadline: Duration,
    root: &PluginRootHandle,
) -> keyway::Result<()> {
    let root = root.clone();
    let patience = u64::try_from(deadline.as_millis() / 2).unwrap_or(u64::MAX);
    supervise(
        runtime,
        deadline,
        move || async move { root.stop(patience) },
    )
    .await
}

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
    /// How long each phase of loading took.
    pub times: LoadTimes,
    /// What is not in order, but no reason to refuse the plugin.
    pub warnings: Vec<String>,
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
