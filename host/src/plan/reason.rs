//! Why a plugin is part of a plan.

use std::fmt;

/// One reason to start a plugin. They are in the order of how directly the plugin asked for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Its manifest asks for it, in the words of this hint, such as `event:message.*`.
    Hint(String),
    /// Its manifest declares what is used.
    Declares {
        /// The id of the capability, such as `keyway.tool`.
        capability: String,
        /// The name under which it offers it.
        name: String,
    },
    /// It declares event hooks and gives no hint about topics. What they listen to is known when it has
    /// registered them, so it is started for every event.
    UnhintedHooks,
    /// It is to start with the host.
    Startup,
    /// Another plugin of the plan needs it; this is the other one's id.
    DependencyOf(String),
}

impl Reason {
    /// A word for the kind of reason, for programs: `hint`, `declares`, `unhinted-hooks`, `startup` or
    /// `dependency-of`.
    pub fn label(&self) -> &'static str {
        match self {
            Reason::Hint(_) => "hint",
            Reason::Declares { .. } => "declares",
            Reason::UnhintedHooks => "unhinted-hooks",
            Reason::Startup => "startup",
            Reason::DependencyOf(_) => "dependency-of",
        }
    }
}

/// For people, such as `declares keyway.tool 'redact'`.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Hint(hint) => write!(f, "asks to be started on {hint}"),
            Reason::Declares { capability, name } => write!(f, "declares {capability} '{name}'"),
            Reason::UnhintedHooks => f.write_str("has event hooks, and no hint about their topics"),
            Reason::Startup => f.write_str("starts with the host"),
            Reason::DependencyOf(id) => write!(f, "dependency of '{id}'"),
        }
    }
}
