//! From a source to a package that is staged, or to a link that was looked at.
//!
//! A further kind of source is one more arm here, and a module that gets the files.

use std::path::Path;

use keyway_host::inspect::ContentHash;

use crate::build::{BuildOptions, Crate};
use crate::error::{InstallError, Result};
use crate::git::Repository;
use crate::home::Home;
use crate::package::{Application, Contents, Facts};
use crate::source::Source;
use crate::staged::Staged;
use crate::store::Store;

/// How sources are got.
#[derive(Clone, Debug, Default)]
pub(crate) struct FetchOptions {
    /// The application that plugins have to fit.
    pub(crate) application: Option<Application>,
    /// Nothing is asked over a network.
    pub(crate) offline: bool,
    /// What cargo says while it builds goes to stderr.
    pub(crate) show_builds: bool,
}

/// What was got.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) facts: Facts,
    /// None for a link.
    pub(crate) staged: Option<Staged>,
    /// Which of the versions of the source it is: a commit, the hash of an archive.
    pub(crate) revision: Option<String>,
}

/// What the answer of [`fetch`] is.
#[derive(Debug)]
pub(crate) enum Answer {
    Fetched(Box<Fetched>),
    /// It is at the revision that is known already.
    Same,
}

/// Gets a plugin. `revision` is the one to get, where the source has several; `known` one that is installed, which
/// need not be got again.
pub(crate) fn fetch(
    source: &Source,
    revision: Option<&str>,
    known: Option<&str>,
    store: &Store,
    home: &Home,
    options: &FetchOptions,
) -> Result<Answer> {
    let application = options.application.as_ref();
    let copied = |contents: &Contents, from: &Path, revision| {
        let staged = Staged::copy(contents, from, store, application)?;
        Ok(Answer::Fetched(Box::new(Fetched {
            facts: staged.facts().clone(),
            staged: Some(staged),
            revision,
        })))
    };
    match source {
        Source::Directory { path, link: true } => {
            let facts = linked(path, application)?;
            Ok(Answer::Fetched(Box::new(Fetched {
                facts,
                staged: None,
                revision: None,
            })))
        }
        Source::Directory { path, link: false } => copied(&Contents::of(path)?, path, None),
        Source::Library { path } => copied(&Contents::of_library(path)?, path, None),
        Source::Archive { path } => {
            let expected = revision.map(str::parse::<ContentHash>).transpose();
            let expected = expected.map_err(|error| {
                InstallError::damaged("lockfile", format!("the revision of {source}: {error}"))
            })?;
            let (staged, hash) = Staged::unpack(path, expected.as_ref(), store, application)?;
            Ok(Answer::Fetched(Box::new(Fetched {
                facts: staged.facts().clone(),
                staged: Some(staged),
                revision: Some(hash.to_string()),
            })))
        }
        Source::Git { url, reference } => {
            let repository = Repository::open(home, url, options.offline)?;
            let commit = match revision {
                Some(commit) => commit.to_owned(),
                None => repository.resolve(reference)?,
            };
            if known == Some(&commit) {
                return Ok(Answer::Same);
            }
            let checkout = repository.checkout(&commit)?;
            if !checkout.join("Cargo.toml").is_file() {
                let contents = Contents::of(checkout)?;
                return copied(&contents, checkout, Some(commit));
            }
            let krate = Crate::at(checkout)?;
            let library = krate.build(&BuildOptions {
                offline: options.offline,
                target_directory: Some(repository.target().to_owned()),
                show: options.show_builds,
            })?;
            copied(
                &Contents::of_crate(&krate.dir, &library)?,
                &krate.dir,
                Some(commit),
            )
        }
    }
}

/// What is in a directory that stays where it is.
fn linked(path: &Path, application: Option<&Application>) -> Result<Facts> {
    if path.join("Cargo.toml").is_file() {
        let library = Crate::at(path)?.built()?;
        return Facts::at(&library, application);
    }
    Facts::at(path, application)
}
