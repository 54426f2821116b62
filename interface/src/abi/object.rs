//! Objects: a data pointer and a pointer to a method table, and what a plugin registers.
#![expect(
    unsafe_code,
    reason = "pointers to plugin memory are made Send and Sync here"
)]

use abi_stable::StableAbi;
use abi_stable::std_types::RString;

use super::layout::InterfaceLayout;

/// The head of every method table. The methods follow it in the order of the trait; each is one
/// function pointer wide, so `size` tells how many the table has.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct VTableHeader {
    /// Bytes of the whole table, this header included.
    pub size: usize,
    /// Destroys the object. Never unwinds: a panic of its destructor is contained and answered
    /// as an error.
    pub drop: unsafe extern "C" fn(data: *mut ()) -> super::AbiResult<()>,
}

/// An object on its way across the boundary. Whoever receives it owns it and calls `drop` once.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct RawObject {
    /// The first argument of every method.
    pub data: *mut (),
    /// The method table; lives as long as the library that made the object.
    pub vtable: *const VTableHeader,
}

// SAFETY: an object is only made from a value that is Send and Sync (`Provided::new` demands
// it), and its method table is an immutable static.
unsafe impl Send for RawObject {}
// SAFETY: as above.
unsafe impl Sync for RawObject {}

/// One capability that a plugin offers, as handed over at the end of its activation.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct Registration {
    /// The name under which it is offered, for example the name of a tool.
    pub name: RString,
    /// The object; belongs to the receiver.
    pub object: RawObject,
    /// The layout of the object's method table, in the memory of the plugin.
    pub layout: *const InterfaceLayout,
}

// SAFETY: the layout is an immutable static, and the object is Send and Sync.
unsafe impl Send for Registration {}
// SAFETY: as above.
unsafe impl Sync for Registration {}
