//! The inside of every plugin entry: the guard that keeps a panic from leaving the plugin, and
//! the functions that generated code calls.
//!
//! Construct, activate, call, poll and drop all run inside [`contain`] or one of its relatives.
//! A catch on the host's side could not work: an unwind that reaches `extern "C"` aborts.
#![expect(unsafe_code, reason = "this is the inner side of the boundary")]

pub mod author;
pub mod entry;
#[cfg(feature = "testing")]
pub(crate) mod here;
pub mod hooks;
pub mod lasting;
pub mod panic;
pub mod signature;

pub mod capability;

use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use async_ffi::BorrowingFfiFuture;

use crate::abi::pass::Pass;
use crate::abi::{AbiResult, RResult, VTableHeader};
use crate::error::{PluginError, Result};
use crate::runtime;

/// The object of a method call, as a table's function receives it.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct This<'call> {
    data: NonNull<()>,
    call: PhantomData<&'call ()>,
}

// SAFETY: an object is Send and Sync (`Provided::new` demands it), so a reference to it is Send.
unsafe impl Send for This<'_> {}

impl<'call> This<'call> {
    /// # Safety
    ///
    /// `data` points to an object that lives for `'call`.
    #[inline(always)]
    pub(crate) unsafe fn new(data: *mut ()) -> Self {
        This {
            // SAFETY: objects are made from boxes, whose pointers are not null.
            data: unsafe { NonNull::new_unchecked(data) },
            call: PhantomData,
        }
    }

    /// The object behind the pointer.
    ///
    /// # Safety
    ///
    /// The object was made from a `T`.
    #[inline(always)]
    pub unsafe fn get<T>(self) -> &'call T {
        // SAFETY: the object lives for 'call (`This::new`) and is a `T`, says the caller.
        unsafe { self.data.cast::<T>().as_ref() }
    }
}

/// The head of the method table `Table` for objects of type `T`.
pub const fn header<Table, T>() -> VTableHeader {
    VTableHeader {
        size: size_of::<Table>(),
        drop: drop_object::<T>,
    }
}

unsafe extern "C" fn drop_object<T>(data: *mut ()) -> AbiResult<()> {
    // SAFETY: `Provided::new` boxed a `T` and paired it with this function; drop runs once.
    let object = unsafe { Box::from_raw(data.cast::<T>()) };
    contain(move || {
        let _runtime = runtime::enter();
        drop(object);
        Ok(())
    })
}

/// Runs code of the plugin; a panic becomes an error.
#[inline(always)]
pub fn contain<T>(run: impl FnOnce() -> Result<T>) -> AbiResult<T> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => RResult::ROk(value),
        Ok(Err(error)) => RResult::RErr(error.into()),
        Err(payload) => RResult::RErr(panic::into_error(payload).into()),
    }
}

/// A synchronous method: runs it and turns its result into the boundary form, all contained.
#[inline(always)]
pub fn call<T: Pass>(run: impl FnOnce() -> Result<T>) -> AbiResult<T::Abi> {
    contain(|| run()?.pass())
}

/// Runs one poll of the plugin's code; a panic becomes the error.
#[inline(always)]
pub(crate) fn contain_poll<T>(poll: impl FnOnce() -> Poll<T>) -> Result<Poll<T>> {
    catch_unwind(AssertUnwindSafe(|| {
        let _runtime = runtime::enter();
        poll()
    }))
    .map_err(panic::into_error)
}

/// An asynchronous method: boxes its future for the way across. Each poll and the drop of the
/// future are contained.
#[inline]
pub fn future<'call, T: Pass>(
    future: impl Future<Output = Result<T>> + Send + 'call,
) -> BorrowingFfiFuture<'call, AbiResult<T::Abi>> {
    BorrowingFfiFuture::new(Contained {
        future: Some(future),
    })
}

struct Contained<F> {
    /// Empty once the future has ended or panicked.
    future: Option<F>,
}

impl<T: Pass, F: Future<Output = Result<T>>> Future for Contained<F> {
    type Output = AbiResult<T::Abi>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the future is never moved out of its place, only dropped in it.
        let slot = unsafe { &mut self.get_unchecked_mut().future };
        let polled = contain_poll(|| {
            let Some(future) = slot.as_mut() else {
                return Poll::Ready(Err(PluginError::new("a call was polled after its end")));
            };
            // SAFETY: as above.
            match unsafe { Pin::new_unchecked(future) }.poll(cx) {
                Poll::Ready(outcome) => Poll::Ready(outcome.and_then(Pass::pass)),
                Poll::Pending => Poll::Pending,
            }
        });
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(value))) => Poll::Ready(RResult::ROk(value)),
            Ok(Poll::Ready(Err(error))) => Poll::Ready(RResult::RErr(error.into())),
            Err(panic) => {
                drop_contained(slot);
                Poll::Ready(RResult::RErr(panic.into()))
            }
        }
    }
}

impl<F> Drop for Contained<F> {
    #[inline]
    fn drop(&mut self) {
        if self.future.is_some() {
            drop_contained(&mut self.future);
        }
    }
}

/// Drops a future of the plugin. A panic of its destructor has no caller to be answered to; the
/// panic hook has reported it to the host's log.
fn drop_contained<F>(slot: &mut Option<F>) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _runtime = runtime::enter();
        *slot = None;
    }))
    .map_err(panic::into_error);
}
