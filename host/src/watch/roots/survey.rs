//! What is to be watched of a root: directories, files, and what else a look at them shows.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::super::trail::{Role, walk};
use crate::discovery::is_looked_at;

/// What there is in a root, and on the way to it.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Directories whose names all matter, free of links.
    listed: BTreeSet<PathBuf>,
    /// Further directories, and the names in them that matter: the way, and what links lead to.
    names: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    /// Those of the further directories without which the way is lost.
    vital: BTreeSet<PathBuf>,
    /// Manifests and libraries, as the root spells them.
    pub(super) members: BTreeSet<PathBuf>,
    /// The names, free of links, whose events are those of members.
    files: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    shapes: BTreeMap<PathBuf, Shape>,
}

/// What a look shows, apart from content.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    is_directory: bool,
    /// Mode and owner.
    rights: Option<(u32, u32)>,
    /// Of a link.
    target: Option<PathBuf>,
}

/// No more names are watched in one root: so many are not looked at either, unless the application
/// asks for it, and then the rest is seen at the next look.
const MOST_NAMES: usize = 10_000;

impl Survey {
    /// Looks at a root, by its absolute path.
    pub(super) fn of(root: &Path) -> Self {
        let mut survey = Survey::default();
        survey.way(root);
        let Ok(real) = fs::canonicalize(root) else {
            return survey;
        };
        survey.shape(root);
        if !real.is_dir() {
            survey.member(root, real);
            return survey;
        }
        let mut left = MOST_NAMES;
        for name in survey.names_in(&real, &mut left) {
            let (spelled, here) = (root.join(&name), real.join(&name));
            survey.entry(&spelled, &here, &name, Some(&mut left));
        }
        survey
    }

    /// The directories to be watched, all of them free of links, and of each whether the root cannot
    /// be followed without its events.
    pub(super) fn directories(&self) -> impl Iterator<Item = (&Path, bool)> {
        let listed = self.listed.iter().map(|path| (path.as_path(), true));
        let names = self.names.keys().map(|path| {
            let is_vital = self.vital.contains(path);
            (path.as_path(), is_vital)
        });
        listed.chain(names)
    }

    /// Whether a path is one of those that the survey depends on.
    pub(super) fn has(&self, path: &Path) -> bool {
        let Some(above) = path.parent() else {
            return false;
        };
        // The directories themselves tell of their rights.
        self.listed.contains(above)
            || self.listed.contains(path)
            || self
                .names
                .get(above)
                .is_some_and(|names| names.contains(path))
    }

    /// The members whose events come with this path.
    pub(super) fn files_at(&self, path: &Path) -> impl Iterator<Item = &PathBuf> {
        self.files.get(path).into_iter().flatten()
    }

    /// Whether anything is different but the content of files, and which of them there are.
    pub(super) fn differs_in_shape(&self, other: &Survey) -> bool {
        let lacks = |one: &Survey, two: &Survey| {
            let shapes = one.shapes.iter();
            shapes
                .filter(|(_, shape)| shape.is_directory)
                .any(|(path, _)| !two.shapes.contains_key(path))
        };
        let changed = self.shapes.iter().any(|(path, shape)| {
            let new = other.shapes.get(path);
            new.is_some_and(|new| new != shape)
        });
        changed || lacks(self, other) || lacks(other, self)
    }

    /// A name in the root, or, without names to look at, in a directory of the root.
    fn entry(&mut self, spelled: &Path, here: &Path, name: &OsStr, inside: Option<&mut usize>) {
        let is_link = fs::symlink_metadata(here).is_ok_and(|found| found.is_symlink());
        if is_link {
            self.way(here);
        }
        let real = match is_link {
            true => fs::canonicalize(here).unwrap_or_else(|_| here.to_owned()),
            false => here.to_owned(),
        };
        let is_directory = fs::metadata(&real).is_ok_and(|found| found.is_dir());
        if !is_directory {
            if is_looked_at(name) {
                self.shape(spelled);
                self.files
                    .entry(here.to_owned())
                    .or_default()
                    .insert(spelled.to_owned());
                self.member(spelled, real);
            }
            return;
        }
        self.shape(spelled);
        // A link to a directory that is listed already leads nowhere new.
        if let Some(left) = inside
            && !self.listed.contains(&real)
        {
            for name in self.names_in(&real, left) {
                let (spelled, here) = (spelled.join(&name), real.join(&name));
                self.entry(&spelled, &here, &name, None);
            }
        }
    }

    fn member(&mut self, spelled: &Path, real: PathBuf) {
        self.members.insert(spelled.to_owned());
        self.files
            .entry(real)
            .or_default()
            .insert(spelled.to_owned());
    }

    fn names_in(&mut self, real: &Path, left: &mut usize) -> Vec<OsString> {
        self.listed.insert(real.to_owned());
        let names = fs::read_dir(real).into_iter().flatten().flatten();
        let names: Vec<_> = names.map(|entry| entry.file_name()).take(*left).collect();
        *left -= names.len();
        names
            .into_iter()
            .filter(|name| !name.as_encoded_bytes().starts_with(b"."))
            .collect()
    }

    /// The way to a path, with what links lead to.
    fn way(&mut self, path: &Path) {
        for step in walk(path) {
            let directory = step.directory().to_owned();
            if step.role == Role::Link || step.role == Role::Way {
                self.shape(&step.path);
            }
            if step.vital {
                self.vital.insert(directory.clone());
            }
            self.names.entry(directory).or_default().insert(step.path);
        }
    }

    fn shape(&mut self, path: &Path) {
        if let Ok(found) = fs::metadata(path) {
            let shape = Shape {
                is_directory: found.is_dir(),
                rights: rights(&found),
                target: fs::read_link(path).ok(),
            };
            self.shapes.insert(path.to_owned(), shape);
        }
    }
}

#[cfg(unix)]
fn rights(found: &fs::Metadata) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    Some((found.mode(), found.uid()))
}

#[cfg(not(unix))]
fn rights(_: &fs::Metadata) -> Option<(u32, u32)> {
    None
}
