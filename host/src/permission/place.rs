//! Files, directories and programs in normal form.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use keyway_manifest::document::Fault;
use keyway_manifest::document::place::{self, ProgramText};

use super::reach::Covers;

/// A file, or a directory with all that is below it: an absolute path without `.` and `..`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathRoot(PathBuf);

/// A program: a name that is looked for in the host's own search path, or an absolute path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Program {
    /// A file name without a directory.
    Named(String),
    /// An absolute path without `.` and `..`.
    At(PathBuf),
}

impl PathRoot {
    /// # Errors
    ///
    /// What is wrong with the text, as the rest of a sentence that begins with it.
    pub(super) fn parse(text: &str, base: &Path) -> Result<Self, Fault> {
        place::root(text)?;
        absolute(text, base).map(PathRoot)
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether a normal path is this one or below it.
    pub(crate) fn contains(&self, path: &Path) -> bool {
        path.starts_with(&self.0)
    }
}

impl Covers for PathRoot {
    fn covers(&self, other: &Self) -> bool {
        self.contains(&other.0)
    }
}

impl Program {
    /// # Errors
    ///
    /// What is wrong with the text, as the rest of a sentence that begins with it.
    pub(crate) fn parse(text: &str, base: &Path) -> Result<Self, Fault> {
        Ok(match place::program(text)? {
            ProgramText::Name(name) => Program::Named(name.to_owned()),
            ProgramText::Path(path) => Program::At(absolute(path, base)?),
        })
    }
}

impl Covers for Program {
    fn covers(&self, other: &Self) -> bool {
        self == other
    }
}

/// A path as text, made absolute and normal without looking at any file: `..` takes the part before
/// it away, whatever that is. So the result is what a person reads in it.
///
/// # Errors
///
/// What is wrong with the text, as the rest of a sentence that begins with it.
pub(crate) fn absolute(text: &str, base: &Path) -> Result<PathBuf, Fault> {
    place::path(text)?;
    let path = normal(&base.join(text));
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(Fault {
            what: "is relative to something that is not absolute",
            hint: None,
        })
    }
}

/// The path without `.` and `..`.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                // The parent of the root is the root.
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

impl fmt::Display for PathRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Program::Named(name) => f.write_str(name),
            Program::At(path) => path.display().fmt(f),
        }
    }
}
