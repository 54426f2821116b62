//! Telling those who only listen: their failures are told, and change nothing.

use std::future::Future;
use std::sync::Arc;

use keyway::PluginError;

use super::codes;
use crate::event::EventKind;
use crate::host::Host;
use crate::status::RegisteredCapability;
use crate::supervise::supervise;

/// Lets a plugin listen, on a thread that it may block and for as long as a listener may take. A failure
/// is told as an event, and answered.
pub(super) async fn listen<F>(
    host: &Host,
    listener: RegisteredCapability,
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<(), Arc<PluginError>>
where
    F: Future<Output = keyway::Result<()>>,
{
    let deadline = host.options().listener_deadline;
    let Err(error) = supervise(host.runtime(), deadline, work).await else {
        return Ok(());
    };
    let error = Arc::new(host.without_secrets(&listener.plugin, error));
    let RegisteredCapability {
        id, name, plugin, ..
    } = &listener;
    let code = codes::LISTENER_FAILED.id;
    tracing::warn!(code, "{id} `{name}` of plugin '{plugin}' failed: {error:#}");
    host.fault(listener, &error);
    Err(error)
}

impl Host {
    /// Tells that something that the host runs has failed.
    pub(super) fn fault(&self, capability: RegisteredCapability, reason: &Arc<PluginError>) {
        let plugin = Arc::from(&*capability.plugin);
        let reason = Arc::clone(reason);
        self.bus()
            .tell(&plugin, EventKind::Faulted { capability, reason });
    }
}
