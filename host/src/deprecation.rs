//! What is on its way out: capabilities that an application still serves and wants plugins to leave.

use std::collections::BTreeMap;
use std::fmt;

use keyway::capability::Capability;

use crate::finding::{Code, Finding};

/// Since when something is deprecated, what takes its place, and when it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deprecation {
    /// The version of the application that deprecated it.
    pub since: String,
    /// What to use in its place.
    pub replacement: Option<String>,
    /// The version of the application that no longer has it.
    pub removal: Option<String>,
}

impl Deprecation {
    /// Deprecated since this version of the application.
    pub fn since(version: impl Into<String>) -> Self {
        Deprecation {
            since: version.into(),
            replacement: None,
            removal: None,
        }
    }

    /// What takes its place.
    #[must_use]
    pub fn replaced_by(mut self, replacement: impl Into<String>) -> Self {
        self.replacement = Some(replacement.into());
        self
    }

    /// The version of the application that no longer has it.
    #[must_use]
    pub fn removed_in(mut self, version: impl Into<String>) -> Self {
        self.removal = Some(version.into());
        self
    }
}

/// `deprecated since 0.5.0, removed in 1.0.0`, without the replacement.
impl fmt::Display for Deprecation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "deprecated since {}", self.since)?;
        self.removal
            .iter()
            .try_for_each(|version| write!(f, ", removed in {version}"))
    }
}

/// All that is deprecated, by capability id and major.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deprecations {
    capabilities: BTreeMap<(&'static str, u32), Deprecation>,
}

impl Deprecations {
    pub(crate) fn add<C: Capability>(&mut self, deprecation: Deprecation) {
        self.capabilities.insert((C::ID, C::MAJOR), deprecation);
    }

    /// What is to be said of a plugin that offers this, if anything.
    pub(crate) fn of(&self, id: &str, major: u32, name: &str) -> Option<Finding> {
        let deprecation = self.capabilities.get(&(id, major))?;
        let finding =
            DEPRECATED_CAPABILITY.finding(format!("offers {id}/{major} `{name}`: {deprecation}"));
        Some(match &deprecation.replacement {
            Some(replacement) => finding.hint(format!("offer {replacement} in its place")),
            None => finding,
        })
    }

    pub(crate) fn list(&self) -> impl Iterator<Item = (String, &Deprecation)> {
        let capabilities = self.capabilities.iter();
        capabilities.map(|((id, major), deprecation)| (format!("{id}/{major}"), deprecation))
    }
}

static DEPRECATED_CAPABILITY: Code = Code::legacy(
    "deprecated-capability",
    "The plugin offers a capability, or a major of one, that the application wants to drop. It is \
     served all the same until then.",
    "Build the plugin for what the message names in its place.",
);

pub(crate) static CODES: &[&Code] = &[&DEPRECATED_CAPABILITY];
