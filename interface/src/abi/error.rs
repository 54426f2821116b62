//! [`PluginError`](crate::PluginError) as it crosses the boundary.

use abi_stable::StableAbi;
use abi_stable::std_types::{RBox, ROption, RResult, RString, RVec};

use crate::error::{Body, ErrorKind, PluginError};

/// The body of an [`AbiError`]. Frozen; `details` is JSON text, open for later additions.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct ErrorBody {
    kind: u32,
    retryable: bool,
    code: RString,
    message: RString,
    location: ROption<RString>,
    causes: RVec<RString>,
    details: RString,
}

/// An error on its way across the boundary: one pointer and its drop function.
#[repr(transparent)]
#[derive(Debug, StableAbi)]
pub struct AbiError(RBox<ErrorBody>);

/// What every function of an interface returns.
pub type AbiResult<T> = RResult<T, AbiError>;

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
        AbiError(RBox::new(ErrorBody {
            kind: kind.to_abi(),
            retryable,
            code: code.into(),
            message: message.into(),
            location: location.map(RString::from).into(),
            causes: causes.into_iter().map(RString::from).collect(),
            details: RString::new(),
        }))
    }
}

/// Copies everything out, so that no memory of the sender is held once this returns.
impl From<AbiError> for PluginError {
    #[cold]
    fn from(error: AbiError) -> Self {
        let body = &*error.0;
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
