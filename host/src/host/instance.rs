//! One version of a plugin that runs: its root object, what it offers, and its end.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyway::State;
use keyway::abi::pass::Json;
use keyway::abi::root::{PluginRoot, PluginRootHandle};
use keyway_manifest::Manifest;
use tokio::runtime::Handle;

use super::Host;
use super::load::LoadOptions;
use crate::attendance::Attendance;
use crate::config::Resolved;
use crate::error::{HostError, HostErrorKind};
use crate::finding::Finding;
use crate::generation::Generation;
use crate::inspect::ContentHash;
use crate::journal::{Guard, Journal, Occasion, Phase};
use crate::library::Library;
use crate::permission::Grant;
use crate::registry::Offer;
use crate::status::LoadTimes;
use crate::supervise::{let_go, supervise};

/// One version of a plugin that was started.
pub(crate) struct Instance {
    pub(super) root: PluginRootHandle,
    pub(super) options: LoadOptions,
    /// What it was prepared with, or was told of since.
    config: Mutex<Arc<Resolved>>,
    /// Taken when it ends.
    offers: Mutex<Vec<Offer>>,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) path: Option<PathBuf>,
    pub(crate) hash: Option<ContentHash>,
    pub(crate) minor: u16,
    pub(crate) times: LoadTimes,
    pub(crate) warnings: Vec<Finding>,
    pub(super) attendance: Attendance,
    pub(crate) grant: Grant,
    pub(crate) generation: Arc<Generation>,
}

/// What is known of a version before it is activated.
pub(crate) struct Facts {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) path: Option<PathBuf>,
    pub(crate) hash: Option<ContentHash>,
    pub(crate) minor: u16,
    pub(crate) times: LoadTimes,
    pub(crate) warnings: Vec<Finding>,
    /// What it may ask of the host.
    pub(crate) grant: Grant,
}

impl Instance {
    pub(super) fn new(
        root: PluginRootHandle,
        generation: Arc<Generation>,
        facts: Facts,
        options: LoadOptions,
        config: Arc<Resolved>,
        offers: Vec<Offer>,
    ) -> Self {
        let Facts {
            manifest,
            path,
            hash,
            minor,
            times,
            warnings,
            grant,
        } = facts;
        Instance {
            root,
            options,
            config: Mutex::new(config),
            offers: Mutex::new(offers),
            manifest,
            path,
            hash,
            minor,
            times,
            warnings,
            attendance: Attendance::default(),
            grant,
            generation,
        }
    }

    /// How errors name it.
    pub(crate) fn label(&self) -> String {
        format!("'{}' v{}", self.generation.name, self.generation.version)
    }

    /// The configuration that it has.
    pub(super) fn config(&self) -> Arc<Resolved> {
        Arc::clone(&self.lock_config())
    }

    /// Gives it another configuration while it runs.
    pub(super) async fn change_config(
        &self,
        host: &Host,
        config: Arc<Resolved>,
        changed: Vec<String>,
    ) -> Result<(), HostError> {
        // Before the plugin can put any of it into an error.
        self.generation.hide(config.secrets());
        let (root, values) = (self.root.clone(), config.values().clone());
        let work = move || async move { root.config_changed(Json(values), changed).await };
        let deadline = host.inner.options.lifecycle_deadline;
        let told = supervise(host.runtime(), deadline, work).await;
        told.map_err(|error| {
            let doing = "the change of its configuration";
            let error = self.generation.failed(HostErrorKind::Config, doing, error);
            error.of_plugin(&self.label())
        })?;
        *self.lock_config() = config;
        Ok(())
    }

    /// What it offers; nothing once it has ended.
    pub(crate) fn offers(&self) -> Vec<Offer> {
        self.lock_offers().clone()
    }

    /// Lets it offer other objects: it was revived.
    pub(super) fn set_offers(&self, offers: Vec<Offer>) -> Vec<Offer> {
        std::mem::replace(&mut *self.lock_offers(), offers)
    }

    /// Asynchronous calls into it that are pending.
    pub(crate) fn pending_calls(&self) -> usize {
        let offers = self.lock_offers();
        offers.iter().map(|offer| offer.entry.pending_calls()).sum()
    }

    /// Cancels the asynchronous calls that are pending.
    pub(crate) fn end_calls(&self) {
        // A waker is foreign code; it runs outside the lock.
        let offers = self.offers();
        offers.iter().for_each(|offer| offer.entry.end_calls());
    }

    /// Panics that were contained since it was loaded.
    pub(crate) fn panics(&self) -> u64 {
        self.generation.panics.load(Ordering::Relaxed)
    }

    /// How many bytes of address space its library takes.
    pub(super) fn mapped_bytes(&self) -> Option<u64> {
        self.generation.library.as_ref()?.mapped_bytes()
    }

    /// The names of its own threads that run.
    pub(crate) fn thread_names(&self) -> Vec<String> {
        let library = self.generation.library.as_ref();
        library.map(Library::thread_names).unwrap_or_default()
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
            let doing = "the health check";
            let error = self.generation.failed(HostErrorKind::Health, doing, error);
            error.of_plugin(&self.label())
        })
    }

    /// Its state, in memory that holds nothing of it; none if it has none to give. More than this many
    /// bytes are an error.
    pub(super) async fn export_state(
        &self,
        runtime: &Handle,
        deadline: Duration,
        max_bytes: u64,
    ) -> keyway::Result<Option<State>> {
        let root = self.root.clone();
        let work = move || async move {
            let state = root.export_state(max_bytes).await?;
            // In memory of its own, since it may outlive the version that made it.
            Ok(state.map(|state| state.detached()))
        };
        supervise(runtime, deadline, work).await
    }

    /// Notes, for those who come after a crash, that code of it is about to run in a reload.
    pub(super) fn note(&self, journal: &Arc<Journal>, occasion: Occasion, phase: Phase) -> Guard {
        match (self.hash, &self.path) {
            (Some(hash), Some(path)) => journal.note(hash, &self.manifest, path, occasion, phase),
            _ => Guard::of_static_plugin(),
        }
    }

    #[cfg(feature = "unstable-next-minor")]
    pub(crate) fn root_appended(&self) -> Result<String, HostError> {
        self.root.appended().map_err(|error| {
            let doing = "the appended method";
            let error = self.generation.failed(HostErrorKind::Stop, doing, error);
            error.of_plugin(&self.label())
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
                plugin = &*self.generation.name,
                "not told of the new log filter: {error}"
            );
        }
    }

    /// Ends what goes on in it all the time: services and channels.
    pub(super) async fn end_attendance(&self, patience: Duration) {
        let clock = &self.generation.clock;
        self.attendance.end(clock, patience, None).await;
    }

    /// Ends its work. Nothing reaches it any more.
    pub(crate) async fn deactivate(
        &self,
        runtime: &Handle,
        deadline: Duration,
    ) -> Result<(), HostError> {
        self.end_attendance(deadline).await;
        let root = self.root.clone();
        let deactivated = supervise(
            runtime,
            deadline,
            move || async move { root.deactivate().await },
        );
        deactivated
            .await
            .map_err(|error| self.failed("deactivate", error))
    }

    /// Drops what it offers, the plugin's value, and its tasks.
    pub(crate) async fn stop(&self, runtime: &Handle, deadline: Duration) -> Result<(), HostError> {
        let offers = std::mem::take(&mut *self.lock_offers());
        let_go(runtime, deadline, offers).await;
        // Its threads are about to be joined, so none may wait in the host.
        self.generation.session.close();
        let stopped = stop_root(runtime, deadline, &self.root).await;
        self.generation.log.close();
        stopped.map_err(|error| self.failed("stop", error))
    }

    fn failed(&self, doing: &str, error: keyway::PluginError) -> HostError {
        let error = self.generation.failed(HostErrorKind::Stop, doing, error);
        error.of_plugin(&self.label())
    }

    fn lock_config(&self) -> MutexGuard<'_, Arc<Resolved>> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_offers(&self) -> MutexGuard<'_, Vec<Offer>> {
        self.offers.lock().unwrap_or_else(PoisonError::into_inner)
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
