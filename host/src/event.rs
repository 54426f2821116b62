//! What happens to plugins, as one stream.
//!
//! An event tells of a step that is over; how to react to it is the application's business. Whoever
//! reads too slowly misses the oldest events, and is told how many.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use keyway::PluginError;
use semver::Version;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::error::HostError;
use crate::finding::Finding;
use crate::inspect::ContentHash;
use crate::platform::Adjustment;
use crate::reload::{ReloadPhase, ReloadReport};
use crate::status::RegisteredCapability;

/// How many events a slow reader may be behind before it misses some.
const KEPT: usize = 1_024;

/// Something that happened to a plugin.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The name under which the plugin is loaded.
    pub plugin: Arc<str>,
    /// When.
    pub at: SystemTime,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventKind {
    /// The plugin was loaded and serves.
    Loaded {
        /// Its version.
        version: Version,
    },
    /// The plugin was to start, and could not.
    Failed {
        /// Why.
        reason: Arc<HostError>,
    },
    /// The plugin was stopped, and serves no more.
    Stopped {
        /// Its version.
        version: Version,
    },
    /// What it offers has changed: it was loaded or stopped, or a version took over that offers other
    /// things. Where all names stay, nothing is told but that the new version serves.
    Offers {
        /// [`Host::epoch`](crate::Host::epoch) after the change.
        epoch: u64,
        /// What it offers now and did not before.
        added: Vec<RegisteredCapability>,
        /// What it does not offer any more.
        removed: Vec<RegisteredCapability>,
    },
    /// It says that it cannot do its work. See [`HealthPolicy`](crate::HealthPolicy).
    Unhealthy {
        /// What it said.
        reason: Arc<HostError>,
        /// Whether it is restarted for that; otherwise it is asked again first.
        restarting: bool,
    },
    /// It was stopped for good, since it failed its health checks also after it was restarted.
    GivenUp {
        /// What is in its record from now on.
        finding: Finding,
    },
    /// Something of it that the host runs has failed, and the host goes on: an event hook or an observer
    /// of the pipeline was passed over, a service or a channel has ended.
    Faulted {
        /// What it was.
        capability: RegisteredCapability,
        /// What it failed with.
        reason: Arc<PluginError>,
    },
    /// A service or a channel of it has ended by itself, without an error.
    Ended {
        /// What it was.
        capability: RegisteredCapability,
    },
    /// Its file has begun to change.
    Detected {
        /// The file.
        path: PathBuf,
    },
    /// Its file is complete again.
    Settled {
        /// The file.
        path: PathBuf,
        /// The time from the last sign of writing.
        after: Duration,
    },
    /// Its file has been missing for longer than a build takes to replace it. The plugin serves on.
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file that was found is the one that serves.
    Unchanged {
        /// The report of the reload.
        report: Arc<ReloadReport>,
    },
    /// A private copy of a new file was made.
    Staged {
        /// The hash of the file.
        hash: ContentHash,
    },
    /// The new file was found to fit. No code of it has run.
    Checked {
        /// Its version.
        version: Version,
    },
    /// The new version has prepared itself beside the old one.
    Prepared {
        /// The new version.
        version: Version,
    },
    /// The new version serves.
    Committed {
        /// The report of the reload.
        report: Arc<ReloadReport>,
    },
    /// The new version was not taken over; the version that served before serves on. Also a rollback
    /// that could not be.
    Refused {
        /// The phase in which it was refused.
        phase: ReloadPhase,
        /// Why.
        reason: Arc<HostError>,
        /// The report of the reload.
        report: Arc<ReloadReport>,
    },
    /// Nothing serves any more: see [`ReloadOutcome::Lost`](crate::ReloadOutcome::Lost).
    Lost {
        /// The report of the reload.
        report: Arc<ReloadReport>,
    },
    /// A version that had been taken over did not prove itself; the one before it serves again.
    RolledBack {
        /// The version that failed.
        from: Version,
        /// The version that serves again.
        to: Version,
        /// Why.
        reason: Arc<HostError>,
        /// The report of the rollback.
        report: Arc<ReloadReport>,
    },
    /// A version that had been taken over has proved itself; the one before it ends.
    Proved {
        /// The version.
        version: Version,
    },
    /// A version that was replaced waits for calls that it has started.
    Draining {
        /// The version.
        version: Version,
        /// Asynchronous calls that are pending.
        calls: usize,
    },
    /// The library of a version was closed, and is gone from memory.
    Unloaded {
        /// The version.
        version: Version,
    },
    /// The library of a version was closed, but is still in memory. It has nothing to do with
    /// [`Host::pin`](crate::Host::pin).
    Pinned {
        /// The version.
        version: Version,
        /// Why, as far as it is known.
        cause: String,
    },
    /// The library of a version was not closed, since nobody could tell whether that is safe.
    Retained {
        /// The version.
        version: Version,
        /// Why.
        cause: String,
    },
    /// Files of the roots or the host's settings have changed, and what runs was brought in line with
    /// them. The event's plugin is empty.
    Adjusted {
        /// What was done.
        adjustment: Arc<Adjustment>,
    },
    /// The host's file has changed, and cannot be used; the settings stay as they are. The event's plugin
    /// is empty.
    SettingsRefused {
        /// Why.
        reason: Arc<HostError>,
    },
    /// The reader was too slow: this many events before the next one are lost. The event's plugin
    /// is empty.
    Missed {
        /// How many.
        events: u64,
    },
}

/// One line for people, without the plugin's name.
impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventKind::Loaded { version } => write!(f, "loaded v{version}"),
            EventKind::Failed { reason } => write!(f, "was not started: {reason}"),
            EventKind::Stopped { version } => write!(f, "stopped v{version}"),
            EventKind::Offers { added, removed, .. } => {
                f.write_str("offers")?;
                let mut sep = " ";
                for (sign, list) in [("+", added), ("-", removed)] {
                    for RegisteredCapability { id, name, .. } in list {
                        write!(f, "{sep}{sign}{id} `{name}`")?;
                        sep = ", ";
                    }
                }
                Ok(())
            }
            EventKind::Unhealthy { reason, restarting } => {
                write!(f, "is not well: {reason}")?;
                match restarting {
                    true => f.write_str("; it is restarted"),
                    false => Ok(()),
                }
            }
            EventKind::GivenUp { finding } => f.write_str(&finding.message),
            EventKind::Faulted { capability, reason } => {
                write!(
                    f,
                    "{} `{}` failed: {reason:#}",
                    capability.id, capability.name
                )
            }
            EventKind::Ended { capability } => {
                write!(f, "{} `{}` has ended", capability.id, capability.name)
            }
            EventKind::Detected { path } => write!(f, "{} changes", path.display()),
            EventKind::Settled { path, after } => {
                write!(f, "{} is complete, for {after:?}", path.display())
            }
            EventKind::Missing { path } => write!(f, "{} is missing", path.display()),
            EventKind::Unchanged { .. } => f.write_str("unchanged"),
            EventKind::Staged { hash } => write!(f, "staged {hash}"),
            EventKind::Checked { version } => write!(f, "v{version} fits"),
            EventKind::Prepared { version } => write!(f, "v{version} is prepared"),
            EventKind::Committed { report } => {
                write!(f, "reloaded: v{}", report.from)?;
                if let Some(to) = &report.to {
                    write!(f, " to v{to}")?;
                }
                write!(f, " in {:?}", report.times.total)
            }
            EventKind::Refused { phase, reason, .. } => write!(f, "refused in {phase}: {reason}"),
            EventKind::Lost { report } => match report.outcome.reason() {
                Some(reason) => write!(f, "serves no more: {reason}"),
                None => f.write_str("serves no more"),
            },
            EventKind::RolledBack {
                from, to, reason, ..
            } => write!(f, "rolled back from v{from} to v{to}: {reason}"),
            EventKind::Proved { version } => write!(f, "v{version} has proved itself"),
            EventKind::Draining { version, calls } => {
                write!(
                    f,
                    "v{version} waits for calls, {calls} of them asynchronous"
                )
            }
            EventKind::Unloaded { version } => write!(f, "v{version} is unloaded"),
            EventKind::Pinned { version, cause } => {
                write!(f, "v{version} was closed and is still in memory: {cause}")
            }
            EventKind::Retained { version, cause } => {
                write!(f, "v{version} stays in memory: {cause}")
            }
            EventKind::Adjusted { adjustment } => write!(f, "adjusted: {adjustment}"),
            EventKind::SettingsRefused { reason } => write!(f, "settings refused: {reason}"),
            EventKind::Missed { events } => write!(f, "{events} events were missed"),
        }
    }
}

/// The events of a host from the moment on in which this was made.
#[derive(Debug)]
pub struct Events {
    receiver: broadcast::Receiver<Event>,
}

impl Events {
    /// The next event, on any executor; none once the host is gone.
    pub async fn next(&mut self) -> Option<Event> {
        match self.receiver.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(events)) => Some(missed(events)),
            Err(RecvError::Closed) => None,
        }
    }

    /// Blocks the calling thread until the next event; none once the host is gone.
    ///
    /// # Panics
    ///
    /// When called from inside an async context of tokio.
    pub fn next_blocking(&mut self) -> Option<Event> {
        match self.receiver.blocking_recv() {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(events)) => Some(missed(events)),
            Err(RecvError::Closed) => None,
        }
    }
}

fn missed(events: u64) -> Event {
    Event {
        plugin: "".into(),
        at: SystemTime::now(),
        kind: EventKind::Missed { events },
    }
}

/// Where the parts of a host tell what happened. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Bus {
    sender: broadcast::Sender<Event>,
}

impl Bus {
    pub(crate) fn new() -> Self {
        Bus {
            sender: broadcast::channel(KEPT).0,
        }
    }

    pub(crate) fn tell(&self, plugin: &Arc<str>, kind: EventKind) {
        // Without a reader nobody wants to know.
        let _ = self.sender.send(Event {
            plugin: Arc::clone(plugin),
            at: SystemTime::now(),
            kind,
        });
    }

    pub(crate) fn events(&self) -> Events {
        Events {
            receiver: self.sender.subscribe(),
        }
    }
}
