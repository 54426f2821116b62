//! [`PluginError`] as it crosses the boundary.
#![expect(unsafe_code, reason = "owns memory of the sender through its function")]

use std::fmt;
use std::ptr::NonNull;

use abi_stable::StableAbi;
use abi_stable::std_types::{ROption, RResult, RString, RVec};

use crate::error::{Body, ErrorKind, PluginError};

/// The body of an [`AbiError`]. Frozen; `details` is JSON text, open for later additions.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct ErrorBody {
    /// Destroys the body that it is called with, in the library that made it.
    release: unsafe extern "C" fn(body: *mut ()),
    kind: u32,
    retryable: bool,
    code: RString,
    message: RString,
    location: ROption<RString>,
    causes: RVec<RString>,
    details: RString,
}

/// An error on its way across the boundary.
///
/// It is one pointer wide, with its drop function inside the body, so that the result of a number
/// comes back in two registers and not through memory: that is a quarter of the cost of a call.
#[repr(transparent)]
#[derive(StableAbi)]
pub struct AbiError(NonNull<ErrorBody>);

// SAFETY: the body belongs to this value alone and holds only what is Send and Sync.
unsafe impl Send for AbiError {}
// SAFETY: as above.
unsafe impl Sync for AbiError {}

/// What every function of an interface returns.
pub type AbiResult<T> = RResult<T, AbiError>;

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<AbiResult<u64>>() == 16);

impl AbiError {
    fn new(body: ErrorBody) -> Self {
        AbiError(NonNull::from(Box::leak(Box::new(body))))
    }

    fn body(&self) -> &ErrorBody {
        // SAFETY: `new` made the pointer from a box that this value owns; an error of the other
        // side was made by the same function of a library whose core layout was checked.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for AbiError {
    fn drop(&mut self) {
        let release = self.body().release;
        // SAFETY: the function came with the body, and drop runs once.
        unsafe { release(self.0.as_ptr().cast()) }
    }
}

impl fmt::Debug for AbiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.body().fmt(f)
    }
}

unsafe extern "C" fn release(body: *mut ()) {
    // SAFETY: only `From<PluginError>` pairs a body with this function, and `AbiError::new` boxed
    // it. No destructor in here is the author's, so none can panic.
    drop(unsafe { Box::from_raw(body.cast::<ErrorBody>()) });
}

impl From<PluginError> for AbiError {
    #[cold]
    fn from(error: PluginError) -> Self {
        let Body {
            kind,
            retryable,
            code,
            message,
            location,
            causes,
        } = error.into_body();
        AbiError::new(ErrorBody {
            release,
            kind: kind.to_abi(),
            retryable,
            code: code.into(),
            message: message.into(),
            location: location.map(RString::from).into(),
            causes: causes.into_iter().map(RString::from).collect(),
            details: RString::new(),
        })
    }
}

/// Copies everything out, so that no memory of the sender is held once this returns.
impl From<AbiError> for PluginError {
    #[cold]
    fn from(error: AbiError) -> Self {
        let body = error.body();
        PluginError::from_body(Body {
            kind: ErrorKind::from_abi(body.kind),
            retryable: body.retryable,
            code: body.code.as_str().to_owned(),
            message: body.message.as_str().to_owned(),
            location: body
                .location
                .as_ref()
                .map(|text| text.as_str().to_owned())
                .into(),
            causes: body
                .causes
                .iter()
                .map(|cause| cause.as_str().to_owned())
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_error_survives_the_round_trip() {
        let error = PluginError::panicked("boom".into(), Some("a.rs:1:2".into()))
            .code("x-1")
            .retryable(true)
            .context("outer");
        assert_eq!(PluginError::from(AbiError::from(error.clone())), error);
    }
}
