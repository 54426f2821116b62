//! Voice handlers: listen and speak.
//!
//! A conversation is a session. What is heard goes in by calls, each of which returns when the
//! plugin has taken it, so that a slow plugin slows the host down; what is said comes out as a
//! stream. Audio does not go in as a stream, since streams cross from plugins to hosts only: the
//! module [`channel`](crate::channel) says why.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::abi::pass::Json;
use crate::abi::stream::Stream;
use crate::error::Result;

/// What audio bytes mean.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AudioFormat {
    /// The encoding, such as `pcm-s16le` or `opus`.
    pub encoding: String,
    /// Samples per second.
    pub sample_rate: u32,
    /// How many channels are interleaved.
    pub channels: u16,
}

impl AudioFormat {
    /// One channel in this encoding.
    pub fn mono(encoding: impl Into<String>, sample_rate: u32) -> Self {
        AudioFormat {
            encoding: encoding.into(),
            sample_rate,
            channels: 1,
        }
    }

    /// The same with another number of channels.
    #[must_use]
    pub fn with_channels(mut self, channels: u16) -> Self {
        self.channels = channels;
        self
    }
}

/// The extension point of voice handlers.
///
/// A session has a name that the host chooses, unique among the sessions that are open. It ends with
/// its stream: by itself after [`finish`](VoiceHandler::finish), or at once when the host drops it.
#[keyway_macros::capability(id = "keyway.voice-handler", version = 1)]
pub trait VoiceHandler: Send + Sync {
    /// The formats that the handler hears and speaks, best first. The host asks once per version of
    /// the plugin.
    fn formats(&self) -> Result<Json<Vec<AudioFormat>>>;

    /// Opens a session in one of the formats; answers what is said in it, in the same format.
    async fn open(&self, session: &str, format: Json<AudioFormat>) -> Result<Stream<Bytes>>;

    /// Takes what is heard next. A part may end anywhere, also inside of a sample.
    ///
    /// For a session that is not open this is a not-found error.
    async fn hear(&self, session: &str, audio: Bytes) -> Result<()>;

    /// Nothing more is heard: the stream ends when everything is said.
    async fn finish(&self, session: &str) -> Result<()>;
}
