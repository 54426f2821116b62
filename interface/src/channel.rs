//! Channels: ways by which messages come into an application and leave it.
//!
//! A host opens a channel and gets a stream of what comes in; that stream is the host's sink turned
//! round. A sink of the host, handed to the plugin, would be an object that the plugin calls and
//! wakers of the plugin that the host keeps, and both would have to be found again before the
//! library can be unloaded. A stream crosses in the direction in which everything crosses that is
//! leased: the reader sets the pace, an error has a place in the order of the messages, and dropping
//! the stream cancels the channel. Inside, [`Stream::produce`] and [`Stream::channel`] give an
//! author the sink again.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::abi::pass::Json;
use crate::abi::stream::Stream;
use crate::error::Result;

/// What a message says.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload {
    /// Text.
    Text(String),
    /// A JSON value, whose form is between the application and its plugins.
    Structured(Value),
    /// Bytes, which cross the boundary without a copy.
    Binary {
        /// What they are, as a MIME type such as `image/png`.
        mime: String,
        /// The bytes.
        bytes: Bytes,
    },
}

impl Payload {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Payload::Text(text) => Some(text),
            Payload::Structured(_) | Payload::Binary { .. } => None,
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Payload::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Payload::Structured(value) => f.debug_tuple("Structured").field(value).finish(),
            // A picture has no place in a log.
            Payload::Binary { mime, bytes } => f
                .debug_struct("Binary")
                .field("mime", mime)
                .field("len", &bytes.len())
                .finish(),
        }
    }
}

/// A message that came in, or is to go out.
///
/// All but the payload may be missing. What a conversation, a sender and an id look like is the
/// channel's own; a host passes them back as they came.
///
/// ```
/// use keyway::channel::Message;
///
/// let question = Message::text("How are you?").with_conversation("room-1").with_id("17");
/// let answer = question.reply("Fine.");
/// assert_eq!(answer.conversation.as_deref(), Some("room-1"));
/// assert_eq!(answer.reply_to.as_deref(), Some("17"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// What it says.
    pub payload: Payload,
    /// Where it belongs: a room, a thread, an address.
    pub conversation: Option<String>,
    /// Who wrote it.
    pub sender: Option<String>,
    /// Its id in the channel.
    pub id: Option<String>,
    /// The id of the message that it answers.
    pub reply_to: Option<String>,
    /// What else the channel says of it.
    pub attributes: Map<String, Value>,
}

impl Message {
    /// A message of which nothing but the payload is known.
    pub fn new(payload: Payload) -> Self {
        Message {
            payload,
            conversation: None,
            sender: None,
            id: None,
            reply_to: None,
            attributes: Map::new(),
        }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Payload::Text(text.into()))
    }

    /// A JSON value.
    pub fn structured(value: Value) -> Self {
        Self::new(Payload::Structured(value))
    }

    /// Bytes of a MIME type.
    pub fn binary(mime: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self::new(Payload::Binary {
            mime: mime.into(),
            bytes: bytes.into(),
        })
    }

    /// A text that answers this message, in the same conversation.
    #[must_use]
    pub fn reply(&self, text: impl Into<String>) -> Self {
        Message {
            conversation: self.conversation.clone(),
            reply_to: self.id.clone(),
            ..Self::text(text)
        }
    }

    /// The same in this conversation.
    #[must_use]
    pub fn with_conversation(mut self, conversation: impl Into<String>) -> Self {
        self.conversation = Some(conversation.into());
        self
    }

    /// The same from this sender.
    #[must_use]
    pub fn with_sender(mut self, sender: impl Into<String>) -> Self {
        self.sender = Some(sender.into());
        self
    }

    /// The same with this id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The same with one attribute more.
    #[must_use]
    pub fn with_attribute(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }
}

/// What became of a message that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The id that the channel gave it.
    #[serde(default)]
    pub id: Option<String>,
}

impl Receipt {
    /// A receipt without an id.
    pub fn new() -> Self {
        Receipt::default()
    }

    /// The same with an id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }
}

/// The extension point of channels.
///
/// ```
/// use std::time::Duration;
/// use keyway::channel::{Channel, Message, Receipt};
/// use keyway::{Json, Result, Stream};
///
/// struct Mailbox { /* ... */ }
/// # impl Mailbox { async fn fetch() -> Result<String> { Ok(String::new()) } }
///
/// impl Channel for Mailbox {
///     async fn start(&self) -> Result<Stream<Message>> {
///         Ok(Stream::produce(|sink| async move {
///             loop {
///                 let mail = Mailbox::fetch().await?;
///                 sink.send(Message::text(mail)).await?;
///             }
///         }))
///     }
///
///     async fn send(&self, message: Message) -> Result<Json<Receipt>> {
///         # let _ = message;
///         Ok(Json(Receipt::new().with_id("sent-1")))
///     }
/// }
/// # keyway::channel::ChannelHandle::provide(Mailbox {});
/// ```
///
/// The stream belongs to the version of the plugin that made it and keeps that version in memory. A
/// host drops it when the plugin is stopped or replaced, and starts the channel of the new version.
#[keyway_macros::capability(id = "keyway.channel", version = 1)]
pub trait Channel: Send + Sync {
    /// Opens the channel; answers what comes in.
    ///
    /// An error that ends the channel is the last item of the stream. A channel is not started again
    /// while its stream is there.
    async fn start(&self) -> Result<Stream<Message>>;

    /// Sends a message out. Works without `start` where the channel can do so.
    ///
    /// A channel that does not take this kind of payload declines.
    async fn send(&self, message: Message) -> Result<Json<Receipt>>;

    /// Closes the channel in order: what was received still comes, and then the stream ends.
    ///
    /// By default nothing: the host drops the stream, which cancels the channel.
    async fn stop(&self) -> Result<()> {
        Ok(())
    }
}
