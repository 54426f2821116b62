//! Puts what other processes have died of into quarantine.

use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::quarantine::{Quarantine, ignored, read_text, set_aside};
use super::record::{self, Unreadable};
use crate::regular::{self, Links};

/// The extension of journals.
pub(super) const EXTENSION: &str = "jsonl";

/// Looks at all journals whose process has died. Nothing that is found in the directory keeps a host
/// from working.
pub(super) fn sweep(journals: &Path, quarantine: &Quarantine) {
    let Ok(entries) = fs::read_dir(journals) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.extension().is_none_or(|found| found != EXTENSION) {
            continue;
        }
        match fs::symlink_metadata(&path) {
            Ok(found) if !found.is_file() => {
                set_aside(&path, &"expected a regular file, found something else");
            }
            Ok(_) => match settle(&path, quarantine) {
                // Another host has settled it.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => ignored(&path, &error),
                Ok(()) => {}
            },
            Err(_) => {}
        }
    }
}

/// Takes over what is left in one journal, unless its process lives.
fn settle(path: &Path, quarantine: &Quarantine) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let file = regular::open_with(options.read(true).write(true), path, Links::Refuse)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // Another host may have settled it between the opening and the locking, and what it put into
    // quarantine may have been released since.
    if !regular::is_at(&file, path)? {
        return Ok(());
    }
    let text = match read_text(&file) {
        Ok(text) => text,
        Err(error) => {
            set_aside(path, &error);
            return Ok(());
        }
    };
    let (open, unreadable) = record::read_journal(&text);
    if let Some(error @ Unreadable::OtherVersion(_)) = unreadable {
        ignored(path, &error);
        return Ok(());
    }
    for entry in open {
        quarantine.add(&entry)?;
        tracing::info!(
            plugin = entry.plugin,
            version = %entry.version,
            hash = %entry.hash,
            "quarantined: {}",
            entry.story("this build")
        );
    }
    match unreadable {
        Some(error) => set_aside(path, &error),
        None => fs::remove_file(path)?,
    }
    Ok(())
}
