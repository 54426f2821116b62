//! What an application decides about its host.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use keyway::capability::Capability;
use keyway::memory::MemoryBackendHandle;
use keyway::pipeline::PipelineStageHandle;
use keyway::tool::ToolHandle;
use semver::Version;

use super::load::read_manifest;
use super::retire::Retirement;
use super::{Host, Inner, LIFECYCLE_DEADLINE};
use crate::clock::Clock;
use crate::compat::HostSide;
use crate::error::{HostError, HostErrorKind};
use crate::event::Bus;
use crate::inspect::Inspection;
use crate::journal::Journal;
use crate::library::Tally;
use crate::log::FilterWatch;
use crate::registry::Registry;
use crate::reload::Probation;
use crate::stage::Stage;

/// Sets a [`Host`] up.
#[derive(Clone, Debug)]
#[must_use]
pub struct HostBuilder {
    name: String,
    version: Version,
    options: Options,
    watch: Watch,
    stage_dir: Option<PathBuf>,
    state_dir: Option<PathBuf>,
}

/// Whether and how files are watched.
#[derive(Clone, Copy, Debug, Default)]
struct Watch {
    on: bool,
    interval: Option<Duration>,
}

/// Drain, export, import, deactivate, activate and health check each have the lifecycle deadline.
const WAITING_DEADLINE: Duration = Duration::from_secs(6 * LIFECYCLE_DEADLINE.as_secs());

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) lifecycle_deadline: Duration,
    pub(crate) call_deadline: Option<Duration>,
    pub(crate) max_concurrency: Option<usize>,
    pub(crate) max_queued: usize,
    pub(crate) max_waiting: usize,
    pub(crate) waiting_deadline: Duration,
    pub(crate) probation: Probation,
    pub(crate) max_retained: usize,
    pub(crate) idle_thread_deadline: Duration,
}

impl HostBuilder {
    pub(crate) fn new(name: String, version: Version) -> Self {
        let options = Options {
            lifecycle_deadline: LIFECYCLE_DEADLINE,
            call_deadline: None,
            max_concurrency: None,
            max_queued: 1_024,
            max_waiting: 1_024,
            waiting_deadline: WAITING_DEADLINE,
            probation: Probation::default(),
            max_retained: 64,
            idle_thread_deadline: Duration::from_secs(1),
        };
        HostBuilder {
            name,
            version,
            options,
            watch: Watch::default(),
            stage_dir: None,
            state_dir: None,
        }
    }

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

    /// How many calls may run at the same time in one plugin, where the plugin's own
    /// `max_concurrency` is not lower. Async calls beyond it wait, sync calls beyond it are
    /// refused as busy. Default: no limit, which costs nothing.
    pub fn max_concurrency(mut self, calls: usize) -> Self {
        self.options.max_concurrency = Some(calls);
        self
    }

    /// How many async calls may wait for their turn in one plugin with a limit. Default: 1,024.
    pub fn max_queued(mut self, calls: usize) -> Self {
        self.options.max_queued = calls;
        self
    }

    /// Watches the files of all plugins that are loaded, and reloads a plugin when its file has
    /// changed. Default: off; [`Host::reload`] works all the same.
    pub fn hot_reload(mut self, hot_reload: bool) -> Self {
        self.watch.on = hot_reload;
        self
    }

    /// Looks at the watched files this often, in place of being told by the system. Default: the
    /// system tells, and looking is for file systems that cannot.
    pub fn watch_interval(mut self, interval: Duration) -> Self {
        self.watch.interval = Some(interval);
        self
    }

    /// How long a version that was taken over in a reload is watched, and what sends it back. Default:
    /// five seconds, in which three panics are one too many.
    pub fn probation(mut self, probation: Probation) -> Self {
        self.options.probation = probation;
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

    /// Where the private copies of plugin files go. Default: the system's temporary directory.
    ///
    /// Each host makes a directory of its own in there, and removes it when it ends. Those of hosts
    /// whose process died are removed by the next host with the same place.
    pub fn stage_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.stage_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Where the host keeps what has to survive its process; made if it is not there, for this user
    /// only. Default: none, and no crash guard.
    ///
    /// With a state directory the host guards against plugins that end the process while they are
    /// loaded or reloaded: by a crash, an abort, a call of `exit`. Before any code of a plugin runs,
    /// the host notes which build it is, and in which [`Phase`](crate::Phase); when the plugin serves
    /// or was refused, the note goes. The next host with the same directory puts the builds that are still
    /// noted into quarantine: loading one is an error of kind [`HostErrorKind::Quarantined`], before
    /// anything of it runs, until [`Host::release`]; a reload to one is refused, and the version that
    /// serves goes on. Another build is another plugin.
    ///
    /// In a reload the build is noted whose code runs: the new one, or the old one while it gives its
    /// state away, is deactivated in exclusive mode, or is started again. While calls into the old one
    /// come to their end, none is.
    ///
    /// How the process ended is not known to those that come later. So an end that the plugin is
    /// not to blame for counts as well, if it comes in the middle of a load: somebody kills the
    /// process, for instance since a plugin hangs, or another thread calls `exit`. An application
    /// avoids the latter by dropping the future of [`Host::load_with`] first. When several plugins
    /// are being loaded at that moment, all of them are quarantined. A panic that is contained, a
    /// deadline that passes and a refusal are no crash. A crash in a call is not guarded against,
    /// nor one at the end of a version, when it was stopped or has been replaced, and neither is
    /// [`Host::register_static`].
    ///
    /// Several hosts and processes may share a directory, of one user and on a file system with
    /// locks. One that cannot be used is told of in a `tracing` event at level `WARN`, and the host
    /// goes on: a plugin that is in quarantine is refused as long as that can be read, and nothing
    /// is noted.
    pub fn state_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.state_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Decides from the facts of a file alone whether a host like this would load the plugin;
    /// answers the minor version of the interface that both would speak.
    ///
    /// Loading checks more, but not before code of the plugin may run.
    ///
    /// # Errors
    ///
    /// As [`Host::load_with`] before the library is opened.
    pub fn check(&self, inspection: &Inspection) -> Result<u16, HostError> {
        let note = inspection.require_note().map_err(HostError::inspect)?;
        let (manifest, _) = read_manifest(note)?;
        HostSide::new(&self.name, self.version.clone()).check(inspection, note, &manifest)
    }

    /// Makes the host.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Host`] for options that make no sense or when no thread can be had,
    /// [`HostErrorKind::Stage`] when the directory for private copies cannot be made.
    pub fn build(self) -> Result<Host, HostError> {
        let HostBuilder {
            name,
            version,
            options,
            watch: files,
            stage_dir,
            state_dir,
        } = self;
        let refuse = |message: &str| Err(HostError::new(HostErrorKind::Host, message));
        if name.trim().is_empty() {
            return refuse("a host needs the name of its application: expected a name, found \"\"");
        }
        if options.lifecycle_deadline.is_zero() {
            return refuse("lifecycle_deadline: expected more than zero, found 0");
        }
        if options.max_concurrency == Some(0) {
            return refuse("max_concurrency: expected at least 1, found 0");
        }
        if options.max_retained == 0 {
            return refuse("max_retained: expected at least 1, found 0");
        }
        let clock = Clock::start().map_err(|error| {
            HostError::new(
                HostErrorKind::Host,
                format!("cannot start a thread: {error}"),
            )
            .source(error)
        })?;
        let known = [
            ToolHandle::LAYOUT,
            PipelineStageHandle::LAYOUT,
            MemoryBackendHandle::LAYOUT,
        ];
        let (watch, stop) = FilterWatch::new();
        let tally = Arc::new(Tally::new(options.max_retained));
        let inner = Inner {
            side: HostSide::new(&name, version),
            options,
            registry: Arc::new(Registry::new(&known)),
            plugins: Mutex::default(),
            loading: Mutex::default(),
            retirement: Retirement::default(),
            bus: Bus::new(),
            watcher: OnceLock::new(),
            stage: Stage::new(stage_dir.as_deref())?,
            journal: Journal::open(state_dir.as_deref()),
            tally,
            clock: Arc::new(clock),
            _filter: stop,
        };
        let inner = Arc::new(inner);
        super::filter::start(watch, &inner)?;
        if files.on {
            super::watch::start(&inner, files.interval)?;
        }
        Ok(Host { inner })
    }
}
