//! A plugin that is linked into the soak: its calls call the plugin that is replaced, from inside.

use std::sync::{Mutex, PoisonError};

use keyway::{Activation, Context, Plugin, PluginError, Result};

use super::calls::{Soak, SoakHandle};

/// Whom to call.
static OTHER: Mutex<Option<SoakHandle>> = Mutex::new(None);

/// Says whom to call.
pub(crate) fn call_into(other: SoakHandle) {
    *OTHER.lock().unwrap_or_else(PoisonError::into_inner) = Some(other);
}

fn other() -> Result<SoakHandle> {
    let other = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    let nobody = || PluginError::new("there is nobody to call");
    other.clone().ok_or_else(nobody)
}

/// Calls that call.
#[keyway::capability(id = "soak.nests", version = 1)]
pub(crate) trait Nests: Send + Sync {
    /// Calls the other plugin while a stream of it is held, so many levels deep.
    fn nest(&self, levels: u32) -> Result<u64>;
    /// The same over an await.
    async fn wait(&self, n: u64) -> Result<u64>;
}

#[derive(Debug)]
pub(crate) struct NestsPlugin;

keyway::export_plugin!(NestsPlugin, manifest = "examples/soak/nests.toml");

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

impl Nests for Object {
    fn nest(&self, levels: u32) -> Result<u64> {
        let other = other()?;
        let stream = other.numbers()?;
        let answer = match levels {
            0 => other.thread_local(),
            _ => self.nest(levels - 1),
        };
        drop(stream);
        answer
    }

    async fn wait(&self, n: u64) -> Result<u64> {
        other()?.ready(n).await
    }
}
