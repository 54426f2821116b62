//! An implementation of a capability on its way from the plugin to the host.

use std::fmt;

use super::target::Target;
use crate::abi::pass::{Lease, Origin};
use crate::abi::{InterfaceLayout, RResult, RawObject, Registration, VTableHeader};
use crate::error::Result;

/// A capability as its generated handle represents it.
///
/// Implemented by `#[capability]` for the handle of each trait; hosts and plugins name a
/// capability by its handle type.
pub trait Capability: Clone + Send + Sync + 'static {
    /// The identifier, for example `keyway.tool`.
    const ID: &'static str;
    /// The major version; two majors of one capability are two capabilities.
    const MAJOR: u32;
    /// The layout of the method table as this build knows it.
    const LAYOUT: &'static InterfaceLayout;

    /// The handle that calls through a target.
    ///
    /// The target must lead to objects whose layout was checked against [`Capability::LAYOUT`].
    #[doc(hidden)]
    fn from_target(target: Target) -> Self;

    /// What the handle calls through.
    #[doc(hidden)]
    fn target(&self) -> &Target;
}

/// A capability that can be made from a `T`: every `T` that implements the trait.
pub trait Provide<T>: Capability {
    /// Makes an implementation ready to be registered.
    fn provide(implementation: T) -> Provided;
}

/// An implementation of a capability, ready to be registered.
pub struct Provided {
    object: RawObject,
    layout: &'static InterfaceLayout,
    /// Last, so that the object is gone before its library may go.
    lease: Option<Lease>,
}

impl Provided {
    /// Boxes an implementation.
    ///
    /// # Safety
    ///
    /// `table` heads a method table for objects of type `T` that follows `layout`.
    #[doc(hidden)]
    pub unsafe fn new<T: Send + Sync + 'static>(
        implementation: T,
        table: &'static VTableHeader,
        layout: &'static InterfaceLayout,
    ) -> Self {
        let data = Box::into_raw(Box::new(implementation)).cast();
        Provided {
            object: RawObject {
                data,
                vtable: table,
            },
            layout,
            lease: None,
        }
    }

    /// The layout of the implementation's method table.
    pub fn layout(&self) -> &'static InterfaceLayout {
        self.layout
    }

    /// Gives the object away, with the lease on its library if it came from another one.
    #[doc(hidden)]
    pub fn into_raw(mut self) -> (RawObject, &'static InterfaceLayout, Option<Lease>) {
        let parts = (self.object, self.layout, self.lease.take());
        std::mem::forget(self);
        parts
    }

    pub(crate) fn into_registration(self, name: String) -> Registration {
        let (object, layout, _) = self.into_raw();
        Registration {
            name: name.into(),
            object,
            layout,
        }
    }

    /// # Safety
    ///
    /// The registration came from [`Provided::into_registration`] on the other side, and `origin`
    /// gives leases on that side.
    pub(crate) unsafe fn from_registration(
        registration: Registration,
        origin: &Origin<'_>,
    ) -> Self {
        let Registration { object, layout, .. } = registration;
        // SAFETY: the layout is a static of the sender, which the lease keeps; it is handed out
        // by `layout` only for as long as this value lives or its lease is kept.
        let layout = unsafe { &*layout };
        Provided {
            object,
            layout,
            lease: origin.lease(),
        }
    }
}

impl Drop for Provided {
    fn drop(&mut self) {
        // SAFETY: the object belongs to this value, was never given away, and drop runs once.
        let _ = unsafe { drop_object(self.object) };
    }
}

impl fmt::Debug for Provided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provided({}/{})", self.layout.id(), self.layout.major())
    }
}

/// Destroys an object; answers the panic of its destructor if it had one.
///
/// # Safety
///
/// The object belongs to the caller and is not used again, and its library is loaded.
pub(crate) unsafe fn drop_object(object: RawObject) -> Result<()> {
    // SAFETY: the table lives as long as the library that made the object.
    let drop = unsafe { (*object.vtable).drop };
    // SAFETY: passed on to the caller.
    match unsafe { drop(object.data) } {
        RResult::ROk(()) => Ok(()),
        RResult::RErr(error) => Err(error.into()),
    }
}
