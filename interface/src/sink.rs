//! The writing end of a [`Stream`].
//!
//! Two ways to make a stream without implementing one: [`Stream::produce`] runs an async block that
//! sends the items, and [`Stream::channel`] answers a [`Sink`] for whoever has them. Both hold a
//! bounded number of items, so a slow reader slows the writers down.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::abi::pass::Pass;
use crate::abi::stream::Stream;
use crate::error::{ErrorKind, PluginError, Result};

/// Sends the items of a [`Stream`]. Cheap to clone; the stream ends with its last sink.
///
/// When the reader drops the stream, everything that is sent fails with [`ErrorKind::Cancelled`],
/// so `sink.send(item).await?` is enough to end the work that nobody waits for any more.
pub struct Sink<T> {
    queue: Arc<Mutex<Queue<T>>>,
}

/// What sinks and reader share. Wakers are woken and items dropped only after it is unlocked: both
/// may run code of the other side.
struct Queue<T> {
    items: VecDeque<Result<T>>,
    capacity: usize,
    sinks: usize,
    has_reader: bool,
    reader: Option<Waker>,
    /// Who waits for room, or for the end.
    writers: Vec<Waker>,
}

impl<T: Pass + Send + 'static> Stream<T> {
    /// A stream of what its sinks send; at most `capacity` items wait to be read.
    ///
    /// ```
    /// # use keyway::Stream;
    /// let (sink, stream) = Stream::<u32>::channel(16);
    /// std::thread::spawn(move || {
    ///     // As long as somebody reads, and fast enough.
    ///     (0..).take_while(|number| sink.try_send(*number).is_ok()).count()
    /// });
    /// # drop(stream);
    /// ```
    ///
    /// # Panics
    ///
    /// When `capacity` is 0.
    pub fn channel(capacity: usize) -> (Sink<T>, Self) {
        let (sink, items) = channel(capacity);
        (sink, Stream::new(items))
    }

    /// A stream of what an async block sends. The block runs while the stream is read, one item
    /// ahead at most, and ends the stream when it ends; an error that it answers is the last item.
    /// Dropping the stream drops the block where it waits.
    ///
    /// ```
    /// # use keyway::Stream;
    /// let squares = Stream::produce(|sink| async move {
    ///     for number in 0_u64.. {
    ///         sink.send(number * number).await?;
    ///     }
    ///     Ok(())
    /// });
    /// # let _: Stream<u64> = squares;
    /// ```
    pub fn produce<F, Work>(work: F) -> Self
    where
        F: FnOnce(Sink<T>) -> Work,
        Work: Future<Output = Result<()>> + Send + 'static,
    {
        let (sink, items) = channel(1);
        Stream::new(Produced {
            work: Some(Box::pin(work(sink))),
            failed: None,
            items,
        })
    }
}

pub(crate) fn channel<T>(capacity: usize) -> (Sink<T>, Items<T>) {
    assert!(capacity > 0, "a stream that holds no item never has one");
    let queue = Arc::new(Mutex::new(Queue {
        items: VecDeque::new(),
        capacity,
        sinks: 1,
        has_reader: true,
        reader: None,
        writers: Vec::new(),
    }));
    let items = Items {
        queue: Arc::clone(&queue),
    };
    (Sink { queue }, items)
}

fn lock<T>(queue: &Mutex<Queue<T>>) -> MutexGuard<'_, Queue<T>> {
    // Nothing in here panics half-way through a change.
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Sink<T> {
    /// Sends an item; waits while the stream is full.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] when the stream was dropped. The item is lost then.
    pub async fn send(&self, item: T) -> Result<()> {
        let mut item = Some(Ok(item));
        poll_fn(|cx| {
            let mut queue = lock(&self.queue);
            if !queue.has_reader {
                return Poll::Ready(Err(cancelled()));
            }
            if queue.items.len() >= queue.capacity {
                queue.wait(cx);
                return Poll::Pending;
            }
            queue.items.extend(item.take());
            let reader = queue.reader.take();
            drop(queue);
            reader.into_iter().for_each(Waker::wake);
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Sends an item if there is room; for code that is not async.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`] when the stream is full, [`ErrorKind::Cancelled`] when it was dropped.
    /// The item is lost in both cases.
    pub fn try_send(&self, item: T) -> Result<()> {
        let mut queue = lock(&self.queue);
        if !queue.has_reader {
            return Err(cancelled());
        }
        if queue.items.len() >= queue.capacity {
            let message = format!("{} items wait to be read already", queue.capacity);
            return Err(PluginError::of(ErrorKind::Busy, message));
        }
        queue.items.push_back(Ok(item));
        let reader = queue.reader.take();
        drop(queue);
        reader.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Sends an error, also if the stream is full, and gives the sink up.
    pub fn fail(self, error: PluginError) {
        let mut queue = lock(&self.queue);
        if queue.has_reader {
            queue.items.push_back(Err(error));
        }
        let reader = queue.reader.take();
        drop(queue);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Whether the stream was dropped.
    pub fn is_closed(&self) -> bool {
        !lock(&self.queue).has_reader
    }

    /// Returns when the stream was dropped.
    pub async fn closed(&self) {
        poll_fn(|cx| {
            let mut queue = lock(&self.queue);
            if queue.has_reader {
                queue.wait(cx);
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }
}

#[cold]
fn cancelled() -> PluginError {
    PluginError::of(
        ErrorKind::Cancelled,
        "nobody reads the stream any more: it was dropped",
    )
}

impl<T> Queue<T> {
    fn wait(&mut self, cx: &Context<'_>) {
        if !self.writers.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.writers.push(cx.waker().clone());
        }
    }
}

impl<T> Clone for Sink<T> {
    fn clone(&self) -> Self {
        lock(&self.queue).sinks += 1;
        Sink {
            queue: Arc::clone(&self.queue),
        }
    }
}

impl<T> Drop for Sink<T> {
    fn drop(&mut self) {
        let mut queue = lock(&self.queue);
        queue.sinks -= 1;
        let reader = match queue.sinks {
            0 => queue.reader.take(),
            _ => None,
        };
        drop(queue);
        reader.into_iter().for_each(Waker::wake);
    }
}

impl<T> fmt::Debug for Sink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink(..)")
    }
}

/// The reading end.
pub(crate) struct Items<T> {
    queue: Arc<Mutex<Queue<T>>>,
}

impl<T> Items<T> {
    pub(crate) fn poll_item(&mut self, cx: &Context<'_>) -> Poll<Option<Result<T>>> {
        let mut queue = lock(&self.queue);
        let Some(item) = queue.items.pop_front() else {
            if queue.sinks == 0 {
                return Poll::Ready(None);
            }
            let replaced = queue.reader.replace(cx.waker().clone());
            drop(queue);
            drop(replaced);
            return Poll::Pending;
        };
        let writers = std::mem::take(&mut queue.writers);
        drop(queue);
        writers.into_iter().for_each(Waker::wake);
        Poll::Ready(Some(item))
    }
}

impl<T> futures_core::Stream for Items<T> {
    type Item = Result<T>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        self.poll_item(cx)
    }
}

impl<T> Drop for Items<T> {
    fn drop(&mut self) {
        let mut queue = lock(&self.queue);
        queue.has_reader = false;
        let writers = std::mem::take(&mut queue.writers);
        let left = (std::mem::take(&mut queue.items), queue.reader.take());
        drop(queue);
        writers.into_iter().for_each(Waker::wake);
        drop(left);
    }
}

/// An async block and what it has sent. The order of the fields is the order in which they are
/// dropped: the block may still send while it is.
struct Produced<T> {
    work: Option<Pin<Box<dyn Future<Output = Result<()>> + Send>>>,
    /// Comes after the items that were sent before.
    failed: Option<PluginError>,
    items: Items<T>,
}

// Only what is boxed is ever pinned.
impl<T> Unpin for Produced<T> {}

impl<T> futures_core::Stream for Produced<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let this = &mut *self;
        if let Poll::Ready(Some(item)) = this.items.poll_item(cx) {
            return Poll::Ready(Some(item));
        }
        let ended = this.work.as_mut().map(|work| work.as_mut().poll(cx));
        if let Some(Poll::Ready(ended)) = ended {
            this.work = None;
            this.failed = ended.err();
        }
        match this.items.poll_item(cx) {
            // Its sinks may be gone before the block itself ends.
            Poll::Ready(None) if this.work.is_some() => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(this.failed.take().map(Err)),
            item => item,
        }
    }
}

#[cfg(test)]
mod tests;
