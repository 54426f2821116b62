//! The host with the plugin in it, what is known of its end, and its events with the time at which
//! they were heard.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use keyway_host::{Event, EventKind, Host, LibraryCounts, LoadOptions, Probation};
use semver::Version;
use tempfile::TempDir;

use super::builds::{Builds, NAME};
use super::calls::SoakHandle;
use super::meter;
use super::nested::{NestsHandle, NestsPlugin, call_into};
use super::options::{Options, Work};

/// Longer than anything here takes, on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// So long may a step of a broken build hang. Good builds get no longer, and take theirs in debug.
const SHORT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 2_000 } else { 250 });

/// The stand.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) host: Host,
    pub(crate) builds: Builds,
    pub(crate) soak: SoakHandle,
    pub(crate) nests: NestsHandle,
    pub(crate) heard: Receiver<(Instant, Event)>,
    stage: PathBuf,
    _home: TempDir,
}

impl Stand {
    /// Builds the plugin and loads it.
    pub(crate) fn new(options: &Options) -> Result<Self, String> {
        let home = tempfile::tempdir().map_err(|error| format!("no directory: {error}"))?;
        // As the kernel names it in the list of mappings.
        let path = home.path().canonicalize();
        let path = path.map_err(|error| format!("no directory: {error}"))?;
        let (plugins, stage) = (path.join("plugins"), path.join("stage"));
        for dir in [&plugins, &stage] {
            std::fs::create_dir(dir).map_err(|error| format!("no directory: {error}"))?;
        }
        let mut builds = Builds::new(&plugins, options.exclusive)?;
        let mut builder = Host::builder("soak", Version::new(1, 0, 0))
            .hot_reload(true)
            .stage_dir(&stage)
            .probation(options.probation.map_or(Probation::NONE, Probation::of));
        if matches!(options.work, Work::Broken(_)) {
            builder = builder.lifecycle_deadline(SHORT);
        }
        let host = builder.build().map_err(|error| error.to_string())?;
        builds.put_good().map_err(|error| error.to_string())?;
        let heard = hear(&host)?;
        let (soak, nests) = load(&host, &builds.file()).map_err(|error| error.to_string())?;
        call_into(soak.clone());
        Ok(Stand {
            host,
            builds,
            soak,
            nests,
            heard,
            stage,
            _home: home,
        })
    }

    /// The next event of the plugin, with the time at which it was heard.
    pub(crate) fn next(&self, patience: Duration) -> Result<(Instant, EventKind), NoEvent> {
        loop {
            let (at, event) = self
                .heard
                .recv_timeout(patience)
                .map_err(|error| match error {
                    RecvTimeoutError::Timeout => NoEvent::InTime,
                    RecvTimeoutError::Disconnected => NoEvent::AnyMore,
                })?;
            match event.kind {
                EventKind::Missed { events } => return Err(NoEvent::Missed(events)),
                kind if &*event.plugin == NAME => return Ok((at, kind)),
                _ => {}
            }
        }
    }

    /// Waits until all versions but the one that serves are unloaded, or `PATIENCE` is over.
    pub(crate) fn settle(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.host.libraries().open > 1 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Ends the plugin; answers what is left of all its versions.
    pub(crate) fn end(&self) -> Result<Left, String> {
        let stopped = self.host.block_on(self.host.shutdown());
        let errors = stopped.iter().map(ToString::to_string).collect();
        let counts = self.host.wait_for_unload(PATIENCE);
        let read = |error: std::io::Error| error.to_string();
        Ok(Left {
            mappings: meter::mappings(&self.stage).map_err(read)?,
            libraries: meter::libraries(&self.stage),
            copies: copies(&self.stage).map_err(read)?,
            counts,
            errors,
        })
    }
}

/// Why there is no event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NoEvent {
    /// None came in time.
    InTime,
    /// The host is gone.
    AnyMore,
    /// So many were lost.
    Missed(u64),
}

/// What is left when all has ended.
#[derive(Debug)]
pub(crate) struct Left {
    /// Lines of `/proc/self/maps`.
    pub(crate) mappings: usize,
    /// Libraries that `dl_iterate_phdr` knows.
    pub(crate) libraries: usize,
    /// Private copies on the disk.
    pub(crate) copies: usize,
    /// What the host says.
    pub(crate) counts: LibraryCounts,
    /// What went wrong while the plugins stopped.
    pub(crate) errors: Vec<String>,
}

/// Forwards what the host tells, as soon as it does.
fn hear(host: &Host) -> Result<Receiver<(Instant, Event)>, String> {
    let mut events = host.events();
    let (tell, heard) = channel();
    let run = move || {
        while let Some(event) = events.next_blocking() {
            if tell.send((Instant::now(), event)).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("listener".to_owned());
    let started = thread.spawn(run);
    started.map_err(|error| format!("cannot start a thread: {error}"))?;
    Ok(heard)
}

fn load(host: &Host, file: &Path) -> Result<(SoakHandle, NestsHandle), keyway_host::HostError> {
    host.block_on(async {
        host.load(file).await?;
        let nests = host.register_static::<NestsPlugin>(LoadOptions::new());
        nests.await?;
        Ok((host.capability("soak")?, host.capability("nests")?))
    })
}

fn copies(stage: &Path) -> std::io::Result<usize> {
    let mut copies = 0;
    for dir in std::fs::read_dir(stage)? {
        let files = std::fs::read_dir(dir?.path())?.filter_map(Result::ok);
        copies += files
            .filter(|file| file.file_name().to_string_lossy().contains(".so"))
            .count();
    }
    Ok(copies)
}
