//! The host: what an application embeds.

mod attend;
mod builder;
mod consent;
mod filter;
mod instance;
mod load;
mod offers;
mod platform;
mod plugin;
mod reload;
mod retire;
mod start;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use keyway::capability::Capability;
use keyway::{PluginError, State};
use tokio::runtime::Handle;

use crate::adapt::Adapters;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::compat::HostSide;
use crate::deprecation::{Deprecation, Deprecations};
use crate::drain::drain_or_cancel;
use crate::error::{HostError, HostErrorKind};
use crate::event::{Bus, EventKind, Events};
use crate::extension::Switchboard;
use crate::inspect::ContentHash;
use crate::journal::{Journal, Quarantined};
use crate::library::{LibraryCounts, Tally};
use crate::log::FilterWatchStop;
use crate::mediate::AuditLog;
use crate::registry::Registry;
use crate::stage::Stage;
use crate::status::{PluginStatus, RegisteredCapability};
use crate::suggest::suggestion;
use crate::supervise::let_go;
use crate::texts::Texts;
use crate::tool::ToolClient;
use crate::watch::Watcher;

pub use builder::HostBuilder;
pub use load::LoadOptions;

pub(crate) use builder::Options;
pub(crate) use instance::Instance;

use consent::Consent;
use platform::Catalog;
use plugin::{LoadedPlugin, Previous};
use retire::{Means, Retirement};
use watch::Watched;

/// An application's host for plugins. Cheap to clone; all clones are the same host.
///
/// Its methods may be awaited on any executor: what needs a clock or a thread uses the host's own
/// small runtime.
#[derive(Clone)]
pub struct Host {
    inner: Arc<Inner>,
}

struct Inner {
    side: HostSide,
    options: Options,
    registry: Arc<Registry>,
    /// The policy, and the counters.
    calls: Arc<Calls>,
    adapters: Arc<Adapters>,
    deprecations: Arc<Deprecations>,
    plugins: Mutex<BTreeMap<Arc<str>, Arc<LoadedPlugin>>>,
    /// The names of plugins that are being loaded.
    loading: Mutex<BTreeSet<Arc<str>>>,
    switchboard: Switchboard,
    /// Versions that were replaced.
    retirement: Retirement,
    bus: Bus,
    /// Empty unless files are watched.
    watcher: OnceLock<Watcher>,
    /// The files that it is to watch.
    watched: Watched,
    /// What is known of the plugins in the roots.
    catalog: Catalog,
    /// Capabilities that one plugin at a time may offer, by id.
    exclusive: BTreeSet<String>,
    /// What plugins may ask of the host.
    consent: Consent,
    texts: Arc<Texts>,
    stage: Stage,
    journal: Arc<Journal>,
    tally: Arc<Tally>,
    clock: Arc<Clock>,
    /// Ends the thread that tells plugins of changes of the log filter.
    _filter: FilterWatchStop,
}

/// A host that may be gone.
#[derive(Clone)]
pub(crate) struct WeakHost(Weak<Inner>);

impl WeakHost {
    pub(crate) fn upgrade(&self) -> Option<Host> {
        self.0.upgrade().map(|inner| Host { inner })
    }
}

impl Host {
    fn downgrade(&self) -> WeakHost {
        WeakHost(Arc::downgrade(&self.inner))
    }

    /// A host for an application of this name and version. Plugins state in their manifest which
    /// versions of the application they work with.
    pub fn builder(name: impl Into<String>, version: semver::Version) -> HostBuilder {
        HostBuilder::new(name.into(), version)
    }

    /// The tool of this name. It may be that of a plugin in the roots that starts when it is first
    /// needed, which is when the tool is called.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`] when no plugin offers it.
    pub fn tool(&self, name: &str) -> Result<ToolClient, HostError> {
        ToolClient::new(&self.inner.registry, self.downgrade(), name)
    }

    /// A capability by the type of its handle: `host.capability::<ImageFilterHandle>("blur")`.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`] when no loaded plugin offers it, [`HostErrorKind::Layout`] when
    /// a loaded plugin was built against an incompatible version of the trait.
    pub fn capability<C: Capability>(&self, name: &str) -> Result<C, HostError> {
        self.inner.registry.handle(name)
    }

    /// All that the loaded plugins offer, sorted by capability and name.
    pub fn capabilities(&self) -> Vec<RegisteredCapability> {
        let offered = self.inner.registry.list();
        let offered = offered.into_iter();
        offered
            .map(|(key, owner)| RegisteredCapability::of(key, &owner))
            .collect()
    }

    /// The names under which a capability is offered now, sorted:
    /// `host.names_of::<ImageFilterHandle>()`.
    pub fn names_of<C: Capability>(&self) -> Vec<String> {
        let offered = self.inner.registry.names_of(C::ID, C::MAJOR);
        offered.into_iter().map(|(name, _)| name).collect()
    }

    /// How often what plugins offer has changed. Each change takes effect as a whole; who remembers
    /// what [`Host::capabilities`] answered sees by this number whether it is still so.
    pub fn epoch(&self) -> u64 {
        self.inner.registry.epoch()
    }

    /// What plugins had better not offer any more: each capability as `id/major`.
    pub fn deprecations(&self) -> Vec<(String, Deprecation)> {
        let all = self.inner.deprecations.list();
        all.map(|(what, deprecation)| (what, deprecation.clone()))
            .collect()
    }

    /// The loaded plugins, sorted by name.
    pub fn plugins(&self) -> Vec<PluginStatus> {
        let plugins: Vec<_> = self.inner.plugins().values().cloned().collect();
        plugins
            .iter()
            .map(|plugin| self.inner.status(plugin))
            .collect()
    }

    /// The state of one plugin.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`] when no plugin of this name is loaded.
    pub fn plugin(&self, name: &str) -> Result<PluginStatus, HostError> {
        Ok(self.inner.status(&*self.inner.find(name)?))
    }

    /// Asks a plugin whether it can do its work.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`], or the plugin's own answer.
    pub async fn health_check(&self, name: &str) -> Result<(), HostError> {
        let plugin = self.inner.find(name)?.serving();
        plugin
            .health_check(self.runtime(), self.inner.options.lifecycle_deadline)
            .await
    }

    /// The state that a plugin would hand to its next version.
    pub(crate) async fn export_state(&self, name: &str) -> Result<Option<State>, HostError> {
        let plugin = self.inner.find(name)?.serving();
        let deadline = self.inner.options.lifecycle_deadline;
        let most = plugin.manifest.reload.max_state_bytes;
        let exported = plugin.export_state(self.runtime(), deadline, most).await;
        exported.map_err(|error| {
            let doing = "export_state";
            let error = plugin.generation.failed(HostErrorKind::State, doing, error);
            error.of_plugin(&plugin.label())
        })
    }

    /// Calls the method that stands for what the next minor appends to the root table.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`], or the plugin's own answer.
    #[cfg(feature = "unstable-next-minor")]
    #[doc(hidden)]
    pub fn root_appended(&self, name: &str) -> Result<String, HostError> {
        self.inner.find(name)?.serving().root_appended()
    }

    /// Ends a plugin: withdraws what it offers, waits until the calls that have started are done,
    /// deactivates it, drops its value and ends its tasks. Its library is closed once nothing holds it
    /// any more: see [`Host::libraries`].
    ///
    /// Calls get as long as a lifecycle step. Async calls that still run then are cancelled: they
    /// answer [`ErrorKind::Cancelled`](keyway::ErrorKind::Cancelled). Streams and buffers are not
    /// waited for: they stay readable, as far as the plugin can still produce.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`]; or [`HostErrorKind::Stop`] when the plugin failed in
    /// deactivate, which ends it all the same.
    pub async fn stop(&self, name: &str) -> Result<(), HostError> {
        let plugin = self.inner.find(name)?;
        let host = self.clone();
        // A task of its own, so that nobody can leave it half done by dropping a future.
        let task = self.runtime().spawn(async move { host.end(&plugin).await });
        task.await.unwrap_or_else(|_| {
            let message = "the host is shutting down";
            Err(HostError::new(HostErrorKind::Host, message))
        })
    }

    async fn end(&self, plugin: &Arc<LoadedPlugin>) -> Result<(), HostError> {
        let inner = &self.inner;
        let ended = std::mem::replace(&mut plugin.state().ended, true);
        if ended {
            return Err(inner.not_loaded(&plugin.name));
        }
        // A reload that is on its way sees that it is the end, and gives up at its next step.
        let _turn = plugin.turn.lock().await;
        inner.plugins().remove(&plugin.name);
        let (serving, previous, path) = {
            let mut state = plugin.state();
            if let Some(probation) = state.probation.take() {
                probation.abort();
            }
            let path = state.path.clone();
            (Arc::clone(&state.serving), state.previous.take(), path)
        };
        if let Some(path) = path {
            inner.unwatch(&path);
        }
        if let Some(previous) = previous {
            inner.retire(previous);
        }
        let retired = inner.registry.withdraw(&plugin.name);
        inner.calls.forget(&plugin.name);
        let deadline = inner.options.lifecycle_deadline;
        let patience = inner.clock.sleep(deadline);
        drain_or_cancel(&inner.clock, &serving, retired, patience).await;
        let deactivated = serving.deactivate(self.runtime(), deadline).await;
        let stopped = serving.stop(self.runtime(), deadline).await;
        inner.retirement.finish(Some(&plugin.name)).await;
        let version = serving.generation.version.clone();
        inner.bus.tell(&plugin.name, EventKind::Stopped { version });
        deactivated.and(stopped)
    }

    /// What happens to plugins from now on.
    pub fn events(&self) -> Events {
        self.inner.bus.events()
    }

    /// What plugins have asked the host for, and what came of it: the newest records, until they are taken.
    /// [`HostBuilder::audit`] has them told at once, and keeps more of them.
    pub fn audit(&self) -> &AuditLog {
        &self.inner.consent.audit
    }

    /// How many of this host's libraries are open, unloaded, or could not be unloaded.
    pub fn libraries(&self) -> LibraryCounts {
        self.inner.tally.counts()
    }

    /// Waits until no library is open any more but those of versions that serve, or are ready to serve
    /// again, for at most this long. One that is held by a call, a stream, a buffer or a thread of its
    /// plugin stays open; thread-locals of idle threads delay it by
    /// [`idle_thread_deadline`](HostBuilder::idle_thread_deadline).
    ///
    /// Blocks the calling thread.
    pub fn wait_for_unload(&self, patience: Duration) -> LibraryCounts {
        let in_use = || {
            let plugins: Vec<_> = self.inner.plugins().values().cloned().collect();
            plugins.iter().map(|plugin| plugin.libraries()).sum()
        };
        self.inner.tally.wait_until_open_are(in_use, patience)
    }

    /// The builds of plugins that are refused, since a process died while it loaded or reloaded them;
    /// sorted by plugin and version. Those that other hosts with the same
    /// [state directory](HostBuilder::state_dir) died of are among them; without one there are
    /// none.
    pub fn quarantined(&self) -> Vec<Quarantined> {
        self.inner.journal.quarantined()
    }

    /// Lets a build of a plugin be loaded again; answers whether it was in quarantine. It is
    /// released for all hosts with the same [state directory](HostBuilder::state_dir).
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Host`] when the state directory cannot be written to.
    pub fn release(&self, hash: &ContentHash) -> Result<bool, HostError> {
        self.inner.journal.release(hash)
    }

    /// Ends all plugins; answers what went wrong with any of them.
    pub async fn shutdown(&self) -> Vec<HostError> {
        let names: Vec<Arc<str>> = self.inner.plugins().keys().cloned().collect();
        let mut errors = Vec::new();
        for name in names {
            match self.stop(&name).await {
                Ok(()) => {}
                // Somebody else ended it in the meantime.
                Err(error) if error.kind() == HostErrorKind::NotFound => {}
                Err(error) => errors.push(error),
            }
        }
        self.inner.retirement.finish(None).await;
        errors
    }

    /// Runs a future to its end on the calling thread, for programs that are not async.
    ///
    /// # Panics
    ///
    /// When called from inside an async context of tokio.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime().block_on(future)
    }

    /// Drops what may lead to a destructor of a plugin's.
    async fn let_go<T: Send + 'static>(&self, value: T) {
        let_go(self.runtime(), self.inner.options.lifecycle_deadline, value).await;
    }

    pub(crate) fn runtime(&self) -> &Handle {
        self.inner.clock.handle()
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.inner.registry
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn bus(&self) -> &Bus {
        &self.inner.bus
    }

    /// An error of a plugin's without the secrets among its settings.
    pub(crate) fn without_secrets(&self, plugin: &str, error: PluginError) -> PluginError {
        match self.inner.find(plugin) {
            Ok(plugin) => plugin.serving().generation.without_secrets(error),
            Err(_) => error,
        }
    }
}

impl Inner {
    fn plugins(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Arc<LoadedPlugin>>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self, name: &Arc<str>) -> Result<Reserved<'_>, HostError> {
        let taken = |what: &str| {
            HostError::new(
                HostErrorKind::AlreadyLoaded,
                format!("a plugin '{name}' {what}"),
            )
            .hint("stop it first, or load this one under a namespace")
        };
        // The guard comes before the look at what is loaded: whoever finishes in between has
        // entered the plugin by then.
        if !self
            .loading
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(Arc::clone(name))
        {
            return Err(taken("is being loaded"));
        }
        let reserved = Reserved {
            loading: &self.loading,
            name: Arc::clone(name),
        };
        if self.plugins().contains_key(name) {
            return Err(taken("is loaded already"));
        }
        Ok(reserved)
    }

    fn find(&self, name: &str) -> Result<Arc<LoadedPlugin>, HostError> {
        let found = self.plugins().get(name).cloned();
        found.ok_or_else(|| self.not_loaded(name))
    }

    fn not_loaded(&self, name: &str) -> HostError {
        let error = HostError::new(
            HostErrorKind::NotFound,
            format!("no plugin '{name}' is loaded"),
        );
        let plugins = self.plugins();
        let others = plugins.keys().filter(|other| ***other != *name);
        match suggestion(name, others.map(|name| &**name)) {
            Some(similar) => error.hint(format!("did you mean '{similar}'?")),
            None => error,
        }
    }

    fn status(&self, plugin: &LoadedPlugin) -> PluginStatus {
        let statistics = self.calls.statistics(&plugin.name);
        plugin.status(&self.registry, self.retirement.of(&plugin.name), statistics)
    }

    /// Lets a version end that was replaced.
    fn retire(&self, previous: Previous) {
        let Previous {
            instance,
            retired,
            deactivated,
            states: _,
        } = previous;
        let means = Means {
            clock: Arc::clone(&self.clock),
            bus: self.bus.clone(),
            deadline: self.options.lifecycle_deadline,
        };
        self.retirement
            .retire(means, instance, retired, deactivated);
    }
}

/// Keeps a name for a plugin that is being loaded.
struct Reserved<'a> {
    loading: &'a Mutex<BTreeSet<Arc<str>>>,
    name: Arc<str>,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.loading
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.name);
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("name", &self.inner.side.name)
            .field("version", &self.inner.side.version.to_string())
            .field("plugins", &self.inner.plugins().keys().collect::<Vec<_>>())
            .finish()
    }
}

fn shutting_down() -> HostError {
    HostError::new(HostErrorKind::Host, "the host is shutting down")
}

/// The default deadline of each lifecycle step.
pub(crate) const LIFECYCLE_DEADLINE: Duration = Duration::from_secs(10);
