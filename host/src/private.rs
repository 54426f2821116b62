//! Directories that nobody but this user can enter.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

/// Makes a directory for this user only, and those above it. One that is there is taken as it is.
pub(crate) fn create_dir(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
