//! The crash guard: a journal of the plugins that are being loaded or reloaded, from which a later
//! host learns which of them ended the process.
//!
//! Each host with a state directory keeps one file there, locked for as long as the host lives. A
//! load is written into it before any code of the plugin runs, and taken out when the plugin serves
//! or was refused. A file that still has loads in it and whose lock is free belongs to a process
//! that died in the middle of them: the next host [quarantines](quarantine) these contents.
//!
//! In a reload two versions take turns, and the one whose code runs is the one that stands in the
//! journal: the new one rests while the old one gives its state away or ends its work.
//!
//! What is guarded against is the death of a process, not of the machine: what was written is in the
//! system's cache and survives the process, so nothing is ever synced to the disk. The guard must
//! not keep a host from working: where the directory cannot be used, the host says so once and goes
//! on without it.

mod phase;
mod quarantine;
mod record;
mod sweep;
pub(crate) mod when;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use keyway_manifest::Manifest;

use crate::error::{HostError, HostErrorKind};
use crate::inspect::ContentHash;
use crate::private;

pub use phase::{Occasion, Phase};
pub use quarantine::Quarantined;

use quarantine::Quarantine;

/// A host's journal, and the quarantine that all hosts with the same state directory share. Without
/// a state directory it guards nothing, and costs nothing.
#[derive(Debug)]
pub(crate) struct Journal {
    state: Option<State>,
}

#[derive(Debug)]
struct State {
    /// Where the journals of all hosts lie.
    journals: PathBuf,
    quarantine: Quarantine,
    /// None where the directory cannot be written to, or files in it cannot be locked.
    own: Option<Mutex<Own>>,
    warned: AtomicBool,
}

/// The host's own file, and what stands in it.
#[derive(Debug)]
struct Own {
    path: PathBuf,
    /// Locked for as long as it is open.
    file: File,
    next: u64,
    open: BTreeMap<u64, Load>,
}

/// A load that is under way.
#[derive(Debug)]
struct Load {
    /// What goes into quarantine if the process dies now.
    entry: Quarantined,
    /// Nothing does: none of its code runs, so it does not stand in the file.
    rests: bool,
}

/// A load that is under way, or a step of a version that a reload replaces. It is over when this is
/// dropped, however it went: a panic that was contained or a refusal is no crash.
#[derive(Debug)]
#[must_use = "the load is over when this is dropped"]
pub(crate) struct Guard {
    mark: PhaseMark,
}

/// Says how far a load has come, from whatever thread does the work. Once the load is over it says
/// nothing more: a step that was given up may still run.
#[derive(Clone, Debug)]
pub(crate) struct PhaseMark {
    load: Option<(Arc<Journal>, u64)>,
}

impl Journal {
    /// Opens the journal of a new host, and puts into quarantine what other hosts have died of.
    pub(crate) fn open(state_dir: Option<&Path>) -> Arc<Self> {
        let state = state_dir.map(|dir| {
            let journals = dir.join("journal");
            let own = private::create_dir(dir)
                .and_then(|()| private::create_dir(&journals))
                .and_then(|()| Own::create(&journals))
                .inspect_err(|error| {
                    tracing::warn!(
                        state_dir = %dir.display(),
                        "the state directory cannot be used, so a plugin that ends the process \
                         will not be quarantined: {error}"
                    );
                });
            State {
                journals,
                quarantine: Quarantine::new(dir.join("quarantine")),
                own: own.ok().map(Mutex::new),
                warned: AtomicBool::new(false),
            }
        });
        let journal = Journal { state };
        journal.sweep();
        Arc::new(journal)
    }

    /// Begins a load, in [`Phase::Open`]; no code of the plugin has run.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Quarantined`] when a process died of these contents before.
    pub(crate) fn begin(
        self: &Arc<Self>,
        hash: ContentHash,
        manifest: &Manifest,
        path: &Path,
        occasion: Occasion,
    ) -> Result<Guard, HostError> {
        self.admit(&hash, path)?;
        Ok(self.note(hash, manifest, path, occasion, Phase::Open))
    }

    /// Whether a build may be loaded: it is not in quarantine.
    pub(crate) fn admit(&self, hash: &ContentHash, path: &Path) -> Result<(), HostError> {
        match self
            .state
            .as_ref()
            .and_then(|state| state.quarantine.find(hash))
        {
            Some(quarantined) => Err(refusal(&quarantined, path)),
            None => Ok(()),
        }
    }

    /// Begins a step of a plugin that is loaded, whatever is in quarantine.
    pub(crate) fn note(
        self: &Arc<Self>,
        hash: ContentHash,
        manifest: &Manifest,
        path: &Path,
        occasion: Occasion,
        phase: Phase,
    ) -> Guard {
        let Some(state) = &self.state else {
            return Guard::of_nothing();
        };
        let Some(mut own) = state.own() else {
            return Guard::of_nothing();
        };
        let load = own.next;
        own.next += 1;
        let entry = Quarantined {
            hash,
            plugin: manifest.id.to_string(),
            version: manifest.version.clone(),
            // For whoever reads it later, somewhere else.
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            occasion,
            phase,
            at: SystemTime::now(),
        };
        let written = own.write(load, Some(&entry));
        let rests = false;
        own.open.insert(load, Load { entry, rests });
        drop(own);
        state.warn_once(written);
        Guard {
            mark: PhaseMark {
                load: Some((Arc::clone(self), load)),
            },
        }
    }

    /// What is in quarantine, sorted by plugin and version.
    pub(crate) fn quarantined(&self) -> Vec<Quarantined> {
        self.sweep();
        let Some(state) = &self.state else {
            return Vec::new();
        };
        state.quarantine.list()
    }

    /// Takes contents out of quarantine; answers whether they were in it.
    pub(crate) fn release(&self, hash: &ContentHash) -> Result<bool, HostError> {
        // A crash from before the release must not come back with the next host.
        self.sweep();
        let Some(state) = &self.state else {
            return Ok(false);
        };
        state.quarantine.remove(hash).map_err(|error| {
            HostError::new(
                HostErrorKind::Host,
                format!("cannot release {hash}: {error}"),
            )
            .hint("check the permissions of the state directory")
            .source(error)
        })
    }

    fn sweep(&self) {
        if let Some(state) = &self.state {
            sweep::sweep(&state.journals, &state.quarantine);
        }
    }

    /// Puts a load into a phase.
    fn advance(&self, load: u64, phase: Phase) {
        self.change(|own| {
            let open = own.open.get_mut(&load)?;
            open.rests = false;
            open.entry.phase = phase;
            open.entry.at = SystemTime::now();
            let entry = open.entry.clone();
            Some(own.write(load, Some(&entry)))
        });
    }

    /// Takes a load out until its next phase.
    fn rest(&self, load: u64) {
        self.change(|own| {
            let rested = std::mem::replace(&mut own.open.get_mut(&load)?.rests, true);
            (!rested).then(|| own.take_back(load))
        });
    }

    /// Takes a load out.
    fn end(&self, load: u64) {
        self.change(|own| {
            let rested = own.open.remove(&load)?.rests;
            (!rested).then(|| own.take_back(load))
        });
    }

    fn change(&self, change: impl FnOnce(&mut Own) -> Option<io::Result<()>>) {
        let Some(state) = &self.state else { return };
        let Some(mut own) = state.own() else { return };
        let written = change(&mut own);
        drop(own);
        state.warn_once(written.unwrap_or(Ok(())));
    }
}

impl State {
    fn own(&self) -> Option<MutexGuard<'_, Own>> {
        let own = self.own.as_ref()?;
        Some(own.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn warn_once(&self, written: io::Result<()>) {
        let Err(error) = written else { return };
        if !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                directory = %self.journals.display(),
                "cannot write the journal, so a plugin that ends the process may not be \
                 quarantined: {error}"
            );
        }
    }
}

impl Own {
    /// The file gets its name after it is locked: a journal whose lock is free is one whose process
    /// has died, and never one that is just being made.
    fn create(journals: &Path) -> io::Result<Self> {
        let new = tempfile::Builder::new()
            .prefix(&format!("{}-", std::process::id()))
            .suffix(".new")
            .tempfile_in(journals)?;
        new.as_file().try_lock()?;
        let path = new.path().with_extension(sweep::EXTENSION);
        let file = new.persist_noclobber(&path).map_err(|error| error.error)?;
        Ok(Own {
            path,
            file,
            next: 1,
            open: BTreeMap::new(),
        })
    }

    /// In one piece, so that of two lines the first is whole when the process dies.
    fn write(&mut self, load: u64, entry: Option<&Quarantined>) -> io::Result<()> {
        self.file.write_all(record::line(load, entry).as_bytes())
    }

    fn take_back(&mut self, load: u64) -> io::Result<()> {
        if self.open.values().any(|load| !load.rests) {
            return self.write(load, None);
        }
        self.file.set_len(0)?;
        self.file.rewind()
    }
}

/// A process that ends without dropping its host leaves an empty file, which the next host removes.
impl Drop for Own {
    fn drop(&mut self) {
        // Nothing is lost if this fails.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Guard {
    fn of_nothing() -> Self {
        Guard {
            mark: PhaseMark { load: None },
        }
    }

    /// For a plugin that is linked into this binary: there is no file to refuse.
    pub(crate) fn of_static_plugin() -> Self {
        Guard::of_nothing()
    }

    /// Says which phase begins.
    pub(crate) fn phase(&self, phase: Phase) {
        self.mark.phase(phase);
    }

    /// Says that none of its code runs until the next phase.
    pub(crate) fn rest(&self) {
        if let Some((journal, load)) = &self.mark.load {
            journal.rest(*load);
        }
    }

    /// Says it from other threads.
    pub(crate) fn mark(&self) -> PhaseMark {
        self.mark.clone()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some((journal, load)) = &self.mark.load {
            journal.end(*load);
        }
    }
}

impl PhaseMark {
    /// Says which phase begins.
    pub(crate) fn phase(&self, phase: Phase) {
        if let Some((journal, load)) = &self.load {
            journal.advance(*load, phase);
        }
    }
}

fn refusal(quarantined: &Quarantined, path: &Path) -> HostError {
    let Quarantined { hash, at, .. } = quarantined;
    let elsewhere = std::path::absolute(path).is_ok_and(|path| path != quarantined.path);
    let build = if elsewhere {
        format!("this very build from {}", quarantined.path.display())
    } else {
        "this very build".to_owned()
    };
    let story = quarantined.story(&build);
    HostError::new(
        HostErrorKind::Quarantined,
        format!("quarantined: on {} {story}", when::utc(*at)),
    )
    .hint(format!(
        "mend it and build it anew, since another build is another plugin; to load this one again, \
         release {hash}"
    ))
}

#[cfg(test)]
mod tests;
