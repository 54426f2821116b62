//! Channels: messages of all that are open come in as one stream, and go out by the name of the channel.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keyway::abi::pass::Json;
use keyway::capability::{Capability, Target};
use keyway::channel::{Channel, ChannelHandle, Message, Receipt};
use keyway::service::ServiceReport;
use keyway::{ErrorKind, PluginError, Result, Stream};
use tokio::sync::mpsc;

use super::codes;
use super::service::Own;
use crate::attendance::{Attended, Ending, SessionState};
use crate::error::HostError;
use crate::event::Bus;
use crate::generation::Generation;
use crate::host::Host;
use crate::plan::Trigger;
use crate::registry::Offer;

/// How many messages wait to be read before channels have to wait. Some are always on their way, and a
/// reader that is a thousand behind is not going to catch up.
const CAPACITY: usize = 1_024;

/// The channels of a host: [`Host::channels`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Channels {
    host: Host,
}

/// A channel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChannelRecord {
    /// Its name.
    pub name: String,
    /// The plugin that offers it.
    pub plugin: String,
    /// How it is doing; none if it is not open.
    pub state: Option<SessionState>,
}

/// A message that came in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Received {
    /// The channel.
    pub channel: String,
    /// The plugin that offers it.
    pub plugin: String,
    /// The message. Bytes in it are in the memory of the plugin, which they keep.
    pub message: Message,
}

/// What comes in through all channels. Clones share it: each message goes to one of them.
#[derive(Clone)]
pub struct Incoming {
    messages: Arc<tokio::sync::Mutex<mpsc::Receiver<Received>>>,
}

/// What a host knows of its channels.
pub(crate) struct Switchboard {
    /// The names of those that are to be open, whichever version or plugin offers them.
    open: Mutex<BTreeSet<String>>,
    sender: mpsc::Sender<Received>,
    incoming: Incoming,
}

impl Host {
    /// The channels of all plugins.
    ///
    /// ```
    /// # use keyway_host::Host;
    /// # use keyway_host::keyway::Result;
    /// # async fn example(host: &Host) -> Result<()> {
    /// let channels = host.channels();
    /// channels.open("mail").await?;
    /// let incoming = channels.incoming();
    /// while let Some(received) = incoming.next().await {
    ///     let answer = received.message.reply("Thank you.");
    ///     channels.send(&received.channel, answer).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn channels(&self) -> Channels {
        Channels { host: self.clone() }
    }
}

impl Channels {
    /// Opens a channel; its messages come in by [`incoming`](Self::incoming) from then on. It is open until it
    /// is [closed](Self::close): after a reload that of the new version is opened, and one whose plugin was
    /// stopped opens again when that is back. Opening one that is open does nothing, and one that has failed
    /// is opened anew. The plugin is started if it waits for being needed.
    ///
    /// A channel that fails later is told as an event [`Faulted`](crate::EventKind::Faulted), and stays
    /// closed until its plugin is reloaded or started again, or somebody opens it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when no plugin offers it, or the plugin could not be started; otherwise
    /// whatever the channel answers.
    pub async fn open(&self, name: &str) -> Result<()> {
        self.awake(name).await?;
        self.host.open_channel(name).await
    }

    /// Closes a channel in order: what it has received still comes in. Answers whether it was to be open.
    pub async fn close(&self, name: &str) -> bool {
        self.host.close_channel(name).await
    }

    /// Sends a message out. Some channels can do so without being open. The plugin is started if it waits
    /// for being needed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when no plugin offers the channel, or the plugin could not be started;
    /// [`ErrorKind::Declined`] for a payload that the channel does not take; otherwise whatever it answers.
    pub async fn send(&self, name: &str, message: Message) -> Result<Receipt> {
        self.awake(name).await?;
        let handle: ChannelHandle = self.host.capability(name).map_err(unavailable)?;
        let sent = handle.send(message).await;
        sent.map(|Json(receipt)| receipt)
    }

    /// What comes in through all channels that are open, in the order in which it does. A reader that is
    /// slow slows the channels down.
    pub fn incoming(&self) -> Incoming {
        self.host.switchboard().incoming.clone()
    }

    /// The channels of all plugins that run, by name.
    pub fn list(&self) -> Vec<ChannelRecord> {
        let mut sessions = self.host.sessions();
        sessions.retain(|(_, key, _)| key.id == ChannelHandle::ID);
        let members = self.host.registry().members::<ChannelHandle>();
        let records = members.into_iter().map(|member| {
            let session = sessions.iter().find(|(_, key, _)| key.name == member.name);
            ChannelRecord {
                name: member.name,
                plugin: member.plugin.to_string(),
                state: session.map(|(_, _, progress)| progress.state.clone()),
            }
        });
        records.collect()
    }

    /// Starts the plugin of a channel, if it is one that starts when it is first needed.
    async fn awake(&self, name: &str) -> Result<()> {
        let trigger = Trigger::Channel(name);
        if self.host.registry().is_offered::<ChannelHandle>(name) || !self.host.is_dormant(trigger)
        {
            return Ok(());
        }
        let started = self.host.activate(trigger).await;
        started.map(drop).map_err(|error| {
            let message = format!("the plugin of channel `{name}` was not started: {error}");
            PluginError::of(ErrorKind::Unavailable, message).code("not-started")
        })
    }
}

#[cold]
pub(crate) fn unavailable(error: HostError) -> PluginError {
    PluginError::of(ErrorKind::Unavailable, error.to_string())
}

impl Incoming {
    /// The next message; none once the host is gone, and everything was read.
    pub async fn next(&self) -> Option<Received> {
        self.messages.lock().await.recv().await
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Incoming(..)")
    }
}

impl Switchboard {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let messages = Arc::new(tokio::sync::Mutex::new(receiver));
        Switchboard {
            open: Mutex::default(),
            sender,
            incoming: Incoming { messages },
        }
    }

    /// Remembers whether a channel is to be open; answers whether it was.
    pub(crate) fn set_open(&self, name: &str, open: bool) -> bool {
        let mut all = self.lock();
        match open {
            true => !all.insert(name.to_owned()),
            false => all.remove(name),
        }
    }

    pub(crate) fn is_open(&self, name: &str) -> bool {
        self.lock().contains(name)
    }

    /// The host's side of a channel that is to be opened.
    pub(crate) fn connect(
        &self,
        generation: &Arc<Generation>,
        offer: &Offer,
        bus: &Bus,
    ) -> OpenChannel {
        OpenChannel {
            handle: ChannelHandle::from_target(Target::fixed(Arc::clone(&offer.entry))),
            own: Own::new(generation, offer, bus),
            sender: self.sender.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The host's side of a channel that is open.
pub(crate) struct OpenChannel {
    /// Of this version, whatever serves meanwhile.
    handle: ChannelHandle,
    own: Own,
    sender: mpsc::Sender<Received>,
}

impl Attended for OpenChannel {
    type Item = Message;

    async fn open(&self) -> Result<Stream<Message>> {
        self.handle.start().await
    }

    async fn take(&self, message: Message) -> Option<ServiceReport> {
        let received = Received {
            channel: self.own.capability.name.clone(),
            plugin: self.own.capability.plugin.clone(),
            message,
        };
        // Nobody reads any more when the host is gone.
        let _ = self.sender.send(received).await;
        None
    }

    async fn stop(&self) -> Result<()> {
        self.handle.stop().await
    }

    fn without_secrets(&self, error: PluginError) -> PluginError {
        self.own.without_secrets(error)
    }

    fn ended(&self, how: &Ending) {
        self.own.ended(codes::CHANNEL_FAILED.id, how);
    }
}
