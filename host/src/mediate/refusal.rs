//! The errors that plugins get.

use std::io;

use keyway::{ErrorKind, PluginError, Result};

use crate::finding::Code;
use crate::permission::Decision;

/// An error of a kind with a code of the reference.
#[cold]
pub(super) fn error(
    kind: ErrorKind,
    code: &'static Code,
    message: impl Into<String>,
) -> PluginError {
    PluginError::of(kind, message).code(code.id)
}

/// Policy forbids it.
#[cold]
pub(super) fn denied(code: &'static Code, message: impl Into<String>) -> PluginError {
    error(ErrorKind::Denied, code, message)
}

/// A limit is reached that will not be for ever.
#[cold]
pub(super) fn busy(code: &'static Code, message: impl Into<String>) -> PluginError {
    error(ErrorKind::Busy, code, message)
}

/// What was asked for means nothing.
#[cold]
pub(super) fn malformed(message: impl Into<String>) -> PluginError {
    error(ErrorKind::InvalidInput, &super::codes::BAD_REQUEST, message)
}

/// The host has no such thing, for lack of a cargo feature.
#[cfg(not(all(feature = "http", feature = "kv")))]
#[cold]
pub(crate) fn built_without(feature: &str) -> PluginError {
    error(
        ErrorKind::Unsupported,
        &super::codes::UNSUPPORTED_HERE,
        format!("this host was built without the feature `{feature}` of keyway-host"),
    )
}

/// The system refused, or has no such thing.
#[cold]
pub(super) fn io(code: &'static Code, doing: &str, cause: &io::Error) -> PluginError {
    let kind = match cause.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        _ => ErrorKind::Failed,
    };
    error(kind, code, format!("cannot {doing}: {cause}"))
}

/// The error of a decision, unless it allows.
pub(super) fn require(decision: Decision) -> Result<()> {
    match (decision.code, decision.reason) {
        (Some(code), reason) => Err(denied(code, reason.unwrap_or_default())),
        (None, _) => Ok(()),
    }
}
