//! What a plugin is given: where it runs, its configuration, and the services of its host.
//!
//! What a plugin asks of its host is held against the permissions in its `plugin.toml`, as far as
//! somebody approved them, is limited and written down. That is consent and mediation, and no
//! sandbox: a plugin is code in the host's process, and nothing keeps it from asking the system itself.
//!
//! Everything that takes its time is an [`Asked`]: a future of the answer. It waits on a thread of the
//! plugin's own, so it works under any executor, and dropping it gives up what was asked for.
//!
//! ```
//! use keyway::{Context, Result};
//!
//! async fn refresh(context: &Context) -> Result<()> {
//!     let list = context.http().get("https://api.example.com/v1/list").send().await?;
//!     context.files().write("data/list.json", list.body).await?;
//!     let status = context.run("git", ["status", "--short"]).await?;
//!     context.store().put("changed", status.stdout).await?;
//!     Ok(())
//! }
//! # let _ = refresh;
//! ```

mod ask;
mod files;
mod http;
mod program;
mod store;

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

pub use ask::Asked;
pub use files::Files;
pub use http::{Http, Request, Response};
pub use program::{Output, Program};
pub use store::Store;

use crate::error::Result;
use crate::host::{Environment, HostServices, HostServicesHandle};

/// What a plugin knows of where it runs, its configuration, and what it may ask of its host.
///
/// Cheap to clone, and good for as long as the plugin runs: keep it in the plugin's value to ask the host
/// from tools and tasks. What is asked after the plugin was stopped is answered with an error of the code
/// `ask-cancelled`.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

struct Inner {
    id: &'static str,
    version: &'static str,
    environment: Arc<Environment>,
    config: serde_json::Map<String, serde_json::Value>,
    host: HostServicesHandle,
}

impl Context {
    pub(crate) fn new(
        id: &'static str,
        version: &'static str,
        environment: Arc<Environment>,
        config: serde_json::Map<String, serde_json::Value>,
        host: HostServicesHandle,
    ) -> Self {
        Context {
            inner: Arc::new(Inner {
                id,
                version,
                environment,
                config,
                host,
            }),
        }
    }

    /// The plugin's id, from its manifest.
    pub fn plugin_id(&self) -> &'static str {
        self.inner.id
    }

    /// The plugin's version, from its manifest.
    pub fn plugin_version(&self) -> &'static str {
        self.inner.version
    }

    /// The embedding application and its version.
    pub fn environment(&self) -> &Environment {
        &self.inner.environment
    }

    /// The configuration, read into a type of the author's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) where a value is missing or of another type.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T> {
        crate::config::typed(&self.inner.config)
            .map_err(|error| crate::config::misfit(self.inner.id, &error))
    }

    /// One value of the configuration.
    pub fn config_value(&self, key: &str) -> Option<&serde_json::Value> {
        self.inner.config.get(key)
    }

    /// Files that the plugin may read and write by its permissions.
    pub fn files(&self) -> Files {
        Files::new(self.inner.host.clone())
    }

    /// An environment variable of the host's process; none if it is not set.
    ///
    /// # Errors
    ///
    /// `env-not-granted`, `env-never-granted` for those that no plugin gets, and `rate-limited`.
    pub fn env(&self, name: &str) -> Result<Option<String>> {
        self.inner.host.read_env(name)
    }

    /// Web requests to peers that the plugin may reach by its permissions.
    pub fn http(&self) -> Http {
        Http::new(self.inner.host.clone())
    }

    /// A program that the plugin may start by its permissions: by its name, or by its path, where a
    /// relative one begins at the plugin's directory.
    pub fn program(&self, program: impl Into<String>) -> Program {
        Program::new(self.inner.host.clone(), program.into())
    }

    /// Runs a program with these arguments: short for [`program`](Self::program) with nothing else.
    pub fn run<A: Into<String>>(
        &self,
        program: impl Into<String>,
        args: impl IntoIterator<Item = A>,
    ) -> Asked<Output> {
        self.program(program).args(args).run()
    }

    /// Keys and values of the plugin's own, which outlive it.
    pub fn store(&self) -> Store {
        Store::new(self.inner.host.clone())
    }

    /// A text that the application or its operator has for plugins, by its name; none if there is no such
    /// text now.
    ///
    /// # Errors
    ///
    /// `unsupported-here` from hosts that were built before these texts.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        self.inner.host.named_text(name)
    }

    /// The names of those texts, sorted.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    pub fn texts(&self) -> Result<Vec<String>> {
        self.inner.host.text_names()
    }

    /// Calls the method that stands for what the next minor appends.
    ///
    /// # Errors
    ///
    /// Whatever the host answers.
    #[cfg(feature = "unstable-next-minor")]
    #[doc(hidden)]
    pub fn host_appended(&self) -> Result<String> {
        self.inner.host.appended()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The configuration may hold secrets, so only its keys are shown.
        f.debug_struct("Context")
            .field("plugin", &self.inner.id)
            .field("version", &self.inner.version)
            .field("environment", &self.inner.environment)
            .field("config_keys", &self.inner.config.keys().collect::<Vec<_>>())
            .finish()
    }
}
