//! One loaded version of a plugin: what owns its objects and keeps its library in memory.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use keyway::PluginError;
use keyway::capability::{Gate, Owner};
use semver::Version;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::config::Secrets;
use crate::error::{HostError, HostErrorKind};
use crate::library::Library;
use crate::log::LogBridge;
use crate::mediate::session::Session;

/// One loaded version of a plugin.
pub(crate) struct Generation {
    pub(crate) name: Arc<str>,
    pub(crate) version: Version,
    /// 1 for the version that was loaded first, and one more for each that followed.
    pub(crate) number: u64,
    pub(crate) gate: Option<Arc<Gate>>,
    pub(crate) deadline: Option<Duration>,
    /// The most bytes of JSON that a tool takes or answers.
    pub(crate) max_payload: Option<u64>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) panics: AtomicU64,
    /// Told of each panic; whoever watches the plugin waits for it.
    pub(crate) panicked: Arc<Notify>,
    pub(crate) log: Arc<LogBridge>,
    /// What it asks of the host.
    pub(crate) session: Arc<Session>,
    /// What its errors may not show.
    pub(crate) secrets: RwLock<Secrets>,
    /// The private copy, for debuggers and backtraces; removed with the host's stage.
    pub(crate) staged: Option<PathBuf>,
    /// Last: everything above may lead into it. None for a plugin that is linked statically.
    pub(crate) library: Option<Library>,
}

impl Generation {
    /// The error of the host when its code failed, without the secrets among its settings.
    pub(crate) fn failed(&self, kind: HostErrorKind, doing: &str, error: PluginError) -> HostError {
        HostError::from_plugin(kind, doing, self.without_secrets(error))
    }

    /// The error without the secrets among its settings.
    pub(crate) fn without_secrets(&self, error: PluginError) -> PluginError {
        self.secrets().scrub_error(error)
    }

    /// These are not shown any more either.
    pub(crate) fn hide(&self, more: &Secrets) {
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        *secrets = secrets.and(more);
    }

    fn secrets(&self) -> Secrets {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.clone()
    }
}

impl Owner for Generation {
    fn describe(&self) -> String {
        format!("plugin '{}' v{}", self.name, self.version)
    }

    fn panicked(&self, error: &PluginError) {
        self.panics.fetch_add(1, Ordering::Relaxed);
        self.panicked.notify_waiters();
        // A plugin in a library of its own has reported the panic as an error, by way of its hook.
        tracing::debug!(
            plugin = &*self.name,
            version = %self.version,
            location = error.location().unwrap_or("unknown"),
            "contained a panic: {}",
            self.secrets().scrub(error.message())
        );
    }

    fn gate(&self) -> Option<Arc<Gate>> {
        self.gate.clone()
    }

    fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // The timer owns its clock: a call that waits for its turn holds nothing else of the host.
        let clock = Arc::clone(&self.clock);
        Box::pin(async move { clock.sleep(duration).await })
    }
}

/// Stands for a plugin while calls wait outside of it, and for one that has no code. Holds nothing of any
/// version.
#[derive(Debug)]
pub(crate) struct Doorkeeper {
    name: Arc<str>,
    deadline: Option<Duration>,
    clock: Arc<Clock>,
}

impl Doorkeeper {
    /// Of a plugin without code, whose objects are the host's own.
    pub(crate) fn without_code(name: &Arc<str>, clock: &Arc<Clock>) -> Arc<dyn Owner> {
        Arc::new(Doorkeeper {
            name: Arc::clone(name),
            deadline: None,
            clock: Arc::clone(clock),
        })
    }

    pub(crate) fn of(generation: &Generation) -> Arc<dyn Owner> {
        Arc::new(Doorkeeper {
            name: Arc::clone(&generation.name),
            deadline: generation.deadline,
            clock: Arc::clone(&generation.clock),
        })
    }
}

impl Owner for Doorkeeper {
    fn describe(&self) -> String {
        format!("plugin '{}'", self.name)
    }

    fn panicked(&self, _: &PluginError) {}

    fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let clock = Arc::clone(&self.clock);
        Box::pin(async move { clock.sleep(duration).await })
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.log.close();
        self.session.close();
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generation")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("staged", &self.staged)
            .finish_non_exhaustive()
    }
}
