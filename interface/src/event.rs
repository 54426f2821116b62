//! Event hooks: are told of what happens, and change nothing of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::abi::pass::Json;
use crate::error::Result;

/// The topic of a message that came in.
pub const MESSAGE_RECEIVED: &str = "message.received";
/// The topic of an answer that went out.
pub const RESPONSE_SENT: &str = "response.sent";

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// What happened: words joined by `.`, the widest first.
    pub topic: String,
    /// What there is to say of it.
    #[serde(default)]
    pub payload: Value,
    /// Who says so: the id of a plugin, or none for the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Event {
    /// An event of the application's own.
    pub fn new(topic: impl Into<String>, payload: impl Into<Value>) -> Self {
        Event {
            topic: topic.into(),
            payload: payload.into(),
            source: None,
        }
    }

    /// The same from a plugin.
    #[must_use]
    pub fn with_source(mut self, plugin: impl Into<String>) -> Self {
        self.source = Some(plugin.into());
        self
    }
}

/// Whether a topic is one of those that a pattern stands for.
///
/// In a pattern `*` stands for one word; as the last one it stands for one or more. Hosts and
/// `[plugin.activation]` in a manifest go by the same rule.
///
/// ```
/// use keyway::event::topic_matches;
///
/// assert!(topic_matches("message.received", "message.received"));
/// assert!(topic_matches("message.*", "message.received.text"));
/// assert!(topic_matches("*.received", "message.received"));
/// assert!(topic_matches("*", "message.received"));
/// assert!(!topic_matches("message.*", "message"));
/// assert!(!topic_matches("*.received", "message.text.received"));
/// ```
pub fn topic_matches(pattern: &str, topic: &str) -> bool {
    let mut words = topic.split('.');
    let mut patterns = pattern.split('.').peekable();
    while let Some(wanted) = patterns.next() {
        let Some(word) = words.next() else {
            return false;
        };
        if wanted == "*" {
            if patterns.peek().is_none() {
                return true;
            }
        } else if wanted != word {
            return false;
        }
    }
    words.next().is_none()
}

/// The extension point of event hooks.
///
/// A hook that fails, or takes longer than the host allows, is reported and keeps neither the other
/// hooks nor whatever happened from going on.
#[keyway_macros::capability(id = "keyway.event-hook", version = 1)]
pub trait EventHook: Send + Sync {
    /// The topics to be told of, as patterns: see [`topic_matches`]. The host asks once per version
    /// of the plugin.
    fn topics(&self) -> Result<Json<Vec<String>>>;

    /// Is told of an event.
    async fn handle(&self, event: Json<Event>) -> Result<()>;

    /// Hooks are told by rising priority. Default 0.
    fn priority(&self) -> Result<i32> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_part_and_the_last_one_is_all_the_rest() {
        for (pattern, topic, matches) in [
            ("*", "message", true),
            ("*", "message.received", true),
            ("message.*", "message.received", true),
            ("message.*", "message.received.late", true),
            ("message.*", "message", false),
            ("message.*", "messages.received", false),
            ("message.*.late", "message.received.late", true),
            ("message.*.late", "message.received.early", false),
            ("message.*.late", "message.late", false),
            ("message", "message", true),
            ("message", "message.received", false),
            ("message.rec*", "message.received", false),
            ("message.rec*", "message.rec*", true),
        ] {
            assert_eq!(
                topic_matches(pattern, topic),
                matches,
                "{pattern} and {topic}"
            );
        }
    }
}
