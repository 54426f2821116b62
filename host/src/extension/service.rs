//! Services: what plugins do all the time, for as long as they serve.

use std::sync::Arc;

use keyway::abi::pass::Json;
use keyway::capability::{Capability, Target};
use keyway::service::{Service, ServiceHandle, ServiceReport};
use keyway::{PluginError, Result, Stream};
use semver::Version;

use super::codes;
use crate::attendance::{Attended, Ending, Progress, SessionState};
use crate::event::{Bus, EventKind};
use crate::generation::Generation;
use crate::host::Host;
use crate::registry::Offer;
use crate::status::RegisteredCapability;

/// A service of a plugin that serves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServiceRecord {
    /// Its name.
    pub name: String,
    /// The plugin that offers it.
    pub plugin: String,
    /// The version of the plugin that runs it.
    pub version: Version,
    /// Whether it runs.
    pub state: SessionState,
    /// What it has said last of how it is doing.
    pub report: Option<ServiceReport>,
}

impl Host {
    /// The services of all plugins, by plugin and name.
    ///
    /// Nobody has to start them: a service runs from when its plugin serves until that is stopped or
    /// replaced, and the service of a new version starts when that of the old one has ended. To end it,
    /// the host asks it to stop, reads on until it has, or until the
    /// [`lifecycle_deadline`](crate::HostBuilder::lifecycle_deadline) is over, and cancels it. One that ends
    /// by itself is not started again before its plugin is; that it has ended is an event
    /// [`Ended`](EventKind::Ended), or [`Faulted`](EventKind::Faulted) with its error.
    pub fn services(&self) -> Vec<ServiceRecord> {
        let sessions = self.sessions().into_iter();
        let services = sessions.filter(|(_, key, _)| key.id == ServiceHandle::ID);
        services
            .map(
                |(generation, key, Progress { state, said })| ServiceRecord {
                    name: key.name,
                    plugin: generation.name.to_string(),
                    version: generation.version.clone(),
                    state,
                    report: said,
                },
            )
            .collect()
    }
}

/// The host's side of a service that runs.
pub(crate) struct RunningService {
    /// Of this version, whatever serves meanwhile.
    handle: ServiceHandle,
    own: Own,
}

impl RunningService {
    pub(crate) fn new(generation: &Arc<Generation>, offer: &Offer, bus: &Bus) -> Self {
        RunningService {
            handle: ServiceHandle::from_target(Target::fixed(Arc::clone(&offer.entry))),
            own: Own::new(generation, offer, bus),
        }
    }
}

impl Attended for RunningService {
    type Item = Json<ServiceReport>;

    async fn open(&self) -> Result<Stream<Self::Item>> {
        self.handle.run()
    }

    async fn take(&self, Json(report): Self::Item) -> Option<ServiceReport> {
        Some(report)
    }

    async fn stop(&self) -> Result<()> {
        self.handle.stop().await
    }

    fn without_secrets(&self, error: PluginError) -> PluginError {
        self.own.without_secrets(error)
    }

    fn ended(&self, how: &Ending) {
        self.own.ended(codes::SERVICE_FAILED.id, how);
    }
}

/// Whose session it is, for those who are told of its end.
pub(super) struct Own {
    pub(super) capability: RegisteredCapability,
    generation: Arc<Generation>,
    bus: Bus,
}

impl Own {
    pub(super) fn new(generation: &Arc<Generation>, offer: &Offer, bus: &Bus) -> Self {
        Own {
            capability: RegisteredCapability::of(offer.key.clone(), &generation.name),
            generation: Arc::clone(generation),
            bus: bus.clone(),
        }
    }

    pub(super) fn without_secrets(&self, error: PluginError) -> PluginError {
        self.generation.without_secrets(error)
    }

    pub(super) fn ended(&self, code: &'static str, how: &Ending) {
        let capability = self.capability.clone();
        let plugin = &self.generation.name;
        let kind = match how {
            Ending::Asked => return,
            Ending::ByItself => EventKind::Ended { capability },
            Ending::Failed(reason) => {
                let RegisteredCapability { id, name, .. } = &capability;
                tracing::warn!(
                    code,
                    "{id} `{name}` of plugin '{plugin}' failed: {reason:#}"
                );
                let reason = Arc::clone(reason);
                EventKind::Faulted { capability, reason }
            }
        };
        self.bus.tell(plugin, kind);
    }
}
