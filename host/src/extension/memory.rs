//! The memory of an application: the one backend that has the slot.

use keyway::capability::Capability;
use keyway::memory::MemoryBackendHandle;

use crate::error::{HostError, HostErrorKind};
use crate::host::Host;
use crate::plan::Trigger;
use crate::registry::Member;

impl Host {
    /// The memory backend. One plugin at a time may offer it, and `[slots]` in the host's file says which
    /// one, so nobody has to know its name; backends in a namespace have other names, by which
    /// [`Host::capability`] has them. Plugins that start when they are first needed are started for it.
    ///
    /// ```
    /// # use keyway_host::Host;
    /// # use keyway_host::keyway::Json;
    /// # use keyway_host::keyway::memory::{MemoryBackend, MemoryEntry};
    /// # async fn example(host: &Host) -> Result<(), Box<dyn std::error::Error>> {
    /// let memory = host.memory().await?;
    /// memory.store(Json(MemoryEntry::new("color", "red".into()))).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`] when no plugin that runs has a memory backend, or when one has several.
    pub async fn memory(&self) -> Result<MemoryBackendHandle, HostError> {
        let backends = Trigger::Capability {
            id: MemoryBackendHandle::ID,
            name: None,
        };
        self.wake(backends).await;
        let mut members = self.registry().members::<MemoryBackendHandle>();
        members.retain(|member| !member.name.contains('/'));
        match &members[..] {
            [only] => Ok(only.handle.clone()),
            [] => Err(HostError::new(
                HostErrorKind::NotFound,
                "no plugin that runs has a memory backend",
            )
            .hint("enable or install one; `Host::records` says why others do not run")),
            several => {
                let name = |member: &Member<_>| format!("`{}` of '{}'", member.name, member.plugin);
                let names: Vec<String> = several.iter().map(name).collect();
                let message = format!("there are several memory backends: {}", names.join(", "));
                let error = HostError::new(HostErrorKind::NotFound, message);
                Err(error.hint("ask for one of them by its name, with `Host::capability`"))
            }
        }
    }
}
