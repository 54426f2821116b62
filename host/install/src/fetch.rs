//! From a source to a package that is staged, or to a link that was looked at.
//!
//! A further kind of source is one more arm here, and a module that gets the files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use keyway_host::inspect::ContentHash;
use keyway_host::keyway::version::TARGET;
use keyway_host::manifest::PluginId;

use crate::build::{BuildOptions, Crate};
use crate::error::{InstallError, Result};
use crate::git::Repository;
use crate::home::Home;
use crate::lock::{Locked, Needed};
use crate::package::{Application, Contents, Facts};
use crate::registry::{Reader, Registry, Release, Tell, changed};
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
    /// Who is told how far a download is.
    pub(crate) tell: Tell,
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
        Source::Registry { registry, name, .. } => {
            let Some(expected) = revision else {
                let message =
                    "a plugin of a registry is got by the hash of its archive, found none";
                return Err(
                    InstallError::damaged("lockfile", message).of_plugin(format!("'{name}'"))
                );
            };
            let hash = expected.parse::<ContentHash>().map_err(|error| {
                InstallError::damaged("lockfile", format!("the revision of {source}: {error}"))
            })?;
            let reader = Reader::new(registry, home, options.offline, &options.tell);
            let path = match reader.cached(&hash)? {
                Some(path) => path,
                None => {
                    let index = reader.index(name)?.unwrap_or_default();
                    let mut archives = index.releases.values().rev().filter_map(|release| {
                        let archived = release.archive()?;
                        (archived.hash == hash).then_some((release, archived))
                    });
                    let Some((release, archived)) = archives.next() else {
                        let message = format!(
                            "{registry} does not have the archive {hash} of '{name}' any more"
                        );
                        return Err(InstallError::not_found("archive-missing", message)
                            .hint(format!("take what is there now: keyway update {name}")));
                    };
                    reader.archive(release, archived)?
                }
            };
            let (staged, hash) = Staged::unpack(&path, Some(&hash), store, application)?;
            Ok(Answer::Fetched(Box::new(Fetched {
                facts: staged.facts().clone(),
                staged: Some(staged),
                revision: Some(hash.to_string()),
            })))
        }
    }
}

/// Gets a release of a registry, and compares it with what the index says of it. `old` is what is installed.
pub(crate) fn fetch_release(
    registry: &Registry,
    release: &Release,
    old: Option<&Locked>,
    store: &Store,
    home: &Home,
    options: &FetchOptions,
) -> Result<Fetched> {
    let label = format!("'{}' v{}", release.name, release.version);
    let Some(archived) = release.archive() else {
        // Releases without one are never chosen.
        let message = format!("it has no archive for {TARGET}");
        return Err(InstallError::unfit("other-target", message).of_plugin(label));
    };
    if let Some(revision) = old.and_then(|old| same_release(old, registry, release))
        && revision != archived.hash.to_string()
    {
        return Err(changed(registry, revision, &archived.hash).of_plugin(label));
    }
    let reader = Reader::new(registry, home, options.offline, &options.tell);
    let path = reader.archive(release, archived)?;
    let about = |error: InstallError| match error.code() {
        "hash-mismatch" => error
            .of_plugin(&label)
            .hint("nothing of it was looked at; tell whoever keeps the registry"),
        _ => error.of_plugin(&label),
    };
    let (staged, hash) = Staged::unpack(
        &path,
        Some(&archived.hash),
        store,
        options.application.as_ref(),
    )
    .map_err(about)?;
    let facts = staged.facts();
    let manifest = &facts.manifest;
    let refuse = |what: &str, expected: &dyn fmt::Display, found: &dyn fmt::Display| {
        let message = format!(
            "the archive is not what the index says: {what}: expected {expected}, found {found}"
        );
        about(InstallError::unfit("index", message)).hint("tell whoever keeps the registry")
    };
    if manifest.id != release.name {
        return Err(refuse("the id", &release.name, &manifest.id));
    }
    if manifest.version != release.version {
        return Err(refuse("the version", &release.version, &manifest.version));
    }
    let found = needed(facts);
    if found != release.dependencies {
        return Err(refuse(
            "the plugins that it needs",
            &listed(&release.dependencies),
            &listed(&found),
        ));
    }
    Ok(Fetched {
        facts: facts.clone(),
        staged: Some(staged),
        revision: Some(hash.to_string()),
    })
}

/// The revision of what is installed, if it is this very release.
pub(crate) fn same_release<'a>(
    old: &'a Locked,
    of: &Registry,
    release: &Release,
) -> Option<&'a str> {
    let is_of = matches!(&old.source, Source::Registry { registry, .. } if registry == of);
    // On another kind of machine it is another archive.
    let is_here = old.libraries.is_empty() || old.libraries.contains_key(TARGET);
    let is_same = is_of && is_here && old.version == release.version;
    old.revision.as_deref().filter(|_| is_same)
}

/// The plugins that the manifest of a plugin names.
pub(crate) fn needed(facts: &Facts) -> BTreeMap<PluginId, Needed> {
    let dependencies = facts.manifest.dependencies.iter();
    let needed = dependencies.map(|(id, dependency)| {
        let needed = Needed {
            versions: dependency.requirement.clone(),
            optional: dependency.optional,
        };
        (id.clone(), needed)
    });
    needed.collect()
}

/// Such as `geo ^1, maps ^2 optional`.
pub(crate) fn listed(needed: &BTreeMap<PluginId, Needed>) -> String {
    let needed = needed.iter().map(|(id, needed)| {
        let optional = if needed.optional { " optional" } else { "" };
        format!("{id} {}{optional}", needed.versions)
    });
    match needed.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "none".to_owned(),
        some => some,
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
