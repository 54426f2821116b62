//! What is wrong with an entry of a list of permissions.

use std::fmt;

/// What is wrong with a text, as the rest of a sentence that begins with it, and what to write in its
/// place where that is known.
///
/// It prints as both, on one line: ``allows every host; write `network = true`, ...``.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub what: &'static str,
    /// What to write, or to know.
    pub hint: Option<&'static str>,
}

impl Fault {
    pub(super) const fn new(what: &'static str) -> Self {
        Fault { what, hint: None }
    }

    pub(super) const fn with(what: &'static str, hint: &'static str) -> Self {
        Fault {
            what,
            hint: Some(hint),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        self.hint.map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}
