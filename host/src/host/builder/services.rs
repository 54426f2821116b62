//! What an application decides about what plugins ask of its host.

use std::path::PathBuf;
use std::sync::Arc;

use super::HostBuilder;
use crate::boundary::HostTable;
use crate::mediate::{AuditLog, Limits};
use crate::permission::Approver;

impl HostBuilder {
    /// Decides on permissions that nobody has granted yet, before any code of the plugin runs: those that
    /// the plugin's manifest asks for, that the host's file does not grant under
    /// `[plugin.ID.permissions]`, and that were not approved before. It sees only what is new. What it allows is
    /// remembered, bound to the plugin's id and the content of its file; what it refuses refuses the
    /// load with the code `permission-denied`, and in a reload the version that serves goes on.
    ///
    /// It is called on a thread of its own and may wait for a person. What waits with it is the plugin that
    /// it is asked about, and in [`Host::start_all`](crate::Host::start_all) the plugins of the levels after it; [`DenyAll`] asks
    /// nobody. A dry run asks nobody either: what would have to be asked for refuses it.
    ///
    /// Default: none. Then a plugin gets what the host's file grants and what the
    /// [store](Self::permission_store) has, and runs without the rest: that is refused when it asks for
    /// it, and told in [`PluginStatus::warnings`](crate::PluginStatus).
    ///
    /// This is consent and mediation, and no sandbox: a plugin is code in this process, and what it does
    /// without asking the host is up to it.
    ///
    /// [`DenyAll`]: crate::DenyAll
    pub fn approver(mut self, approver: impl Approver + 'static) -> Self {
        self.approver = Some(Arc::new(approver));
        self
    }

    /// The file in which approvals are remembered: see [`PermissionStore`](crate::PermissionStore). It may be shared by hosts. One that
    /// cannot be read refuses the plugins that ask for something which the host's file does not grant.
    ///
    /// Default: `permissions.json` in the [state directory](Self::state_dir), and without one the memory of
    /// this host.
    pub fn permission_store(mut self, path: impl Into<PathBuf>) -> Self {
        self.permission_store = Some(path.into());
        self
    }

    /// How much each plugin may ask of the host, and how often. The counts go on over a plugin's reloads.
    /// Default: [`Limits::default`].
    pub fn service_limits(mut self, limits: Limits) -> Self {
        self.service_limits = limits;
        self
    }

    /// Where it is written down what plugins ask of the host, and what came of it. [`Host::audit`](crate::Host::audit) reads
    /// it. Default: the newest 1,024 records, and no listener.
    pub fn audit(mut self, log: AuditLog) -> Self {
        self.audit = Arc::new(log);
        self
    }

    /// Which methods plugins find in the host table: for tests of plugins in older and newer hosts.
    /// Default: [`HostTable::Own`].
    pub fn host_table(mut self, table: HostTable) -> Self {
        self.options.host_table = table;
        self
    }

    /// A text that plugins can read by its name, with `context.text("soul")`. One of the same name in the
    /// host's file, under `[context]`, counts before it.
    pub fn text(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.texts.insert(name.into(), text.into());
        self
    }
}
