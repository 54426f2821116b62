//! What one plugin needs of another.

use semver::VersionReq;

/// The requirement on one other plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependency {
    /// The versions that will do.
    pub requirement: VersionReq,
    /// Whether the plugin also works without the other one.
    pub optional: bool,
}
