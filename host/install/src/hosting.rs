//! From a lockfile to a host: where the plugins are, which bytes they have to be, and what was agreed to.

use std::path::PathBuf;

use keyway_host::inspect::ContentHash;
use keyway_host::keyway::version::TARGET;
use keyway_host::manifest::PluginId;
use keyway_host::{AllowList, Grant, HostBuilder, Origin, Root};

use crate::error::{InstallError, Result};
use crate::lock::{Lock, Locked};
use crate::store::Store;

/// A plugin of a lockfile, as a host finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hosted {
    /// Its id.
    pub id: PluginId,
    /// What the host is to look at: its library, or its directory where it has none, or where it is a link to one.
    pub path: PathBuf,
    /// What the library's content has to be; none for a link, and for a plugin without code.
    pub pin: Option<ContentHash>,
    /// What somebody agreed to, with the plugin's own directory put in.
    pub granted: Grant,
}

impl Locked {
    /// Where a host finds this plugin, and what it has to be.
    ///
    /// A plugin without code is [verified](Store::verify) here, since a host reads its files when it uses them. A
    /// library is not: the host hashes its private copy of it. Other files of a plugin with code, such as
    /// resources beside the library, are as safe as the store's directory.
    ///
    /// # Errors
    ///
    /// `package-missing`, `package-changed`, or `other-target` when it was installed on another kind of machine.
    pub fn hosted(&self, store: &Store) -> Result<Hosted> {
        let about = |error: InstallError| error.of_plugin(self.label());
        let package = match (&self.digest, &self.source) {
            (Some(digest), _) => store.path(digest),
            (None, crate::Source::Directory { path, .. }) => path.clone(),
            (None, source) => {
                let message = format!("expected a digest, or a link; found neither with {source}");
                return Err(about(InstallError::damaged("lockfile", message)));
            }
        };
        let library = self.libraries.get(TARGET);
        if library.is_none() && !self.libraries.is_empty() {
            let targets: Vec<&str> = self.libraries.keys().map(String::as_str).collect();
            let message = format!(
                "it is for another target: expected {TARGET}, found {}",
                targets.join(", ")
            );
            return Err(about(InstallError::unfit("other-target", message))
                .hint(format!("keyway update {}", self.id)));
        }
        let (path, pin) = match (library, &self.digest) {
            (Some(library), Some(digest)) => {
                let path = package.join(&library.file);
                if !path.is_file() {
                    // It says which package it is, and what to do.
                    store.verify(digest).map_err(about)?;
                }
                (path, library.hash)
            }
            (None, Some(digest)) => {
                store.verify(digest).map_err(about)?;
                (package.clone(), None)
            }
            // A crate's library lies elsewhere; else the directory is followed, manifest and all.
            (Some(library), None) if !library.file.starts_with(&package) => {
                (library.file.clone(), None)
            }
            (Some(library), None) if package.join("Cargo.toml").is_file() => {
                (library.file.clone(), None)
            }
            (_, None) => (package.clone(), None),
        };
        let base = match path.is_dir() {
            true => path.clone(),
            false => path.parent().map_or(package, PathBuf::from),
        };
        let granted = Grant::normalise(&self.permissions, &base)
            .map_err(|finding| about(InstallError::from(&finding)))?;
        Ok(Hosted {
            id: self.id.clone(),
            path,
            pin,
            granted,
        })
    }
}

impl Lock {
    /// Sets a host up for the plugins of a lockfile: each is found where it is installed, and is refused if its
    /// library is not the one that was installed. Plugins that cannot be found are answered beside it, and the
    /// host runs without them.
    ///
    /// What was agreed to when they were installed is not told to the host; see [`Lock::approvals`].
    pub fn equip(&self, builder: HostBuilder, store: &Store) -> (HostBuilder, Vec<InstallError>) {
        let mut errors = Vec::new();
        let mut equipped = builder;
        for locked in self.plugins() {
            match locked.hosted(store) {
                Ok(hosted) => {
                    let root = Root::new(Origin::Explicit, &hosted.path);
                    equipped = equipped.roots([root]);
                    if let Some(pin) = hosted.pin {
                        equipped = equipped.pin_file(&hosted.path, pin);
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        (equipped, errors)
    }

    /// What was agreed to when the plugins were installed, as an approver for
    /// [`HostBuilder::approver`]: for each plugin that has permissions and is no link, and for the very library
    /// that was installed.
    pub fn approvals(&self, store: &Store) -> AllowList {
        let hosted = self
            .plugins()
            .filter_map(|locked| locked.hosted(store).ok());
        hosted.fold(AllowList::new(), |list, hosted| match hosted.pin {
            Some(pin) => list
                .allow(hosted.id.clone(), hosted.granted)
                .pin(hosted.id, pin),
            None => list,
        })
    }
}
