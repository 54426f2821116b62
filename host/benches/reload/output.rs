//! Where cargo would put a library, and how.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The name of the library, without what the system puts around it.
pub(crate) const NAME: &str = "bench_plugin";

/// A directory like `target/release`: the library, and in `deps` the file that it is a link to.
#[derive(Debug)]
pub(crate) struct Output {
    /// What is loaded.
    pub(crate) library: PathBuf,
    /// Where the linker writes.
    pub(crate) linked: PathBuf,
}

impl Output {
    pub(crate) fn at(dir: &Path) -> Self {
        use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
        let file = format!("{DLL_PREFIX}{NAME}{DLL_SUFFIX}");
        Output {
            library: dir.join(&file),
            linked: dir.join("deps").join(file),
        }
    }

    /// Puts what the linker has written in the place of the library, as cargo does: the old one is
    /// removed, the new one is a hard link. Answers the moment just before the link is made, which
    /// is when the file is complete.
    pub(crate) fn publish(&self) -> io::Result<Instant> {
        match std::fs::remove_file(&self.library) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let complete = Instant::now();
        std::fs::hard_link(&self.linked, &self.library)?;
        Ok(complete)
    }
}
