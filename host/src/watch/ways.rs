//! Which files the way to something leads to, so that an event is not compared with the way to every file.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::trail::Step;

/// The watched files by the steps of their ways.
#[derive(Debug, Default)]
pub(super) struct Ways {
    files: HashMap<PathBuf, BTreeSet<PathBuf>>,
}

impl Ways {
    /// The way to a file is another one now; with no steps there is none.
    pub(super) fn change(&mut self, file: &Path, before: &[Step], now: &[Step]) {
        for step in before {
            if let Some(files) = self.files.get_mut(&step.path) {
                files.remove(file);
                if files.is_empty() {
                    self.files.remove(&step.path);
                }
            }
        }
        for step in now {
            let files = self.files.entry(step.path.clone()).or_default();
            files.insert(file.to_owned());
        }
    }

    /// The files whose ways have this step, in order.
    pub(super) fn through(&self, step: &Path) -> Vec<PathBuf> {
        let files = self.files.get(step);
        files.into_iter().flatten().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::trail::Role;
    use super::*;

    fn step(path: &str) -> Step {
        Step {
            path: path.into(),
            role: Role::Way,
            vital: false,
        }
    }

    #[test]
    fn a_step_has_the_files_behind_it_and_no_others() {
        let mut ways = Ways::default();
        let (one, other) = (Path::new("/a/b/one.so"), Path::new("/a/c/other.so"));
        let (to_one, to_other) = ([step("/a"), step("/a/b")], [step("/a"), step("/a/c")]);
        ways.change(one, &[], &to_one);
        ways.change(other, &[], &to_other);
        assert_eq!(ways.through(Path::new("/a")), [one, other]);
        assert_eq!(ways.through(Path::new("/a/b")), [one]);
        ways.change(one, &to_one, &to_other);
        assert_eq!(ways.through(Path::new("/a/c")), [one, other]);
        assert!(ways.through(Path::new("/a/b")).is_empty());
        ways.change(one, &to_other, &[]);
        ways.change(other, &to_other, &[]);
        assert!(ways.files.is_empty());
    }
}
