//! The entry of a plugin: from the host's services to the plugin's root object.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::author::{Author, Maker};
use super::{contain, panic};
use crate::abi::pass::Json;
use crate::abi::root::{PluginRoot, PluginRootHandle, Registrations};
use crate::abi::{AbiResult, RawObject};
use crate::capability::{Capability, Entry, Owner, Target};
use crate::config::ConfigChange;
use crate::context::Context;
use crate::error::{PluginError, Result};
use crate::host::{HostServices, HostServicesHandle};
use crate::plugin::Activation;
use crate::runtime;
use crate::state::{Imported, State};

/// Makes the root object of a plugin. Called by the entry function that `export_plugin!` writes.
///
/// # Safety
///
/// `host` is an object of the host table, given away to this plugin, by a host that compared the
/// layouts of both sides before.
pub unsafe fn enter(maker: Maker, host: RawObject) -> AbiResult<RawObject> {
    contain(|| {
        // SAFETY: passed on to the caller; a host outlives its plugins.
        let entry = unsafe { Entry::new(host, Arc::new(HostOwner)) };
        let host = HostServicesHandle::from_target(Target::fixed(Arc::new(entry)));
        let environment = host.environment()?.0;
        panic::install_hook(&host, environment.linked_statically);
        runtime::start(maker.id);
        #[cfg(feature = "tracing")]
        crate::log::install(&host, environment.linked_statically);
        let root = Root {
            maker,
            host,
            environment: Arc::new(environment),
            plugin: RwLock::new(None),
        };
        Ok(PluginRootHandle::provide(root).into_raw().0)
    })
}

/// The host as the owner of its own table.
struct HostOwner;

impl Owner for HostOwner {
    fn describe(&self) -> String {
        "the host".to_owned()
    }

    fn panicked(&self, _: &PluginError) {}

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // Calls to the host have no deadline of their own.
        Box::pin(std::future::pending())
    }
}

struct Root {
    maker: Maker,
    host: HostServicesHandle,
    environment: Arc<crate::host::Environment>,
    plugin: RwLock<Option<Arc<dyn Author>>>,
}

impl Root {
    fn plugin(&self) -> Result<Arc<dyn Author>> {
        let plugin = self
            .plugin
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        plugin.ok_or_else(|| PluginError::new("the plugin has not been prepared"))
    }

    fn set_plugin(&self, plugin: Option<Arc<dyn Author>>) -> Option<Arc<dyn Author>> {
        let mut place = self.plugin.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, plugin)
    }

    /// Drops the plugin's value, if there is one, inside the plugin's runtime and outside the lock.
    fn drop_plugin(&self) -> Result<()> {
        let plugin = self.set_plugin(None);
        let dropped = contain(|| {
            let _runtime = runtime::enter();
            drop(plugin);
            Ok(())
        });
        dropped.into_result().map_err(PluginError::from)
    }
}

impl PluginRoot for Root {
    async fn prepare(
        &self,
        config: Json<serde_json::Map<String, serde_json::Value>>,
    ) -> Result<()> {
        // What the old value holds is free before the new one asks for it. A panic of its
        // destructor has been reported by the hook and says nothing about the new one.
        let _ = self.drop_plugin();
        let environment = Arc::clone(&self.environment);
        let Maker {
            id,
            version,
            prepare,
        } = self.maker;
        let context = Context::new(id, version, environment, config.0, self.host.clone());
        let plugin = prepare(context).await?;
        self.set_plugin(Some(plugin));
        Ok(())
    }

    async fn activate(&self) -> Result<Registrations> {
        let mut activation = Activation::new();
        self.plugin()?.activate(&mut activation).await?;
        Ok(activation.into_registrations())
    }

    async fn deactivate(&self) -> Result<()> {
        self.plugin()?.deactivate().await
    }

    async fn health_check(&self) -> Result<()> {
        self.plugin()?.health_check().await
    }

    fn log_filter_changed(&self) -> Result<()> {
        #[cfg(feature = "tracing")]
        tracing_core::callsite::rebuild_interest_cache();
        Ok(())
    }

    fn stop(&self, patience_ms: u64) -> Result<()> {
        let dropped = self.drop_plugin();
        if !self.environment.linked_statically {
            // Plugins that are linked into one binary share one runtime, so none may end it.
            runtime::shut_down(Duration::from_millis(patience_ms));
            #[cfg(feature = "tracing")]
            crate::log::uninstall();
            panic::release_hook();
        }
        dropped
    }

    async fn export_state(&self, max_bytes: u64) -> Result<Option<State>> {
        let state = self.plugin()?.export_state().await?;
        match state {
            Some(state) if state.bytes().len() as u64 > max_bytes => {
                Err(state.too_large(max_bytes))
            }
            state => Ok(state),
        }
    }

    async fn import_state(&self, state: State) -> Result<Imported> {
        // What this version keeps of it must not keep the old version's library in memory.
        self.plugin()?.import_state(state.detached()).await
    }

    async fn config_changed(
        &self,
        config: Json<serde_json::Map<String, serde_json::Value>>,
        changed: Vec<String>,
    ) -> Result<()> {
        let change = ConfigChange::new(config.0, changed);
        self.plugin()?.on_config_change(change).await
    }

    #[cfg(feature = "unstable-next-minor")]
    fn appended(&self) -> Result<String> {
        Ok(format!("the own method of plugin {}", self.maker.id))
    }
}

#[cfg(test)]
mod tests;
