//! Opens regular files and nothing else.
//!
//! A look at the path before it is opened would not do: somebody could put a pipe in its place in
//! between, and opening that would wait for its other end. So the file is opened in a way that
//! never waits, and what was opened is looked at.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Whether the last part of a path may be a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// It is followed, as for a file that somebody named.
    Follow,
    /// It is refused, as for a file that only we could have made.
    Refuse,
}

/// Opens a file for reading.
///
/// # Errors
///
/// Those of the system, and one for whatever is no regular file.
pub(crate) fn open(path: &Path, links: Links) -> io::Result<File> {
    open_with(OpenOptions::new().read(true), path, links)
}

/// Opens a file that exists, for what the options say.
///
/// # Errors
///
/// As [`open`].
pub(crate) fn open_with(options: &mut OpenOptions, path: &Path, links: Links) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A terminal must not become this process's own by being opened. The standard library adds
        // O_CLOEXEC.
        let mut flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        if links == Links::Refuse {
            flags |= libc::O_NOFOLLOW;
        }
        options.custom_flags(flags);
    }
    #[cfg(not(unix))]
    if links == Links::Refuse && std::fs::symlink_metadata(path)?.is_symlink() {
        return Err(not_regular());
    }
    let file = options.open(path)?;
    // O_NONBLOCK means nothing to a regular file, so it may stay.
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(not_regular())
    }
}

/// Whether an open file is still the one at this path.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (open, named) = (file.metadata()?, std::fs::symlink_metadata(path)?);
    Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
}

/// Whether there still is a file at this path. The names that it is asked for are made up at
/// random, so one that was removed does not come again.
#[cfg(not(unix))]
pub(crate) fn is_at(_: &File, path: &Path) -> io::Result<bool> {
    Ok(std::fs::symlink_metadata(path)?.is_file())
}

fn not_regular() -> io::Error {
    io::Error::other("expected a regular file, found something else")
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_pipe_is_refused_without_waiting_for_its_other_end() {
        let home = tempfile::tempdir().expect("a directory");
        let pipe = home.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo starts").success());
        for links in [Links::Follow, Links::Refuse] {
            let error = open(&pipe, links).expect_err("it is a pipe");
            assert!(error.to_string().contains("expected a regular file"));
        }
        let error = open_with(
            OpenOptions::new().read(true).write(true),
            &pipe,
            Links::Refuse,
        )
        .expect_err("it is a pipe");
        assert!(error.to_string().contains("expected a regular file"));
    }

    #[test]
    fn a_directory_is_refused() {
        let home = tempfile::tempdir().expect("a directory");
        let error = open(home.path(), Links::Follow).expect_err("it is a directory");
        assert!(error.to_string().contains("expected a regular file"));
    }

    #[test]
    fn a_link_is_followed_only_where_it_may_be() {
        let home = tempfile::tempdir().expect("a directory");
        let (file, link) = (home.path().join("file"), home.path().join("link"));
        std::fs::write(&file, "text").expect("a file");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        let mut text = String::new();
        let mut followed = open(&link, Links::Follow).expect("it leads to a file");
        followed.read_to_string(&mut text).expect("it reads");
        assert_eq!(text, "text");
        open(&link, Links::Refuse).expect_err("it is a link");
    }
}
