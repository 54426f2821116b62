//! The names in a directory.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;

use super::names;
use super::read::MANIFESTS;

/// A name in a directory.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// First, so that a file is found under its own name before it is found through a link.
    pub(super) is_link: bool,
    pub(super) name: OsString,
}

/// What came of looking into a directory.
pub(super) enum Listing {
    /// In order.
    Complete(Vec<Entry>),
    /// There are more than may be looked at. Which of them come first depends on the file system, so
    /// none is taken.
    Cut,
    Unreadable(io::Error),
}

/// Looks into a directory that has at most so many names.
pub(super) fn list(directory: &Path, most: usize) -> Listing {
    let read = || -> io::Result<Option<Vec<Entry>>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(directory)? {
            #[cfg(test)]
            crate::steps::add(1);
            let entry = entry?;
            if entries.len() == most {
                return Ok(None);
            }
            entries.push(Entry {
                is_link: entry.file_type()?.is_symlink(),
                name: entry.file_name(),
            });
        }
        entries.sort();
        Ok(Some(entries))
    };
    match read() {
        Ok(Some(entries)) => Listing::Complete(entries),
        Ok(None) => Listing::Cut,
        Err(error) => Listing::Unreadable(error),
    }
}

/// The name of the manifest that is read.
pub(super) fn manifest_among(entries: &[Entry]) -> Option<&'static str> {
    let is_there = |name: &str| entries.iter().any(|entry| entry.name == *name);
    MANIFESTS.into_iter().find(|name| is_there(name))
}

/// The names of libraries.
pub(super) fn libraries(entries: &[Entry]) -> impl Iterator<Item = &str> {
    let names = entries.iter().map(|entry| entry.name.as_os_str());
    names
        .filter(|name| names::is_library(name))
        .filter_map(OsStr::to_str)
}
