//! Keys and values that plugins keep, in a database of the host.
//!
//! Each plugin has a space of its own by its id, so neither sees what another one has. A write is on
//! the disk when it is answered. How much a plugin has is counted in the same transaction, so the
//! count is never another than what is there.

mod stores;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use keyway::{ErrorKind, PluginError, Result};
use keyway_manifest::PluginId;
use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition,
    TableError,
};

pub(crate) use stores::KeyValueStores;

use super::audit::Action;
use super::{Mediator, Shared, codes, refusal};
use crate::finding::Finding;

/// By plugin and key.
const VALUES: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("values");
/// How many bytes of keys and values a plugin has.
const USED: TableDefinition<'_, &str, u64> = TableDefinition::new("used");

/// As many keys are listed at a time.
pub(crate) const LISTED: usize = 1_000;

/// What a database keeps in memory at most, in bytes. A plugin stores some megabytes, so this is most of
/// it; it is a judgement, not a measurement.
const CACHE: usize = 16 << 20;

const CHECK_THE_DISK: &str = "check the directory, its permissions and the space on the disk";

/// The database of all plugins' keys and values; one process has it open at a time.
#[derive(Debug)]
pub struct KeyValueStore {
    database: Database,
}

impl KeyValueStore {
    /// Opens the database, or makes it if there is none; on Unix then nobody else can read it.
    ///
    /// # Errors
    ///
    /// `kv-open`: another process has it open, it is damaged, or the system refused.
    pub fn open(path: impl AsRef<Path>) -> std::result::Result<Self, Finding> {
        let path = path.as_ref();
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options
            .open(path)
            .map_err(|error| open_failed(path, &error, CHECK_THE_DISK))?;
        let database = redb::Builder::new().set_cache_size(CACHE).create_file(file);
        let database = database.map_err(|error| match &error {
            DatabaseError::DatabaseAlreadyOpen => open_failed(
                path,
                &error,
                "end the other process, or give each its own file",
            ),
            DatabaseError::Storage(StorageError::Io(_)) => {
                open_failed(path, &error, CHECK_THE_DISK)
            }
            _ => open_failed(
                path,
                &error,
                "restore it from a backup, or move it away to begin anew",
            ),
        })?;
        Ok(KeyValueStore { database })
    }

    /// Deletes all that a plugin has, as when it is removed for good.
    ///
    /// # Errors
    ///
    /// `kv-failed`.
    pub fn clear(&self, plugin: &PluginId) -> Result<()> {
        let id = plugin.as_str();
        self.change(|values, used| {
            // Ids are followed by a key, and no key comes before the empty one.
            values.retain_in((id, "")..(end_of(id).as_str(), ""), |_, _| false)?;
            used.remove(id)?;
            Ok(())
        })
    }

    fn get(&self, plugin: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let read = || {
            let Some(values) = self.values()? else {
                return Ok(None);
            };
            Ok(values
                .get((plugin, key))?
                .map(|value| value.value().to_vec()))
        };
        read().map_err(failed)
    }

    fn keys(&self, plugin: &str, prefix: &str, after: Option<&str>) -> Result<Vec<String>> {
        let read = || {
            let Some(values) = self.values()? else {
                return Ok(Vec::new());
            };
            let from = after.map_or(prefix, |after| after.max(prefix));
            let mut keys = Vec::new();
            for entry in values.range((plugin, from)..)? {
                let (found, _) = entry?;
                let (of, key) = found.value();
                if of != plugin || !key.starts_with(prefix) || keys.len() == LISTED {
                    break;
                }
                if after != Some(key) {
                    keys.push(key.to_owned());
                }
            }
            Ok(keys)
        };
        read().map_err(failed)
    }

    fn set(&self, plugin: &str, key: &str, value: &[u8], most: u64) -> Result<()> {
        let size = (key.len() + value.len()) as u64;
        self.change(|values, used| {
            let old = values.insert((plugin, key), value)?;
            let old = old.map_or(0, |old| (key.len() + old.value().len()) as u64);
            let before = used.get(plugin)?.map_or(0, |used| used.value());
            let after = before.saturating_sub(old).saturating_add(size);
            // Who has more than a limit that was lowered may still make it less.
            if after > most && after > before {
                return Err(Stop::Full(most));
            }
            used.insert(plugin, after)?;
            Ok(())
        })
    }

    fn delete(&self, plugin: &str, key: &str) -> Result<bool> {
        self.change(|values, used| {
            let Some(old) = values.remove((plugin, key))? else {
                return Ok(false);
            };
            let size = (key.len() + old.value().len()) as u64;
            let before = used.get(plugin)?.map_or(0, |used| used.value());
            used.insert(plugin, before.saturating_sub(size))?;
            Ok(true)
        })
    }

    fn values(&self) -> Outcome<Option<ReadOnlyValues>> {
        let transaction = self.database.begin_read()?;
        match transaction.open_table(VALUES) {
            Ok(table) => Ok(Some(table)),
            // Nothing was ever written.
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All of the change or, if it fails, nothing.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Values<'_>, &mut Used<'_>) -> Outcome<T>,
    ) -> Result<T> {
        let write = || {
            let transaction = self.database.begin_write()?;
            let answer = {
                let mut values = transaction.open_table(VALUES)?;
                let mut used = transaction.open_table(USED)?;
                change(&mut values, &mut used)?
            };
            transaction.commit()?;
            Ok(answer)
        };
        write().map_err(failed)
    }
}

fn open_failed(path: &Path, cause: &dyn std::fmt::Display, hint: &str) -> Finding {
    codes::STORE_OPEN
        .finding(format!("the key-value store cannot be opened: {cause}"))
        .at(path)
        .hint(hint)
}

/// Where a mediator has its store from.
#[derive(Debug, Default)]
pub(super) struct Source {
    opened: OnceLock<Arc<KeyValueStore>>,
    among: Option<Arc<KeyValueStores>>,
}

impl Source {
    /// A store that is open.
    pub(super) fn of(store: Arc<KeyValueStore>) -> Self {
        Source {
            opened: OnceLock::from(store),
            among: None,
        }
    }

    /// One of these, opened when it is first asked for.
    pub(super) fn among(stores: Arc<KeyValueStores>) -> Self {
        Source {
            opened: OnceLock::new(),
            among: Some(stores),
        }
    }
}

type Outcome<T> = std::result::Result<T, Stop>;
type Values<'t> = redb::Table<'t, (&'static str, &'static str), &'static [u8]>;
type Used<'t> = redb::Table<'t, &'static str, u64>;
type ReadOnlyValues = redb::ReadOnlyTable<(&'static str, &'static str), &'static [u8]>;

/// Why a transaction is not committed.
enum Stop {
    /// The plugin would have more than so many bytes.
    Full(u64),
    Database(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Database(error.into())
    }
}

fn failed(stop: Stop) -> PluginError {
    match stop {
        Stop::Full(most) => refusal::denied(
            &codes::STORE_FULL,
            format!("the plugin would store more than Limits::max_store_bytes, {most} bytes"),
        ),
        Stop::Database(error) => refusal::error(
            ErrorKind::Failed,
            &codes::STORE_FAILED,
            format!("the key-value store failed: {error}"),
        ),
    }
}

/// The first text after all that stand for the plugin.
fn end_of(id: &str) -> String {
    format!("{id}\0")
}

impl Mediator {
    /// The value of a key, if it has one.
    ///
    /// # Errors
    ///
    /// `size-limit` for the key, `kv-failed`, and `unsupported-here` without a store; here and for all
    /// that follow.
    pub fn kv_get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let shared = &self.shared;
        shared.attempt(Action::ReadKey, key, || {
            shared.check_key(key)?;
            shared.store()?.get(shared.plugin.as_str(), key)
        })
    }

    /// Gives a key a value, which is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// Also `size-limit` for the value, and `kv-full` when all keys and values of the plugin
    /// would have more than [`Limits::max_store_bytes`](super::Limits::max_store_bytes).
    pub fn kv_set(&self, key: &str, value: &[u8]) -> Result<()> {
        let shared = &self.shared;
        shared.attempt(Action::WriteKey, key, || {
            shared.check_key(key)?;
            let most = shared.limits().max_value_bytes;
            if value.len() > most {
                return Err(refusal::denied(
                    &codes::SIZE_LIMIT,
                    format!("the value is larger than Limits::max_value_bytes, {most} bytes"),
                ));
            }
            let store = shared.store()?;
            store.set(
                shared.plugin.as_str(),
                key,
                value,
                shared.limits().max_store_bytes,
            )
        })
    }

    /// Takes a key and its value away; answers whether it was there.
    ///
    /// # Errors
    ///
    /// As [`kv_get`](Self::kv_get).
    pub fn kv_delete(&self, key: &str) -> Result<bool> {
        let shared = &self.shared;
        shared.attempt(Action::WriteKey, key, || {
            shared.check_key(key)?;
            shared.store()?.delete(shared.plugin.as_str(), key)
        })
    }

    /// The keys that begin with a prefix, sorted, at most 1,000 of them; more with the last of them as
    /// `after`.
    ///
    /// # Errors
    ///
    /// As [`kv_get`](Self::kv_get).
    pub fn kv_keys(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>> {
        let shared = &self.shared;
        shared.attempt(Action::ReadKey, prefix, || {
            shared.store()?.keys(shared.plugin.as_str(), prefix, after)
        })
    }
}

impl Shared {
    fn store(&self) -> Result<&KeyValueStore> {
        if let Some(store) = self.kv.opened.get() {
            return Ok(store);
        }
        let stores = self.kv.among.as_ref().ok_or_else(|| {
            refusal::error(
                ErrorKind::Unsupported,
                &codes::UNSUPPORTED_HERE,
                "this host has no key-value store: it was set up without a state directory",
            )
        })?;
        // Plugins learn what failed, and not where on the disk.
        let store = stores.of(&self.plugin).map_err(|finding| {
            tracing::warn!("{finding}");
            refusal::error(ErrorKind::Failed, &codes::STORE_OPEN, finding.message)
        })?;
        Ok(self.kv.opened.get_or_init(|| store))
    }

    fn check_key(&self, key: &str) -> Result<()> {
        let most = self.limits().max_key_bytes;
        if key.len() <= most {
            return Ok(());
        }
        Err(refusal::denied(
            &codes::SIZE_LIMIT,
            format!("the key is longer than Limits::max_key_bytes, {most} bytes"),
        ))
    }
}

#[cfg(test)]
mod tests;
