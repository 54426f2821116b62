//! How large packages and archives may be. The limits are far above what plugins have, and keep an archive
//! that was made to do harm from filling a disk.

use crate::error::InstallError;

/// Bytes in one file. The largest plugin known to us, with debug symbols, has a third of it.
pub const MAX_FILE_BYTES: u64 = 512 << 20;
/// Bytes in all files of a package.
pub const MAX_PACKAGE_BYTES: u64 = 1 << 30;
/// Files and directories in a package.
pub const MAX_ENTRIES: usize = 4_096;
/// How many bytes may come of one byte of an archive. Libraries with debug symbols come to 10, texts to 20, and
/// DEFLATE ends at 1,032.
pub const MAX_RATIO: u64 = 200;
/// So many bytes may come out whatever the ratio is: a small file of zeros is no bomb.
pub const RATIO_FREE_BYTES: u64 = 1 << 20;
/// Bytes in the path of an entry.
pub const MAX_NAME_BYTES: usize = 1_024;
/// Bytes in one part of a path; what file systems take.
pub const MAX_PART_BYTES: usize = 255;
/// Directories above an entry.
pub const MAX_DEPTH: usize = 16;
/// Bytes in `plugins.lock`.
pub const MAX_LOCK_BYTES: u64 = 16 << 20;
/// Bytes in what the index of a registry says of one plugin: some ten thousand releases.
pub const MAX_INDEX_BYTES: u64 = 4 << 20;
/// Bytes in an archive of a registry.
pub const MAX_ARCHIVE_BYTES: u64 = 1 << 30;

pub(crate) fn too_many_entries() -> InstallError {
    InstallError::unfit(
        "too-many-entries",
        format!("a package has at most {MAX_ENTRIES} files and directories, found more"),
    )
}
