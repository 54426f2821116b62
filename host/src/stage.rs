//! Private copies of plugin files.
//!
//! A build output is never loaded itself: the next build would overwrite a mapped file, which is
//! a crash, and the dynamic loader answers the old image for a file that it knows. Each load gets
//! its own copy, under a name of its own, in a directory that only this user can enter. A host
//! removes its directory when it ends; where the process died before that, a later host's
//! [`sweep`] does.

mod sweep;

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use fs_err as fs;
use tempfile::TempDir;

use crate::error::{HostError, HostErrorKind};
use crate::inspect::{ContentHash, ContentHasher};
use crate::regular::{self, Links};

/// The directory of a host's private copies; removed with the host.
#[derive(Debug)]
pub(crate) struct Stage {
    /// Says that the directory is in use. It goes before the directory, since not every system
    /// removes a file that is open; whoever sweeps in between does the same work.
    _lock: Option<File>,
    dir: TempDir,
    next: AtomicU64,
}

/// One private copy, which goes with this value unless it is [kept](Staged::keep).
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) path: PathBuf,
    pub(crate) hash: ContentHash,
    kept: bool,
}

impl Staged {
    /// Leaves the copy to whoever has opened it as a library.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed goes with the stage.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// How much is read, hashed and written at a time: what a core's own cache holds. To hash on a second thread
/// beside it was tried, and is no faster.
const CHUNK: usize = 128 * 1024;

/// What the name of each stage begins with; the number of its process and six letters follow.
const PREFIX: &str = "keyway-";

/// The file that a stage's host keeps locked.
const LOCK: &str = "lock";

impl Stage {
    pub(crate) fn new(parent: Option<&Path>) -> Result<Self, HostError> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let mut builder = tempfile::Builder::new();
        let prefix = format!("{PREFIX}{}-", std::process::id());
        builder.prefix(&prefix);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o700));
        }
        let dir = builder.tempdir_in(&parent).map_err(|error| {
            HostError::new(
                HostErrorKind::Stage,
                format!(
                    "cannot make a directory for private copies in {}",
                    parent.display()
                ),
            )
            .hint("choose another place with HostBuilder::stage_dir")
            .source(error)
        })?;
        // A file system without locks has stages that nobody sweeps, and that is all.
        let lock = lock(dir.path())
            .inspect_err(|error| {
                tracing::debug!(stage = %dir.path().display(), "cannot lock the stage: {error}");
            })
            .ok();
        sweep::sweep(&parent, dir.path());
        Ok(Stage {
            _lock: lock,
            dir,
            next: AtomicU64::new(1),
        })
    }

    /// Copies and hashes a file in one pass.
    pub(crate) fn copy(&self, source: &Path) -> Result<Staged, HostError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        let path = self.dir.path().join(format!("{number}-{name}"));
        let hash = copy(source, &path).map_err(|error| {
            // Half a copy is of no use to anyone.
            let _ = std::fs::remove_file(&path);
            HostError::new(
                HostErrorKind::Stage,
                format!("cannot make a private copy: {error}"),
            )
            .at(source)
            .hint("check the free space and the permissions of the temporary directory")
            .source(error)
        })?;
        Ok(Staged {
            path,
            hash,
            kept: false,
        })
    }
}

/// Marks a new directory as a stage that is in use.
///
/// The file gets its name after it is locked: a stage whose `lock` is there and free is one whose
/// process has died, and never one that is just being made.
fn lock(dir: &Path) -> std::io::Result<File> {
    let new = dir.join("lock.new");
    let file = create(&new)?.into_file();
    file.try_lock()?;
    fs::rename(&new, dir.join(LOCK))?;
    Ok(file)
}

/// Makes a file that nobody else reads.
fn create(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

fn copy(source: &Path, target: &Path) -> std::io::Result<ContentHash> {
    let mut source = fs::File::from_parts(regular::open(source, Links::Follow)?, source);
    let mut target = create(target)?;
    let mut hasher = ContentHasher::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = source.read(&mut chunk)?;
        if read == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&chunk[..read]);
        target.write_all(&chunk[..read])?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::hash_bytes;

    #[test]
    fn each_copy_has_its_own_name_and_the_hash_of_the_source() {
        let home = tempfile::tempdir().expect("a directory");
        let source = home.path().join("plugin.so");
        std::fs::write(&source, b"some bytes").expect("a file");
        let stage = Stage::new(Some(home.path())).expect("a stage");
        let (one, two) = (
            stage.copy(&source).expect("a copy"),
            stage.copy(&source).expect("a copy"),
        );
        assert_ne!(one.path, two.path);
        assert_eq!(one.hash, hash_bytes(b"some bytes"));
        assert_eq!(std::fs::read(&two.path).expect("the copy"), b"some bytes");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_enter_the_stage() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().expect("a directory");
        let stage = Stage::new(Some(home.path())).expect("a stage");
        let mode = std::fs::metadata(stage.dir.path())
            .expect("the stage")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_not_copied_and_not_waited_for() {
        let home = tempfile::tempdir().expect("a directory");
        let pipe = home.path().join("plugin.so");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo starts").success());
        let stage = Stage::new(Some(home.path())).expect("a stage");
        let error = stage.copy(&pipe).expect_err("it is a pipe");
        let text = error.to_string();
        assert!(text.contains("expected a regular file"), "{text}");
        assert!(text.contains("plugin.so"), "{text}");
    }

    #[test]
    fn a_missing_source_is_named() {
        let stage = Stage::new(None).expect("a stage");
        let error = stage
            .copy(Path::new("/nowhere/x.so"))
            .expect_err("there is no such file");
        assert_eq!(error.kind(), HostErrorKind::Stage);
        assert!(error.to_string().contains("/nowhere/x.so"), "{error}");
    }
}
