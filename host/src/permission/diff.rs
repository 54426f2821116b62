//! What is different between two grants.

use std::fmt;

use super::Grant;

/// What a new version may do beyond an old one, and what the old one could beyond it.
///
/// Only what is added needs anybody's approval.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PermissionDiff {
    /// The entries of the new grant that the old one does not cover.
    pub added: Grant,
    /// The entries of the old grant that the new one does not cover.
    pub removed: Grant,
}

impl PermissionDiff {
    /// From what was allowed to what is asked for.
    pub fn between(old: &Grant, new: &Grant) -> Self {
        PermissionDiff {
            added: new.beyond(old),
            removed: old.beyond(new),
        }
    }

    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// Whether something is asked for that was not allowed before.
    pub fn needs_approval(&self) -> bool {
        !self.added.is_empty()
    }
}

/// One line for each entry: `+` and what is new, then `-` and what is no longer asked for.
impl fmt::Display for PermissionDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let added = self.added.lines().into_iter().map(|line| ('+', line));
        let removed = self.removed.lines().into_iter().map(|line| ('-', line));
        for (index, (sign, line)) in added.chain(removed).enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{sign} {line}")?;
        }
        Ok(())
    }
}
