//! Files below granted directories.
//!
//! A path is first held against the grant as it is written, without `.` and `..`. Then the
//! granted directory is opened, and the file from there in a way that cannot leave it, whatever the links
//! on the way are at that moment: there is no time between a check and the use in which one could be
//! put in the other's place. Links are followed as long as they are relative and stay below the
//! directory. The granted directory itself is where a person said it is, so links in its own path are
//! followed.

#[cfg(unix)]
mod beneath;
#[cfg(not(unix))]
mod by_path;
#[cfg(unix)]
mod replace;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use keyway::{PluginError, Result};

#[cfg(not(unix))]
use self::by_path as system;
use super::audit::Action;
use super::{Mediator, Shared, codes, refusal};
use crate::permission::{Ask, PathRoot, Reach, absolute};

/// Why a file could not be opened.
#[derive(Debug)]
enum Trouble {
    /// A link leads out of the directory.
    LeadsOutside,
    /// It is no regular file.
    NotAFile,
    Io(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Trouble::Io(error)
    }
}

/// A path that is granted, and from where on it must not leave.
#[derive(Debug, PartialEq, Eq)]
enum Place<'g> {
    /// Everything is granted, so it cannot lead outside.
    Anywhere(&'g Path),
    /// The root is the file itself.
    Root(&'g Path),
    /// A path below a root, of names alone.
    Below(&'g Path, &'g Path),
}

impl<'g> Place<'g> {
    fn of(path: &'g Path, granted: &'g Reach<PathRoot>) -> Self {
        // In normal form no root is below another one.
        let root = granted.entries().iter().find(|root| root.contains(path));
        let Some(root) = root.map(PathRoot::path) else {
            return Place::Anywhere(path);
        };
        match path.strip_prefix(root) {
            Ok(rest) if rest.as_os_str().is_empty() => Place::Root(root),
            Ok(rest) if root.parent().is_some() => Place::Below(root, rest),
            _ => Place::Anywhere(path),
        }
    }
}

impl Mediator {
    /// The content of a file below a directory that the plugin may read. A relative path begins at
    /// [`base`](Self::base).
    ///
    /// # Errors
    ///
    /// `read-not-granted`, `leads-outside`, `not-a-file`, `size-limit`
    /// ([`Limits::max_file_bytes`](super::Limits::max_file_bytes)), `file-failed` and `bad-request`.
    pub fn read_file(&self, path: &str) -> Result<Vec<u8>> {
        let shared = &self.shared;
        shared.attempt(Action::ReadFile, path, || {
            let path = shared.normal(path)?;
            shared.require(Ask::Read(&path))?;
            let place = Place::of(&path, &shared.grant.read);
            let bytes = read(&place, shared.limits().max_file_bytes);
            let bytes = bytes.map_err(|trouble| failed("read", &path, trouble))?;
            shared.check_size(&path, bytes.len())?;
            Ok(bytes)
        })
    }

    /// Puts a file with this content below a directory that the plugin may write, in the place of one that
    /// is there. Whoever reads it meanwhile sees the old content or the new one, also after a crash.
    /// Missing directories are made.
    ///
    /// # Errors
    ///
    /// `write-not-granted`, `leads-outside`, `not-a-file` (also for a link), `size-limit`
    /// ([`Limits::max_file_bytes`](super::Limits::max_file_bytes)), `file-failed` and `bad-request`.
    pub fn write_file(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let shared = &self.shared;
        shared.attempt(Action::WriteFile, path, || {
            let path = shared.normal(path)?;
            shared.require(Ask::Write(&path))?;
            shared.check_size(&path, bytes.len())?;
            system::replace(&Place::of(&path, &shared.grant.write), bytes)
                .map_err(|trouble| failed("write", &path, trouble))
        })
    }

    /// The absolute path that a plugin's path stands for, if the plugin may read it: for parameters of
    /// actions that are paths, before anything is done with them.
    ///
    /// This looks at no file. What opens the path later by itself follows whatever links there are then;
    /// [`read_file`](Self::read_file) does not let them lead outside.
    ///
    /// # Errors
    ///
    /// `read-not-granted` and `bad-request`.
    pub fn path_to_read(&self, path: &str) -> Result<PathBuf> {
        let path = self.shared.normal(path)?;
        self.shared.require(Ask::Read(&path))?;
        Ok(path)
    }

    /// As [`path_to_read`](Self::path_to_read), if the plugin may write it.
    ///
    /// # Errors
    ///
    /// `write-not-granted` and `bad-request`.
    pub fn path_to_write(&self, path: &str) -> Result<PathBuf> {
        let path = self.shared.normal(path)?;
        self.shared.require(Ask::Write(&path))?;
        Ok(path)
    }
}

impl Shared {
    pub(super) fn normal(&self, path: &str) -> Result<PathBuf> {
        absolute(path, &self.base)
            .map_err(|fault| refusal::malformed(format!("the path {path:?} {fault}")))
    }

    fn check_size(&self, path: &Path, size: usize) -> Result<()> {
        let limit = self.limits().max_file_bytes;
        if size as u64 <= limit {
            return Ok(());
        }
        Err(refusal::denied(
            &codes::SIZE_LIMIT,
            format!(
                "{} is larger than Limits::max_file_bytes, {limit} bytes",
                path.display()
            ),
        ))
    }

    /// A directory in which a program may run, open so that it stays the one that was checked.
    #[cfg(unix)]
    pub(super) fn open_dir(&self, path: &Path) -> Result<std::os::fd::OwnedFd> {
        let granted = self.grant.decide(Ask::Write(path));
        let reach = if granted.is_allowed() {
            &self.grant.write
        } else {
            self.require(Ask::Read(path))?;
            &self.grant.read
        };
        system::open_dir(&Place::of(path, reach)).map_err(|trouble| failed("open", path, trouble))
    }
}

/// The content of a file below a directory, which no link leads out of; `rest` consists of names joined
/// by `/`. For what the host itself reads.
///
/// # Errors
///
/// As [`Mediator::read_file`], and `size-limit` for more than `limit` bytes.
pub(crate) fn read_below(root: &Path, rest: &str, limit: u64) -> Result<Vec<u8>> {
    let rest = Path::new(rest);
    let path = root.join(rest);
    let bytes = read(&Place::Below(root, rest), limit);
    let bytes = bytes.map_err(|trouble| failed("read", &path, trouble))?;
    if bytes.len() as u64 <= limit {
        return Ok(bytes);
    }
    let message = format!("{} is larger than {limit} bytes", path.display());
    Err(refusal::denied(&codes::SIZE_LIMIT, message))
}

/// What is in a file, up to one byte more than the limit.
fn read(place: &Place<'_>, limit: u64) -> std::result::Result<Vec<u8>, Trouble> {
    let file = system::open(place)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(unix)]
mod system {
    pub(super) use super::beneath::{open, open_dir};
    pub(super) use super::replace::replace;
}

fn failed(doing: &str, path: &Path, trouble: Trouble) -> PluginError {
    let path = path.display();
    match trouble {
        Trouble::LeadsOutside => refusal::denied(
            &codes::LEADS_OUTSIDE,
            format!(
                "a link in {path} leads out of the directory that is granted, or is absolute; grant \
                 the directory that it leads to"
            ),
        ),
        Trouble::NotAFile => refusal::error(
            keyway::ErrorKind::InvalidInput,
            &codes::NOT_A_FILE,
            format!("cannot {doing} {path}: it is no regular file"),
        ),
        Trouble::Io(error) => refusal::io(&codes::FILE_FAILED, &format!("{doing} {path}"), &error),
    }
}

#[cfg(all(test, unix))]
mod tests;
