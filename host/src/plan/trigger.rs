//! What plugins are started for.

use std::fmt;

/// A use of something that plugins offer, or the hint in a manifest that a plugin wants to be
/// started for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Trigger<'a> {
    /// The host starts. As a hint it means nothing; see [`Facts::startup`](super::Facts::startup).
    Startup,
    /// The tool of this name is called.
    Tool(&'a str),
    /// The command of this name is run; not an alias of it.
    Command(&'a str),
    /// The channel of this name is used.
    Channel(&'a str),
    /// The provider of this name is asked.
    Provider(&'a str),
    /// A capability is looked up: any built-in one, or one of the application's own.
    Capability {
        /// Its id, such as `keyway.pipeline-stage` or `acme.image-filter`.
        id: &'a str,
        /// The name; none means all that offer it.
        name: Option<&'a str>,
    },
    /// An event of this topic is published; as a hint, a [pattern](super::topic_matches) of topics.
    Event(&'a str),
}

/// What a trigger means, however it was written: a tool is a capability too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    Startup,
    Offer(&'a str, Option<&'a str>),
    Event(&'a str),
}

impl<'a> Trigger<'a> {
    pub(super) fn meaning(self) -> Meaning<'a> {
        match self {
            Trigger::Startup => Meaning::Startup,
            Trigger::Tool(name) => Meaning::Offer("keyway.tool", Some(name)),
            Trigger::Command(name) => Meaning::Offer("keyway.command", Some(name)),
            Trigger::Channel(name) => Meaning::Offer("keyway.channel", Some(name)),
            Trigger::Provider(name) => Meaning::Offer("keyway.provider", Some(name)),
            Trigger::Capability { id, name } => Meaning::Offer(id, name),
            Trigger::Event(topic) => Meaning::Event(topic),
        }
    }

    /// In the middle of a sentence, such as `tool 'redact'`.
    pub(super) fn described(self) -> String {
        match self {
            Trigger::Startup => "the start of the host".to_owned(),
            Trigger::Tool(name) => format!("tool '{name}'"),
            Trigger::Command(name) => format!("command '{name}'"),
            Trigger::Channel(name) => format!("channel '{name}'"),
            Trigger::Provider(name) => format!("provider '{name}'"),
            Trigger::Capability { id, name: None } => format!("capability {id}"),
            Trigger::Capability {
                id,
                name: Some(name),
            } => format!("capability {id} named '{name}'"),
            Trigger::Event(topic) => format!("event '{topic}'"),
        }
    }
}

/// As it is written in a manifest, such as `tool:redact`; a capability with a name, which
/// no manifest has, as `capability:acme.image-filter:blur`.
impl fmt::Display for Trigger<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trigger::Startup => f.write_str("startup"),
            Trigger::Tool(name) => write!(f, "tool:{name}"),
            Trigger::Command(name) => write!(f, "command:{name}"),
            Trigger::Channel(name) => write!(f, "channel:{name}"),
            Trigger::Provider(name) => write!(f, "provider:{name}"),
            Trigger::Capability { id, name } => {
                write!(f, "capability:{id}")?;
                name.iter().try_for_each(|name| write!(f, ":{name}"))
            }
            Trigger::Event(topic) => write!(f, "event:{topic}"),
        }
    }
}
