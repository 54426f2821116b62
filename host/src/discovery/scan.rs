//! One look at the roots: goes through directories, and makes a candidate of each thing in them that
//! looks like a plugin. [`beside`](super::beside) has those with a manifest beside their library.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyway_manifest::Manifest;

use super::cache::Cache;
use super::gate::{Admitted, Gatekeeper, Gates};
use super::listing::{Entry, Listing, list, manifest_among};
use super::read::{self, Fault, Library, MANIFESTS};
use super::shell::quoted;
use super::{Candidate, Discovery, Origin, Root, codes, names};
use crate::finding::Finding;

/// What is found so far, and what must be known for the rest.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    pub(super) keeper: Gatekeeper<'a>,
    gates: &'a Gates,
    pub(super) libraries: &'a mut Cache<Result<Library, Fault>>,
    pub(super) manifests: &'a mut Cache<Result<Arc<Manifest>, Fault>>,
    discovery: Discovery,
    /// The roots, files and directories that have their record, without links: where they were found.
    roots: HashMap<PathBuf, PathBuf>,
    seen: HashMap<PathBuf, PathBuf>,
}

/// The root that is being gone through.
#[derive(Debug)]
pub(super) struct Within<'r> {
    pub(super) root: &'r Root,
    /// Without links.
    pub(super) real: PathBuf,
    /// How many more names may be looked at.
    left: usize,
    /// There were more.
    cut: bool,
}

/// A directory that was admitted.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) spelled: PathBuf,
    pub(super) real: PathBuf,
    /// What speaks against it, and so against all in it.
    pub(super) findings: Vec<Finding>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        gates: &'a Gates,
        libraries: &'a mut Cache<Result<Library, Fault>>,
        manifests: &'a mut Cache<Result<Arc<Manifest>, Fault>>,
    ) -> Self {
        Scan {
            keeper: Gatekeeper::new(gates),
            gates,
            libraries,
            manifests,
            discovery: Discovery::default(),
            roots: HashMap::new(),
            seen: HashMap::new(),
        }
    }

    pub(super) fn finish(self) -> Discovery {
        self.discovery
    }

    pub(super) fn root(&mut self, root: &Root) {
        let spelled = root.absolute();
        let admitted = match self.keeper.admit(&spelled) {
            Ok(admitted) => admitted,
            Err(error) => return self.no_root(root, &spelled, &error),
        };
        if let Some(before) = self.roots.get(&admitted.real) {
            let message = format!("the same as {}, which counts", before.display());
            return self.say(codes::ROOT_REPEATED.finding(message).at(&spelled));
        }
        self.roots.insert(admitted.real.clone(), spelled.clone());
        let mut within = Within {
            root,
            real: admitted.real.clone(),
            left: self.gates.entries(),
            cut: false,
        };
        if admitted.metadata.is_dir() {
            let directory = Directory {
                spelled,
                real: admitted.real,
                findings: admitted.findings,
            };
            self.directory_root(&mut within, directory);
        } else if root.origin == Origin::Explicit && names::is_library(spelled.as_os_str()) {
            self.library(&within, spelled, admitted);
        } else {
            let finding = codes::ROOT_NOT_DIRECTORY.finding(
                "expected a directory, or a library if it is explicit; found something else",
            );
            let above = spelled.parent().unwrap_or(&spelled);
            let hint = format!("give the directory that it is in: {}", above.display());
            self.say(finding.at(&spelled).hint(hint));
        }
    }

    fn no_root(&mut self, root: &Root, spelled: &Path, error: &io::Error) {
        // A link that leads to nothing is no root that is yet to come.
        let is_absent =
            error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(spelled).is_err();
        let finding = match root.origin {
            Origin::Explicit if is_absent => codes::PATH_MISSING.finding("there is nothing here"),
            _ if is_absent => {
                let message = format!("this {} root does not exist", root.origin);
                codes::ROOT_MISSING.finding(message)
            }
            _ => read::unreadable(error).at(spelled),
        };
        self.say(finding.at(spelled));
    }

    fn directory_root(&mut self, within: &mut Within<'_>, directory: Directory) {
        for finding in &directory.findings {
            self.say(finding.clone());
        }
        let Some(entries) = self.entries(within, &directory) else {
            return;
        };
        let manifest = manifest_among(&entries);
        if within.root.origin == Origin::Explicit && manifest.is_some() {
            return self.plugin_directory(within, directory, entries);
        }
        for entry in entries {
            let path = directory.spelled.join(&entry.name);
            let is_library = names::is_library(&entry.name);
            if MANIFESTS.iter().any(|name| entry.name == *name) {
                let finding = codes::STRAY_MANIFEST.finding(
                    "this manifest stands in the root itself, where it belongs to no plugin",
                );
                let hint = "give the plugin a directory of its own here, or name this directory \
                            as an explicit path";
                self.say(finding.at(&path).hint(hint));
                continue;
            }
            let Some(admitted) = self.entry(within, &directory, &entry, is_library) else {
                continue;
            };
            let is_plugin = is_library || admitted.metadata.is_dir();
            if !is_plugin || self.is_misnamed(&entry.name, &path) {
                continue;
            }
            let mut findings = directory.findings.clone();
            findings.extend(admitted.findings);
            let admitted = Admitted {
                findings,
                ..admitted
            };
            if !admitted.metadata.is_dir() {
                self.library(within, path, admitted);
            } else if !self.is_known(&admitted.real, &path) {
                let inner = Directory {
                    spelled: path,
                    real: admitted.real,
                    findings: admitted.findings,
                };
                match self.entries(within, &inner) {
                    Some(entries) => self.plugin_directory(within, inner, entries),
                    // Either it cannot be read, or nothing more may be.
                    None if within.cut => return,
                    None => {}
                }
            }
        }
    }

    /// A directory that is one plugin, or has the libraries of several.
    fn plugin_directory(
        &mut self,
        within: &mut Within<'_>,
        directory: Directory,
        entries: Vec<Entry>,
    ) {
        if let Some(name) = manifest_among(&entries) {
            return self.with_manifest(within, &directory, &entries, name);
        }
        let mut is_empty = true;
        for entry in entries {
            let path = directory.spelled.join(&entry.name);
            if !names::is_library(&entry.name) || self.is_misnamed(&entry.name, &path) {
                continue;
            }
            is_empty = false;
            if let Some(mut admitted) = self.entry(within, &directory, &entry, true) {
                let findings = directory.findings.iter().cloned();
                admitted.findings = findings.chain(admitted.findings).collect();
                self.library(within, path, admitted);
            }
        }
        if is_empty {
            let message = format!(
                "no plugin in it: expected {} or a library (*.{}), found neither",
                MANIFESTS[0],
                std::env::consts::DLL_EXTENSION
            );
            self.say(
                codes::NO_PLUGIN_INSIDE
                    .finding(message)
                    .at(&directory.spelled),
            );
        }
    }

    /// A library without a manifest beside it.
    fn library(&mut self, within: &Within<'_>, path: PathBuf, admitted: Admitted) {
        if self.is_known(&admitted.real, &path) {
            return;
        }
        let mut candidate = Candidate::new(within.root.origin, &within.root.path, path.clone());
        candidate.findings.clone_from(&admitted.findings);
        if !admitted.metadata.is_file() {
            candidate.findings.push(not_regular(&path, &admitted));
            return self.keep(candidate);
        }
        candidate.library = Some(path.clone());
        match self.read_library(&admitted, &mut candidate) {
            Ok(Some(embedded)) => candidate.describe(&embedded.manifest),
            Ok(None) => {}
            // Nobody said that it is a plugin.
            Err(fault)
                if within.root.origin != Origin::Explicit || within.real != admitted.real =>
            {
                return self.say(fault.with_code(&codes::NOT_A_PLUGIN).at(&path));
            }
            Err(fault) => candidate.findings.push(fault.at(&path)),
        }
        self.keep(candidate);
    }

    /// Looks at an entry of a directory. What may not be looked at is said; if it has the name of a
    /// plugin, it is kept as a candidate that is refused.
    fn entry(
        &mut self,
        within: &Within<'_>,
        directory: &Directory,
        entry: &Entry,
        is_library: bool,
    ) -> Option<Admitted> {
        let path = directory.spelled.join(&entry.name);
        let admitted = self
            .keeper
            .admit_entry(&directory.real, Path::new(&entry.name));
        let refusal = match admitted {
            Ok(admitted) if entry.is_link && within.real.starts_with(&admitted.real) => {
                let message = format!("a link back to {}", admitted.real.display());
                self.say(codes::LINK_CYCLE.finding(message).at(&path));
                return None;
            }
            Ok(admitted) => match within.escaped(&admitted.real, &path) {
                None => return Some(admitted),
                // What is no plugin may lead anywhere.
                Some(_) if !is_library && !admitted.metadata.is_dir() => return None,
                Some(escaped) => escaped,
            },
            // It was deleted since the directory was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !entry.is_link => return None,
            Err(error) => {
                let unreadable = read::unreadable(&error).at(&path);
                if !is_library {
                    self.say(unreadable);
                    return None;
                }
                unreadable
            }
        };
        let mut candidate = Candidate::new(within.root.origin, &within.root.path, path);
        candidate.findings.clone_from(&directory.findings);
        candidate.findings.push(refusal);
        self.keep(candidate);
        None
    }

    /// The names in a directory that are not hidden, in order. None if that was said to be
    /// impossible, or too much.
    fn entries(&mut self, within: &mut Within<'_>, directory: &Directory) -> Option<Vec<Entry>> {
        let finding = match list(&directory.real, within.left) {
            Listing::Complete(entries) => {
                within.left -= entries.len();
                return Some(
                    entries
                        .into_iter()
                        .filter(|one| !names::is_hidden(&one.name))
                        .collect(),
                );
            }
            Listing::Unreadable(error) => read::unreadable(&error).at(&directory.spelled),
            Listing::Cut => {
                within.cut = true;
                let message = format!(
                    "more than {} names in this root: nothing was looked at in this directory, and \
                     in what comes after it in the order of names",
                    self.gates.entries()
                );
                codes::TOO_MANY_ENTRIES
                    .finding(message)
                    .at(&directory.spelled)
            }
        };
        self.say(finding);
        None
    }

    /// Whether a file or directory has its record; it has from now on.
    pub(super) fn is_known(&mut self, real: &Path, path: &Path) -> bool {
        if let Some(before) = self.seen.get(real) {
            let message = format!("found before as {}", before.display());
            self.say(codes::FOUND_BEFORE.finding(message).at(path));
            return true;
        }
        self.seen.insert(real.to_owned(), path.to_owned());
        false
    }

    /// This file belongs to a plugin that is found here.
    pub(super) fn know(&mut self, real: &Path, path: &Path) {
        self.seen
            .entry(real.to_owned())
            .or_insert_with(|| path.to_owned());
    }

    fn is_misnamed(&mut self, name: &OsStr, path: &Path) -> bool {
        if name.to_str().is_some() {
            return false;
        }
        let finding =
            codes::NAME_NOT_UTF8.finding("the name is no UTF-8, so nothing could refer to it");
        self.say(finding.at(path).hint("rename it"));
        true
    }

    pub(super) fn say(&mut self, finding: Finding) {
        self.discovery.findings.push(finding);
    }

    pub(super) fn keep(&mut self, candidate: Candidate) {
        self.discovery.candidates.push(candidate.judged());
    }
}

impl Within<'_> {
    /// Why what a path really leads to may not be taken.
    pub(super) fn escaped(&self, real: &Path, path: &Path) -> Option<Finding> {
        if self.root.links_may_leave || real.starts_with(&self.real) {
            return None;
        }
        let message = format!(
            "a link out of the root: expected a target in {}, found {}",
            self.real.display(),
            real.display()
        );
        let hint = format!(
            "put the file itself here, or make {} a root",
            quoted(real.parent().unwrap_or(real))
        );
        Some(codes::LINK_ESCAPES.finding(message).at(path).hint(hint))
    }
}

pub(super) fn not_regular(path: &Path, admitted: &Admitted) -> Finding {
    let found = match admitted.metadata.is_dir() {
        true => "a directory",
        false => "a special file (pipe, socket or device)",
    };
    let message = format!("expected a regular file, found {found}");
    codes::NOT_REGULAR.finding(message).at(path)
}
