//! Writes a file as a whole.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, fchmod, fsync, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;

use super::beneath::make_dirs;
use super::{Place, Trouble};

/// Puts a new file with these bytes in a place; makes the directories that are missing.
pub(super) fn replace(place: &Place<'_>, bytes: &[u8]) -> Result<(), Trouble> {
    let (dir, path) = match place {
        // The file is what was named, so its directory is where a person said it is.
        Place::Anywhere(path) | Place::Root(path) => {
            let parent = path.parent().ok_or(Trouble::NotAFile)?;
            (make_dirs(parent, Path::new(""))?, path)
        }
        Place::Below(root, rest) => {
            let parent = rest.parent().ok_or(Trouble::NotAFile)?;
            (make_dirs(root, parent)?, rest)
        }
    };
    let name = path.file_name().ok_or(Trouble::NotAFile)?;
    let mode = mode_of_existing(&dir, Path::new(name))?;
    let new = New::create(&dir)?;
    let mut file = &new.file;
    file.write_all(bytes)?;
    if let Some(mode) = mode {
        fchmod(file, mode)?;
    }
    file.sync_all()?;
    new.rename(Path::new(name))?;
    fsync(&dir)?;
    Ok(())
}

/// The permissions of the file that is replaced, which the new one gets too. A link is not followed and
/// not replaced: nobody could tell which of both was meant.
fn mode_of_existing(dir: &OwnedFd, name: &Path) -> Result<Option<Mode>, Trouble> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
            // Not who it runs as.
            let permissions = Mode::RWXU | Mode::RWXG | Mode::RWXO;
            Ok(Some(Mode::from_raw_mode(stat.st_mode) & permissions))
        }
        Ok(_) => Err(Trouble::NotAFile),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A file under a name of its own, which is gone when this is dropped, unless it was renamed.
struct New<'d> {
    dir: &'d OwnedFd,
    name: Option<String>,
    file: File,
}

impl<'d> New<'d> {
    fn create(dir: &'d OwnedFd) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!(".keyway-{}-{count}.tmp", std::process::id());
            match openat(dir, &name, flags, Mode::from_raw_mode(0o666)) {
                Ok(file) => {
                    return Ok(New {
                        dir,
                        name: Some(name),
                        file: file.into(),
                    });
                }
                // Of a process that had our number and died.
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn rename(mut self, to: &Path) -> io::Result<()> {
        if let Some(name) = &self.name {
            renameat(self.dir, name, self.dir, to)?;
        }
        self.name = None;
        Ok(())
    }
}

impl Drop for New<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // Nothing can be done about it.
            let _ = unlinkat(self.dir, name, AtFlags::empty());
        }
    }
}
