//! What a look at a file tells of its content, and what the kernel tells of what was done to it.

use std::fs::Metadata;
use std::path::Path;
use std::time::SystemTime;

/// Identifies a file or a directory itself, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    /// Where there are no inodes, the time of creation has to do.
    created: Option<SystemTime>,
}

impl Identity {
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
            created: None,
        }
    }

    #[cfg(not(unix))]
    pub(super) fn of(metadata: &Metadata) -> Self {
        Identity {
            device: 0,
            inode: 0,
            created: metadata.created().ok(),
        }
    }
}

/// What stands for a file's content: where these are equal, nobody has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) identity: Identity,
    pub(super) size: u64,
    pub(super) modified: Option<SystemTime>,
}

/// A regular file, as one look found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileState {
    pub(super) content: Content,
    /// It has another name, as cargo's outputs have: whoever linked it here was done with it.
    pub(super) linked: bool,
}

impl FileState {
    /// None if there is no regular file, or if it cannot be looked at. Follows links.
    pub(super) fn of(path: &Path) -> Option<Self> {
        // Missing is an ordinary answer here, so the error has no use for a path.
        let metadata = std::fs::metadata(path).ok()?;
        metadata.is_file().then(|| FileState {
            content: Content {
                identity: Identity::of(&metadata),
                size: metadata.len(),
                modified: metadata.modified().ok(),
            },
            linked: has_other_names(&metadata),
        })
    }

    #[cfg(test)]
    pub(super) fn made_up(inode: u64, size: u64, age: u64, linked: bool) -> Self {
        FileState {
            content: Content {
                identity: Identity {
                    device: 1,
                    inode,
                    created: None,
                },
                size,
                modified: Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(age)),
            },
            linked,
        }
    }

    #[cfg(test)]
    pub(super) fn inode(&self) -> u64 {
        self.content.identity.inode
    }

    /// The same with another time of modification.
    #[cfg(test)]
    pub(super) fn touched(mut self, age: u64) -> Self {
        self.content.modified =
            Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(age));
        self
    }
}

#[cfg(unix)]
fn has_other_names(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.nlink() > 1
}

#[cfg(not(unix))]
fn has_other_names(_: &Metadata) -> bool {
    false
}

/// Why a file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It was time for a look, or something happened nearby.
    Look,
    /// Its attributes changed, or something that may be no more than that.
    Touched,
    /// The name was created: by a hard link, or by a writer that begins.
    Created,
    /// A file was renamed to this name.
    Arrived,
    /// A file was renamed, to this name or away from it.
    Moved,
    /// The name was deleted, or the file renamed away.
    Left,
    /// Bytes were written, or the file was truncated.
    Written,
    /// A writer closed it.
    Closed,
}

impl Sign {
    /// Whether the name may now stand for something else.
    pub(super) fn is_of_the_name(self) -> bool {
        match self {
            Sign::Created | Sign::Arrived | Sign::Moved | Sign::Left => true,
            Sign::Look | Sign::Touched | Sign::Written | Sign::Closed => false,
        }
    }
}
