//! A byte buffer that crosses without a copy.
#![expect(unsafe_code, reason = "owns memory through a foreign drop function")]

use abi_stable::StableAbi;
use bytes::Bytes;

use super::error::AbiResult;
use crate::shim;

/// Bytes with the function that releases them. Frozen.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct RawBuffer {
    start: *const u8,
    len: usize,
    owner: *mut (),
    drop: unsafe extern "C" fn(owner: *mut ()) -> AbiResult<()>,
}

// SAFETY: the memory is immutable and belongs to a `Bytes`, which is Send and Sync.
unsafe impl Send for RawBuffer {}
// SAFETY: as above.
unsafe impl Sync for RawBuffer {}

impl RawBuffer {
    /// Gives the buffer away; the receiver drops it through the function that travels with it.
    pub fn new(bytes: Bytes) -> Self {
        let owner = Box::new(bytes);
        RawBuffer {
            start: owner.as_ptr(),
            len: owner.len(),
            owner: Box::into_raw(owner).cast(),
            drop: release,
        }
    }
}

impl AsRef<[u8]> for RawBuffer {
    fn as_ref(&self) -> &[u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: `new` took start and len from a `Bytes` that `owner` keeps alive and that
        // nothing changes; a `RawBuffer` that came from the other side was made by the same
        // function of a library whose core layout was checked.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl Drop for RawBuffer {
    fn drop(&mut self) {
        // SAFETY: `owner` belongs to this value alone, and drop runs once.
        let _ = unsafe { (self.drop)(self.owner) };
    }
}

unsafe extern "C" fn release(owner: *mut ()) -> AbiResult<()> {
    // SAFETY: only `new` pairs an owner with this function, and it made it with `Box::into_raw`.
    let owner = unsafe { Box::from_raw(owner.cast::<Bytes>()) };
    // A `Bytes` may run a destructor of the author's (`Bytes::from_owner`), so it is guarded.
    shim::contain(move || {
        drop(owner);
        Ok(())
    })
}
