//! Which files of a crate or a directory go into a package.

use std::path::{Path, PathBuf};

use keyway_host::inspect;
use keyway_host::manifest::Manifest;
use std::fs;

use crate::build::Crate;
use crate::disk;
use crate::error::{InstallError, Result};
use crate::limits::{MAX_FILE_BYTES, MAX_PACKAGE_BYTES};
use crate::tree::{self, Entry};

/// What a manifest may be called.
pub(crate) const MANIFESTS: [&str; 2] = ["plugin.toml", "plugin.json"];

/// Extensions of dynamic libraries, of all systems.
pub(crate) const LIBRARY_EXTENSIONS: [&str; 3] = ["so", "dylib", "dll"];

/// Beginnings of the names of files that go along with a crate's library, in capitals.
const PAPERS: [&str; 6] = [
    "README",
    "LICENSE",
    "LICENCE",
    "COPYING",
    "NOTICE",
    "CHANGELOG",
];

/// The directory of a crate whose files go along with its library.
const RESOURCES: &str = "resources";

/// The files of a package that is to be made.
#[derive(Debug)]
pub(crate) struct Contents {
    entries: Vec<Entry>,
}

impl Contents {
    /// Those of a crate that was built, of a directory, or of a library.
    pub(crate) fn of(plugin: &Path) -> Result<Self> {
        let metadata = fs::metadata(plugin)
            .map_err(|error| InstallError::io("read the plugin", plugin, error))?;
        if !metadata.is_dir() {
            return Self::of_library(plugin);
        }
        if plugin.join("Cargo.toml").is_file() {
            let krate = Crate::at(plugin)?;
            return Self::of_crate(&krate.dir, &krate.built()?);
        }
        Self::of_directory(plugin)
    }

    /// A single library, which has its manifest in it.
    pub(crate) fn of_library(library: &Path) -> Result<Self> {
        Ok(Contents {
            entries: vec![Entry {
                name: library_name(library)?,
                path: library.to_owned(),
                executable: true,
            }],
        })
    }

    /// A crate's library, with its manifest, its resources, and what people are to read.
    pub(crate) fn of_crate(dir: &Path, library: &Path) -> Result<Self> {
        let mut contents = Self::of_library(library)?;
        let unreadable = |error| InstallError::io("read the directory", dir, error);
        for entry in fs::read_dir(dir).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let is_paper = PAPERS
                .iter()
                .any(|start| name.to_uppercase().starts_with(start));
            let path = entry.path();
            if (is_paper || MANIFESTS.contains(&name)) && path.is_file() {
                contents.entries.push(Entry {
                    name: name.to_owned(),
                    path,
                    executable: false,
                });
            }
        }
        let resources = dir.join(RESOURCES);
        if resources.is_dir() {
            let inside = tree::files_where(&resources, &is_visible)?;
            contents
                .entries
                .extend(inside.into_iter().map(|entry| Entry {
                    name: format!("{RESOURCES}/{}", entry.name),
                    ..entry
                }));
        }
        contents.entries.sort();
        Ok(contents)
    }

    /// All that is in a directory and not hidden.
    fn of_directory(dir: &Path) -> Result<Self> {
        Ok(Contents {
            entries: tree::files_where(dir, &is_visible)?,
        })
    }

    /// Copies the files into an empty directory, and syncs them.
    pub(crate) fn copy_to(&self, to: &Path) -> Result<()> {
        let mut total = 0;
        for entry in &self.entries {
            let unreadable = |error| InstallError::io("read the file", &entry.path, error);
            let mut file = fs::File::open(&entry.path).map_err(unreadable)?;
            let len = file.metadata().map_err(unreadable)?.len();
            total += len;
            if len > MAX_FILE_BYTES || total > MAX_PACKAGE_BYTES {
                let message = format!(
                    "too large: expected at most {MAX_FILE_BYTES} bytes in a file and \
                     {MAX_PACKAGE_BYTES} in all"
                );
                return Err(InstallError::unfit("too-large", message).at(&entry.path));
            }
            let target = to.join(&entry.name);
            let failed = |error| InstallError::io("copy the file", &target, error);
            if let Some(above) = target.parent() {
                fs::create_dir_all(above).map_err(failed)?;
            }
            disk::write_file(&mut file, &target, entry.executable).map_err(failed)?;
        }
        Ok(())
    }
}

fn is_visible(name: &str) -> bool {
    !name.split('/').any(|part| part.starts_with('.'))
}

/// The name that cargo gives to the library of the plugin in this file.
fn library_name(library: &Path) -> Result<String> {
    let extension = library.extension().and_then(|extension| extension.to_str());
    let inspection = inspect(library)?;
    let note = inspection.require_note()?;
    let (manifest, _) = Manifest::from_embedded(&note.manifest).map_err(|error| {
        InstallError::unfit("manifest", format!("the manifest in it is wrong: {error}")).at(library)
    })?;
    let stem = manifest.id.as_str().replace('-', "_");
    let extension = extension.unwrap_or(std::env::consts::DLL_EXTENSION);
    Ok(format!(
        "{}{stem}.{extension}",
        std::env::consts::DLL_PREFIX
    ))
}

/// The libraries that lie in a directory itself.
pub(crate) fn libraries_in(dir: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error| InstallError::io("read the directory", dir, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_library = path
            .extension()
            .is_some_and(|extension| LIBRARY_EXTENSIONS.iter().any(|known| extension == *known));
        if is_library && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
