//! Streams as results of capability methods.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use abi_stable::std_types::RResult;

use crate::abi::RawStream;
use crate::abi::pass::{Lease, Origin, Pass};
use crate::capability::Entry;
use crate::error::Result;

/// A stream of results, produced on one side of the boundary and polled on the other.
///
/// Dropping it cancels the producer. A panic of the producer arrives as an error item and ends
/// the stream. It holds its plugin in memory, also over a reload, until it is dropped.
///
/// It is a result only: no argument of a capability is a stream. [`Stream::produce`] and
/// [`Stream::channel`] make one without a type of one's own.
///
/// ```
/// use keyway::Stream;
///
/// struct Countdown(u32);
/// impl Iterator for Countdown {
///     type Item = keyway::Result<u32>;
///     fn next(&mut self) -> Option<Self::Item> {
///         self.0 = self.0.checked_sub(1)?;
///         Some(Ok(self.0))
///     }
/// }
/// let stream: Stream<u32> = Stream::from_iter(Countdown(3));
/// ```
pub struct Stream<T: Pass> {
    source: Source<T>,
}

enum Source<T: Pass> {
    /// Made on this side; not yet across.
    Local(Pin<Box<dyn futures_core::Stream<Item = Result<T>> + Send>>),
    Foreign(Foreign<T>),
}

struct Foreign<T: Pass> {
    raw: RawStream<T::Abi>,
    /// Last, so that the stream is gone before its library may go.
    lease: Option<Lease>,
}

impl<T: Pass + 'static> Stream<T> {
    /// A stream from anything that implements the `Stream` trait of the futures crates.
    pub fn new(stream: impl futures_core::Stream<Item = Result<T>> + Send + 'static) -> Self {
        Stream {
            source: Source::Local(Box::pin(stream)),
        }
    }

    /// A stream of items that are ready at once.
    #[expect(
        clippy::should_implement_trait,
        reason = "FromIterator cannot ask for Send"
    )]
    pub fn from_iter<I>(items: I) -> Self
    where
        I: IntoIterator<Item = Result<T>>,
        I::IntoIter: Send + 'static,
    {
        Self::new(Iterate(items.into_iter()))
    }

    /// The next item, or `None` at the end.
    ///
    /// # Errors
    ///
    /// Whatever the producer reports, or its panic; nothing follows a panic.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|cx| self.poll_item(cx)).await
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        match &mut self.source {
            Source::Local(stream) => stream.as_mut().poll_next(cx),
            Source::Foreign(Foreign { raw, lease }) => raw.poll_next(cx).map(|item| {
                Some(match item? {
                    RResult::ROk(item) => match lease {
                        Some(lease) => receive(item, &Origin::leased(&|| lease.clone())),
                        None => receive(item, &Origin::OUTLIVES_US),
                    },
                    RResult::RErr(error) => Err(match lease {
                        Some(lease) => Entry::failed_later(lease, error.into()),
                        None => error.into(),
                    }),
                })
            }),
        }
    }
}

#[expect(unsafe_code, reason = "items are read back from their boundary form")]
fn receive<T: Pass>(item: T::Abi, origin: &Origin<'_>) -> Result<T> {
    // SAFETY: the item came out of the poll function of a stream of `T`, which passes each item
    // with `T::pass`, and the stream's lease holds the sender.
    unsafe { T::receive(item, origin) }
}

impl<T: Pass + 'static> Stream<T>
where
    T::Abi: Send + 'static,
{
    pub(crate) fn into_raw(self) -> RawStream<T::Abi> {
        match self.source {
            Source::Foreign(Foreign { raw, lease: None }) => raw,
            // A stream of a plugin that is handed on keeps its lease, so it is wrapped again.
            source => RawStream::new(PassItems(Stream { source })),
        }
    }

    /// # Safety
    ///
    /// `raw` came out of [`Stream::into_raw`] of a stream of `T`, and `lease` (if any is needed)
    /// keeps its sender.
    #[expect(unsafe_code, reason = "the caller vouches for the raw stream")]
    pub(crate) unsafe fn from_raw(raw: RawStream<T::Abi>, lease: Option<Lease>) -> Self {
        Stream {
            source: Source::Foreign(Foreign { raw, lease }),
        }
    }
}

struct PassItems<T: Pass>(Stream<T>);

// Nothing in here is ever pinned in place.
impl<T: Pass> Unpin for PassItems<T> {}

impl<T: Pass + 'static> futures_core::Stream for PassItems<T> {
    type Item = Result<T::Abi>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0
            .poll_item(cx)
            .map(|item| Some(item?.and_then(T::pass)))
    }
}

impl<T: Pass> Unpin for Stream<T> {}

impl<T: Pass + 'static> futures_core::Stream for Stream<T> {
    type Item = Result<T>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx)
    }
}

impl<T: Pass> fmt::Debug for Stream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream(..)")
    }
}

struct Iterate<I>(I);

impl<I> Unpin for Iterate<I> {}

impl<T, I: Iterator<Item = Result<T>>> futures_core::Stream for Iterate<I> {
    type Item = Result<T>;
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        Poll::Ready(self.0.next())
    }
}
