//! The plugin's own tokio runtime.
//!
//! A cdylib has its own copy of tokio, to which the host's runtime is invisible. With the feature
//! `tokio` the SDK keeps one runtime per plugin, starts it when the first future of the plugin is
//! polled, and enters it on every poll and drop of the plugin's futures, so that `tokio::spawn`,
//! timers and sockets work as anywhere else. Without the feature this is nothing.

#[cfg(feature = "tokio")]
pub(crate) use with_tokio::{enter, lasting, shut_down, spawn_blocking, start};
#[cfg(not(feature = "tokio"))]
pub(crate) use without::{enter, lasting, shut_down, spawn_blocking, start};

/// Something to do on a thread that may block.
type Work = Box<dyn FnOnce() + Send>;

/// On a thread of its own. The thread hooks know it, so the library stays until it has ended.
fn on_new_thread(work: Work) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name("keyway:ask".to_owned());
    thread.spawn(work).map(drop)
}

#[cfg(not(feature = "tokio"))]
mod without {
    use std::time::Duration;

    use super::{Work, on_new_thread};
    use crate::shim::lasting::Lasts;

    /// There is nothing to leave.
    pub(crate) struct Entered;

    #[inline(always)]
    pub(crate) fn enter() -> Entered {
        Entered
    }
    pub(crate) fn start(_plugin: &str) {}
    pub(crate) fn shut_down(_patience: Duration) {}
    pub(crate) fn spawn_blocking(work: Work) -> std::io::Result<()> {
        on_new_thread(work)
    }
    pub(crate) fn lasting() -> [&'static dyn Lasts; 0] {
        []
    }
}

#[cfg(feature = "tokio")]
mod with_tokio {
    use std::sync::{Mutex, PoisonError};
    use std::time::Duration;

    use tokio::runtime::{Builder, EnterGuard, Handle, Runtime};

    use super::{Work, on_new_thread};
    use crate::shim::lasting::{Lasting, Lasts};

    /// Set by the plugin's entry; more than one plugin share it where they are linked statically.
    static NAME: Lasting<String> = Lasting::new();
    /// Outlives the runtime: what was given away before the plugin stopped enters it still when it is
    /// dropped. None where the runtime could not be built.
    static HANDLE: Lasting<Option<Handle>> = Lasting::new();
    static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);

    /// Remembers whose runtime it will be; it starts with the first future.
    pub(crate) fn start(plugin: &str) {
        NAME.get_or_init(|| plugin.to_owned());
    }

    /// Makes the plugin's runtime the current one.
    #[inline]
    pub(crate) fn enter() -> Option<EnterGuard<'static>> {
        // Before the entry function ran there is no plugin, hence nothing to enter for.
        NAME.get()?;
        HANDLE.get_or_init(build).as_ref().map(Handle::enter)
    }

    #[cold]
    fn build() -> Option<Handle> {
        let name = NAME.get().map_or("plugin", String::as_str);
        // Two workers: enough that one blocked task does not stop the timers of the others.
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(format!("keyway:{name}"))
            .enable_all()
            .build()
            .ok()?;
        let handle = runtime.handle().clone();
        *RUNTIME.lock().unwrap_or_else(PoisonError::into_inner) = Some(runtime);
        Some(handle)
    }

    /// Does something on a thread of the plugin's runtime that may block. Once the runtime was shut down
    /// it is dropped instead.
    pub(crate) fn spawn_blocking(work: Work) -> std::io::Result<()> {
        let handle = NAME.get().and_then(|_| HANDLE.get_or_init(build).as_ref());
        match handle {
            Some(handle) => {
                drop(handle.spawn_blocking(work));
                Ok(())
            }
            None => on_new_thread(work),
        }
    }

    /// Cancels the plugin's tasks and joins its workers, for at most this long.
    pub(crate) fn shut_down(patience: Duration) {
        let runtime = RUNTIME
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(runtime) = runtime {
            // A worker that cannot end would make the drop of the runtime wait for ever.
            runtime.shutdown_timeout(patience);
        }
    }

    /// What is kept until the library is closed.
    pub(crate) fn lasting() -> [&'static dyn Lasts; 2] {
        [&NAME, &HANDLE]
    }
}
