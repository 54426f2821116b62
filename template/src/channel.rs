//! The channel: whoever sends a message into it is greeted.

use std::sync::{Mutex, MutexGuard, PoisonError};

use keyway::channel::{Channel, Message, Receipt};
use keyway::{ErrorKind, Json, PluginError, Result, Sink, Stream};

use crate::Greeter;

/// How many greetings wait to be read before `send` waits too.
const CAPACITY: usize = 16;

/// Where the guests come in.
pub(crate) struct Lobby {
    greeter: Greeter,
    /// What the host reads from, while the channel is open.
    incoming: Mutex<Option<Sink<Message>>>,
}

impl Lobby {
    pub(crate) fn new(greeter: Greeter) -> Self {
        Lobby {
            greeter,
            incoming: Mutex::new(None),
        }
    }

    fn incoming(&self) -> MutexGuard<'_, Option<Sink<Message>>> {
        // A panic leaves nothing half changed.
        self.incoming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel for Lobby {
    async fn start(&self) -> Result<Stream<Message>> {
        let (sink, stream) = Stream::channel(CAPACITY);
        *self.incoming() = Some(sink);
        Ok(stream)
    }

    async fn send(&self, message: Message) -> Result<Json<Receipt>> {
        let incoming = self.incoming().clone();
        let incoming = incoming
            .ok_or_else(|| PluginError::of(ErrorKind::Unavailable, "the channel is not open"))?;
        let name = message.sender.as_deref().unwrap_or("stranger");
        let greeting = self.greeter.greet(name){% if runtime == "tokio" %}.await{% endif %};
        incoming.send(message.reply(greeting)).await?;
        Ok(Json(Receipt::new()))
    }

    async fn stop(&self) -> Result<()> {
        // The stream ends when all has been read.
        *self.incoming() = None;
        Ok(())
    }
}
