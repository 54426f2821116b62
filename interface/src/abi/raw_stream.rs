//! A stream of results that crosses the boundary: polled by the receiver, cancelled by drop.
#![expect(unsafe_code, reason = "polls and drops through foreign functions")]

use std::pin::Pin;
use std::task::{Context, Poll};

use abi_stable::StableAbi;
use abi_stable::std_types::{ROption, RResult};
use async_ffi::{ContextExt, FfiContext, FfiPoll};
use futures_core::Stream;

use super::error::AbiResult;
use crate::runtime;
use crate::shim;

/// A boxed stream with its poll and drop functions. Frozen.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct RawStream<T> {
    data: *mut (),
    poll: unsafe extern "C" fn(*mut (), *mut FfiContext<'_>) -> FfiPoll<ROption<AbiResult<T>>>,
    drop: unsafe extern "C" fn(*mut ()) -> AbiResult<()>,
}

// SAFETY: `new` takes only streams that are Send; it is polled through `&mut` alone.
unsafe impl<T> Send for RawStream<T> {}

impl<T> RawStream<T> {
    /// Boxes a stream. Panics in its poll and drop are contained; a panicked stream answers the
    /// error once and then ends.
    pub fn new<S>(stream: S) -> Self
    where
        S: Stream<Item = crate::Result<T>> + Send + 'static,
    {
        RawStream {
            data: Box::into_raw(Box::new(Some(stream))).cast(),
            poll: poll_boxed::<S, T>,
            drop: drop_boxed::<S>,
        }
    }

    /// Polls for the next item.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<AbiResult<T>>> {
        // SAFETY: data and poll were put together by `new`, and `&mut self` makes the access
        // exclusive.
        let polled = cx.with_ffi_context(|cx| unsafe { (self.poll)(self.data, cx) });
        match polled.try_into_poll() {
            Ok(Poll::Ready(item)) => Poll::Ready(item.into()),
            Ok(Poll::Pending) => Poll::Pending,
            // `poll_boxed` contains panics itself and never answers this.
            Err(_) => Poll::Ready(None),
        }
    }
}

impl<T> Drop for RawStream<T> {
    fn drop(&mut self) {
        // SAFETY: `data` belongs to this value alone, and drop runs once.
        let _ = unsafe { (self.drop)(self.data) };
    }
}

unsafe extern "C" fn poll_boxed<S, T>(
    data: *mut (),
    cx: *mut FfiContext<'_>,
) -> FfiPoll<ROption<AbiResult<T>>>
where
    S: Stream<Item = crate::Result<T>> + Send,
{
    // SAFETY: `RawStream::new` pairs this function with a boxed `Option<S>`, and the caller has
    // exclusive access for the time of the poll.
    let slot = unsafe { &mut *data.cast::<Option<S>>() };
    // SAFETY: the caller passes a context that is valid for this call.
    let cx = unsafe { &mut *cx };
    let polled = shim::contain_poll(|| {
        let Some(stream) = slot.as_mut() else {
            return Poll::Ready(None);
        };
        // SAFETY: the stream lives in a box and is dropped in place, so it never moves.
        let stream = unsafe { Pin::new_unchecked(stream) };
        cx.with_context(|cx| stream.poll_next(cx))
    });
    match polled {
        Ok(Poll::Pending) => FfiPoll::Pending,
        Ok(Poll::Ready(None)) => FfiPoll::Ready(ROption::RNone),
        Ok(Poll::Ready(Some(item))) => FfiPoll::Ready(ROption::RSome(match item {
            Ok(item) => RResult::ROk(item),
            Err(error) => RResult::RErr(error.into()),
        })),
        Err(panic) => {
            // What is left of a stream that panicked is never polled again.
            let _ = shim::contain(|| {
                *slot = None;
                Ok(())
            });
            FfiPoll::Ready(ROption::RSome(RResult::RErr(panic.into())))
        }
    }
}

unsafe extern "C" fn drop_boxed<S>(data: *mut ()) -> AbiResult<()> {
    // SAFETY: `RawStream::new` made the pointer with `Box::into_raw`, and drop runs once.
    let boxed = unsafe { Box::from_raw(data.cast::<Option<S>>()) };
    shim::contain(move || {
        let _runtime = runtime::enter();
        drop(boxed);
        Ok(())
    })
}
