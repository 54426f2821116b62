//! How far a plugin is kept apart from its host.

use std::fmt;

/// Where the code of a plugin runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Isolation {
    /// In the process of the host, as a dynamic library. This is the default.
    #[default]
    Native,
    /// In a child process.
    Process,
    /// In a WebAssembly guest.
    Wasm,
}

impl Isolation {
    /// Every value, in the order in which messages list them.
    pub const ALL: [Self; 3] = [Self::Native, Self::Process, Self::Wasm];

    /// The value as it is written in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Process => "process",
            Self::Wasm => "wasm",
        }
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
