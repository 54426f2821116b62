//! How much plugins may have at a time, and how long they may take.

use std::time::Duration;

use super::HostBuilder;
#[cfg(doc)]
use crate::error::HostErrorKind;
#[cfg(doc)]
use crate::host::Host;

impl HostBuilder {
    /// How long a plugin may take for each of construct, prepare, activate, deactivate and health
    /// check. Default: 10 seconds.
    ///
    /// A step that waits is cancelled then. A step that blocks its thread cannot be: the host goes
    /// on without it, and the thread, which is one of the host's, is lost until the step returns.
    pub fn lifecycle_deadline(mut self, deadline: Duration) -> Self {
        self.options.lifecycle_deadline = deadline;
        self
    }

    /// The deadline of an async call, where neither `with_deadline` of its handle nor the plugin's
    /// `call_deadline_ms` says otherwise. Default: none.
    ///
    /// It is looked at whenever the call waits: code that blocks its thread is not interrupted.
    pub fn call_deadline(mut self, deadline: Duration) -> Self {
        self.options.call_deadline = Some(deadline);
        self
    }

    /// How long one who only listens may take: an event hook, or an observer of the pipeline. The host
    /// goes on without it then. Default: five seconds; a plugin's own `call_deadline_ms` counts where it
    /// is shorter.
    pub fn listener_deadline(mut self, deadline: Duration) -> Self {
        self.options.listener_deadline = deadline;
        self
    }

    /// How many calls may run at the same time in one plugin, where the plugin's own
    /// `max_concurrency` is not lower. Async calls beyond it wait, sync calls beyond it are
    /// refused as busy. Default: no limit, which costs nothing.
    pub fn max_concurrency(mut self, calls: usize) -> Self {
        self.options.max_concurrency = Some(calls);
        self
    }

    /// How many bytes of JSON a tool may be called with, and may answer, where the plugin's own
    /// `max_payload_bytes` is not lower. Default: no limit.
    pub fn max_payload(mut self, bytes: u64) -> Self {
        self.options.max_payload = Some(bytes);
        self
    }

    /// How many async calls may wait for their turn in one plugin with a limit. Default: 1,024.
    pub fn max_queued(mut self, calls: usize) -> Self {
        self.options.max_queued = calls;
        self
    }

    /// How many calls may wait for a plugin that is being reloaded in exclusive mode; further ones
    /// are refused as busy, with the code `reload-queue-full`. Default: 1,024.
    pub fn max_waiting(mut self, calls: usize) -> Self {
        self.options.max_waiting = calls;
        self
    }

    /// How long a call waits at most for a plugin that is being reloaded in exclusive mode. Default:
    /// one minute, which is as long as all steps of a hand-over may take by default.
    pub fn waiting_deadline(mut self, deadline: Duration) -> Self {
        self.options.waiting_deadline = deadline;
        self
    }

    /// How many libraries of stopped plugins may stay in memory because they could not be unloaded:
    /// see [`LibraryCounts`](crate::LibraryCounts), `pinned` and `retained`. As many as that, and the
    /// host opens no further one: loading answers [`HostErrorKind::Retained`]. Loads that run at the
    /// same time may exceed it by their number.
    ///
    /// Default: 64. Each keeps its code and its data, which is some megabytes: 64 of them are a few
    /// hundred, which a process can bear and its operator should know of. Where nothing can be
    /// unloaded ([`Host::libraries`] says so), this is how often plugins can be loaded.
    pub fn max_retained(mut self, libraries: usize) -> Self {
        self.options.max_retained = libraries;
        self
    }

    /// How long a stopped plugin's library waits for the threads that hold thread-locals of it. Each
    /// such thread destroys them when it calls any plugin the next time, or ends. For those that do
    /// neither in time the destructors are run by the host. Nothing else waits meanwhile.
    ///
    /// Default: one second. That is long past the pause between two calls of a thread that is in use,
    /// and short for the memory of one library to lie there; it is a judgement, not a measurement.
    /// Zero does not wait.
    pub fn idle_thread_deadline(mut self, deadline: Duration) -> Self {
        self.options.idle_thread_deadline = deadline;
        self
    }
}
