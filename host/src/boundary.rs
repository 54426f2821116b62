//! The only way into a plugin: its entry function, and objects becoming entries.
#![expect(
    unsafe_code,
    reason = "calls the entry function and takes objects over"
)]

mod table;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use keyway::abi::root::PluginRootHandle;
use keyway::abi::{Descriptor, InterfaceLayout, RResult};
use keyway::capability::{Capability, Entry, Owner, Provided, Target};
use keyway::host::{HostServices, HostServicesHandle};
use keyway::{PluginError, Result};

pub use table::HostTable;

/// Calls the entry function of a plugin whose descriptor was checked.
///
/// `owner` keeps the library loaded for as long as the answered handle lives.
pub(crate) fn enter(
    descriptor: &'static Descriptor,
    services: impl HostServices + 'static,
    table: HostTable,
    owner: Arc<dyn Owner>,
) -> Result<PluginRootHandle> {
    let (services, layout, _) = HostServicesHandle::provide(services).into_raw();
    // SAFETY: it was just made from the host's services, with this layout.
    let services = unsafe { table.reshape(services, layout) };
    // SAFETY: the layouts of the descriptor were compared with ours when the library was opened,
    // and the object is given away.
    let root = match unsafe { descriptor.entry()(services) } {
        RResult::ROk(root) => root,
        RResult::RErr(error) => return Err(PluginError::from(error)),
    };
    let owner = Arc::new(Unlimited(owner));
    // SAFETY: the object was just given to us; its table follows the root layout of the
    // descriptor, which was compared; the owner holds the library.
    let entry = unsafe { Entry::new(root, owner) };
    Ok(PluginRootHandle::from_target(Target::fixed(Arc::new(
        entry,
    ))))
}

/// The owner of an object whose calls are not limited: those of a root object are the steps of a
/// plugin's life and have a deadline of the host's, those of an adapted object go on to one that has
/// the limits.
struct Unlimited(Arc<dyn Owner>);

impl Owner for Unlimited {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn panicked(&self, error: &PluginError) {
        self.0.panicked(error);
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.0.sleep(duration)
    }
}

/// What was made on this side of the boundary and stands for a plugin, ready to be called: by an adapter of
/// the application's, of an object that has the plugin's own limits, or by the host of a plugin's files.
pub(crate) fn adapted(
    provided: Provided,
    owner: Arc<dyn Owner>,
) -> (Entry, &'static InterfaceLayout) {
    entry(provided, Arc::new(Unlimited(owner)))
}

/// What a plugin registered, ready to be called.
///
/// The layout stays readable for as long as the entry is held.
pub(crate) fn entry(
    provided: Provided,
    owner: Arc<dyn Owner>,
) -> (Entry, &'static InterfaceLayout) {
    let (object, layout, lease) = provided.into_raw();
    // SAFETY: the object was given to us, and `owner` is the generation that it came from, which
    // holds the library.
    let entry = unsafe { Entry::new(object, owner) };
    drop(lease);
    (entry, layout)
}
