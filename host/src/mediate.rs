//! What a plugin may ask of the host: files, environment variables, web requests, programs, and a store
//! of keys and values. Each question is held against the plugin's [`Grant`], limited in size, time
//! and rate, and written down.
//!
//! A plugin runs in the process of the host and can do without it what the process can do. So this is
//! consent and mediation, and no sandbox: it keeps a plugin that asks from what nobody approved, tells
//! the operator what it did, and keeps an honest plugin from being led astray by the paths, links,
//! names and redirects that it is given.
//!
//! *Architecture invariant:* plain values come in and go out. What brings them from a plugin and back
//! is elsewhere, and the same [`Mediator`] can serve one that runs somewhere else.

mod audit;
mod builder;
mod cancel;
pub(crate) mod codes;
mod env;
mod files;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "kv")]
mod kv;
mod limits;
mod quota;
mod rate;
mod refusal;
pub(crate) mod session;
mod subprocess;
mod time;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyway::{PluginError, Result};
use keyway_manifest::PluginId;

pub use audit::{Action, AuditLog, AuditOutcome, AuditRecord};
pub use builder::MediatorBuilder;
pub(crate) use files::read_below;

pub use env::{denied_env_names, denied_env_prefixes};
#[cfg(feature = "http")]
pub use http::{HttpRequest, HttpResponse};
#[cfg(feature = "kv")]
pub use kv::KeyValueStore;
#[cfg(feature = "kv")]
pub(crate) use kv::{KeyValueStores, LISTED as KEYS_LISTED};
pub use limits::{Limits, Rate};
#[cfg(not(all(feature = "http", feature = "kv")))]
pub(crate) use refusal::built_without;
pub use subprocess::{RunOutput, RunRequest, Running};
pub use time::{SystemTimeSource, TimeSource};

use crate::permission::{Ask, Decision, Grant};
use quota::Quota;
use subprocess::Programs;

/// What one plugin may ask of the host. A clone is the same one, with the same rates.
///
/// All methods block, but for [`start`](Self::start): call them where that may be. Each of them fails
/// with a [`Denied`](keyway::ErrorKind::Denied) error whose code says why and whose message
/// names the grant that would be needed; with [`Busy`](keyway::ErrorKind::Busy) when the plugin asks
/// more often than [`Limits`] allow; and as it says itself.
///
/// ```
/// use std::path::Path;
/// use keyway_host::{Grant, Mediator};
/// use keyway_host::manifest::{Permissions, PluginId};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let home = std::env::temp_dir();
/// let mut asked = Permissions::default();
/// asked.env = vec!["LANG".to_owned()];
/// let grant = Grant::normalise(&asked, &home).map_err(|finding| finding.to_string())?;
/// let mediator = Mediator::builder(PluginId::new("weather")?, grant, home).build()?;
///
/// mediator.env("LANG")?;
/// let denied = mediator.env("HOME").expect_err("nobody granted it");
/// assert_eq!(denied.error_code(), "env-not-granted");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Mediator {
    shared: Arc<Shared>,
}

struct Shared {
    plugin: PluginId,
    grant: Grant,
    /// Where relative paths of the plugin begin.
    base: PathBuf,
    /// Shared with the versions of the plugin before and after this one.
    quota: Arc<Quota>,
    audit: Arc<AuditLog>,
    time: Arc<dyn TimeSource>,
    env: env::Source,
    programs: Programs,
    #[cfg(feature = "kv")]
    kv: kv::Source,
    #[cfg(feature = "http")]
    http: http::Client,
}

impl Mediator {
    /// A mediator for a plugin with a grant. `base` is the absolute directory where the plugin's relative
    /// paths begin; it is the one that the grant was normalised with.
    pub fn builder(plugin: PluginId, grant: Grant, base: impl Into<PathBuf>) -> MediatorBuilder {
        MediatorBuilder::new(plugin, grant, base.into())
    }

    /// The plugin.
    pub fn plugin(&self) -> &PluginId {
        &self.shared.plugin
    }

    /// What it was granted.
    pub fn grant(&self) -> &Grant {
        &self.shared.grant
    }

    /// What was asked, and what came of it.
    pub fn audit(&self) -> &AuditLog {
        &self.shared.audit
    }

    /// Whether something is granted, without doing it and without writing it down.
    pub fn decide(&self, ask: Ask<'_>) -> Decision {
        self.shared.grant.decide(ask)
    }

    /// Where relative paths begin.
    pub fn base(&self) -> &Path {
        &self.shared.base
    }
}

impl Shared {
    fn limits(&self) -> &Limits {
        &self.quota.limits
    }

    /// Does what was asked, if the rate allows it, and writes it down. `target` is for people, without
    /// secrets.
    fn attempt<T>(
        &self,
        action: Action,
        target: &str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let begun = self.begin(action, target);
        let outcome = self.take(action).and_then(|()| work());
        begun.end(self, outcome.as_ref().err());
        outcome
    }

    fn take(&self, action: Action) -> Result<()> {
        match &self.quota.buckets[action.kind()] {
            Some(bucket) => bucket.take(self.time.now()).map_err(|wait| {
                refusal::busy(
                    &codes::RATE_LIMITED,
                    format!(
                        "asked for {} too often; try again in {} ms",
                        action.noun(),
                        wait.as_millis().max(1)
                    ),
                )
            }),
            None => Ok(()),
        }
    }

    fn begin(&self, action: Action, target: &str) -> Begun {
        Begun {
            action,
            target: audit::shown(target),
            at: self.time.wall(),
            since: self.time.now(),
        }
    }

    /// The error, unless it is granted.
    fn require(&self, ask: Ask<'_>) -> Result<()> {
        refusal::require(self.grant.decide(ask))
    }
}

/// Something that a plugin asked for and that is not written down yet.
#[derive(Clone, Debug)]
struct Begun {
    action: Action,
    target: String,
    at: std::time::SystemTime,
    since: std::time::Instant,
}

impl Begun {
    fn end(self, shared: &Shared, error: Option<&PluginError>) {
        shared.audit.record(AuditRecord {
            plugin: shared.plugin.clone(),
            action: self.action,
            target: self.target,
            outcome: AuditOutcome::of(error),
            at: self.at,
            took: shared.time.now().saturating_duration_since(self.since),
        });
    }
}

impl fmt::Debug for Mediator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mediator")
            .field("plugin", &self.shared.plugin)
            .field("grant", &self.shared.grant)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
