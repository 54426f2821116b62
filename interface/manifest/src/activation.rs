//! When a plugin is started.

use std::fmt;
use std::str::FromStr;

use crate::capability::{capability_id, is_capability_id};
use crate::diagnostic::is_direction_mark;
use crate::limits::MAX_NAME_CHARS;

/// What a plugin says of its own start.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Activation {
    /// Whether it is started with the host, which is the default. Otherwise it is started when it is
    /// first needed.
    pub startup: bool,
    /// What it is needed for beyond the capabilities that it declares, in the order of the manifest.
    pub on: Vec<Trigger>,
}

impl Default for Activation {
    fn default() -> Self {
        Self {
            startup: true,
            on: Vec::new(),
        }
    }
}

/// Something that a plugin is started for, written as `kind:name`.
///
/// ```
/// use keyway_manifest::{Trigger, TriggerKind};
///
/// let trigger: Trigger = "command:status".parse()?;
/// assert_eq!((trigger.kind, trigger.name.as_str()), (TriggerKind::Command, "status"));
/// assert_eq!(trigger.to_string(), "command:status");
/// # Ok::<(), keyway_manifest::InvalidTrigger>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Trigger {
    /// What kind of use it is.
    pub kind: TriggerKind,
    /// The name of what is used: for an event its topic, for a capability its id, such as
    /// `acme.image-filter`.
    pub name: String,
}

/// The kinds of use that start a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TriggerKind {
    /// A tool is called.
    Tool,
    /// A command is run.
    Command,
    /// A channel is opened or sent to.
    Channel,
    /// A provider is asked.
    Provider,
    /// A capability is looked up, under any name.
    Capability,
    /// An event is published.
    Event,
}

impl TriggerKind {
    /// Every value, in the order in which messages list them.
    pub const ALL: [Self; 6] = [
        Self::Tool,
        Self::Command,
        Self::Channel,
        Self::Provider,
        Self::Capability,
        Self::Event,
    ];

    /// The value as it is written in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Command => "command",
            Self::Channel => "channel",
            Self::Provider => "provider",
            Self::Capability => "capability",
            Self::Event => "event",
        }
    }
}

impl fmt::Display for TriggerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Trigger {
    /// A trigger of this kind.
    ///
    /// # Errors
    ///
    /// When `name` is no name of this kind: one word of at most
    /// [`MAX_NAME_CHARS`] characters, and for a capability its id.
    pub fn new(kind: TriggerKind, name: &str) -> Result<Self, InvalidTrigger> {
        let is_word = !name.is_empty()
            && name.chars().count() <= MAX_NAME_CHARS
            && !name
                .contains(|c: char| c.is_whitespace() || c.is_control() || is_direction_mark(c));
        if !is_word {
            return Err(InvalidTrigger(Fault::Name(kind)));
        }
        if kind == TriggerKind::Capability && !is_capability_id(name) {
            return Err(InvalidTrigger(Fault::CapabilityId(capability_id(name))));
        }
        Ok(Self {
            kind,
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.name)
    }
}

impl FromStr for Trigger {
    type Err = InvalidTrigger;

    fn from_str(text: &str) -> Result<Self, InvalidTrigger> {
        let (word, name) = text.split_once(':').ok_or(InvalidTrigger(Fault::Form))?;
        let kind = TriggerKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or(InvalidTrigger(Fault::Kind))?;
        Self::new(kind, name)
    }
}

/// Why a text is no trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTrigger(Fault);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    Form,
    Kind,
    Name(TriggerKind),
    /// With the id that was meant, if it is known.
    CapabilityId(Option<&'static str>),
}

impl InvalidTrigger {
    /// What should be there, as a fragment of a message.
    pub(crate) fn expected(&self) -> String {
        match self.0 {
            Fault::Form => "a kind and a name, such as \"command:status\"".to_owned(),
            Fault::Kind => {
                let kinds = TriggerKind::ALL.map(TriggerKind::as_str);
                format!("one of {} before the `:`", kinds.join(", "))
            }
            Fault::Name(kind) => {
                format!("a name of at most {MAX_NAME_CHARS} characters after `{kind}:`")
            }
            Fault::CapabilityId(_) => "an id such as \"capability:acme.image-filter\"".to_owned(),
        }
    }

    /// The trigger that was probably meant.
    pub(crate) fn meant(&self) -> Option<String> {
        match self.0 {
            Fault::CapabilityId(meant) => meant.map(|id| format!("capability:{id}")),
            _ => None,
        }
    }

    /// Whether nothing but the word before the colon is wrong.
    pub(crate) fn is_unknown_kind(&self) -> bool {
        self.0 == Fault::Kind
    }
}

impl fmt::Display for InvalidTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Fault::Form => f.write_str("is no trigger"),
            Fault::Kind => f.write_str("has an unknown kind of trigger"),
            Fault::Name(kind) => write!(f, "names no {kind}"),
            Fault::CapabilityId(_) => f.write_str("names no capability id"),
        }
    }
}

impl std::error::Error for InvalidTrigger {}
