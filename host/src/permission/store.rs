//! What was approved: for which plugin, and for which contents of it.
//!
//! It is looked at anew for each question, so that what is approved or revoked in one process holds in
//! all that use the same file.

mod file;
mod format;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use keyway_manifest::PluginId;
use semver::Version;

use super::Grant;
use crate::finding::Finding;
use crate::inspect::ContentHash;
use crate::journal::when;
use file::StoreFile;

/// What was approved for one content of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Approved {
    /// The content.
    pub hash: ContentHash,
    /// The version that it said it was.
    pub version: Version,
    /// What was approved.
    pub grant: Grant,
    /// When, for people: `2026-11-21 12:30:01 UTC`.
    pub at: String,
}

/// Where approvals are kept: a file, or the memory of the process.
#[derive(Debug)]
pub struct PermissionStore {
    place: Place,
}

#[derive(Debug)]
enum Place {
    File(StoreFile),
    Memory(Mutex<Plugins>),
}

type Plugins = BTreeMap<PluginId, Vec<Approved>>;

/// How many contents of one plugin are remembered. The ones approved longest ago go first; to go back
/// to one of them is a question to the approver again.
const CONTENTS_PER_PLUGIN: usize = 32;

impl PermissionStore {
    /// Uses the file at this path, which need not exist yet; its directory is made if it is missing.
    ///
    /// # Errors
    ///
    /// If there is a file that cannot be used: `permission-store-corrupt`, `permission-store-newer`,
    /// `permission-store-exposed` or `permission-store-io`.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Finding> {
        let store = PermissionStore::at(path.into());
        store.read()?;
        Ok(store)
    }

    /// The same, where whoever asks first is told if it cannot be used.
    pub(crate) fn at(path: PathBuf) -> Self {
        PermissionStore {
            place: Place::File(StoreFile { path }),
        }
    }

    /// A store that is forgotten with the process.
    pub fn in_memory() -> Self {
        PermissionStore {
            place: Place::Memory(Mutex::default()),
        }
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(file) => Some(&file.path),
            Place::Memory(_) => None,
        }
    }

    /// What was approved for this content of a plugin, and for the content that was approved last.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub(crate) fn approved(&self, plugin: &PluginId, hash: &ContentHash) -> Result<Grant, Finding> {
        let known = self.of_plugin(plugin)?;
        let last = known.last().map(|approved| &approved.grant);
        let same = known.iter().filter(|approved| approved.hash == *hash);
        let all = same.map(|approved| &approved.grant).chain(last);
        Ok(all.fold(Grant::default(), |all, grant| all.union(grant)))
    }

    /// What was approved for a plugin; what was approved last is last.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn of_plugin(&self, plugin: &PluginId) -> Result<Vec<Approved>, Finding> {
        Ok(self.read()?.remove(plugin).unwrap_or_default())
    }

    /// Everything that was approved, by plugin.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn list(&self) -> Result<BTreeMap<PluginId, Vec<Approved>>, Finding> {
        self.read()
    }

    /// Writes down what was approved, in the place of what was approved for the same content.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub(super) fn remember(&self, plugin: &PluginId, approved: Approved) -> Result<(), Finding> {
        self.change(|plugins| {
            let contents = plugins.entry(plugin.clone()).or_default();
            contents.retain(|known| known.hash != approved.hash);
            contents.push(approved);
            let surplus = contents.len().saturating_sub(CONTENTS_PER_PLUGIN);
            contents.drain(..surplus);
        })
    }

    /// Forgets all that was approved for a plugin; answers whether there was anything. What runs
    /// keeps its grant until it ends.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn revoke(&self, plugin: &PluginId) -> Result<bool, Finding> {
        self.change(|plugins| plugins.remove(plugin).is_some())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Plugins) -> T) -> Result<T, Finding> {
        match &self.place {
            Place::File(file) => file.change(change),
            Place::Memory(plugins) => Ok(change(&mut lock(plugins))),
        }
    }

    fn read(&self) -> Result<Plugins, Finding> {
        match &self.place {
            Place::File(file) => file.read(),
            Place::Memory(plugins) => Ok(lock(plugins).clone()),
        }
    }
}

fn lock(plugins: &Mutex<Plugins>) -> MutexGuard<'_, Plugins> {
    plugins.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A time as the file has it.
pub(super) fn now_as_text(now: SystemTime) -> String {
    when::utc(now)
}
