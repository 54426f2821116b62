//! The files of a package, as a list that is the same on every system.

use std::path::{Path, PathBuf};

use std::fs;

use crate::error::{InstallError, Result};
use crate::limits;
use crate::name;

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Its path in the package, with `/` between the parts.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) executable: bool,
}

/// The files below a directory, sorted by their names.
///
/// # Errors
///
/// When there is anything but files and directories, such as a link, when a name is none that a package can
/// have, or when there are too many.
pub(crate) fn files(dir: &Path) -> Result<Vec<Entry>> {
    files_where(dir, &|_| true)
}

/// The same, without what has a name that is not wanted, whatever that is.
pub(crate) fn files_where(dir: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut entries = 0;
    let mut open = vec![(dir.to_owned(), String::new())];
    while let Some((dir, prefix)) = open.pop() {
        let unreadable = |error| InstallError::io("read the directory", &dir, error);
        for entry in fs::read_dir(&dir).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            entries += 1;
            if entries > limits::MAX_ENTRIES {
                return Err(limits::too_many_entries().at(&path));
            }
            let part = entry.file_name();
            let name = match part.to_str() {
                Some(part) => format!("{prefix}{part}"),
                None => return Err(name::not_unicode(&part.to_string_lossy()).at(&path)),
            };
            if !wanted(&name) {
                continue;
            }
            name::check(&name).map_err(|error| error.at(&path))?;
            // Not `DirEntry::metadata`: that of a link itself is meant, on every system.
            let metadata = fs::symlink_metadata(&path)
                .map_err(|error| InstallError::io("look at the file", &path, error))?;
            if metadata.is_dir() {
                open.push((path, format!("{name}/")));
            } else if metadata.is_file() {
                found.push(Entry {
                    name,
                    path,
                    executable: is_executable(&metadata),
                });
            } else {
                return Err(not_a_file(&metadata).at(&path));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn not_a_file(metadata: &std::fs::Metadata) -> InstallError {
    let found = match metadata.is_symlink() {
        true => "a symbolic link",
        false => "a special file (pipe, socket or device)",
    };
    InstallError::unfit(
        "entry-kind",
        format!("a package has files and directories only, found {found}"),
    )
    .hint("replace it by what it stands for")
}

#[cfg(unix)]
pub(crate) fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

/// Files have no such mark here.
#[cfg(not(unix))]
pub(crate) fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}
