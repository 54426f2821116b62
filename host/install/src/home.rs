//! Where everything is: settings, what is installed, what can be got again, and what has to be remembered.
//!
//! The library itself reads no environment variable but in [`Home::of_user`], so tests and applications
//! decide on the places themselves.

use std::path::{Path, PathBuf};

use crate::error::{InstallError, Result};

/// The four directories that plugins are installed with. None has to be there: each is made, for this user only,
/// when something is written to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    config: PathBuf,
    store: PathBuf,
    cache: PathBuf,
    state: PathBuf,
}

impl Home {
    /// The usual places of this user: `keyway` below `$XDG_CONFIG_HOME`, `$XDG_DATA_HOME`, `$XDG_CACHE_HOME`
    /// and `$XDG_STATE_HOME`, with the defaults of the XDG specification, on macOS too; on Windows
    /// `%APPDATA%\keyway`, and `data`, `cache` and `state` in `%LOCALAPPDATA%\keyway`. Only Linux is tested.
    ///
    /// # Errors
    ///
    /// When the user has no home directory.
    pub fn of_user() -> Result<Self> {
        user::home().ok_or_else(|| {
            InstallError::not_found("no-home", "cannot tell the home directory of this user")
                .hint(user::HINT)
        })
    }

    /// Explicit places.
    pub fn new(
        config: impl Into<PathBuf>,
        data: impl Into<PathBuf>,
        cache: impl Into<PathBuf>,
        state: impl Into<PathBuf>,
    ) -> Self {
        Home {
            config: config.into(),
            store: data.into().join("store"),
            cache: cache.into(),
            state: state.into(),
        }
    }

    /// The directories `config`, `data`, `cache` and `state` below one.
    pub fn under(dir: impl AsRef<Path>) -> Self {
        let dir = dir.as_ref();
        let below = |name| dir.join(name);
        Home::new(
            below("config"),
            below("data"),
            below("cache"),
            below("state"),
        )
    }

    /// The host's settings: `keyway.toml`.
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("keyway.toml")
    }

    /// The user's lockfile, beside the settings.
    pub fn lock_file(&self) -> PathBuf {
        lock_beside(&self.settings_file())
    }

    /// The packages that are installed; see [`Store`](crate::Store).
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// What can be got again: clones, build directories, downloads.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// What has to be remembered: which lockfiles there are, and what they said before.
    pub fn state(&self) -> &Path {
        &self.state
    }
}

/// The lockfile that belongs to a settings file: `plugins.lock` in the same directory.
pub fn lock_beside(settings: &Path) -> PathBuf {
    settings.with_file_name("plugins.lock")
}

#[cfg(not(windows))]
mod user {
    use std::path::PathBuf;

    use super::Home;

    pub(super) const HINT: &str = "set HOME, or the XDG variables";

    pub(super) fn home() -> Option<Home> {
        Some(Home::new(
            place("XDG_CONFIG_HOME", ".config")?,
            place("XDG_DATA_HOME", ".local/share")?,
            place("XDG_CACHE_HOME", ".cache")?,
            place("XDG_STATE_HOME", ".local/state")?,
        ))
    }

    fn place(variable: &str, default: &str) -> Option<PathBuf> {
        // The specification has relative paths ignored.
        let absolute = |dir: &PathBuf| dir.is_absolute();
        let set = std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(absolute);
        let home = || std::env::home_dir().filter(absolute);
        let base = set.or_else(|| Some(home()?.join(default)))?;
        Some(base.join("keyway"))
    }
}

#[cfg(windows)]
mod user {
    use std::path::PathBuf;

    use super::Home;

    pub(super) const HINT: &str = "set APPDATA and LOCALAPPDATA";

    pub(super) fn home() -> Option<Home> {
        let place = |variable| {
            let dir = std::env::var_os(variable).map(PathBuf::from)?;
            dir.is_absolute().then(|| dir.join("keyway"))
        };
        let local = place("LOCALAPPDATA")?;
        Some(Home::new(
            place("APPDATA")?,
            local.join("data"),
            local.join("cache"),
            local.join("state"),
        ))
    }
}
