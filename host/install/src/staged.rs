//! A package before it is installed: complete, checked, and visible to nobody.

use std::path::{Path, PathBuf};

use keyway_host::inspect::ContentHash;
use std::fs;
use tempfile::TempDir;

use crate::archive;
use crate::digest::{Digest, expect_found, expect_hash};
use crate::disk;
use crate::error::{InstallError, Result};
use crate::package::{Application, Contents, Facts};
use crate::store::Store;

/// A package in a directory beside the store. It is removed with this value, unless the store takes it in.
#[derive(Debug)]
pub struct Staged {
    root: PathBuf,
    facts: Facts,
    digest: Digest,
    /// Removes all that is left in there.
    _dir: TempDir,
}

impl Staged {
    /// Copies the files of a plugin.
    pub(crate) fn copy(
        contents: &Contents,
        from: &Path,
        store: &Store,
        application: Option<&Application>,
    ) -> Result<Self> {
        let dir = directory(store)?;
        let root = root_in(&dir)?;
        contents.copy_to(&root)?;
        Self::checked(dir, root, from, application)
    }

    /// Unpacks an archive, after its content was compared with what is expected of it.
    ///
    /// # Errors
    ///
    /// `hash-mismatch`; what is wrong with the archive; what is wrong with the plugin in it.
    pub fn unpack(
        path: &Path,
        expected: Option<&ContentHash>,
        store: &Store,
        application: Option<&Application>,
    ) -> Result<(Self, ContentHash)> {
        let hash = expect_hash(path, expected)?;
        let dir = directory(store)?;
        let root = root_in(&dir)?;
        let read = archive::unpack(path, &root)?;
        // Somebody may have put another file there in between.
        expect_found(path, Some(&hash), &read)?;
        let root = within_top(root)?;
        Ok((Self::checked(dir, root, path, application)?, hash))
    }

    fn checked(
        dir: TempDir,
        root: PathBuf,
        from: &Path,
        application: Option<&Application>,
    ) -> Result<Self> {
        let facts =
            Facts::of_package(&root, application).map_err(|error| error.instead_of(&root, from))?;
        sync_dirs(&root)?;
        let digest = Digest::of_package(&root)?;
        Ok(Staged {
            root,
            facts,
            digest,
            _dir: dir,
        })
    }

    /// The directory of the package.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// What it will be called in the store.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }
}

fn directory(store: &Store) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("package-")
        .tempdir_in(store.staging())
        .map_err(|error| InstallError::io("make a directory", store.staging(), error))
}

fn root_in(dir: &TempDir) -> Result<PathBuf> {
    let root = dir.path().join("package");
    disk::create_dir(&root)?;
    Ok(root)
}

/// The one directory in which everything is, where an archive has such a one.
pub(crate) fn within_top(root: PathBuf) -> Result<PathBuf> {
    let unreadable = |error| InstallError::io("read the directory", &root, error);
    let mut entries = fs::read_dir(&root).map_err(unreadable)?;
    let first = entries.next().transpose().map_err(unreadable)?;
    let is_only = entries.next().is_none();
    Ok(match first {
        Some(first) if is_only && first.path().is_dir() => first.path(),
        _ => root,
    })
}

fn sync_dirs(root: &Path) -> Result<()> {
    let failed = |error| InstallError::io("sync the directory", root, error);
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                open.push(path);
            }
        }
        disk::sync_dir(&dir).map_err(failed)?;
    }
    Ok(())
}
