//! Objects that stay in the binary in which they were made, for tests without a host: the two ends of
//! the boundary, with nothing between them that could be unloaded.

use std::sync::Arc;

use super::author::Maker;
use super::entry::enter;
use crate::abi::root::PluginRootHandle;
use crate::capability::{Capability, Entry, Owner, Provided, Target};
use crate::error::{PluginError, Result};
use crate::host::{HostServices, HostServicesHandle};
use crate::plugin::Exported;

/// The root of a plugin of this binary, which asks these services.
pub(crate) fn root<P: Exported>(
    services: impl HostServices + 'static,
    owner: Arc<dyn Owner>,
) -> Result<PluginRootHandle> {
    let (services, ..) = HostServicesHandle::provide(services).into_raw();
    // SAFETY: the object was just made for the host table, by the same build of it that `P` is compiled
    // with, and is given away here.
    let root = unsafe { enter(Maker::of::<P>(), services) };
    let root = root.into_result().map_err(PluginError::from)?;
    // SAFETY: `enter` gave the object to us. Its table follows the root layout and is a static of this
    // binary, so that there is no library to hold.
    let entry = unsafe { Entry::new(root, owner) };
    Ok(PluginRootHandle::from_target(Target::fixed(Arc::new(
        entry,
    ))))
}

/// The services as a plugin has them.
pub(crate) fn services(
    services: impl HostServices + 'static,
    owner: Arc<dyn Owner>,
) -> HostServicesHandle {
    let provided = HostServicesHandle::provide(services);
    HostServicesHandle::from_target(Target::fixed(entry(provided, owner)))
}

/// What a plugin of this binary registered, ready to be called. Whoever makes a handle of it compares the
/// layouts first.
pub(crate) fn entry(provided: Provided, owner: Arc<dyn Owner>) -> Arc<Entry> {
    let (object, _, lease) = provided.into_raw();
    // SAFETY: the object was given to us, and its table is a static of this binary.
    let entry = unsafe { Entry::new(object, owner) };
    drop(lease);
    Arc::new(entry)
}
