//! A plugin with a manifest of its own: which library belongs to it and whether that says the same,
//! or whether the files are there that it has instead of one.

use std::io;
use std::path::Path;
use std::sync::Arc;

use keyway_manifest::{Content, Manifest, PluginId};

use super::cache::Stamp;
use super::gate::Admitted;
use super::listing::{Entry, libraries};
use super::read::MANIFESTS;
use super::scan::{Directory, Scan, Within, not_regular};
use super::shell::quoted;
use super::{Candidate, agree, codes, names, read};
use crate::finding::Finding;

impl Scan<'_> {
    /// A directory with a manifest of this name in it.
    pub(super) fn with_manifest(
        &mut self,
        within: &Within<'_>,
        directory: &Directory,
        entries: &[Entry],
        name: &str,
    ) {
        let path = directory.spelled.join(name);
        let mut candidate = Candidate::new(within.root.origin, &within.root.path, path.clone());
        candidate.findings.clone_from(&directory.findings);
        let mut manifest = None;
        if let Some(admitted) = self.file(within, directory, name, &mut candidate) {
            if self.is_known(&admitted.real, &path) {
                return;
            }
            manifest = self.read_manifest(&admitted, name, &mut candidate);
        }
        if let Some(manifest) = &manifest {
            candidate.describe(manifest);
        }
        let content = manifest.as_ref().and_then(|one| one.content.as_ref());
        let used = match content {
            Some(content) => {
                self.content(within, directory, content, &mut candidate);
                Some(None)
            }
            None => {
                let manifest = manifest.as_ref();
                let used = self.code(within, directory, entries, manifest, &mut candidate);
                used.map(Some)
            }
        };
        if let Some(used) = used {
            let unused = unused(entries, name, used, &path);
            candidate.findings.extend(unused);
        }
        self.keep(candidate);
    }

    /// Finds and reads the library. Answers its name.
    fn code<'e>(
        &mut self,
        within: &Within<'_>,
        directory: &Directory,
        entries: &'e [Entry],
        manifest: Option<&Arc<Manifest>>,
        candidate: &mut Candidate,
    ) -> Option<&'e str> {
        let id = manifest.map(|manifest| &manifest.id);
        let name = match library_among(entries, id) {
            Ok(name) => name,
            // Without an id there is no name to be missed, and that the manifest does not read is
            // what is to be said.
            Err(_) if id.is_none() => return None,
            Err(finding) => {
                let finding = match entries.iter().any(|entry| entry.name == "Cargo.toml") {
                    true => finding.hint(format!(
                        "this is a crate: `keyway dev {}` builds and runs it; to install it, copy \
                         its library here",
                        quoted(&directory.spelled)
                    )),
                    false => finding,
                };
                candidate.findings.push(finding.at(&directory.spelled));
                return None;
            }
        };
        let path = directory.spelled.join(name);
        let Some(admitted) = self.file(within, directory, name, candidate) else {
            return Some(name);
        };
        candidate.library = Some(path.clone());
        self.know(&admitted.real, &path);
        let embedded = match self.read_library(&admitted, candidate) {
            Ok(embedded) => embedded,
            Err(fault) => {
                candidate.findings.push(fault.at(&path));
                None
            }
        };
        match (manifest, embedded) {
            (Some(beside), Some(embedded)) => {
                let finding = mismatch(beside, &embedded.manifest, &candidate.path, name);
                candidate.findings.extend(finding);
            }
            // For those who ask which plugin it is that was refused.
            (None, Some(embedded)) => {
                candidate.id = Some(embedded.manifest.id.clone());
                candidate.version = Some(embedded.manifest.version.clone());
            }
            (_, None) => {}
        }
        Some(name)
    }

    /// Looks at the files of a plugin without code.
    fn content(
        &mut self,
        within: &Within<'_>,
        directory: &Directory,
        content: &Content,
        candidate: &mut Candidate,
    ) {
        for listed in content.skills.iter().chain(&content.resources) {
            let path = directory.spelled.join(listed);
            let admitted = match self.keeper.admit(&directory.real.join(listed)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let message = format!("[plugin.content] lists {listed:?}, which is not there");
                    let finding = codes::CONTENT_MISSING.finding(message).at(&path);
                    candidate.findings.push(finding);
                    continue;
                }
                admitted => admitted,
            };
            if let Some(admitted) = regular(within, &path, admitted, candidate) {
                candidate.stamps.push(Stamp::of(&admitted.metadata));
            }
        }
    }

    /// Looks at a file of a plugin. None if it may not be read, which is noted.
    fn file(
        &mut self,
        within: &Within<'_>,
        directory: &Directory,
        name: &str,
        candidate: &mut Candidate,
    ) -> Option<Admitted> {
        let path = directory.spelled.join(name);
        let admitted = self.keeper.admit_entry(&directory.real, Path::new(name));
        regular(within, &path, admitted, candidate)
    }
}

/// Notes what speaks against a file; None if it may not even be read.
fn regular(
    within: &Within<'_>,
    path: &Path,
    admitted: io::Result<Admitted>,
    candidate: &mut Candidate,
) -> Option<Admitted> {
    let refusal = match admitted {
        Ok(admitted) => {
            candidate.findings.extend(admitted.findings.iter().cloned());
            let is_special = !admitted.metadata.is_file();
            let refusal = within
                .escaped(&admitted.real, path)
                .or_else(|| is_special.then(|| not_regular(path, &admitted)));
            match refusal {
                None => return Some(admitted),
                Some(refusal) => refusal,
            }
        }
        Err(error) => read::unreadable(&error).at(path),
    };
    candidate.findings.push(refusal);
    None
}

/// The one library that may belong to a manifest, or why there is none.
fn library_among<'e>(entries: &'e [Entry], id: Option<&PluginId>) -> Result<&'e str, Finding> {
    let libraries: Vec<&str> = libraries(entries).collect();
    let expected = id.map(|id| names::library_of(id.as_str()));
    if let Some(expected) = &expected
        && let Some(name) = libraries.iter().find(|name| *name == expected)
    {
        return Ok(name);
    }
    let expected = expected.unwrap_or_default();
    match libraries[..] {
        [only] => Ok(only),
        [] => {
            let message = format!(
                "no library beside the manifest: expected {expected}, or one *.{} of another name; \
                 found none",
                std::env::consts::DLL_EXTENSION
            );
            let hint = format!("copy the plugin's library here, as {expected}");
            Err(codes::LIBRARY_MISSING.finding(message).hint(hint))
        }
        _ => {
            let message = format!(
                "several libraries beside the manifest: expected {expected}, found {}",
                names::listed(&libraries)
            );
            let hint = format!("rename the plugin's own to {expected}, or remove the others");
            Err(codes::LIBRARY_AMBIGUOUS.finding(message).hint(hint))
        }
    }
}

/// What lies beside a manifest that its plugin does not consist of.
fn unused(entries: &[Entry], manifest: &str, used: Option<&str>, path: &Path) -> Option<Finding> {
    let is_second = |name: &&str| *name != manifest;
    let manifests = MANIFESTS.into_iter().filter(is_second);
    let manifests = manifests.filter(|name| entries.iter().any(|entry| entry.name == **name));
    let others: Vec<&str> = manifests
        .chain(libraries(entries).filter(|name| Some(*name) != used))
        .collect();
    (!others.is_empty()).then(|| {
        let message = format!("not looked at beside it: {}", names::listed(&others));
        codes::UNUSED_BESIDE.finding(message).at(path)
    })
}

fn mismatch(beside: &Manifest, inside: &Manifest, path: &Path, library: &str) -> Option<Finding> {
    let difference = agree::first_difference(beside, inside)?;
    let name = path.file_name().unwrap_or_default().display();
    let message = format!(
        "{} differs: {} in {name}, {} in {library}",
        difference.key, difference.beside, difference.inside
    );
    let hint = format!(
        "copy both files of one build here, or remove {name}: the library has its own manifest"
    );
    Some(
        codes::MANIFEST_MISMATCH
            .finding(message)
            .at(path)
            .hint(hint),
    )
}
