//! Writing so that a process or a machine which dies in the middle leaves the old or the new, and never half.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use keyway_host::inspect::{ContentHash, ContentHasher};
use std::fs;

use crate::error::{InstallError, Result};

/// Makes a directory for this user only, and those above it.
pub(crate) fn create_dir(dir: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir)
        .map_err(|error| InstallError::io("make the directory", dir, error))
}

/// Puts a text in the place of a file: a new file beside it is written, synced, and renamed; then the
/// directory is synced. `new` is a fixed name, so only one at a time may write the same file: its guard says who.
pub(crate) fn replace(path: &Path, text: &[u8]) -> Result<()> {
    replace_with(path, text, |_| Ok(()))
}

/// The same; `prepare` is given the new file while there is nothing in it.
pub(crate) fn replace_with(
    path: &Path,
    text: &[u8],
    prepare: impl FnOnce(&fs::File) -> io::Result<()>,
) -> Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let new = beside(path, ".new");
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(&new)?;
        prepare(&file)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        sync_dir(dir)
    };
    write().map_err(|error| {
        // Half a file is of no use to anyone; if it cannot be removed, the next one overwrites it.
        let _ = std::fs::remove_file(&new);
        InstallError::io("write the file", path, error)
    })
}

/// Keeps a file from everybody but this user.
#[cfg(unix)]
pub(crate) fn private(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

/// Whoever may read it follows from the directory here.
#[cfg(not(unix))]
pub(crate) fn private(_: &fs::File) -> io::Result<()> {
    Ok(())
}

/// The same for a file that several may write at the same time: one of them is the last. It is readable for
/// whoever can read the directory.
pub(crate) fn replace_shared(path: &Path, text: &[u8]) -> Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut new = tempfile::Builder::new().prefix(".new-").tempfile_in(dir)?;
        new.write_all(text)?;
        readable_by_all(new.as_file())?;
        new.as_file().sync_all()?;
        new.persist(path).map_err(|error| error.error)?;
        sync_dir(dir)
    };
    write().map_err(|error| InstallError::io("write the file", path, error))
}

/// Temporary files are for this user only.
#[cfg(unix)]
pub(crate) fn readable_by_all(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
pub(crate) fn readable_by_all(_: &fs::File) -> io::Result<()> {
    Ok(())
}

/// The path with a dot before the name and something after it.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(end);
    path.with_file_name(name)
}

/// Makes renames in a directory last.
#[cfg(unix)]
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

/// Directories cannot be synced here; the system's own journal has to do.
#[cfg(not(unix))]
pub(crate) fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes what a reader has into a new file, with the rights that files of packages have, and syncs it.
pub(crate) fn write_file(
    from: &mut dyn Read,
    to: &Path,
    executable: bool,
) -> io::Result<ContentHash> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(to)?;
    let mut hasher = ContentHasher::new();
    let mut piece = vec![0; 128 << 10];
    loop {
        match from.read(&mut piece) {
            Ok(0) => break,
            Ok(len) => {
                hasher.update(&piece[..len]);
                file.write_all(&piece[..len])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    read_only(&file, executable)?;
    file.sync_all()?;
    Ok(hasher.finish())
}

/// Nobody edits what is in the store.
#[cfg(unix)]
fn read_only(file: &fs::File, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = if executable { 0o555 } else { 0o444 };
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

/// A file that is read-only could not be removed again here.
#[cfg(not(unix))]
fn read_only(_: &fs::File, _: bool) -> io::Result<()> {
    Ok(())
}
