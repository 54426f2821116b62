//! Asynchronous calls: ready at once, and pending once.

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::Pin;
use std::task::Poll;

use keyway::Result;

use crate::calls::{Calls, CallsHandle};
use crate::finish::finish;
use crate::measure::{Effort, alone, pair};
use crate::report::Row;
use crate::sync::chain;

type Boxed<'a> = Pin<Box<dyn Future<Output = Result<u64>> + Send + 'a>>;

/// What an application without plugins would await.
trait Native: Send + Sync {
    fn add_ready(&self, a: u64, b: u64) -> Boxed<'_>;
    fn add_pending(&self, a: u64, b: u64) -> Boxed<'_>;
}

struct Offset(u64);

impl Native for Offset {
    fn add_ready(&self, a: u64, b: u64) -> Boxed<'_> {
        Box::pin(async move { Ok(a.wrapping_add(b).wrapping_add(self.0)) })
    }

    fn add_pending(&self, a: u64, b: u64) -> Boxed<'_> {
        Box::pin(async move {
            let mut polled = false;
            poll_fn(|cx| {
                if polled {
                    return Poll::Ready(());
                }
                polled = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            Ok(a.wrapping_add(b).wrapping_add(self.0))
        })
    }
}

pub(crate) fn rows(effort: Effort, handle: &CallsHandle) -> Vec<Row> {
    let native: Box<dyn Native> = black_box(Box::new(Offset(1)));
    let mut ready = |calls: u64| chain(calls, |a, b| finish(native.add_ready(a, b)));
    let mut pending = |calls: u64| chain(calls, |a, b| finish(native.add_pending(a, b)));
    let mut rows = vec![Row::time(
        "ready at once: boxed future in one binary (baseline)",
        alone(effort, &mut ready),
    )];
    let measured = pair(effort, &mut ready, &mut |calls| {
        chain(calls, |a, b| finish(handle.add_ready(a, b)));
    });
    rows.push(
        Row::against("ready at once: Keyway handle", measured)
            .budget("<= 2x", measured.ratio.median <= 2.0),
    );
    rows.push(Row::time(
        "pending once: boxed future in one binary (baseline)",
        alone(effort, &mut pending),
    ));
    let measured = pair(effort, &mut pending, &mut |calls| {
        chain(calls, |a, b| finish(handle.add_pending(a, b)));
    });
    rows.push(Row::against("pending once: Keyway handle", measured));
    rows
}
