//! What lockfiles said before, and which lockfiles there are: for going back, and so that no package goes that
//! one of them needs.
//!
//! Each lockfile has a directory in the state directory, with a file that has its path and with its former
//! texts, numbered. A text is written here before the lockfile changes. So after a process died in between, the
//! newest entry may be what the lockfile still says, and is passed over. What the lockfile is about to say is
//! written too, for as long as the lockfile itself is out of reach.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keyway_host::inspect::hash_bytes;
use std::fs;

use crate::digest::Digest;
use crate::disk;
use crate::error::{InstallError, Result};
use crate::home::Home;
use crate::lock::Lock;

/// So many steps one can go back.
const KEPT: usize = 10;

const PATH: &str = "path";

/// What the lockfile says, or was to say when the process died.
const LATEST: &str = "latest";

/// The history of one lockfile.
#[derive(Debug)]
pub(crate) struct History {
    dir: PathBuf,
    lock: PathBuf,
}

/// What the lockfile said before.
#[derive(Debug)]
pub(crate) struct Former {
    pub(crate) entry: PathBuf,
    pub(crate) lock: Lock,
}

impl History {
    pub(crate) fn of(home: &Home, lock: &Path) -> Self {
        let hash = hash_bytes(lock.as_os_str().as_encoded_bytes()).to_string();
        let hash = hash.strip_prefix("blake3:").unwrap_or(&hash);
        History {
            dir: all(home).join(&hash[..32]),
            lock: lock.to_owned(),
        }
    }

    /// Makes the lockfile known, so that the packages that it names are kept.
    pub(crate) fn register(&self) -> Result<()> {
        let file = self.dir.join(PATH);
        if file.is_file() {
            return Ok(());
        }
        disk::create_dir(&self.dir)?;
        disk::replace(&file, self.lock.as_os_str().as_encoded_bytes())
    }

    /// Keeps what the lockfile says now; none stands for a lockfile that is not there.
    pub(crate) fn push(&self, text: Option<&str>) -> Result<()> {
        let entries = self.entries()?;
        let next = entries.last().map_or(1, |(number, _)| number + 1);
        let empty;
        let text = match text {
            Some(text) => text,
            None => {
                empty = Lock::default().to_toml();
                &empty
            }
        };
        disk::replace(&self.dir.join(format!("{next}.lock")), text.as_bytes())?;
        let spare = (entries.len() + 1).saturating_sub(KEPT);
        for (_, path) in &entries[..spare] {
            remove(path)?;
        }
        Ok(())
    }

    /// Keeps what the lockfile is about to say.
    pub(crate) fn announce(&self, text: &str) -> Result<()> {
        disk::replace(&self.dir.join(LATEST), text.as_bytes())
    }

    /// What the lockfile said before, the newest first, without what it says now.
    pub(crate) fn former(&self, now: &Lock) -> Result<Vec<Former>> {
        let mut former = Vec::new();
        for (_, entry) in self.entries()?.into_iter().rev() {
            let lock = Lock::read(&entry)?;
            if former.is_empty() && lock == *now {
                continue;
            }
            former.push(Former { entry, lock });
        }
        Ok(former)
    }

    /// Forgets an entry and all that came after it: the lockfile is where it was before them.
    pub(crate) fn take_back(&self, to: &Path) -> Result<()> {
        for (_, path) in self.entries()?.iter().rev() {
            remove(path)?;
            if path == to {
                break;
            }
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<(u64, PathBuf)>> {
        let unreadable = |error| InstallError::io("read the history", &self.dir, error);
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let number = name.and_then(|name| name.strip_suffix(".lock")?.parse().ok());
            found.extend(number.map(|number: u64| (number, path)));
        }
        found.sort();
        Ok(found)
    }

    /// All packages that any lockfile of this user names, or has named as far as one can go back.
    ///
    /// A lockfile whose directory is gone too may only be out of reach, on a disk that is not there; what it
    /// said last and before still counts, and nothing does of one that was deleted.
    pub(crate) fn live(home: &Home) -> Result<BTreeSet<Digest>> {
        let all = all(home);
        let unreadable = |error| InstallError::io("read the directory", &all, error);
        let mut live = BTreeSet::new();
        let known = match fs::read_dir(&all) {
            Ok(known) => known,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(live),
            Err(error) => return Err(unreadable(error)),
        };
        for entry in known {
            let dir = entry.map_err(unreadable)?.path();
            let Ok(path) = fs::read(dir.join(PATH)) else {
                continue;
            };
            let lock = path_of(path);
            let was_deleted = !lock.exists() && lock.parent().is_some_and(Path::is_dir);
            if was_deleted {
                continue;
            }
            let history = History { dir, lock };
            let now = match history.lock.exists() {
                true => history.lock.clone(),
                false => history.dir.join(LATEST),
            };
            let texts = history.entries()?.into_iter().map(|(_, path)| path);
            for path in texts.chain([now]) {
                let lock = Lock::read(&path)?;
                live.extend(lock.plugins().filter_map(|locked| locked.digest));
            }
        }
        Ok(live)
    }
}

fn all(home: &Home) -> PathBuf {
    home.state().join("lockfiles")
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|error| InstallError::io("remove the file", path, error))
}

#[cfg(unix)]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}
