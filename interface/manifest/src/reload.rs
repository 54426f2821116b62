//! How a plugin is replaced by another version of itself while the host runs.

use std::fmt;

/// What a plugin says of its own replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Reload {
    /// Whether the old version serves while the new one takes its state.
    pub mode: ReloadMode,
    /// What happens when the state cannot be handed over.
    pub state: StatePolicy,
    /// The largest state that is handed over, in bytes; from 1 to
    /// [`limits::MAX_RESOURCE`](crate::limits::MAX_RESOURCE).
    pub max_state_bytes: u64,
    /// What becomes of thread-local values on threads of the host that stay idle.
    pub thread_locals: ThreadLocals,
}

impl Reload {
    /// The value of [`Self::max_state_bytes`] where the manifest has none: 64 MiB, which is more
    /// than the state of a plugin that does not keep a data set in memory.
    pub const DEFAULT_MAX_STATE_BYTES: u64 = 64 << 20;
}

impl Default for Reload {
    fn default() -> Self {
        Self {
            mode: ReloadMode::default(),
            state: StatePolicy::default(),
            max_state_bytes: Self::DEFAULT_MAX_STATE_BYTES,
            thread_locals: ThreadLocals::default(),
        }
    }
}

/// Whether two versions of a plugin may be there at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ReloadMode {
    /// The old version serves while its state is exported and the new one starts; then calls go to
    /// the new one. This is the default: no call waits.
    #[default]
    Snapshot,
    /// New calls wait while the old version finishes its calls, exports its state and is
    /// deactivated, and until the new one is active. For plugins that own something that cannot
    /// exist twice, such as a port or a lock on a file.
    Exclusive,
}

impl ReloadMode {
    /// Every value, in the order in which messages list them.
    pub const ALL: [Self; 2] = [Self::Snapshot, Self::Exclusive];

    /// The value as it is written in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Exclusive => "exclusive",
        }
    }
}

impl fmt::Display for ReloadMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happens when the state of the old version cannot be handed to the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StatePolicy {
    /// The reload is refused and the old version goes on. This is the default: nothing is lost that
    /// the plugin did not say it can lose.
    #[default]
    Require,
    /// The new version starts without it, with a warning.
    Prefer,
    /// State is never handed over.
    Reset,
}

impl StatePolicy {
    /// Every value, in the order in which messages list them.
    pub const ALL: [Self; 3] = [Self::Require, Self::Prefer, Self::Reset];

    /// The value as it is written in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Require => "require",
            Self::Prefer => "prefer",
            Self::Reset => "reset",
        }
    }
}

impl fmt::Display for StatePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What becomes of the thread-local values that a plugin left on threads of the host which stay
/// idle when its library is to be unloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ThreadLocals {
    /// They are destroyed on another thread. This is the default: what they own is released.
    #[default]
    Run,
    /// They are not destroyed; what they own is lost, and counted.
    Leak,
    /// The library stays in memory. For values that only their own thread may touch.
    Retain,
}

impl ThreadLocals {
    /// Every value, in the order in which messages list them.
    pub const ALL: [Self; 3] = [Self::Run, Self::Leak, Self::Retain];

    /// The value as it is written in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Leak => "leak",
            Self::Retain => "retain",
        }
    }
}

impl fmt::Display for ThreadLocals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
