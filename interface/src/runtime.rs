//! The plugin's own tokio runtime.
//!
//! A cdylib has its own copy of tokio, to which the host's runtime is invisible. With the feature
//! `tokio` the SDK keeps one runtime per plugin, starts it when the first future of the plugin is
//! polled, and enters it on every poll and drop of the plugin's futures, so that `tokio::spawn`,
//! timers and sockets work as anywhere else. Without the feature this is nothing.

#[cfg(feature = "tokio")]
pub(crate) use with_tokio::{HANDLE, enter, shut_down, start};
#[cfg(not(feature = "tokio"))]
pub(crate) use without::{enter, shut_down, start};

#[cfg(not(feature = "tokio"))]
mod without {
    use std::time::Duration;

    /// There is nothing to leave.
    pub(crate) struct Entered;

    #[inline(always)]
    pub(crate) fn enter() -> Entered {
        Entered
    }
    pub(crate) fn start(_plugin: &'static str) {}
    pub(crate) fn shut_down(_patience: Duration) {}
}

#[cfg(feature = "tokio")]
mod with_tokio {
    use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
    use std::time::Duration;

    use tokio::runtime::{Builder, EnterGuard, Handle, Runtime};

    use crate::shim::lasting::Lasting;

    /// Set by the plugin's entry; more than one plugin share it where they are linked statically.
    static NAME: OnceLock<&'static str> = OnceLock::new();
    /// There as soon as there is a runtime, also after its end: what is dropped then looks for it.
    /// It holds three open files and some kilobytes, hence is dropped with the library.
    pub(crate) static HANDLE: Lasting<Handle> = Lasting::new();
    static RUNTIME: Mutex<Life> = Mutex::new(Life::NotYet);

    enum Life {
        NotYet,
        Running(Runtime),
        /// Or the system refused to start it: it is not tried again.
        Over,
    }

    /// Remembers whose runtime it will be; it starts with the first future.
    pub(crate) fn start(plugin: &'static str) {
        let _ = NAME.set(plugin);
    }

    /// Makes the plugin's runtime the current one.
    #[inline]
    pub(crate) fn enter() -> Option<EnterGuard<'static>> {
        let handle = HANDLE.get().or_else(build)?;
        Some(handle.enter())
    }

    fn runtime() -> MutexGuard<'static, Life> {
        RUNTIME.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    fn build() -> Option<&'static Handle> {
        // Before the entry function ran there is no plugin, hence nothing to build it for.
        let name = NAME.get()?;
        let mut life = runtime();
        match &*life {
            Life::NotYet => {}
            Life::Running(_) | Life::Over => return HANDLE.get(),
        }
        // Two workers: enough that one blocked task does not stop the timers of the others.
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(format!("keyway:{name}"))
            .enable_all()
            .build();
        let Ok(runtime) = runtime else {
            *life = Life::Over;
            return None;
        };
        let handle = HANDLE.set(runtime.handle().clone());
        *life = Life::Running(runtime);
        Some(handle)
    }

    /// Cancels the plugin's tasks and joins its workers, for at most this long.
    pub(crate) fn shut_down(patience: Duration) {
        let life = std::mem::replace(&mut *runtime(), Life::Over);
        if let Life::Running(runtime) = life {
            // A worker that cannot end would make the drop of the runtime wait for ever.
            runtime.shutdown_timeout(patience);
        }
    }
}
