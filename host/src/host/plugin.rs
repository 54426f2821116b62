//! A plugin by its name: the version that serves, the one before it, and what is decided about it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use super::instance::Instance;
use super::load::LoadOptions;
use crate::error::HostError;
use crate::inspect::ContentHash;
use crate::registry::{Registry, Replaced};
use crate::reload::{ReloadPhase, ReloadReport};
use crate::statistics::Statistics;
use crate::status::{DrainingStatus, PluginStatus, RegisteredCapability, Shape};

/// A plugin that is loaded, over all its versions.
pub(crate) struct LoadedPlugin {
    pub(super) name: Arc<str>,
    /// Held by whoever changes which version serves.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
    /// Triggers that have arrived.
    arrivals: AtomicU64,
    /// The number of the version that was started last.
    numbers: AtomicU64,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) serving: Arc<Instance>,
    /// Ready to serve again, while the one that serves is on probation.
    pub(super) previous: Option<Previous>,
    /// Ends the probation.
    pub(super) probation: Option<AbortHandle>,
    pub(super) path: Option<PathBuf>,
    pub(super) options: LoadOptions,
    pub(super) pinned: bool,
    pub(super) refused: Option<Refusal>,
    pub(super) last: Option<Arc<ReloadReport>>,
    /// Nothing serves: neither the new version nor the old one could be started.
    pub(super) down: Option<Down>,
    /// It is being stopped; nothing may take its place.
    pub(super) ended: bool,
}

/// The version before the one that is on probation.
pub(super) struct Previous {
    pub(super) instance: Arc<Instance>,
    /// What calls may still be inside of.
    pub(super) retired: Replaced,
    /// States that it may start anew from: the newest that was given away since it served, which may
    /// be that of another version, and last its own.
    pub(super) states: Vec<keyway::State>,
    /// Whether it was deactivated, as it is in exclusive mode.
    pub(super) deactivated: bool,
}

impl Previous {
    /// Another version after it gave a state away.
    pub(super) fn newest_state(&mut self, state: Option<keyway::State>) {
        let own = self.states.pop();
        self.states = state.into_iter().chain(own).collect();
    }
}

/// What is left of a version that could not be started again.
pub(super) struct Down {
    /// The state that it gave away.
    pub(super) blob: Option<keyway::State>,
}

/// A file that was refused, and that need not be tried again.
#[derive(Clone)]
pub(super) struct Refusal {
    pub(super) hash: ContentHash,
    pub(super) phase: ReloadPhase,
    pub(super) reason: Arc<HostError>,
}

impl LoadedPlugin {
    pub(super) fn new(instance: Arc<Instance>) -> Self {
        let state = State {
            path: instance.path.clone(),
            options: instance.options.clone(),
            serving: Arc::clone(&instance),
            previous: None,
            probation: None,
            pinned: false,
            refused: None,
            last: None,
            down: None,
            ended: false,
        };
        LoadedPlugin {
            name: Arc::clone(&instance.generation.name),
            turn: Arc::default(),
            arrivals: AtomicU64::new(0),
            numbers: AtomicU64::new(instance.generation.number),
            state: Mutex::new(state),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many libraries are open for what serves, and for what is ready to serve again.
    pub(super) fn libraries(&self) -> usize {
        let state = self.state();
        let previous = state.previous.as_ref().map(|previous| &previous.instance);
        let instances = previous.into_iter().chain([&state.serving]);
        instances
            .filter(|instance| instance.generation.library.is_some())
            .count()
    }

    pub(super) fn serving(&self) -> Arc<Instance> {
        Arc::clone(&self.state().serving)
    }

    /// A trigger has arrived; answers its number.
    pub(super) fn arrive(&self) -> u64 {
        self.arrivals.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of the trigger that arrived last.
    pub(super) fn newest(&self) -> u64 {
        self.arrivals.load(Ordering::Relaxed)
    }

    /// A number for a version that is to be started.
    pub(super) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn status(
        &self,
        registry: &Registry,
        draining: Vec<DrainingStatus>,
        statistics: Statistics,
    ) -> PluginStatus {
        let offered = registry.offered_by(&self.name);
        let shape = Shape::of(offered.iter().map(|key| key.id.as_str()));
        let state = self.state();
        let serving = &state.serving;
        let previous = state.previous.as_ref();
        PluginStatus {
            name: self.name.to_string(),
            id: serving.manifest.id.to_string(),
            version: serving.generation.version.clone(),
            generation: serving.generation.number,
            serves: state.down.is_none(),
            pinned: state.pinned,
            previous: previous.map(|previous| previous.instance.generation.version.clone()),
            draining,
            last_reload: state.last.clone(),
            manifest: Arc::clone(&serving.manifest),
            path: state.path.clone(),
            staged: serving.generation.staged.clone(),
            hash: serving.hash,
            interface_minor: serving.minor,
            shape,
            capabilities: offered
                .into_iter()
                .map(|key| RegisteredCapability::of(key, &self.name))
                .collect(),
            mapped_bytes: serving.mapped_bytes(),
            threads: serving.thread_names(),
            panics: serving.panics(),
            statistics,
            dropped_events: serving.generation.log.dropped(),
            times: serving.times,
            config: serving.config().shown().to_vec(),
            permissions: serving.grant.clone(),
            warnings: serving.warnings.clone(),
        }
    }
}
