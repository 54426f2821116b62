//! The contents that are refused since a process died of them, one file for each.
//!
//! The files are looked at anew for each load, so that what one process releases, all may load.

use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use semver::Version;

use super::phase::{Occasion, Phase};
use super::record::{self, Unreadable};
use crate::inspect::ContentHash;
use crate::private;
use crate::regular::{self, Links};

/// A build of a plugin that is refused, since a process died while it loaded or reloaded it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quarantined {
    /// The content of the file; another build has another one, and loads.
    pub hash: ContentHash,
    /// The plugin's id from its manifest.
    pub plugin: String,
    /// The plugin's version from its manifest.
    pub version: Version,
    /// The file that was loaded. What is not Unicode in its name is replaced.
    pub path: PathBuf,
    /// In the course of what it ran.
    pub occasion: Occasion,
    /// What it was doing.
    pub phase: Phase,
    /// When that phase had begun, in milliseconds by the system's clock.
    pub at: SystemTime,
}

impl Quarantined {
    /// What happened, as the end of a sentence; `build` is what it says for the build.
    pub(super) fn story(&self, build: &str) -> String {
        let (doing, phase) = (self.occasion.doing(build), self.phase);
        format!("a process died while {doing}, in phase {phase}")
    }
}

/// The directory of the files.
#[derive(Debug)]
pub(super) struct Quarantine {
    dir: PathBuf,
}

const EXTENSION: &str = "json";

/// Larger than any file that we have written.
const LONGEST: u64 = 16 << 20;

impl Quarantine {
    pub(super) fn new(dir: PathBuf) -> Self {
        Quarantine { dir }
    }

    /// What is known of contents that are in quarantine. A file that cannot be read refuses nothing.
    pub(super) fn find(&self, hash: &ContentHash) -> Option<Quarantined> {
        self.read(&self.path(hash))
            .filter(|found| found.hash == *hash)
    }

    /// All, sorted by plugin and version.
    pub(super) fn list(&self) -> Vec<Quarantined> {
        let Ok(entries) = std::fs::read_dir(&self.dir) else {
            return Vec::new();
        };
        let paths = entries.flatten().map(|entry| entry.path());
        let mut found: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|found| found == EXTENSION))
            .filter_map(|path| {
                self.read(&path)
                    .filter(|found| self.path(&found.hash) == path)
            })
            .collect();
        found.sort_by(|a, b| {
            (&a.plugin, &a.version, &a.hash).cmp(&(&b.plugin, &b.version, &b.hash))
        });
        found
    }

    /// Whoever reads it at the same time sees the whole file or none.
    pub(super) fn add(&self, entry: &Quarantined) -> io::Result<()> {
        private::create_dir(&self.dir)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        file.write_all(record::file(entry).as_bytes())?;
        file.persist(self.path(&entry.hash))?;
        Ok(())
    }

    /// Answers whether it was there.
    pub(super) fn remove(&self, hash: &ContentHash) -> io::Result<bool> {
        match std::fs::remove_file(self.path(hash)) {
            Ok(()) => Ok(true),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn path(&self, hash: &ContentHash) -> PathBuf {
        let hash = hash.to_string();
        // A colon may not stand in a file name everywhere.
        let digits = hash.rsplit(':').next().unwrap_or_default();
        self.dir.join(digits).with_extension(EXTENSION)
    }

    fn read(&self, path: &Path) -> Option<Quarantined> {
        let text = match read_small(path) {
            Ok(text) => text,
            // Without a directory there is no quarantine; the journal has told of it.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return None;
            }
            // Another user's, which that user's hosts can read.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                ignored(path, &error);
                return None;
            }
            Err(error) => {
                set_aside(path, &error);
                return None;
            }
        };
        match record::read_file(&text) {
            Ok(found) => Some(found),
            Err(error @ Unreadable::OtherVersion(_)) => {
                ignored(path, &error);
                None
            }
            Err(error) => {
                set_aside(path, &error);
                None
            }
        }
    }
}

fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    read_text(&regular::open(path, Links::Refuse)?)
}

/// The content of a file that is no longer than any of ours.
pub(super) fn read_text(file: &std::fs::File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::other(format!(
            "expected at most {LONGEST} bytes, found more"
        )));
    }
    Ok(text)
}

/// Gives what is none of ours another name, so that it is told of once.
pub(super) fn set_aside(path: &Path, why: &dyn std::fmt::Display) {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".unreadable");
    match std::fs::rename(path, &aside) {
        Ok(()) => tracing::warn!(
            file = %path.display(),
            "a file of the crash guard does not read, and is now called .unreadable: {why}"
        ),
        Err(_) => ignored(path, why),
    }
}

pub(super) fn ignored(path: &Path, why: &dyn std::fmt::Display) {
    tracing::warn!(
        file = %path.display(),
        "a file of the crash guard does not read, and is ignored: {why}"
    );
}
