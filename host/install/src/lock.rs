//! `plugins.lock`: what is installed, in full. It is the only truth about that; the store only has the files.

mod text;

use std::collections::BTreeMap;
use std::path::Path;

use keyway_host::keyway::version::InterfaceVersion;
use keyway_host::manifest::{Permissions, PluginId};
use semver::{Version, VersionReq};
use std::fs;

use crate::digest::Digest;
use crate::error::{InstallError, Result};
use crate::limits::MAX_LOCK_BYTES;
use crate::package::Library;
use crate::source::Source;

/// What a lockfile says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    plugins: BTreeMap<PluginId, Locked>,
}

/// A plugin that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Locked {
    /// Its id.
    pub id: PluginId,
    /// Its version.
    pub version: Version,
    /// Where it came from.
    pub source: Source,
    /// Which of the source's versions it is: the commit of a git repository, the hash of an archive.
    pub revision: Option<String>,
    /// What its library was built against; none for a plugin without code.
    pub interface: Option<InterfaceVersion>,
    /// The package in the store; none for a link.
    pub digest: Option<Digest>,
    /// Its libraries, by target.
    pub libraries: BTreeMap<String, Library>,
    /// The plugins that it needs.
    pub dependencies: BTreeMap<PluginId, Needed>,
    /// What it asks to be allowed and somebody agreed to, in normal form. A relative path begins at the plugin's
    /// own directory.
    pub permissions: Permissions,
    /// Whether updates leave it alone.
    pub pinned: bool,
    /// Whether somebody asked for it; if not, it is there since another one needs it.
    pub requested: bool,
}

/// What a plugin needs of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needed {
    /// The versions that will do.
    pub versions: VersionReq,
    /// Whether it also works without.
    pub optional: bool,
}

impl Lock {
    /// Reads a lockfile. One that is not there says that nothing is installed.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not what this version of Keyway writes.
    pub fn read(path: &Path) -> Result<Self> {
        Self::read_text(path)?.map_or(Ok(Self::default()), |text| Self::from_toml(&text, path))
    }

    pub(crate) fn read_text(path: &Path) -> Result<Option<String>> {
        let unreadable = |error| InstallError::io("read the lockfile", path, error);
        match fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
            Ok(metadata) if metadata.len() > MAX_LOCK_BYTES => {
                let message = format!(
                    "the lockfile is too large: expected at most {MAX_LOCK_BYTES} bytes, found {}",
                    metadata.len()
                );
                return Err(InstallError::damaged("lockfile", message).at(path));
            }
            Ok(_) => {}
        }
        fs::read_to_string(path).map(Some).map_err(unreadable)
    }

    /// Reads the text of a lockfile that is at `path`.
    ///
    /// # Errors
    ///
    /// As [`Lock::read`].
    pub fn from_toml(text: &str, path: &Path) -> Result<Self> {
        text::read(text).map_err(|fault| {
            let hint = match &fault {
                text::Fault::Newer(_) => "update keyway",
                text::Fault::Wrong(_) => {
                    "take it from version control, or go back to the one before: keyway rollback"
                }
            };
            InstallError::damaged("lockfile", format!("the lockfile does not read: {fault}"))
                .at(path)
                .hint(hint)
        })
    }

    /// The text of the lockfile: the same for the same plugins.
    pub fn to_toml(&self) -> String {
        text::write(self)
    }

    /// The plugins, in the order of their ids.
    pub fn plugins(&self) -> impl ExactSizeIterator<Item = &Locked> {
        self.plugins.values()
    }

    /// A plugin by its id.
    pub fn get(&self, id: &str) -> Option<&Locked> {
        self.plugins.get(id)
    }

    /// How many plugins there are.
    pub fn len(&self) -> usize {
        self.plugins.len()
    }

    /// Whether nothing is installed.
    pub fn is_empty(&self) -> bool {
        self.plugins.is_empty()
    }

    /// A plugin that has to be there.
    ///
    /// # Errors
    ///
    /// `not-installed`, with the id that was probably meant.
    pub fn require(&self, id: &PluginId) -> Result<&Locked> {
        self.get(id.as_str()).ok_or_else(|| {
            let error =
                InstallError::not_found("not-installed", format!("plugin '{id}' is not installed"));
            let ids: Vec<&str> = self.plugins.keys().map(PluginId::as_str).collect();
            match similar(id.as_str(), &ids) {
                Some(meant) => error.hint(format!("did you mean {meant}?")),
                None if ids.is_empty() => error.hint("nothing is installed"),
                None => error.hint(format!("installed: {}", ids.join(", "))),
            }
        })
    }

    pub(crate) fn set(&mut self, locked: Locked) {
        self.plugins.insert(locked.id.clone(), locked);
    }

    pub(crate) fn get_mut(&mut self, id: &PluginId) -> Option<&mut Locked> {
        self.plugins.get_mut(id)
    }

    pub(crate) fn remove(&mut self, id: &PluginId) -> Option<Locked> {
        self.plugins.remove(id)
    }
}

impl Locked {
    /// Such as `'weather' v1.0.0`.
    pub fn label(&self) -> String {
        format!("'{}' v{}", self.id, self.version)
    }
}

/// The one of these that differs in the fewest letters, if those are few.
fn similar<'a>(text: &str, all: &[&'a str]) -> Option<&'a str> {
    let distances = all.iter().map(|one| (distance(text, one), *one));
    let (distance, best) = distances.min()?;
    (distance <= text.len().div_ceil(3)).then_some(best)
}

/// Levenshtein's. Ids have at most 64 bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let changed = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
