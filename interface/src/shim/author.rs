//! An author's plugin without its type, so that the root object is compiled once, with this crate.
//!
//! What stays in the author's crate is one short function per method of [`Plugin`], which boxes its
//! future. Everything around it would be compiled again with each build of each plugin otherwise.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::config::ConfigChange;
use crate::context::Context;
use crate::error::Result;
use crate::plugin::{Activation, Exported, Plugin};
use crate::state::{Imported, State};

/// A future that is boxed, since whoever polls it does not know its type.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What [`Plugin::prepare`] made, with the other methods of the trait.
pub(super) trait Author: Send + Sync {
    fn activate<'a>(&'a self, activation: &'a mut Activation) -> BoxFuture<'a, Result<()>>;
    fn deactivate(&self) -> BoxFuture<'_, Result<()>>;
    fn health_check(&self) -> BoxFuture<'_, Result<()>>;
    fn on_config_change(&self, change: ConfigChange) -> BoxFuture<'_, Result<()>>;
    fn export_state(&self) -> BoxFuture<'_, Result<Option<State>>>;
    fn import_state(&self, state: State) -> BoxFuture<'_, Result<Imported>>;
}

impl<P: Plugin> Author for P {
    fn activate<'a>(&'a self, activation: &'a mut Activation) -> BoxFuture<'a, Result<()>> {
        Box::pin(Plugin::activate(self, activation))
    }

    fn deactivate(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(Plugin::deactivate(self))
    }

    fn health_check(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(Plugin::health_check(self))
    }

    fn on_config_change(&self, change: ConfigChange) -> BoxFuture<'_, Result<()>> {
        Box::pin(Plugin::on_config_change(self, change))
    }

    fn export_state(&self) -> BoxFuture<'_, Result<Option<State>>> {
        Box::pin(Plugin::export_state(self))
    }

    fn import_state(&self, state: State) -> BoxFuture<'_, Result<Imported>> {
        Box::pin(Plugin::import_state(self, state))
    }
}

/// [`Plugin::prepare`].
type Prepare = fn(Context) -> BoxFuture<'static, Result<Arc<dyn Author>>>;

/// How a plugin is made, and what it is called.
pub struct Maker {
    pub(super) id: &'static str,
    pub(super) version: &'static str,
    pub(super) prepare: Prepare,
}

impl Maker {
    /// The maker of a plugin.
    pub const fn of<P: Exported>() -> Self {
        Maker {
            id: P::ID,
            version: P::VERSION,
            prepare: |context| {
                Box::pin(async {
                    let plugin: Arc<dyn Author> = Arc::new(P::prepare(context).await?);
                    Ok(plugin)
                })
            },
        }
    }
}

impl std::fmt::Debug for Maker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Maker({} {})", self.id, self.version)
    }
}
