//! The plugins of a host's roots: found, decided on, started and stopped in the order in which they
//! need each other.
//!
//! One operation at a time changes what runs; each is a task of the host's, so that nobody can leave it
//! half done by dropping a future.

mod adjust;
mod begin;
mod commands;
mod content;
mod end;
mod health;
mod plan;
#[cfg(test)]
mod scale;
mod survey;
mod uses;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use keyway_manifest::{Permissions, PluginId};

use self::uses::Uses;
use super::Host;
use crate::discovery::{Candidate, Discoverer, Discovery, Verdict};
use crate::error::{HostError, HostErrorKind};
use crate::finding::Finding;
use crate::inspect::ContentHash;
use crate::platform::decide::Decision;
use crate::platform::{Enablement, PluginRecord, Report, Runtime};
use crate::resolve::Resolution;
use crate::settings::Settings;
use crate::suggest::suggestion;
use crate::watch::RootWatch;

/// What a host knows of the plugins in its roots.
pub(super) struct Catalog {
    /// Held by whoever changes which of them run.
    turn: tokio::sync::Mutex<()>,
    discoverer: Arc<Mutex<Discoverer>>,
    state: Mutex<State>,
    /// The file that the settings come from, if they come from one.
    pub(super) settings_file: Option<PathBuf>,
    /// How often roots are looked at, in place of being told by the system.
    watch_interval: OnceLock<Duration>,
    /// Of the roots, once plugins were started, where files are watched at all.
    watch: Mutex<Option<RootWatch>>,
    watches_health: AtomicBool,
}

struct State {
    /// Whether plugins that come are started.
    running: bool,
    settings: Arc<Settings>,
    candidates: Vec<Candidate>,
    /// The candidate of each id that is used, or would be if it might run.
    by_id: HashMap<PluginId, usize>,
    /// Who may be needed for what, as manifests have it.
    uses: Uses,
    decision: Decision,
    /// What was found out about roots, and about nobody in particular.
    general: Vec<Finding>,
    /// What was said of plugins while the host runs: whether they are to run.
    said: BTreeMap<PluginId, bool>,
    /// Plugins that were stopped for good.
    given_up: BTreeMap<PluginId, Finding>,
    /// How far each has come that has come further than being found.
    runtimes: BTreeMap<PluginId, Runtime>,
}

impl Catalog {
    pub(super) fn new(
        discoverer: Discoverer,
        settings: Settings,
        settings_file: Option<PathBuf>,
    ) -> Self {
        Catalog {
            turn: tokio::sync::Mutex::default(),
            discoverer: Arc::new(Mutex::new(discoverer)),
            settings_file,
            watch_interval: OnceLock::new(),
            watch: Mutex::default(),
            watches_health: AtomicBool::new(false),
            state: Mutex::new(State {
                running: false,
                settings: Arc::new(settings),
                candidates: Vec::new(),
                by_id: HashMap::new(),
                uses: Uses::default(),
                decision: Decision::default(),
                general: Vec::new(),
                said: BTreeMap::new(),
                given_up: BTreeMap::new(),
                runtimes: BTreeMap::new(),
            }),
        }
    }

    /// Whether the lists of the host's file let this build of a plugin be used.
    pub(super) fn admit(&self, id: &PluginId, hash: &ContentHash) -> Result<(), Finding> {
        let settings = Arc::clone(&self.state().settings);
        settings.plugins.admit(id, Some(hash))
    }

    /// What the host's file grants a plugin, if it says anything.
    pub(super) fn permissions(&self, id: &PluginId) -> Option<Permissions> {
        self.state().settings.plugin.get(id)?.permissions.clone()
    }

    /// Whether nobody looks after the health of plugins yet. Somebody does from then on.
    fn begins_to_watch_health(&self) -> bool {
        !self.watches_health.swap(true, Ordering::Relaxed)
    }

    /// Has roots looked at so often, once they are watched.
    pub(super) fn poll_roots(&self, interval: Duration) {
        let _ = self.watch_interval.set(interval);
    }

    fn watch_interval(&self) -> Option<Duration> {
        self.watch_interval.get().copied()
    }

    fn lock_watch(&self) -> MutexGuard<'_, Option<RootWatch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The plugins that are used, and why others are not, as the last survey has it.
    fn resolution(&self) -> Arc<Resolution> {
        Arc::clone(&self.state().decision.resolution)
    }
}

impl State {
    /// The plugins that are to run.
    fn enabled(&self) -> BTreeSet<PluginId> {
        let candidates = self.candidates.iter().zip(&self.decision.enablements);
        candidates
            .filter(|(_, enablement)| enablement.is_enabled())
            .filter_map(|(candidate, _)| candidate.id.clone())
            .collect()
    }

    /// The candidate of this id that is used, or would be, and its number.
    fn find(&self, id: &PluginId) -> Option<(usize, &Candidate)> {
        let index = *self.by_id.get(id)?;
        Some((index, self.candidates.get(index)?))
    }

    /// Takes what was found.
    fn take(&mut self, discovery: Discovery) {
        self.candidates = discovery.candidates;
        self.general = discovery.findings;
        self.uses = Uses::of(&self.candidates);
        self.by_id.clear();
        for (index, candidate) in self.candidates.iter().enumerate() {
            let Some(id) = &candidate.id else { continue };
            match candidate.verdict {
                Verdict::Found => drop(self.by_id.insert(id.clone(), index)),
                Verdict::Shadowed { .. } => {}
                // What was refused stands for its id where nothing else does.
                _ => drop(self.by_id.entry(id.clone()).or_insert(index)),
            }
        }
    }
}

impl Host {
    /// Looks at the roots again, and decides which plugins are to run. Nothing is started or stopped,
    /// and nothing of any plugin is executed.
    ///
    /// Answers everything that was found, as [`Host::records`] does.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Host`] while the host is shutting down.
    pub async fn discover(&self) -> Result<Vec<PluginRecord>, HostError> {
        self.in_turn(|host| async move {
            host.survey().await?;
            Ok(host.records())
        })
        .await
    }

    /// Finds the plugins of all roots, and starts those that are enabled: level by level in the order in
    /// which they need each other, all of a level at the same time. One that fails is in the report, and
    /// so are those that need it; the others run.
    ///
    /// Plugins whose manifest says `startup = false` are left for when they are first needed, unless one
    /// that starts needs them.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Host`] while the host is shutting down. What becomes of single plugins is in the
    /// report.
    pub async fn start_all(&self) -> Result<Report, HostError> {
        self.in_turn(|host| async move {
            // Watched before they are looked at: what changes after that is a change.
            host.watch_roots()?;
            host.watch_health();
            host.survey().await?;
            {
                let mut state = host.inner.catalog.state();
                state.running = true;
                state.rest();
            }
            let wanted = host.eager();
            Ok(host.begin(&wanted).await)
        })
        .await
    }

    /// Stops all plugins of the roots, those first that others do not need. Plugins that were loaded by
    /// [`Host::load`] are left.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Host`] while the host is shutting down.
    pub async fn stop_all(&self) -> Result<Report, HostError> {
        self.in_turn(|host| async move {
            host.inner.catalog.state().running = false;
            let active = host.active();
            Ok(host.finish(&active).await)
        })
        .await
    }

    /// Lets a plugin run, whatever the host's file says, and starts it with all that it needs.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`]; [`HostErrorKind::Refused`] with the code of the first thing that
    /// speaks against it; or what it failed with.
    pub async fn enable(&self, id: &str) -> Result<Report, HostError> {
        let id = self.known(id)?;
        self.in_turn(|host| async move {
            {
                let mut state = host.inner.catalog.state();
                state.given_up.remove(&id);
                state.said.insert(id.clone(), true);
            }
            host.decide_again().await;
            host.begin_one(&id).await
        })
        .await
    }

    /// Stops a plugin and those that need it, and keeps it from being started until it is
    /// [enabled](Host::enable).
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`].
    pub async fn disable(&self, id: &str) -> Result<Report, HostError> {
        let id = self.known(id)?;
        self.in_turn(|host| async move {
            let ending = host.with_dependents(&id);
            let report = host.finish(&ending).await;
            host.inner.catalog.state().said.insert(id, false);
            host.decide_again().await;
            Ok(report)
        })
        .await
    }

    /// Stops a plugin and those that need it, and starts again those of them that ran, and the plugin
    /// itself.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`]; [`HostErrorKind::Refused`] if it is not enabled; or what it failed
    /// with. Its dependents are in the report.
    pub async fn restart(&self, id: &str) -> Result<Report, HostError> {
        let id = self.known(id)?;
        self.in_turn(|host| async move {
            let clock = Instant::now();
            let ran = host.with_dependents(&id);
            host.finish(&ran).await;
            let mut report = host.begin_one(&id).await?;
            let others = host.begin(&ran).await;
            report.done.extend(others.done);
            report.failed.extend(others.failed);
            report.skipped.extend(others.skipped);
            report.took = clock.elapsed();
            Ok(report)
        })
        .await
    }

    /// Everything that was found in the roots, in the order of precedence: plugins that run and plugins
    /// that do not, each with all reasons.
    pub fn records(&self) -> Vec<PluginRecord> {
        let state = self.inner.catalog.state();
        (0..state.candidates.len())
            .map(|index| self.record_of(&state, index))
            .collect()
    }

    /// What there is to say of one plugin: of the file that is used, where several have its id.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`].
    pub fn record(&self, id: &str) -> Result<PluginRecord, HostError> {
        let id = self.known(id)?;
        let state = self.inner.catalog.state();
        match state.find(&id) {
            Some((index, _)) => Ok(self.record_of(&state, index)),
            None => Err(HostError::new(
                HostErrorKind::NotFound,
                format!("no root has a plugin '{id}' any more"),
            )),
        }
    }

    /// Which plugins of the roots can run together and in which order they start, as it was decided last:
    /// what a plugin needs at any remove, and what has to be stopped with it.
    pub fn resolution(&self) -> Arc<Resolution> {
        self.inner.catalog.resolution()
    }

    /// What was found out about the roots, and about no plugin in particular.
    pub fn findings(&self) -> Vec<Finding> {
        let state = self.inner.catalog.state();
        let general = state.general.iter().chain(&state.decision.general);
        general.chain(&state.settings.warnings).cloned().collect()
    }

    /// What the host's file says now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.inner.catalog.state().settings)
    }

    fn record_of(&self, state: &State, index: usize) -> PluginRecord {
        let candidate = &state.candidates[index];
        let resolution = &state.decision.resolution;
        let enablement = state.decision.enablements[index].clone();
        let ids = |of: &dyn Fn(&str) -> Vec<PluginId>| match &candidate.id {
            Some(id) if enablement.is_enabled() => of(id.as_str()),
            _ => Vec::new(),
        };
        let found = candidate.findings.iter();
        let id = candidate.id.as_ref().filter(|_| enablement.is_enabled());
        let loaded = id.and_then(|id| self.inner.find(id.as_str()).ok());
        // Of those that discovery has found in the file too, one is enough.
        let told = loaded.map(|plugin| plugin.serving().warnings.clone());
        let is_new = |one: &Finding| {
            candidate
                .findings
                .iter()
                .all(|other| other.code != one.code)
        };
        let told = told.unwrap_or_default().into_iter().filter(is_new);
        PluginRecord {
            id: candidate.id.clone(),
            version: candidate.version.clone(),
            origin: candidate.origin,
            path: candidate.path.clone(),
            library: candidate.library.clone(),
            manifest: candidate.manifest.clone(),
            runtime: self.runtime_of(state, index),
            lazy: is_lazy(candidate),
            dependencies: ids(&|id| plugin_ids(resolution.needs_of(id))),
            dependents: ids(&|id| plugin_ids(resolution.users_of(id))),
            findings: found
                .chain(&state.decision.findings[index])
                .cloned()
                .chain(told)
                .collect(),
            enablement,
        }
    }

    fn runtime_of(&self, state: &State, index: usize) -> Runtime {
        let Some(id) = &state.candidates[index].id else {
            return Runtime::Discovered;
        };
        if matches!(
            state.decision.enablements[index],
            Enablement::Shadowed { .. }
        ) {
            return Runtime::Discovered;
        }
        match state.runtimes.get(id) {
            // Somebody stopped it by its name.
            Some(Runtime::Active) if !self.still_serves(state, id) => Runtime::Stopped,
            Some(runtime) => runtime.clone(),
            None if state.decision.enablements[index].is_enabled() => Runtime::Resolved,
            None => Runtime::Discovered,
        }
    }

    /// Whether a plugin that was started runs still. One without code is not among the loaded ones.
    fn still_serves(&self, state: &State, id: &PluginId) -> bool {
        let found = state.find(id);
        found.is_some_and(|(_, candidate)| candidate.manifest_has_content())
            || self.inner.plugins().contains_key(id.as_str())
    }

    /// Makes sure that there is a plugin of this id, so far as anybody has looked.
    fn known(&self, id: &str) -> Result<PluginId, HostError> {
        let state = self.inner.catalog.state();
        if let Some((known, _)) = state.by_id.get_key_value(id) {
            return Ok(known.clone());
        }
        let error = HostError::new(
            HostErrorKind::NotFound,
            format!("no root has a plugin '{id}'"),
        );
        Err(
            match suggestion(id, state.by_id.keys().map(PluginId::as_str)) {
                Some(similar) => error.hint(format!("did you mean '{similar}'?")),
                None => error,
            },
        )
    }

    /// Runs an operation when those before it are done, and to its end.
    async fn in_turn<T, F>(
        &self,
        work: impl FnOnce(Host) -> F + Send + 'static,
    ) -> Result<T, HostError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, HostError>> + Send,
    {
        let host = self.clone();
        let task = self.runtime().spawn(async move {
            let inner = Arc::clone(&host.inner);
            let _turn = inner.catalog.turn.lock().await;
            work(host).await
        });
        task.await.unwrap_or_else(|_| {
            let message = "the host is shutting down";
            Err(HostError::new(HostErrorKind::Host, message))
        })
    }
}

/// The texts are those of ids.
fn plugin_ids<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<PluginId> {
    texts.filter_map(|id| PluginId::new(id).ok()).collect()
}

fn is_lazy(candidate: &Candidate) -> bool {
    let manifest = candidate.manifest.as_ref();
    manifest.is_some_and(|manifest| !manifest.activation.startup)
}
