//! The name under which a plugin is installed, required and reported.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use crate::limits::MAX_ID_CHARS;

/// The id of a plugin: lower-case ASCII letters, digits and `-`, starting with a letter.
///
/// The alphabet is narrow on purpose. An id becomes a file name, a part of log lines and of
/// commands, and two ids never differ only in case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginId(Box<str>);

impl PluginId {
    /// Checks `id` and takes it as a plugin id.
    ///
    /// # Errors
    ///
    /// When `id` is empty, longer than [`MAX_ID_CHARS`] or leaves the alphabet.
    pub fn new(id: &str) -> Result<Self, InvalidPluginId> {
        let fault = if id.is_empty() {
            Fault::Empty
        } else if let Some(bad) = id
            .chars()
            .find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-'))
        {
            Fault::Character(bad)
        } else if !id.starts_with(|c: char| c.is_ascii_lowercase()) {
            Fault::Start
        } else if id.len() > MAX_ID_CHARS {
            Fault::Length(id.len())
        } else {
            return Ok(Self(id.into()));
        };
        Err(InvalidPluginId(fault))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for PluginId {
    type Err = InvalidPluginId;

    fn from_str(id: &str) -> Result<Self, InvalidPluginId> {
        Self::new(id)
    }
}

impl AsRef<str> for PluginId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for PluginId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Why a text is no plugin id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPluginId(Fault);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    Empty,
    Character(char),
    Start,
    Length(usize),
}

impl InvalidPluginId {
    /// What an id looks like, as a fragment of a message.
    pub(crate) const EXPECTED: &'static str =
        "1 to 64 of a-z, 0-9 and `-`, starting with a letter, such as \"text-filter\"";
}

impl fmt::Display for InvalidPluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Fault::Empty => f.write_str("is empty"),
            Fault::Character(bad) => write!(f, "contains {bad:?}"),
            Fault::Start => f.write_str("does not start with a letter"),
            Fault::Length(chars) => write!(f, "has {chars} characters"),
        }
    }
}

impl std::error::Error for InvalidPluginId {}
