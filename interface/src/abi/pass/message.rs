//! How a [`Message`] crosses: what is said about it as JSON, and its payload as bytes beside that.
#![expect(unsafe_code, reason = "implements `Pass`, by two types that pass")]

use abi_stable::std_types::{RString, Tuple2};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Json, Origin, Pass};
use crate::abi::RawBuffer;
use crate::channel::{Message, Payload};
use crate::error::{ErrorKind, PluginError, Result};

const TEXT: &str = "text";
const STRUCTURED: &str = "structured";
const BINARY: &str = "binary";

/// What a payload of a kind that this build does not know is taken for.
const UNKNOWN_MIME: &str = "application/octet-stream";

#[derive(Serialize, Deserialize)]
struct Head {
    /// One of the words above, or one of a newer peer.
    payload: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mime: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    attributes: Map<String, Value>,
}

// SAFETY: what crosses is a `Json` and `Bytes`, each as it passes by itself; the receiver keeps
// nothing of the sender's but the bytes, with the lease that these take.
unsafe impl Pass for Message {
    type Abi = Tuple2<RString, RawBuffer>;

    fn pass(self) -> Result<Self::Abi> {
        let (kind, mime, body) = match self.payload {
            Payload::Text(text) => (TEXT, None, Bytes::from(text)),
            Payload::Structured(value) => (STRUCTURED, None, Bytes::from(value.to_string())),
            Payload::Binary { mime, bytes } => (BINARY, Some(mime), bytes),
        };
        let head = Head {
            payload: kind.to_owned(),
            mime,
            conversation: self.conversation,
            sender: self.sender,
            id: self.id,
            reply_to: self.reply_to,
            attributes: self.attributes,
        };
        (Json(head), body).pass()
    }

    unsafe fn receive(abi: Self::Abi, origin: &Origin<'_>) -> Result<Self> {
        // SAFETY: passed on to the caller.
        let (Json(head), body) = unsafe { <(Json<Head>, Bytes)>::receive(abi, origin) }?;
        let payload = match &*head.payload {
            TEXT => Payload::Text(text(&body)?.to_owned()),
            STRUCTURED => Payload::Structured(serde_json::from_slice(&body).map_err(|error| {
                PluginError::of(
                    ErrorKind::Malformed,
                    format!("the structured payload of a message is not JSON: {error}"),
                )
            })?),
            _ => Payload::Binary {
                mime: head.mime.unwrap_or_else(|| UNKNOWN_MIME.to_owned()),
                bytes: body,
            },
        };
        Ok(Message {
            conversation: head.conversation,
            sender: head.sender,
            id: head.id,
            reply_to: head.reply_to,
            attributes: head.attributes,
            ..Message::new(payload)
        })
    }
}

fn text(body: &[u8]) -> Result<&str> {
    std::str::from_utf8(body).map_err(|error| {
        PluginError::of(
            ErrorKind::Malformed,
            format!("the text of a message is not UTF-8: {error}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn across(message: Message) -> Result<Message> {
        let abi = message.pass()?;
        // SAFETY: it was just passed, and nothing of it is unloaded.
        unsafe { Message::receive(abi, &Origin::OUTLIVES_US) }
    }

    fn foreign(head: Value, body: &'static [u8]) -> Result<Message> {
        let abi = (Json(head), Bytes::from_static(body)).pass()?;
        // SAFETY: as above; the forms are those of a message.
        unsafe { Message::receive(abi, &Origin::OUTLIVES_US) }
    }

    #[test]
    fn every_part_of_a_message_crosses() {
        for message in [
            Message::text("grüß\n\"dich\""),
            Message::text(""),
            Message::structured(json!({ "a": [1, null] })),
            Message::binary("image/png", vec![0, 159, 255]),
        ] {
            let message = message
                .with_conversation("room")
                .with_sender("ada")
                .with_id("1")
                .with_attribute("urgent", true);
            let mut answer = message.reply("yes");
            answer.payload = message.payload.clone();
            assert_eq!(across(message.clone()).unwrap(), message);
            assert_eq!(across(answer.clone()).unwrap(), answer);
        }
    }

    #[test]
    fn bytes_cross_without_a_copy() {
        let bytes = Bytes::from(vec![7; 64]);
        let there = across(Message::binary("audio/ogg", bytes.clone())).unwrap();
        let Payload::Binary { bytes: found, .. } = there.payload else {
            panic!("it was binary: {there:?}");
        };
        assert_eq!(found.as_ptr(), bytes.as_ptr());
    }

    #[test]
    fn a_payload_of_a_newer_kind_arrives_as_bytes() {
        let message = foreign(json!({ "payload": "poll", "votes": 3 }), b"\xff").unwrap();
        assert_eq!(message, Message::binary(UNKNOWN_MIME, vec![0xff]));
    }

    #[test]
    fn a_body_that_is_not_what_its_head_says_is_malformed() {
        for (kind, body, expected) in [
            ("text", &b"\xff"[..], "the text of a message is not UTF-8"),
            (
                "structured",
                b"{",
                "the structured payload of a message is not JSON",
            ),
        ] {
            let error = foreign(json!({ "payload": kind }), body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed);
            assert!(error.message().starts_with(expected), "{error}");
        }
        assert_eq!(
            foreign(json!({}), b"").unwrap_err().kind(),
            ErrorKind::Malformed
        );
    }
}
