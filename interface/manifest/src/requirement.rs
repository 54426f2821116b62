//! What a plugin needs of whoever offers it.

/// The requirement on one capability, whichever plugin, or the application itself, offers it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Requirement {
    /// The major version of the capability, from 1 up.
    pub major: u32,
    /// The name under which it has to be offered; any name will do where there is none.
    pub name: Option<String>,
    /// Whether the plugin also works without it.
    pub optional: bool,
}
