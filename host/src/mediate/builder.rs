//! How a mediator is set up.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use keyway_manifest::PluginId;

#[cfg(feature = "kv")]
use super::KeyValueStore;
use super::quota::Quota;
use super::subprocess::Programs;
use super::{AuditLog, Limits, Mediator, Shared, SystemTimeSource, TimeSource, env};
use crate::error::{HostError, HostErrorKind};
use crate::permission::Grant;

/// Sets a [`Mediator`] up.
pub struct MediatorBuilder {
    plugin: PluginId,
    grant: Grant,
    base: PathBuf,
    limits: Limits,
    quota: Option<Arc<Quota>>,
    audit: Option<Arc<AuditLog>>,
    time: Arc<dyn TimeSource>,
    env: env::Source,
    search_path: Vec<PathBuf>,
    #[cfg(feature = "kv")]
    kv: super::kv::Source,
    #[cfg(feature = "http")]
    http: super::http::Setup,
}

/// Where programs are looked for, in this order; not where the environment of the process says.
const SEARCH_PATH: &[&str] = if cfg!(unix) {
    &["/usr/local/bin", "/usr/bin", "/bin"]
} else {
    &[]
};

impl MediatorBuilder {
    pub(super) fn new(plugin: PluginId, grant: Grant, base: PathBuf) -> Self {
        MediatorBuilder {
            plugin,
            grant,
            base,
            limits: Limits::default(),
            quota: None,
            audit: None,
            time: Arc::new(SystemTimeSource),
            env: Arc::new(|name| std::env::var_os(name)),
            search_path: SEARCH_PATH.iter().map(PathBuf::from).collect(),
            #[cfg(feature = "kv")]
            kv: super::kv::Source::default(),
            #[cfg(feature = "http")]
            http: super::http::Setup::default(),
        }
    }

    /// Other limits than the defaults.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Goes on counting where the mediator of an earlier version of the plugin is, with the limits of that
    /// one: what is asked of either takes from the same rates and places.
    #[must_use]
    pub fn continuing(mut self, earlier: &Mediator) -> Self {
        self.quota = Some(Arc::clone(&earlier.shared.quota));
        self
    }

    /// Where to write down what was asked; one log can serve several plugins. Without it the mediator
    /// has one of its own.
    #[must_use]
    pub fn audit(mut self, audit: Arc<AuditLog>) -> Self {
        self.audit = Some(audit);
        self
    }

    /// Another clock, for rates and records. Deadlines are always kept by the system's.
    #[must_use]
    pub fn time(mut self, time: Arc<dyn TimeSource>) -> Self {
        self.time = time;
        self
    }

    /// Another environment than that of the process.
    #[must_use]
    pub fn env_source(
        mut self,
        source: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        self.env = Arc::new(source);
        self
    }

    /// Where programs that are granted by name are looked for, now and not when they are started.
    /// Default: `/usr/local/bin`, `/usr/bin` and `/bin` on Unix. It is also the `PATH` that they get.
    #[must_use]
    pub fn search_path(mut self, directories: Vec<PathBuf>) -> Self {
        self.search_path = directories;
        self
    }

    /// The store where the plugin has its keys and values; one store serves all plugins.
    #[cfg(feature = "kv")]
    #[must_use]
    pub fn key_values(mut self, store: Arc<KeyValueStore>) -> Self {
        self.kv = super::kv::Source::of(store);
        self
    }

    /// A store for this plugin alone, opened when it is first asked for.
    #[cfg(feature = "kv")]
    pub(crate) fn key_value_stores(mut self, stores: Arc<super::KeyValueStores>) -> Self {
        self.kv = super::kv::Source::among(stores);
        self
    }

    /// Another way from names to addresses than that of the system. What it answers is checked as well.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn resolver(
        mut self,
        resolve: impl Fn(&str, u16) -> std::io::Result<Vec<std::net::SocketAddr>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.http.resolve = Arc::new(resolve);
        self
    }

    /// The mediator. Programs that are granted by name are looked for now.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Host`] if the base is not an absolute directory in Unicode.
    pub fn build(self) -> Result<Mediator, HostError> {
        if !self.base.is_absolute() || self.base.to_str().is_none() {
            let message =
                "the paths of a plugin begin at a directory that is not absolute, or not Unicode";
            return Err(HostError::new(HostErrorKind::Host, message)
                .at(&self.base)
                .of_plugin(self.plugin.as_str())
                .hint("give the absolute path of a directory"));
        }
        let quota = self
            .quota
            .unwrap_or_else(|| Arc::new(Quota::new(self.limits)));
        let shared = Shared {
            programs: Programs::find(&self.grant, self.search_path),
            #[cfg(feature = "http")]
            http: super::http::Client::new(self.http),
            plugin: self.plugin,
            grant: self.grant,
            base: self.base,
            quota,
            audit: self.audit.unwrap_or_default(),
            time: self.time,
            env: self.env,
            #[cfg(feature = "kv")]
            kv: self.kv,
        };
        Ok(Mediator {
            shared: Arc::new(shared),
        })
    }
}

impl fmt::Debug for MediatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediatorBuilder")
            .field("plugin", &self.plugin)
            .field("grant", &self.grant)
            .field("base", &self.base)
            .field("limits", &self.limits)
            .field("search_path", &self.search_path)
            .finish_non_exhaustive()
    }
}
