//! Where files cannot be opened from a directory on: the real path is looked up, held against the real
//! directory, and then opened. Somebody who changes links in between can lead it outside.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use super::{Place, Trouble};
use crate::regular::{self, Links};

/// Opens a regular file for reading.
pub(super) fn open(place: &Place<'_>) -> Result<File, Trouble> {
    let path = real(place)?;
    if !std::fs::metadata(&path)?.is_file() {
        return Err(Trouble::NotAFile);
    }
    Ok(regular::open(&path, Links::Refuse)?)
}

/// Puts a new file with these bytes in a place; makes the directories that are missing.
pub(super) fn replace(place: &Place<'_>, bytes: &[u8]) -> Result<(), Trouble> {
    let path = written(place);
    let parent = path.parent().ok_or(Trouble::NotAFile)?;
    let name = path.file_name().ok_or(Trouble::NotAFile)?;
    std::fs::create_dir_all(parent)?;
    let parent = parent.canonicalize()?;
    if let Place::Below(root, _) = place
        && !parent.starts_with(root.canonicalize()?)
    {
        return Err(Trouble::LeadsOutside);
    }
    let target = parent.join(name);
    match std::fs::symlink_metadata(&target) {
        Ok(metadata) if !metadata.is_file() => return Err(Trouble::NotAFile),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut file = tempfile::NamedTempFile::new_in(&parent)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

fn written(place: &Place<'_>) -> PathBuf {
    match place {
        Place::Anywhere(path) | Place::Root(path) => path.to_path_buf(),
        Place::Below(root, rest) => root.join(rest),
    }
}

fn real(place: &Place<'_>) -> Result<PathBuf, Trouble> {
    let path = written(place).canonicalize()?;
    match place {
        Place::Below(root, _) if !path.starts_with(root.canonicalize()?) => {
            Err(Trouble::LeadsOutside)
        }
        _ => Ok(path),
    }
}
