//! Changing a text file that people edit too, such as the host's settings: read, changed and put back as a whole,
//! one process at a time.

use std::fs;
use std::path::{Path, PathBuf};

use crate::disk;
use crate::error::{InstallError, Result};
use crate::guard::Guard;

/// The turn to change one file. Others who ask for it wait until this is dropped; an editor does not ask.
#[derive(Debug)]
#[must_use = "others may change the file as soon as this is dropped"]
pub struct FileTurn {
    path: PathBuf,
    _guard: Guard,
}

impl FileTurn {
    /// Takes the turn, and waits for whoever has it. Neither the file nor its directory has to be there yet.
    /// `doing` is what others are told while they wait; `busy` is told once, if there is somebody to wait for, who
    /// that is.
    ///
    /// # Errors
    ///
    /// When the file for that, `.NAME.guard` beside it, cannot be made or locked.
    pub fn take(path: &Path, doing: &str, mut busy: impl FnMut(&str)) -> Result<Self> {
        let absolute = std::path::absolute(path)
            .map_err(|error| InstallError::io("find the file", path, error))?;
        // A link to it stays a link: what it leads to is replaced.
        let path = absolute.canonicalize().unwrap_or(absolute);
        let guard = Guard::exclusive(&disk::beside(&path, ".guard"), doing, &mut busy)?;
        // What a process has left that died before its rename; whatever else is there, writing will tell.
        let _ = fs::remove_file(disk::beside(&path, ".new"));
        Ok(FileTurn {
            path,
            _guard: guard,
        })
    }

    /// The file, without links on the way.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a text in the place of what is in the file: whoever reads it sees the old or the new, also after a crash.
    /// Its rights stay what they are; a new file is for this user only, since settings may have secrets in them.
    ///
    /// # Errors
    ///
    /// Those of the system. The file is then what it was.
    pub fn replace(&self, text: &str) -> Result<()> {
        let rights = fs::metadata(&self.path)
            .ok()
            .map(|metadata| metadata.permissions());
        disk::replace_with(&self.path, text.as_bytes(), |file| match rights {
            Some(rights) => file.set_permissions(rights),
            None => disk::private(file),
        })
    }
}

/// What is in a text file; none if it is not there.
///
/// # Errors
///
/// When it cannot be read, or is not UTF-8.
pub fn read_text(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(InstallError::io("read the file", path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_made_for_this_user_only() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("new/settings.toml");
        let turn = FileTurn::take(&path, "tests", |_| panic!("it is free")).expect("a turn");
        assert_eq!(read_text(&path).expect("it is asked"), None);
        turn.replace("a = 1\n").expect("it is written");
        assert_eq!(
            read_text(&path).expect("it reads").as_deref(),
            Some("a = 1\n")
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("it is there").permissions();
            assert_eq!(mode.mode() & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_and_rights_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let dir = tempfile::tempdir().expect("a directory");
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, "old").expect("a file");
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("it is ours");
        symlink(&real, &link).expect("a link");
        let turn = FileTurn::take(&link, "tests", |_| {}).expect("a turn");
        turn.replace("new").expect("it is written");
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&real).expect("it reads"), "new");
        let mode = fs::metadata(&real).expect("it is there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o640);
    }
}
