//! What was read of files, for as long as they stay what they were.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What stands for a file's content: where two of these are equal, nobody has written in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Device and inode. None where there are no inodes; the time of creation has to do.
    file: Option<(u64, u64)>,
    created: Option<SystemTime>,
    size: u64,
    modified: Option<SystemTime>,
    /// When the inode was last changed, in seconds and nanoseconds. Unlike the time of modification,
    /// it cannot be set by hand.
    changed: Option<(i64, i64)>,
}

impl Stamp {
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Stamp {
            file: Some((metadata.dev(), metadata.ino())),
            created: None,
            size: metadata.len(),
            modified: metadata.modified().ok(),
            changed: Some((metadata.ctime(), metadata.ctime_nsec())),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn of(metadata: &Metadata) -> Self {
        Stamp {
            file: None,
            created: metadata.created().ok(),
            size: metadata.len(),
            modified: metadata.modified().ok(),
            changed: None,
        }
    }

    /// Whether a later write would surely give another time of modification.
    fn is_settled(&self, now: SystemTime) -> bool {
        self.modified
            .and_then(|modified| now.duration_since(modified).ok())
            .is_some_and(|age| age > TICK)
    }
}

/// The coarsest clock of a file system that plugins may lie on: FAT counts in steps of two seconds.
/// What was written later than that before it was read is read again.
const TICK: Duration = Duration::from_secs(2);

/// What was read of each file, by its path.
#[derive(Debug)]
pub(super) struct Cache<T> {
    kept: HashMap<PathBuf, Kept<T>>,
    round: u64,
    /// How many files were read in this round.
    pub(super) reads: usize,
}

#[derive(Debug)]
struct Kept<T> {
    stamp: Stamp,
    round: u64,
    value: T,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Cache {
            kept: HashMap::new(),
            round: 0,
            reads: 0,
        }
    }
}

impl<T: Clone> Cache<T> {
    /// Begins another round.
    pub(super) fn begin(&mut self) {
        self.round += 1;
        self.reads = 0;
    }

    /// Forgets what nobody has asked for in this round.
    pub(super) fn end(&mut self) {
        let round = self.round;
        self.kept.retain(|_, kept| kept.round == round);
    }

    /// What is in a file: from before, or read now. The stamp was taken before the call, so what is
    /// written while the file is read shows at the next look. `read` also says whether it would find
    /// the same again.
    pub(super) fn get(
        &mut self,
        path: &Path,
        stamp: Stamp,
        read: impl FnOnce(&Path) -> (T, bool),
    ) -> T {
        if let Some(kept) = self.kept.get_mut(path)
            && kept.stamp == stamp
        {
            kept.round = self.round;
            return kept.value.clone();
        }
        let now = SystemTime::now();
        #[cfg(test)]
        crate::steps::add(1);
        self.reads += 1;
        let (value, lasts) = read(path);
        if lasts && stamp.is_settled(now) {
            let kept = Kept {
                stamp,
                round: self.round,
                value: value.clone(),
            };
            self.kept.insert(path.to_owned(), kept);
        } else {
            self.kept.remove(path);
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(size: u64, age: Duration) -> Stamp {
        Stamp {
            file: Some((1, 2)),
            created: None,
            size,
            modified: Some(SystemTime::now() - age),
            changed: Some((3, 4)),
        }
    }

    const OLD: Duration = Duration::from_secs(60);

    #[test]
    fn a_file_is_read_once_as_long_as_its_stamp_is_the_same() {
        let mut cache = Cache::default();
        let path = Path::new("x.so");
        let first = stamp(1, OLD);
        cache.begin();
        assert_eq!(cache.get(path, first, |_| ("first", true)), "first");
        assert_eq!(cache.get(path, first, |_| ("again", true)), "first");
        assert_eq!(cache.reads, 1);
        let second = Stamp { size: 2, ..first };
        assert_eq!(cache.get(path, second, |_| ("second", true)), "second");
        assert_eq!(cache.get(path, second, |_| ("again", true)), "second");
        assert_eq!(cache.reads, 2);
    }

    #[test]
    fn what_was_just_written_is_read_again() {
        let mut cache = Cache::default();
        let fresh = stamp(1, Duration::ZERO);
        for expected in ["first", "second"] {
            let found = cache.get(Path::new("x.so"), fresh, |_| (expected, true));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_may_not_last_is_read_again() {
        let mut cache = Cache::default();
        let old = stamp(1, OLD);
        for expected in ["first", "second"] {
            let found = cache.get(Path::new("x.so"), old, |_| (expected, false));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_nobody_asks_for_is_forgotten() {
        let mut cache = Cache::default();
        let old = stamp(1, OLD);
        cache.begin();
        cache.get(Path::new("x.so"), old, |_| ("first", true));
        cache.end();
        cache.begin();
        cache.end();
        cache.begin();
        assert_eq!(
            cache.get(Path::new("x.so"), old, |_| ("second", true)),
            "second"
        );
    }
}
