//! A plugin's configuration, and changes of it while the plugin runs.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{ErrorKind, PluginError, Result};

/// The configuration of a running plugin after some of it has changed.
///
/// The host has checked it by the schema in the manifest, as it does before
/// [`prepare`](crate::Plugin::prepare).
#[derive(Clone, PartialEq)]
pub struct ConfigChange {
    config: Map<String, Value>,
    changed: Vec<String>,
}

impl ConfigChange {
    pub(crate) fn new(config: Map<String, Value>, changed: Vec<String>) -> Self {
        ConfigChange { config, changed }
    }

    /// The whole configuration, read into a type of the author's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] where a value is missing or of another type.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T> {
        typed(&self.config).map_err(|error| {
            let message = format!("the changed configuration does not fit: {error}");
            PluginError::of(ErrorKind::InvalidInput, message).code("invalid-config")
        })
    }

    /// One value of the configuration; none if it has no value any more.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.config.get(key)
    }

    /// The names of the settings that have another value than before, sorted.
    pub fn changed(&self) -> impl Iterator<Item = &str> {
        self.changed.iter().map(String::as_str)
    }

    /// Whether this setting has another value than before.
    pub fn has_changed(&self, key: &str) -> bool {
        self.changed.iter().any(|changed| changed == key)
    }

    pub(crate) fn not_taken(self) -> PluginError {
        let message = "the plugin takes no settings while it runs; hint: implement \
                       `Plugin::on_config_change`, or leave `reload = \"hot\"` away in plugin.toml";
        PluginError::of(ErrorKind::Unsupported, message).code("config-not-taken")
    }
}

/// Values may be secret, so only the names are shown.
impl fmt::Debug for ConfigChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigChange")
            .field("config_keys", &self.config.keys().collect::<Vec<_>>())
            .field("changed", &self.changed)
            .finish()
    }
}

/// Reads a configuration into a type of the author's.
pub(crate) fn typed<T: DeserializeOwned>(config: &Map<String, Value>) -> serde_json::Result<T> {
    serde_json::from_value(Value::Object(config.clone()))
}

/// What is told of a configuration that does not fit the author's type.
pub(crate) fn misfit(id: &str, error: &serde_json::Error) -> PluginError {
    PluginError::of(
        ErrorKind::InvalidInput,
        format!("the configuration of plugin '{id}' does not fit: {error}"),
    )
    .code("invalid-config")
}
