//! The stores of a host's plugins, each in a file of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use keyway_manifest::PluginId;

use super::{KeyValueStore, open_failed};
use crate::finding::Finding;

/// One database for each plugin that asks for it, in a file with the plugin's id as its name.
///
/// A database that was opened stays open for as long as the host lives: while a plugin is replaced both
/// versions use it, and one that is being closed could not be opened at the same moment.
pub(crate) struct KeyValueStores {
    dir: PathBuf,
    open: Mutex<BTreeMap<PluginId, Arc<KeyValueStore>>>,
}

impl KeyValueStores {
    /// The stores in a directory, which is made when the first one is needed.
    pub(crate) fn new(dir: PathBuf) -> Self {
        KeyValueStores {
            dir,
            open: Mutex::default(),
        }
    }

    pub(super) fn of(&self, plugin: &PluginId) -> Result<Arc<KeyValueStore>, Finding> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = open.get(plugin) {
            return Ok(Arc::clone(store));
        }
        let path = self.dir.join(plugin.as_str());
        crate::private::create_dir(&self.dir)
            .map_err(|error| open_failed(&path, &error, super::CHECK_THE_DISK))?;
        let store = Arc::new(KeyValueStore::open(&path)?);
        open.insert(plugin.clone(), Arc::clone(&store));
        Ok(store)
    }
}

impl fmt::Debug for KeyValueStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyValueStores")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}
