//! The facts of libraries as they are printed in JSON: stable names, and nothing without a key.

use std::path::{Path, PathBuf};

use keyway_host::discovery::unanchored;
use keyway_host::inspect::{
    ContentHash, Endian, Inspection, NoteFacts, NoteState, hash_file, inspect,
};
use keyway_host::keyway::version::INTERFACE;
use keyway_host::manifest::Manifest;
use keyway_host::{HostBuilder, Signal};
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::session::refused;

/// All that one run of `keyway inspect --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) schema_version: u32,
    pub(crate) libraries: Vec<Library>,
}

/// One library.
#[derive(Debug, Serialize)]
pub(crate) struct Library {
    pub(crate) path: PathBuf,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) hash: String,
    /// `ELF`, `Mach-O` or `PE`.
    pub(crate) format: String,
    pub(crate) arch: String,
    /// The width of an address.
    pub(crate) bits: u8,
    /// `little` or `big`.
    pub(crate) endian: &'static str,
    /// None if neither the headers nor the note tell.
    pub(crate) os: Option<String>,
    pub(crate) soname: Option<String>,
    /// The libraries that the dynamic loader must find.
    pub(crate) needed: Vec<String>,
    /// Whether the library forbids its unloading.
    pub(crate) nodelete: bool,
    /// How many symbols keep the library loaded once they are bound.
    pub(crate) unique_symbols: usize,
    /// None in a library that is no plugin.
    pub(crate) plugin: Option<Plugin>,
    /// Why this keyway would not load it; none if it would.
    pub(crate) problem: Option<Failure>,
    /// What is not in order, but no reason to refuse it.
    pub(crate) warnings: Vec<String>,
    /// How well it fits this keyway, all in all: `ok`, `advisory` or `error`. None in a library that is no
    /// plugin.
    pub(crate) signal: Option<&'static str>,
}

/// What a plugin says of itself.
#[derive(Debug, Serialize)]
pub(crate) struct Plugin {
    pub(crate) interface: Interface,
    pub(crate) target: String,
    pub(crate) rustc: String,
    /// What a panic does: `unwind` or `abort`.
    pub(crate) panic: String,
    /// The manifest in its JSON form, as it was embedded; none if it does not read.
    pub(crate) manifest: Option<Value>,
    #[serde(skip)]
    pub(crate) parsed: Option<Manifest>,
}

/// The interface versions of a plugin.
#[derive(Debug, Serialize)]
pub(crate) struct Interface {
    pub(crate) major: u16,
    pub(crate) built_minor: u16,
    pub(crate) required_minor: u16,
}

impl Library {
    /// The facts of one file, and what is wrong with it if it is not a plugin.
    pub(crate) fn read(path: &Path, builder: &HostBuilder) -> (Option<Self>, Option<Failure>) {
        let facts = inspect(path).and_then(|facts| Ok((facts, hash_file(path)?)));
        let (inspection, hash) = match facts {
            Ok(facts) => facts,
            Err(error) => return (None, Some(error.into())),
        };
        match inspection.require_note() {
            Ok(note) => {
                let mut warnings = Vec::new();
                let plugin = Plugin::new(note, &mut warnings);
                let mut library = Library::new(path, &inspection, hash);
                library.warnings.splice(0..0, warnings);
                library.plugin = Some(plugin);
                let checked = builder.check(&inspection);
                let behind = INTERFACE.minor.checked_sub(note.built_minor);
                let older = behind.is_some_and(|minors| minors > 0);
                let signal = match &checked {
                    Err(_) => Signal::Error,
                    Ok(_) if older || !library.warnings.is_empty() => Signal::Advisory,
                    Ok(_) => Signal::Ok,
                };
                library.signal = Some(signal.name());
                library.problem = checked.err().as_ref().map(refused);
                (Some(library), None)
            }
            Err(error) => {
                let library = Library::new(path, &inspection, hash);
                (Some(library), Some(error.into()))
            }
        }
    }

    fn new(path: &Path, inspection: &Inspection, hash: ContentHash) -> Self {
        Library {
            path: path.to_owned(),
            size: inspection.size,
            hash: hash.to_string(),
            format: inspection.format.to_string(),
            arch: inspection.arch.to_string(),
            bits: inspection.bits,
            endian: match inspection.endian {
                Endian::Little => "little",
                Endian::Big => "big",
            },
            os: inspection.target_os().map(|os| os.to_string()),
            soname: inspection.soname.clone(),
            needed: inspection.needed.clone(),
            nodelete: inspection.nodelete,
            unique_symbols: inspection.unique_symbols.count,
            plugin: None,
            problem: None,
            warnings: warnings(inspection),
            signal: None,
        }
    }
}

impl Plugin {
    fn new(note: &NoteFacts, warnings: &mut Vec<String>) -> Self {
        let parsed = Manifest::from_embedded(&note.manifest);
        if let Ok((manifest, unknown)) = &parsed {
            warnings.extend(unknown.iter().map(ToString::to_string));
            warnings.extend(unanchored(manifest).map(|finding| finding.to_string()));
        }
        Plugin {
            interface: Interface {
                major: note.interface_major,
                built_minor: note.built_minor,
                required_minor: note.required_minor,
            },
            target: note.target.clone(),
            rustc: note.rustc.clone(),
            panic: note.panic.to_string(),
            manifest: serde_json::from_str(&note.manifest).ok(),
            parsed: parsed.ok().map(|(manifest, _)| manifest),
        }
    }
}

fn warnings(inspection: &Inspection) -> Vec<String> {
    let mut warnings = Vec::new();
    if inspection.nodelete {
        warnings.push(
            "the library forbids its unloading (DF_1_NODELETE): each version that is replaced \
             stays in memory"
                .to_owned(),
        );
    }
    let unique = &inspection.unique_symbols;
    if let Some(example) = unique.names.first() {
        warnings.push(format!(
            "{} unique symbols (STB_GNU_UNIQUE, the first is {example}) may keep the library in \
             memory after it was replaced; they come from C++ code",
            unique.count
        ));
    }
    match &inspection.note {
        NoteState::One(note) if !note.symbol_exported => warnings.push(format!(
            "the note names the descriptor `{}`, and the library does not export it: it will not \
             load",
            note.symbol
        )),
        _ => {}
    }
    warnings
}
