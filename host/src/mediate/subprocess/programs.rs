//! Where granted programs are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::permission::{Grant, Program};

/// The programs of a grant.
#[derive(Debug)]
pub(crate) struct Programs {
    /// Those that are granted by name.
    found: BTreeMap<String, PathBuf>,
    search_path: Vec<PathBuf>,
}

impl Programs {
    /// Looks for what is granted by name, so that what is put into a directory later is not started in
    /// its place.
    pub(crate) fn find(grant: &Grant, search_path: Vec<PathBuf>) -> Self {
        let named = grant.subprocess.entries().iter();
        let found = named.filter_map(|program| match program {
            Program::Named(name) => Some((name.clone(), search(&search_path, name)?)),
            Program::At(_) => None,
        });
        Programs {
            found: found.collect(),
            search_path,
        }
    }

    /// Where a granted program is, if it is anywhere.
    #[cfg(unix)]
    pub(super) fn path(&self, program: &Program, all_granted: bool) -> Option<PathBuf> {
        match program {
            Program::At(path) => Some(path.clone()),
            Program::Named(name) if all_granted => search(&self.search_path, name),
            Program::Named(name) => self.found.get(name).cloned(),
        }
    }

    /// The directories, as the variable `PATH` has them.
    #[cfg(unix)]
    pub(super) fn search_path(&self) -> std::ffi::OsString {
        // A directory with a colon in its name cannot be in there.
        std::env::join_paths(&self.search_path).unwrap_or_default()
    }
}

fn search(directories: &[PathBuf], name: &str) -> Option<PathBuf> {
    let absolute = directories.iter().filter(|dir| dir.is_absolute());
    let mut paths = absolute.map(|dir| dir.join(name));
    paths.find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path);
    metadata.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}
