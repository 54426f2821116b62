//! The host's own file, `keyway.toml`: what an operator says of the host and of its plugins.
//!
//! The file is read as strictly as a manifest, with the same guard of its syntax and the same words:
//! every problem is told at once, with file, line, column and key. What is said of a plugin's
//! settings stays as it is written, with its `${VARIABLE}`s, until that plugin is
//! [configured](crate::config): here is no schema to check it by, and no secret. `CONFIG.md`, at the
//! root of Keyway's repository, is the reference of all keys.

mod check;
pub(crate) mod codes;
mod error;
mod file;
mod lists;
mod strategy;
mod template;
mod written;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use keyway_manifest::{Permissions, PluginId};

pub use self::error::SettingsError;
pub use self::lists::{Listed, PluginLists};
pub use self::strategy::{Action, Strategy, decide};
pub(crate) use self::written::{Place, Written};
use crate::discovery::Origin;
use crate::finding::Finding;

/// The longest `keyway.toml` that is read, in bytes. It is far above what some hundred plugins need;
/// like the limits of a manifest it bounds the cost of reading what somebody else wrote.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The longest named text, in bytes.
pub const MAX_TEXT_BYTES: u64 = 256 * 1024;

/// What the host's file says.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// The host itself: `[host]`.
    pub host: HostSettings,
    /// Which plugins may be used at all: `[plugins]`.
    pub plugins: PluginLists,
    /// Which plugin gets an exclusive slot, by the name of the slot: `[slots]`.
    pub slots: BTreeMap<String, PluginId>,
    /// The names of providers in the order in which they are asked, before all that are not named:
    /// `[providers] order`.
    pub providers: Vec<String>,
    /// What is said of single plugins, by id: `[plugin.ID]`.
    pub plugin: BTreeMap<PluginId, PluginSettings>,
    /// Texts that plugins can read by name: `[context]`.
    pub context: BTreeMap<String, ContextText>,
    /// What was passed over, such as unknown keys.
    pub warnings: Vec<Finding>,
}

/// What the file says of the host itself. What it does not say is left to the application, and then to
/// the defaults of [`HostBuilder`](crate::HostBuilder).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostSettings {
    /// What becomes of settings that change while the host runs.
    pub strategy: Strategy,
    /// Whether files of plugins are watched.
    pub hot_reload: Option<bool>,
    /// How often files are looked at, in place of being told by the system.
    pub watch_interval: Option<Duration>,
    /// How long each step in a plugin's life may take.
    pub lifecycle_deadline: Option<Duration>,
    /// The deadline of async calls that have none of their own.
    pub call_deadline: Option<Duration>,
    /// The most calls that run in one plugin at a time.
    pub max_concurrency: Option<u64>,
    /// The most libraries of stopped plugins that may stay in memory.
    pub max_retained: Option<u64>,
    /// Where the private copies of libraries go.
    pub stage_dir: Option<PathBuf>,
    /// Where the host keeps what has to survive its process.
    pub state_dir: Option<PathBuf>,
    /// Where plugins are looked for, in the order of the file.
    pub roots: Vec<RootSetting>,
}

/// A place where plugins are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RootSetting {
    /// Whose place it is, which decides who wins where two have the same plugin.
    pub origin: Origin,
    /// The directory, or a plugin's directory or library.
    pub path: PathBuf,
}

/// What the file says of one plugin.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct PluginSettings {
    /// Whether the plugin is to be used; not said is yes.
    pub enabled: Option<bool>,
    /// What the plugin is granted. Nothing is said without the table, and with an empty one nothing is
    /// granted.
    pub permissions: Option<Permissions>,
    /// The values of its settings, as they are written.
    pub(crate) config: BTreeMap<String, (Place, Written)>,
}

impl PluginSettings {
    /// Whether the plugin is to be used, as far as this file is asked.
    pub fn is_enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }

    /// The names of the settings that have a value in the file.
    pub fn config_names(&self) -> impl Iterator<Item = &str> {
        self.config.keys().map(String::as_str)
    }
}

/// Settings may be secrets, so only their names are shown.
impl fmt::Debug for PluginSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginSettings")
            .field("enabled", &self.enabled)
            .field("permissions", &self.permissions)
            .field("config_keys", &self.config.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// A text of the host's that plugins can read by its name.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextText {
    /// The text, at most [`MAX_TEXT_BYTES`] of it.
    pub text: String,
    /// The file that it was read from; none if it is in `keyway.toml` itself.
    pub file: Option<PathBuf>,
}

/// A text may be many pages, so only its length is shown.
impl fmt::Debug for ContextText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextText")
            .field("bytes", &self.text.len())
            .field("file", &self.file)
            .finish()
    }
}

/// What the file is read with besides its own text: functions, so that reading it can be tried
/// without a process's environment and without files.
struct World<'a> {
    env: &'a dyn Fn(&str) -> Option<OsString>,
    /// The text of a file with at most so many bytes, or what is wrong with it.
    text_of: &'a dyn Fn(&Path, u64) -> Result<String, String>,
}

impl Settings {
    /// Reads a file, and the texts that it names.
    ///
    /// Paths in the file are relative to the directory that the file is in.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or when anything in it is wrong but for unknown keys. All
    /// problems are listed, unless it is not TOML at all: then only the mistakes of syntax are.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        let path = path.as_ref();
        let text = file::text_of(path, MAX_FILE_BYTES)
            .map_err(|fault| SettingsError::unreadable(path, &fault))?;
        Self::from_toml(&text, path, &|name| std::env::var_os(name))
    }

    /// Reads the text of a file that is, or would be, at `path`. The texts that it names are read from
    /// their files.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn from_toml(
        text: &str,
        path: &Path,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, SettingsError> {
        let world = World {
            env,
            text_of: &file::text_of,
        };
        check::settings(text, path, &world)
    }

    /// What the file says of a plugin, if it says anything.
    pub fn plugin(&self, id: &str) -> Option<&PluginSettings> {
        self.plugin.get(id)
    }
}

#[cfg(test)]
mod tests;
