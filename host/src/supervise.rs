//! Runs a plugin's lifecycle code where it can do no harm to the host's progress: on a thread that may
//! block, under a deadline.

use std::future::Future;
use std::time::Duration;

use keyway::{ErrorKind, PluginError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::lane;

/// How long past its deadline a step may take to notice that it was cancelled.
const GRACE: Duration = Duration::from_secs(2);

/// Runs `work` on a thread that may block; answers when it is done, or when the deadline has
/// passed.
///
/// Work that only waits is cancelled at the deadline. Work that never gives its thread back cannot
/// be stopped by anyone; it keeps its thread, and the caller goes on without it.
pub(crate) async fn supervise<T, F>(
    runtime: &Handle,
    deadline: Duration,
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<T, PluginError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, PluginError>>,
{
    let (done, finished) = oneshot::channel();
    let on_thread = runtime.clone();
    lane::step(runtime, move || {
        let answer = on_thread.block_on(async { tokio::time::timeout(deadline, work()).await });
        // Nobody listens any more if the step came back after the deadline and the grace.
        Box::new(move || drop(done.send(answer)))
    });
    let waiting = {
        // The caller may be on any executor; the clock is the host's.
        let _runtime = runtime.enter();
        tokio::time::timeout(deadline + GRACE, finished)
    };
    match waiting.await {
        Ok(Ok(Ok(answer))) => answer,
        Ok(Ok(Err(_elapsed))) => Err(PluginError::of(
            ErrorKind::DeadlineExceeded,
            format!("it did not finish within {deadline:?} and was cancelled"),
        )),
        Ok(Err(_closed)) => Err(PluginError::of(
            ErrorKind::Cancelled,
            "the host is shutting down, or ran out of threads",
        )),
        Err(_elapsed) => Err(PluginError::of(
            ErrorKind::DeadlineExceeded,
            format!(
                "it did not finish within {deadline:?}, and it blocks its thread, so it could not \
                 be cancelled; the thread is lost until it returns"
            ),
        )),
    }
}

/// Drops what may lead to a destructor of a plugin's, which may block or take its time.
pub(crate) async fn let_go<T: Send + 'static>(runtime: &Handle, deadline: Duration, value: T) {
    let work = move || async move {
        drop(value);
        Ok(())
    };
    if let Err(error) = supervise(runtime, deadline, work).await {
        tracing::warn!("dropping objects of a plugin: {error}");
    }
}
