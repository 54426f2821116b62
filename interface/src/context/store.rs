//! Keys and values by way of the host.

use bytes::Bytes;

use super::Asked;
use crate::host::{HostServices, HostServicesHandle};

/// Keys and values of the plugin's own, which need no permission. They stay over reloads, new versions
/// and the end of the process; another plugin does not see them.
///
/// Everything here fails with `unsupported-here` in a host without a store, with `kv-open` or `kv-failed`
/// if the store cannot be used, with `size-limit` for a key or a value that is too large, and with
/// `rate-limited`.
#[derive(Clone, Debug)]
pub struct Store {
    host: HostServicesHandle,
}

impl Store {
    pub(super) fn new(host: HostServicesHandle) -> Self {
        Store { host }
    }

    /// The value of a key, if it has one.
    pub fn get(&self, key: impl Into<String>) -> Asked<Option<Bytes>> {
        let key = key.into();
        Asked::blocking(self.host.clone(), move |host| host.kv_get(&key))
    }

    /// Gives a key a value, which is on the disk when this is answered. It fails with `kv-full` when the
    /// plugin has as much as the host allows.
    pub fn put(&self, key: impl Into<String>, value: impl Into<Bytes>) -> Asked<()> {
        let (key, value) = (key.into(), value.into());
        Asked::blocking(self.host.clone(), move |host| host.kv_put(&key, &value))
    }

    /// Takes a key and its value away; answers whether it was there.
    pub fn delete(&self, key: impl Into<String>) -> Asked<bool> {
        let key = key.into();
        Asked::blocking(self.host.clone(), move |host| host.kv_delete(&key))
    }

    /// All keys that begin with a prefix, sorted. They are asked for some at a time: one that is written or
    /// deleted meanwhile may be among them or not.
    pub fn keys(&self, prefix: impl Into<String>) -> Asked<Vec<String>> {
        let prefix = prefix.into();
        Asked::blocking(self.host.clone(), move |host| {
            let mut keys = Vec::new();
            loop {
                let (next, more) = host.kv_keys(&prefix, keys.last().cloned())?;
                keys.extend(next);
                if !more {
                    return Ok(keys);
                }
            }
        })
    }
}
