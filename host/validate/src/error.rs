//! Why a validation could not take place, which says nothing of the plugin.

use std::error::Error;
use std::fmt;
use std::io;

/// The validator itself could not go on.
#[derive(Debug)]
pub struct ValidateError {
    message: String,
    hint: Option<String>,
    stopped: bool,
    source: Option<io::Error>,
}

impl ValidateError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        ValidateError {
            message: message.into(),
            hint: None,
            stopped: false,
            source: None,
        }
    }

    pub(crate) fn io(doing: &str, error: io::Error) -> Self {
        let mut own = ValidateError::new(format!("{doing}: {error}"));
        own.source = Some(error);
        own
    }

    pub(crate) fn stopped() -> Self {
        let mut own = ValidateError::new("the validation was stopped");
        own.stopped = true;
        own
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What went wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether it is that somebody has asked for the end: see [`Stop`](crate::Stop).
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether it is what was asked for that cannot be: a check that there is not, a case that does not read.
    pub fn is_usage(&self) -> bool {
        !self.stopped && self.source.is_none()
    }
}

impl fmt::Display for ValidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let hint = self.hint.as_ref();
        hint.map_or(Ok(()), |hint| write!(f, "; hint: {hint}"))
    }
}

impl Error for ValidateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
