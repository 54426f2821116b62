//! The version of the interface, which is not the version of any crate.

use std::fmt;

/// Major and minor of the boundary between host and plugins.
///
/// A plugin loads if the majors are equal, the minor that it requires is at most the host's, and
/// the minor that it was built with is still supported. Both sides then speak the smaller minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceVersion {
    /// Raised by a break.
    pub major: u16,
    /// Raised by an addition.
    pub minor: u16,
}

impl fmt::Display for InterfaceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The interface version of this build.
pub const INTERFACE: InterfaceVersion = InterfaceVersion {
    major: 1,
    minor: if cfg!(feature = "unstable-next-minor") {
        1
    } else {
        0
    },
};

/// The oldest `built_minor` that a host of this build still loads.
pub const OLDEST_SUPPORTED_MINOR: u16 = 0;

/// The target triple that this build is for.
pub const TARGET: &str = env!("KEYWAY_TARGET");

/// The compiler that built this, as `rustc --version` prints it.
pub const RUSTC: &str = env!("KEYWAY_RUSTC");
