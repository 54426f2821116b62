//! Opens paths below a directory without ever leaving it.
//!
//! Linux has a system call for that (`openat2`, since 5.6). Where it is missing or forbidden, and on other
//! systems, the path is walked here, name by name, each opened in the directory before it without
//! following it if it is a link; links are read and walked the same way.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat, readlinkat};
use rustix::io::Errno;

use super::{Place, Trouble};

/// As many links as Linux follows in one path.
const MOST_LINKS: usize = 40;

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// Opens a regular file for reading.
pub(super) fn open(place: &Place<'_>) -> Result<File, Trouble> {
    // So that a pipe is not waited for, and no terminal becomes this process's own.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match place {
        Place::Anywhere(path) | Place::Root(path) => {
            File::from(openat(CWD, *path, flags, Mode::empty())?)
        }
        Place::Below(root, rest) => File::from(below(&open_root(root)?, rest, flags)?),
    };
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(Trouble::NotAFile)
    }
}

/// Opens a directory.
pub(super) fn open_dir(place: &Place<'_>) -> Result<OwnedFd, Trouble> {
    match place {
        Place::Anywhere(path) | Place::Root(path) => Ok(open_root(path)?),
        Place::Below(root, rest) => below(&open_root(root)?, rest, DIRECTORY),
    }
}

/// Opens a directory below another one, and makes what is missing of it.
pub(super) fn make_dirs(root: &Path, rest: &Path) -> Result<OwnedFd, Trouble> {
    let root = match open_root(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(root)?;
            open_root(root)?
        }
        opened => opened?,
    };
    let mut deepest = root.try_clone()?;
    let mut so_far = PathBuf::new();
    for name in rest {
        so_far.push(name);
        deepest = match below(&root, &so_far, DIRECTORY) {
            Err(Trouble::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                match mkdirat(&deepest, name, Mode::from_raw_mode(0o777)) {
                    // Somebody else was faster.
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                below(&root, &so_far, DIRECTORY)?
            }
            opened => opened?,
        };
    }
    Ok(deepest)
}

/// Where a person said that it is, by whatever links.
fn open_root(root: &Path) -> io::Result<OwnedFd> {
    Ok(openat(CWD, root, DIRECTORY, Mode::empty())?)
}

/// `rest` consists of names alone, at least one.
fn below(root: &OwnedFd, rest: &Path, flags: OFlags) -> Result<OwnedFd, Trouble> {
    #[cfg(target_os = "linux")]
    if let Some(opened) = by_kernel(root, rest, flags) {
        return opened;
    }
    by_walking(root, rest, flags)
}

/// None if the kernel cannot tell.
#[cfg(target_os = "linux")]
fn by_kernel(root: &OwnedFd, rest: &Path, flags: OFlags) -> Option<Result<OwnedFd, Trouble>> {
    use rustix::fs::{ResolveFlags, openat2};

    /// While something is renamed, the kernel may not be sure and asks to try again.
    const ATTEMPTS: usize = 32;

    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..ATTEMPTS {
        match openat2(root, rest, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN) => {}
            // Older than 5.6, or a filter of system calls that does not know it.
            Err(Errno::NOSYS | Errno::PERM) => return None,
            Err(Errno::XDEV) => return Some(Err(Trouble::LeadsOutside)),
            Ok(opened) => return Some(Ok(opened)),
            Err(error) => return Some(Err(error.into())),
        }
    }
    None
}

fn by_walking(root: &OwnedFd, rest: &Path, flags: OFlags) -> Result<OwnedFd, Trouble> {
    // The directories from the root to where we are, so that `..` in a link is one step back on our own
    // way, even if the directory has been moved meanwhile.
    let mut way: Vec<OwnedFd> = Vec::new();
    let mut ahead: Vec<OsString> = Vec::new();
    push(&mut ahead, rest)?;
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        let here: BorrowedFd<'_> = way.last().map_or(root.as_fd(), AsFd::as_fd);
        if name == ".." {
            way.pop().ok_or(Trouble::LeadsOutside)?;
            continue;
        }
        let last = ahead.is_empty();
        let wanted = if last { flags } else { DIRECTORY };
        match openat(here, &name, wanted | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(opened) if last => return Ok(opened),
            Ok(opened) => way.push(opened),
            // By POSIX a link is ELOOP, on some systems EMLINK; one that should be a directory is ENOTDIR
            // as well, as any file is.
            Err(error @ (Errno::LOOP | Errno::MLINK | Errno::NOTDIR)) => {
                let Ok(target) = readlinkat(here, &name, Vec::new()) else {
                    return Err(error.into());
                };
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                push(
                    &mut ahead,
                    Path::new(&OsString::from_vec(target.into_bytes())),
                )?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    // The last name was `..`, of a link.
    let here: BorrowedFd<'_> = way.last().map_or(root.as_fd(), AsFd::as_fd);
    Ok(openat(here, OsStr::new("."), flags, Mode::empty())?)
}

/// Puts the names of a path before those that are still to be walked, the first on top.
fn push(ahead: &mut Vec<OsString>, path: &Path) -> Result<(), Trouble> {
    for component in path.components().rev() {
        match component {
            Component::Normal(name) => ahead.push(name.to_owned()),
            Component::ParentDir => ahead.push("..".into()),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return Err(Trouble::LeadsOutside),
        }
    }
    Ok(())
}

impl From<Errno> for Trouble {
    fn from(error: Errno) -> Self {
        Trouble::Io(error.into())
    }
}

#[cfg(test)]
mod tests;
