//! The host's own small runtime: the clock of all deadlines, and the threads of what may block.

use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::Sleep;

use crate::library::host_thread;

/// Shared by a host and all that its plugins gave away, since a call may outlive its host, and
/// polling a timer of a runtime that has ended is a panic.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Taken by drop.
    runtime: Option<Runtime>,
}

impl Clock {
    pub(crate) fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("keyway-host")
            .on_thread_start(host_thread)
            .enable_time()
            .build()?;
        Ok(Clock {
            runtime: Some(runtime),
        })
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.runtime
            .as_ref()
            .expect("it is only taken by drop")
            .handle()
    }

    /// Ends after this time, whatever executor polls it.
    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        let _runtime = self.handle().enter();
        tokio::time::sleep(duration)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The last owner may be anywhere, also on a thread of an async runtime, and a plugin
            // that blocks a thread must not block the application's exit.
            runtime.shutdown_background();
        }
    }
}
