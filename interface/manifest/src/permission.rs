//! What a plugin asks to be allowed to reach.
//!
//! For a plugin in the process of the host these are consent and mediation, not a sandbox: its code
//! could go around them. They are nothing at all unless asked for.
//!
//! [`peer`] and [`place`] are the one rule of how entries are written, for the check of a manifest and
//! for the host, which gives them a normal form.

mod fault;
pub mod peer;
pub mod place;

pub use fault::Fault;

/// How much of one kind of thing a plugin asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Access {
    /// Nothing: the key is missing, `false` or an empty list.
    #[default]
    None,
    /// Only what matches one of these patterns; never empty.
    Only(Vec<String>),
    /// Everything: the key is `true`.
    All,
}

impl Access {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// Whether everything is asked for.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::All
    }

    /// The patterns; none when nothing or everything is asked for.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        match self {
            Self::Only(patterns) => patterns,
            Self::None | Self::All => &[],
        }
    }
}

impl From<bool> for Access {
    fn from(everything: bool) -> Self {
        if everything { Self::All } else { Self::None }
    }
}

impl From<Vec<String>> for Access {
    fn from(patterns: Vec<String>) -> Self {
        if patterns.is_empty() {
            Self::None
        } else {
            Self::Only(patterns)
        }
    }
}

/// The paths that a plugin asks for, as written: relative ones are for the host to resolve.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Filesystem {
    /// What it reads.
    pub read: Access,
    /// What it writes.
    pub write: Access,
}

/// Everything that a plugin asks to be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Permissions {
    /// Network peers: `host`, `host:port` or URL patterns, where `*` stands for any labels at the
    /// start of a host, for any port, or for any rest of a path.
    pub network: Access,
    /// Files and directories.
    pub filesystem: Filesystem,
    /// Names of environment variables.
    pub env: Vec<String>,
    /// Programs that it starts.
    pub subprocess: Access,
}

impl Permissions {
    /// Whether the plugin asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
