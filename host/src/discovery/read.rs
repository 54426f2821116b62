//! What the files of a plugin say: manifests and libraries, read and never loaded.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use keyway_manifest::limits::MAX_TEXT_BYTES;
use keyway_manifest::{Manifest, ManifestError};

use super::anchor::unanchored;
use super::cache::Stamp;
use super::gate::Admitted;
use super::scan::Scan;
use super::{Candidate, codes};
use crate::finding::{Code, Finding};
use crate::inspect::{InspectError, InspectErrorKind, Inspection, inspect};
use crate::regular::{self, Links};

/// The names of a manifest beside a library, in the order in which they are looked for.
pub(super) const MANIFESTS: [&str; 2] = ["plugin.toml", "plugin.json"];

/// Why a file does not say what it should. It names no path, since files are moved.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    code: &'static Code,
    message: String,
    hint: Option<String>,
}

/// A library that reads.
#[derive(Clone, Debug)]
pub(super) struct Library {
    pub(super) facts: Arc<Inspection>,
    /// None if it has no note.
    pub(super) manifest: Option<Result<Embedded, Fault>>,
}

/// The manifest inside of a library.
#[derive(Clone, Debug)]
pub(super) struct Embedded {
    pub(super) manifest: Arc<Manifest>,
    /// What was passed over, if anything was.
    pub(super) newer: Option<Fault>,
}

impl Fault {
    pub(super) fn at(&self, path: &Path) -> Finding {
        let finding = self.code.finding(&self.message).at(path);
        match &self.hint {
            Some(hint) => finding.hint(hint),
            None => finding,
        }
    }

    /// The same with another code.
    pub(super) fn with_code(self, code: &'static Code) -> Self {
        Fault { code, ..self }
    }

    fn of_inspection(code: &'static Code, error: &InspectError) -> Self {
        Fault {
            code,
            message: error.message().to_owned(),
            hint: error.hint().map(str::to_owned),
        }
    }

    fn of_manifest(name: &str, error: &ManifestError) -> Self {
        let all = error.diagnostics();
        let first = all.first().map(ToString::to_string).unwrap_or_default();
        let more = match all.len().saturating_sub(1) + error.omitted() {
            0 => String::new(),
            1 => " (and 1 more problem)".to_owned(),
            more => format!(" (and {more} more problems)"),
        };
        Fault {
            code: &codes::MANIFEST_INVALID,
            message: format!("{first}{more}"),
            hint: Some(format!("correct {name}:\n{}", error.rendered())),
        }
    }
}

impl Scan<'_> {
    /// Reads a candidate's library, and answers the manifest in it. What is wrong with either is
    /// noted. The error says that there is no note at all.
    pub(super) fn read_library(
        &mut self,
        admitted: &Admitted,
        candidate: &mut Candidate,
    ) -> Result<Option<Embedded>, Fault> {
        let path = candidate.library.clone().unwrap_or_default();
        let stamp = Stamp::of(&admitted.metadata);
        candidate.stamps.push(stamp);
        let library = match self.libraries.get(&admitted.real, stamp, library) {
            Ok(library) => library,
            Err(fault) => {
                candidate.findings.push(fault.at(&path));
                return Ok(None);
            }
        };
        let without_note = without_note(&library.facts);
        candidate.facts = Some(library.facts);
        match library.manifest {
            Some(Ok(embedded)) => {
                let newer = embedded.newer.as_ref().map(|newer| newer.at(&path));
                candidate.findings.extend(newer);
                let unanchored = unanchored(&embedded.manifest);
                candidate
                    .findings
                    .extend(unanchored.map(|finding| finding.at(&path)));
                Ok(Some(embedded))
            }
            Some(Err(fault)) => {
                candidate.findings.push(fault.at(&path));
                Ok(None)
            }
            None => Err(without_note),
        }
    }

    /// Reads a manifest beside a library.
    pub(super) fn read_manifest(
        &mut self,
        admitted: &Admitted,
        name: &str,
        candidate: &mut Candidate,
    ) -> Option<Arc<Manifest>> {
        let stamp = Stamp::of(&admitted.metadata);
        candidate.stamps.push(stamp);
        let read = |path: &Path| manifest(path, name);
        match self.manifests.get(&admitted.real, stamp, read) {
            Ok(manifest) => Some(manifest),
            Err(fault) => {
                candidate.findings.push(fault.at(&candidate.path));
                None
            }
        }
    }
}

/// Why a library without a note is not taken.
fn without_note(facts: &Inspection) -> Fault {
    let section = facts.format.note_section();
    Fault {
        code: &codes::NOTE_MISSING,
        message: format!("expected a note of Keyway's in section {section}, found none"),
        hint: Some("if this is your plugin: call keyway::export_plugin! in its crate".to_owned()),
    }
}

/// Reads a library; also whether the answer lasts as long as the file stays the same.
fn library(path: &Path) -> (Result<Library, Fault>, bool) {
    let facts = match inspect(path) {
        Ok(facts) => Arc::new(facts),
        Err(error) => {
            let lasts = !matches!(
                error.kind(),
                InspectErrorKind::Io | InspectErrorKind::NotFound
            );
            let fault = Fault::of_inspection(&codes::LIBRARY_DAMAGED, &error);
            return (Err(fault), lasts);
        }
    };
    let manifest = match facts.require_note() {
        Ok(note) => Some(embedded(&note.manifest)),
        Err(error) if error.kind() == InspectErrorKind::NoNote => None,
        Err(error) => {
            let fault = Fault::of_inspection(&codes::LIBRARY_DAMAGED, &error);
            Some(Err(fault))
        }
    };
    (Ok(Library { facts, manifest }), true)
}

fn embedded(json: &str) -> Result<Embedded, Fault> {
    let (manifest, unknown) = Manifest::from_embedded(json)
        .map_err(|error| Fault::of_manifest("plugin.toml and build again", &error))?;
    let newer = (!unknown.is_empty()).then(|| {
        let keys: Vec<&str> = unknown.iter().map(|key| key.path.as_str()).collect();
        Fault {
            code: &codes::MANIFEST_NEWER,
            message: format!("keys that this host does not know: {}", keys.join(", ")),
            hint: None,
        }
    });
    Ok(Embedded {
        manifest: Arc::new(manifest),
        newer,
    })
}

/// Reads a manifest of this name; also whether the answer lasts as long as the file stays the same.
fn manifest(path: &Path, name: &str) -> (Result<Arc<Manifest>, Fault>, bool) {
    let bytes = match bytes(path) {
        Ok(bytes) => bytes,
        Err(error) => return (Err(unreadable(&error)), false),
    };
    let Ok(text) = String::from_utf8(bytes) else {
        let fault = Fault {
            code: &codes::MANIFEST_INVALID,
            message: "the text is not valid UTF-8".to_owned(),
            hint: None,
        };
        return (Err(fault), true);
    };
    let read = match name.ends_with(".json") {
        true => Manifest::from_json(&text, name),
        false => Manifest::from_toml(&text, name),
    };
    let read = read
        .map(Arc::new)
        .map_err(|error| Fault::of_manifest(name, &error));
    (read, true)
}

pub(super) fn unreadable(error: &std::io::Error) -> Fault {
    Fault {
        code: &codes::UNREADABLE,
        message: format!("it cannot be looked at: {error}"),
        hint: None,
    }
}

/// At most one byte more than a manifest may have.
fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let file: File = regular::open(path, Links::Follow)?;
    let mut bytes = Vec::new();
    file.take(MAX_TEXT_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
