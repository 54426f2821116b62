//! What sinks, readers and the blocks of `produce` do to each other.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::{ErrorKind, PluginError, Result, Sink, Stream};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    fn woken(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

fn poll<T>(stream: &mut Stream<T>, waker: &Waker) -> Poll<Option<Result<T>>>
where
    T: crate::abi::pass::Pass + 'static,
{
    pin!(stream.next()).poll(&mut Context::from_waker(waker))
}

/// The next item, which has to be there.
#[track_caller]
fn item<T: crate::abi::pass::Pass + 'static>(stream: &mut Stream<T>) -> Option<Result<T>> {
    match poll(stream, Waker::noop()) {
        Poll::Ready(item) => item,
        Poll::Pending => panic!("the item is not there yet"),
    }
}

#[test]
fn what_is_sent_is_read_in_order_and_ends_with_the_last_sink() {
    let (sink, mut stream) = Stream::<u8>::channel(2);
    let other = sink.clone();
    sink.try_send(1).unwrap();
    drop(sink);
    other.try_send(2).unwrap();
    assert_eq!(item(&mut stream), Some(Ok(1)));
    assert_eq!(item(&mut stream), Some(Ok(2)));
    assert!(poll(&mut stream, Waker::noop()).is_pending());
    drop(other);
    assert_eq!(item(&mut stream), None);
}

#[test]
fn a_full_stream_refuses_at_once_or_makes_the_sender_wait_until_one_is_read() {
    let (sink, mut stream) = Stream::<u8>::channel(1);
    sink.try_send(1).unwrap();
    assert_eq!(sink.try_send(2).unwrap_err().kind(), ErrorKind::Busy);

    let writer = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&writer));
    let mut cx = Context::from_waker(&waker);
    let mut send = pin!(sink.send(3));
    assert!(send.as_mut().poll(&mut cx).is_pending());
    assert_eq!(writer.woken(), 0);
    assert_eq!(item(&mut stream), Some(Ok(1)));
    assert_eq!(writer.woken(), 1);
    assert_eq!(send.poll(&mut cx), Poll::Ready(Ok(())));
    assert_eq!(item(&mut stream), Some(Ok(3)));
}

#[test]
fn a_reader_that_waits_is_woken_by_an_item_an_error_and_the_end() {
    let ends: [fn(Sink<u8>); 3] = [
        |sink| sink.try_send(1).unwrap(),
        |sink| sink.fail(PluginError::new("broken")),
        drop,
    ];
    for end in ends {
        let (sink, mut stream) = Stream::<u8>::channel(1);
        let reader = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&reader));
        assert!(poll(&mut stream, &waker).is_pending());
        end(sink);
        assert_eq!(reader.woken(), 1);
        assert!(poll(&mut stream, &waker).is_ready());
    }
}

#[test]
fn an_error_comes_after_what_was_sent_before_it_also_if_there_is_no_room() {
    let (sink, mut stream) = Stream::<u8>::channel(1);
    sink.try_send(1).unwrap();
    sink.fail(PluginError::new("broken"));
    assert_eq!(item(&mut stream), Some(Ok(1)));
    assert_eq!(item(&mut stream), Some(Err(PluginError::new("broken"))));
    assert_eq!(item(&mut stream), None);
}

#[test]
fn a_dropped_stream_cancels_and_wakes_whoever_sends() {
    let (sink, stream) = Stream::<u8>::channel(1);
    sink.try_send(1).unwrap();
    let writer = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&writer));
    let mut cx = Context::from_waker(&waker);
    let mut send = pin!(sink.send(2));
    let mut closed = pin!(sink.closed());
    assert!(send.as_mut().poll(&mut cx).is_pending());
    assert!(closed.as_mut().poll(&mut cx).is_pending());
    assert!(!sink.is_closed());
    drop(stream);
    assert_eq!(writer.woken(), 1, "one waker is kept once");
    let Poll::Ready(Err(error)) = send.poll(&mut cx) else {
        panic!("nobody reads any more");
    };
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(closed.poll(&mut cx).is_ready());
    assert!(sink.is_closed());
    assert_eq!(sink.try_send(3).unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn a_block_runs_as_its_items_are_read_and_no_further_ahead_than_one() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let mut stream = Stream::produce(|sink| async move {
        for number in 0_u8..4 {
            count.fetch_add(1, Ordering::Relaxed);
            sink.send(number).await?;
        }
        Ok(())
    });
    assert_eq!(
        made.load(Ordering::Relaxed),
        0,
        "nothing runs before a read"
    );
    for number in 0..4 {
        assert_eq!(item(&mut stream), Some(Ok(number)));
        let ahead = made.load(Ordering::Relaxed) - usize::from(number);
        assert!(ahead <= 2, "{ahead} were made for one that was read");
    }
    assert_eq!(item(&mut stream), None);
    assert_eq!(item(&mut stream), None);
}

#[test]
fn the_error_of_a_block_is_the_last_item() {
    let mut stream = Stream::produce(|sink| async move {
        sink.send(1_u8).await?;
        Err(PluginError::declined("no more"))
    });
    assert_eq!(item(&mut stream), Some(Ok(1)));
    assert_eq!(
        item(&mut stream),
        Some(Err(PluginError::declined("no more")))
    );
    assert_eq!(item(&mut stream), None);
}

#[test]
fn dropping_the_stream_drops_the_block_where_it_waits() {
    struct Guard(Arc<AtomicUsize>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let guard = Guard(Arc::clone(&dropped));
    let mut stream = Stream::produce(|sink| async move {
        let _guard = guard;
        sink.send(1_u8).await?;
        std::future::pending().await
    });
    assert_eq!(item(&mut stream), Some(Ok(1)));
    assert!(poll(&mut stream, Waker::noop()).is_pending());
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    drop(stream);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}

#[test]
fn a_sink_that_a_block_gives_away_keeps_the_stream_open() {
    let (give, taken) = std::sync::mpsc::channel();
    let mut stream = Stream::produce(|sink| async move {
        give.send(sink).map_err(|_| PluginError::new("not taken"))
    });
    assert!(poll(&mut stream, Waker::noop()).is_pending());
    let sink = taken.recv().unwrap();
    sink.try_send(1_u8).unwrap();
    assert_eq!(item(&mut stream), Some(Ok(1)));
    drop(sink);
    assert_eq!(item(&mut stream), None);
}
