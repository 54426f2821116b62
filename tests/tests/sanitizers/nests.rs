//! A plugin whose calls call another plugin through the host's handle.

use std::sync::{Mutex, PoisonError};

use keyway::{Activation, Context, Plugin, PluginError, Result};
use misbehaves::{Trouble, TroubleHandle};

/// Whom to call.
pub(crate) static OTHER: Mutex<Option<TroubleHandle>> = Mutex::new(None);

/// Calls that call.
#[keyway::capability(id = "tests.nests", version = 1)]
pub(crate) trait Nests: Send + Sync {
    /// Calls the other plugin this many levels deep, and itself in between.
    fn nest(&self, levels: u32) -> Result<u64>;

    /// The same over an await.
    async fn wait(&self, times: u32) -> Result<u32>;
}

#[derive(Debug)]
pub(crate) struct NestsPlugin;

keyway::export_plugin!(NestsPlugin, manifest = "manifests/nests.toml");

impl Plugin for NestsPlugin {
    async fn prepare(_: Context) -> Result<Self> {
        Ok(NestsPlugin)
    }

    async fn activate(&self, activation: &mut Activation) -> Result<()> {
        activation.register("nests", NestsHandle::provide(Object))?;
        Ok(())
    }
}

struct Object;

fn other() -> Result<TroubleHandle> {
    let other = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    other
        .clone()
        .ok_or_else(|| PluginError::new("there is nobody to call"))
}

impl Nests for Object {
    fn nest(&self, levels: u32) -> Result<u64> {
        let other = other()?;
        if levels == 0 {
            return other.count();
        }
        // Each level holds the lease of the call above it.
        let stream = other.numbers(u64::MAX)?;
        let count = self.nest(levels - 1)?;
        drop(stream);
        Ok(count)
    }

    async fn wait(&self, times: u32) -> Result<u32> {
        other()?.pend(times).await
    }
}
