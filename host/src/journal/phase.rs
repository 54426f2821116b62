//! What a plugin was doing when its process died, and in the course of what.

use std::fmt;

use semver::Version;

/// The step in a plugin's life, as the crash guard notes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The dynamic loader opens the library: its constructors run.
    Open,
    /// The plugin makes its root object.
    Construct,
    /// The plugin prepares itself from its configuration.
    Prepare,
    /// The plugin gives its state to the version that replaces it.
    Export,
    /// The plugin takes over the state of the version that it replaces.
    State,
    /// The plugin activates and describes what it offers.
    Activate,
    /// The plugin says whether it can do its work.
    Health,
    /// The plugin ends its work.
    Deactivate,
    /// The plugin is dropped, since it was not taken over.
    Stop,
}

const ALL: [Phase; 9] = [
    Phase::Open,
    Phase::Construct,
    Phase::Prepare,
    Phase::Export,
    Phase::State,
    Phase::Activate,
    Phase::Health,
    Phase::Deactivate,
    Phase::Stop,
];

impl Phase {
    /// A stable identifier; it prints as this.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Open => "open",
            Phase::Construct => "construct",
            Phase::Prepare => "prepare",
            Phase::Export => "export",
            Phase::State => "state",
            Phase::Activate => "activate",
            Phase::Health => "health",
            Phase::Deactivate => "deactivate",
            Phase::Stop => "stop",
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

/// In the course of what the code of a build ran.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occasion {
    /// The plugin was loaded.
    Load,
    /// The build was to replace the version that served.
    Reload {
        /// The version that served.
        from: Version,
    },
    /// The build served, and another one was to replace it.
    Replaced {
        /// The version of the other one.
        by: Version,
    },
    /// The build had been replaced, in exclusive mode, and was started again in the place of one that
    /// had failed.
    Restart,
}

impl Occasion {
    /// What a process was doing; it goes on after "a process died while".
    pub(super) fn doing(&self, build: &str) -> String {
        match self {
            Occasion::Load => format!("it loaded {build}"),
            Occasion::Reload { from } => format!("a reload replaced v{from} by {build}"),
            Occasion::Replaced { by } => format!("a reload replaced {build} by v{by}"),
            Occasion::Restart => {
                format!("it started {build} again in the place of one that had failed")
            }
        }
    }

    /// A stable identifier, and the other version.
    pub(super) fn parts(&self) -> (&'static str, Option<&Version>) {
        match self {
            Occasion::Load => ("load", None),
            Occasion::Reload { from } => ("reload", Some(from)),
            Occasion::Replaced { by } => ("replaced", Some(by)),
            Occasion::Restart => ("restart", None),
        }
    }

    pub(super) fn from_parts(name: &str, other: Option<Version>) -> Option<Self> {
        match (name, other) {
            ("load", None) => Some(Occasion::Load),
            ("reload", Some(from)) => Some(Occasion::Reload { from }),
            ("replaced", Some(by)) => Some(Occasion::Replaced { by }),
            ("restart", None) => Some(Occasion::Restart),
            _ => None,
        }
    }
}
