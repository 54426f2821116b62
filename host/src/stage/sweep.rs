//! Removes the stages of processes that died.
//!
//! What is removed has to look like a stage in every respect: the name, the owner, the mode, the
//! lock that is there and free, and nothing inside but private copies. Whatever else is found is
//! left as it is, and nothing that goes wrong in here keeps a host from starting.

use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::{LOCK, PREFIX};
use crate::regular::{self, Links};

/// Removes the stages in `parent` whose process has died. `own` is one that has not.
pub(super) fn sweep(parent: &Path, own: &Path) {
    let Ok(siblings) = fs::read_dir(parent) else {
        return;
    };
    for sibling in siblings.flatten() {
        let dir = sibling.path();
        if dir == own || !is_name_of_stage(&sibling.file_name().to_string_lossy()) {
            continue;
        }
        match remove_if_abandoned(&dir, own) {
            Ok(true) => {
                tracing::debug!(stage = %dir.display(), "removed the stage of a process that died");
            }
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(stage = %dir.display(), "left a stage as it is: {error}");
            }
        }
    }
}

/// `keyway-`, a number, `-`, and what `tempfile` makes up.
fn is_name_of_stage(name: &str) -> bool {
    let parts = name
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(process, random)| {
        is_number(process)
            && !random.is_empty()
            && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// `1-libplugin.so`, and so on.
fn is_name_of_copy(name: &str) -> bool {
    name.split_once('-')
        .is_some_and(|(number, _)| is_number(number))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Answers whether it was removed.
fn remove_if_abandoned(dir: &Path, own: &Path) -> io::Result<bool> {
    // Of the entry itself: a link is no stage, wherever it leads.
    if !is_private_directory(&fs::symlink_metadata(dir)?, &fs::symlink_metadata(own)?) {
        return Ok(false);
    }
    let path = dir.join(LOCK);
    let mut options = OpenOptions::new();
    let lock = match regular::open_with(options.read(true).write(true), &path, Links::Refuse) {
        Ok(lock) => lock,
        // One that is just being made, or none of ours.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(false),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    // Another host may have swept it between the opening and the locking, and a new stage may have
    // its name by now.
    if !regular::is_at(&lock, &path)? {
        return Ok(false);
    }
    let mut copies: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Of the entry itself, as above.
        if !entry.file_type()?.is_file() || (name != LOCK && !is_name_of_copy(&name)) {
            return Ok(false);
        }
        if name != LOCK {
            copies.push(entry.path());
        }
    }
    // The lock goes last: a sweep that is cut short is done again by the next host.
    copies.push(path);
    let removed = copies.iter().map(fs::remove_file);
    for removed in removed.chain(std::iter::once_with(|| fs::remove_dir(dir))) {
        match removed {
            // A host that ends removes its own stage at the same time.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(true)
}

#[cfg(unix)]
fn is_private_directory(found: &Metadata, own: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.is_dir() && found.uid() == own.uid() && found.mode() & 0o7777 == own.mode() & 0o7777
}

/// The temporary directory of Windows is each user's own.
#[cfg(not(unix))]
fn is_private_directory(found: &Metadata, _own: &Metadata) -> bool {
    found.is_dir()
}

#[cfg(test)]
mod tests {
    use super::super::Stage;
    use super::*;

    /// The stage of a process that died, as far as the file system shows.
    fn abandoned(home: &Path, name: &str) -> PathBuf {
        let dir = home.join(name);
        fs::create_dir(&dir).expect("a directory");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).expect("it is ours");
        }
        fs::write(dir.join(LOCK), "").expect("a lock");
        fs::write(dir.join("1-libplugin.so"), "a copy").expect("a copy");
        dir
    }

    #[test]
    fn an_abandoned_stage_is_removed() {
        let home = tempfile::tempdir().expect("a directory");
        let dir = abandoned(home.path(), "keyway-4711-aB3xYz");
        let _stage = Stage::new(Some(home.path())).expect("a stage");
        assert!(!dir.exists());
    }

    #[test]
    fn a_stage_in_use_is_left_even_by_its_own_process() {
        let home = tempfile::tempdir().expect("a directory");
        let one = Stage::new(Some(home.path())).expect("a stage");
        let _two = Stage::new(Some(home.path())).expect("a stage");
        assert!(one.dir.path().join(LOCK).is_file());
        let names: Vec<_> = fs::read_dir(one.dir.path())
            .expect("the stage")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(names, [LOCK], "nothing else is left of the locking");
    }

    #[test]
    fn a_stage_that_is_dropped_leaves_nothing() {
        let home = tempfile::tempdir().expect("a directory");
        drop(Stage::new(Some(home.path())).expect("a stage"));
        assert_eq!(fs::read_dir(home.path()).expect("it is there").count(), 0);
    }

    #[test]
    fn what_does_not_look_like_a_stage_in_every_respect_is_left() {
        type Change = fn(&Path);
        let home = tempfile::tempdir().expect("a directory");
        let changes: [(&str, Change); 4] = [
            ("one that is just being made", |dir| {
                fs::remove_file(dir.join(LOCK)).expect("it is there");
            }),
            ("a foreign file", |dir| {
                fs::write(dir.join("notes.txt"), "mine").expect("a file");
            }),
            ("a directory", |dir| {
                fs::create_dir(dir.join("2-libplugin.so")).expect("a directory");
            }),
            ("a lock that is none", |dir| {
                fs::remove_file(dir.join(LOCK)).expect("it is there");
                fs::create_dir(dir.join(LOCK)).expect("a directory");
            }),
        ];
        for (number, (what, change)) in changes.into_iter().enumerate() {
            let dir = abandoned(home.path(), &format!("keyway-{number}-aB3xYz"));
            change(&dir);
            let _stage = Stage::new(Some(home.path())).expect("a stage");
            assert!(dir.join("1-libplugin.so").exists(), "{what}");
        }
        for name in [
            "keyway-x-aB3xYz",
            "keyway-1",
            "keyway-1-a.b",
            "keyway-1-",
            "keywax-1-aB3xYz",
        ] {
            let dir = abandoned(home.path(), name);
            let _stage = Stage::new(Some(home.path())).expect("a stage");
            assert!(dir.join("1-libplugin.so").exists(), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed_and_no_open_directory_is_touched() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let home = tempfile::tempdir().expect("a directory");
        let elsewhere = tempfile::tempdir().expect("a directory");
        let target = abandoned(elsewhere.path(), "keyway-1-aB3xYz");

        symlink(&target, home.path().join("keyway-2-aB3xYz")).expect("a link");
        let with_link = abandoned(home.path(), "keyway-3-aB3xYz");
        symlink(&target, with_link.join("2-libplugin.so")).expect("a link");
        let locked_by_link = abandoned(home.path(), "keyway-4-aB3xYz");
        fs::remove_file(locked_by_link.join(LOCK)).expect("it is there");
        symlink(target.join(LOCK), locked_by_link.join(LOCK)).expect("a link");
        let open = abandoned(home.path(), "keyway-5-aB3xYz");
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("it is ours");

        let _stage = Stage::new(Some(home.path())).expect("a stage");
        for dir in [target, with_link, locked_by_link, open] {
            assert!(dir.join("1-libplugin.so").exists(), "{}", dir.display());
        }
    }

    #[test]
    fn hosts_that_start_at_once_sweep_and_do_not_harm_each_other() {
        let home = tempfile::tempdir().expect("a directory");
        let dead: Vec<PathBuf> = (0..8)
            .map(|number| abandoned(home.path(), &format!("keyway-{number}-aB3xYz")))
            .collect();
        let stages: Vec<Stage> = std::thread::scope(|scope| {
            let starting: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        // Some come and go while others start.
                        for _ in 0..10 {
                            drop(Stage::new(Some(home.path())).expect("a stage"));
                        }
                        Stage::new(Some(home.path())).expect("a stage")
                    })
                })
                .collect();
            starting
                .into_iter()
                .map(|thread| thread.join().expect("no start panics"))
                .collect()
        });
        for stage in &stages {
            assert!(stage.dir.path().join(LOCK).is_file());
        }
        assert!(dead.iter().all(|dir| !dir.exists()));
        drop(stages);
        assert_eq!(fs::read_dir(home.path()).expect("it is there").count(), 0);
    }
}
