//! How far a load had come.

use std::fmt;

/// The phase of a load, as the crash guard notes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The dynamic loader opens the library: its constructors run.
    Open,
    /// The plugin makes its root object.
    Construct,
    /// The plugin prepares itself from its configuration.
    Prepare,
    /// The plugin takes over the state of the version that it replaces.
    State,
    /// The plugin activates and describes what it offers.
    Activate,
}

const ALL: [Phase; 5] = [
    Phase::Open,
    Phase::Construct,
    Phase::Prepare,
    Phase::State,
    Phase::Activate,
];

impl Phase {
    /// A stable identifier; it prints as this.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Open => "open",
            Phase::Construct => "construct",
            Phase::Prepare => "prepare",
            Phase::State => "state",
            Phase::Activate => "activate",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        ALL.into_iter().find(|phase| phase.as_str() == text)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
