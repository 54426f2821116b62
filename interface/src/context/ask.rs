//! Asking the host for something that takes its time.
//!
//! The methods of the host table block, so each runs on a thread of the plugin's that may: one of its
//! tokio runtime, or, without that, one that is started for it. The library stays for as long as such a
//! thread runs. When the plugin is stopped the host ends what is under way, so that they do.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context as Waiting, Poll};

use crate::error::{ErrorKind, PluginError, Result};
use crate::host::{HostServices, HostServicesHandle};
use crate::runtime;
use crate::sink;

/// The answer to something that the host was asked for.
///
/// Nothing is asked before it is polled. Dropping it gives up: a program is killed, with what it has
/// started, and the connection of a web request is closed. A file or a value that is being written is
/// written as a whole, or was not written at all.
#[must_use = "nothing is asked before it is awaited"]
pub struct Asked<T> {
    answer: Pin<Box<dyn Future<Output = Result<T>> + Send>>,
}

impl<T: Send + 'static> Asked<T> {
    /// Asks on a thread that may block.
    pub(super) fn blocking(
        host: HostServicesHandle,
        ask: impl FnOnce(&HostServicesHandle) -> Result<T> + Send + 'static,
    ) -> Self {
        Asked {
            answer: Box::pin(on_thread(move || ask(&host))),
        }
    }

    /// The same for what can be cancelled, by the ticket that it is asked with.
    pub(super) fn cancellable(
        host: HostServicesHandle,
        ask: impl FnOnce(&HostServicesHandle, u64) -> Result<T> + Send + 'static,
    ) -> Self {
        let answer = async move {
            let ticket = Ticket::take(host)?;
            let (host, number) = (ticket.host.clone(), ticket.number);
            on_thread(move || ask(&host, number)).await
        };
        Asked {
            answer: Box::pin(answer),
        }
    }
}

impl<T> Future for Asked<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Waiting<'_>) -> Poll<Self::Output> {
        self.answer.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for Asked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asked(..)")
    }
}

async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sink, mut answer) = sink::channel(1);
    let work = move || {
        // Nobody waits any more, if this fails.
        let _ = sink.try_send(work());
    };
    runtime::spawn_blocking(Box::new(work))
        .map_err(|error| PluginError::from_error(&error).context("cannot start a thread"))?;
    match poll_fn(|cx| answer.poll_item(cx)).await {
        Some(answered) => answered?,
        None => Err(PluginError::of(
            ErrorKind::Cancelled,
            "the plugin was stopped before the host was asked",
        )
        .code("ask-cancelled")),
    }
}

/// What can be cancelled. Whoever drops it waits no more.
struct Ticket {
    host: HostServicesHandle,
    number: u64,
}

impl Ticket {
    fn take(host: HostServicesHandle) -> Result<Self> {
        let number = host.take_ticket()?;
        Ok(Ticket { host, number })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // Does nothing where the answer is there already.
        let _ = self.host.cancel(self.number);
    }
}
