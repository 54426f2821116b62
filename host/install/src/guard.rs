//! Advisory locks on files, by which several processes take turns. The system gives them back when a process
//! ends, however it ends, so none is ever left over.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::disk;
use crate::error::{InstallError, Result};

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    file: File,
    path: PathBuf,
}

impl Guard {
    /// Waits until nobody else holds it. `busy` is told once, if there is somebody to wait for: who that is, as
    /// far as it is known. `who` is what others will be told.
    pub(crate) fn exclusive(path: &Path, who: &str, busy: &mut dyn FnMut(&str)) -> Result<Self> {
        let mut file = open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Where locks are more than advice, this cannot be read.
                let _ = (&file).take(200).read_to_string(&mut holder);
                busy(holder.lines().next().unwrap_or("another process"));
                file.lock().map_err(|error| unlockable(path, error))?;
            }
            Err(TryLockError::Error(error)) => return Err(unlockable(path, error)),
        }
        // It is for people who wait; that it cannot be written changes nothing.
        let _ = file.set_len(0);
        let _ = file.rewind();
        let _ = writeln!(file, "process {}, {who}", std::process::id());
        Ok(Guard {
            file,
            path: path.to_owned(),
        })
    }

    /// Waits until nobody holds it exclusively.
    pub(crate) fn shared(path: &Path) -> Result<Self> {
        let file = open(path)?;
        file.lock_shared()
            .map_err(|error| unlockable(path, error))?;
        Ok(Guard {
            file,
            path: path.to_owned(),
        })
    }

    /// Does something while nobody else holds the lock at all, if that can be had at once; afterwards it is
    /// shared again.
    pub(crate) fn alone<T>(&self, work: impl FnOnce() -> T) -> Result<Option<T>> {
        let failed = |error| unlockable(&self.path, error);
        // What becomes of a lock that is asked for again is up to the system, so it is given back first.
        self.file.unlock().map_err(failed)?;
        let done = match self.file.try_lock() {
            Ok(()) => {
                let done = work();
                self.file.unlock().map_err(failed)?;
                Some(done)
            }
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        };
        self.file.lock_shared().map_err(failed)?;
        Ok(done)
    }
}

fn open(path: &Path) -> Result<File> {
    if let Some(dir) = path.parent() {
        disk::create_dir(dir)?;
    }
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| InstallError::io("open the lock", path, error))
}

fn unlockable(path: &Path, error: std::io::Error) -> InstallError {
    InstallError::io("lock the file", path, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_told_for_whom_and_gets_it_afterwards() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("guard");
        let first = Guard::exclusive(&path, "installs", &mut |_| panic!("it is free"));
        let first = first.expect("a lock");
        let (told, hears) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| {
                Guard::exclusive(&path, "updates", &mut |holder| {
                    told.send(holder.to_owned()).expect("it is heard");
                })
                .map(drop)
            });
            let holder = hears.recv().expect("it waits");
            assert_eq!(holder, format!("process {}, installs", std::process::id()));
            drop(first);
            second.join().expect("no panic").expect("a lock");
        });
    }

    #[test]
    fn nobody_is_alone_while_another_shares() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("guard");
        let one = Guard::shared(&path).expect("a lock");
        let other = Guard::shared(&path).expect("a lock");
        assert_eq!(one.alone(|| 1).expect("it can be asked"), None);
        drop(other);
        assert_eq!(one.alone(|| 1).expect("it can be asked"), Some(1));
    }
}
