//! A package: the directory of one plugin, and what its files say of it. Nothing of the plugin runs.

mod contents;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyway_host::discovery::Verdict;
use keyway_host::inspect::{ContentHash, hash_file};
use keyway_host::keyway::version::InterfaceVersion;
use keyway_host::manifest::Manifest;
use keyway_host::{Gates, Host, Origin, Root, Severity, discover};
use semver::Version;

pub(crate) use contents::{Contents, LIBRARY_EXTENSIONS};

use crate::archive::{self, Packed};
use crate::error::{InstallError, Result};

/// The application that plugins are installed for, where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its name, for messages.
    pub name: String,
    /// Its version, which is compared with what manifests say of hosts.
    pub version: Version,
}

/// What the files of a plugin say of it.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) manifest: Arc<Manifest>,
    /// What its library was built against; none without a library.
    pub(crate) interface: Option<InterfaceVersion>,
    /// What a host has to speak at least; none without a library.
    pub(crate) needed_interface: Option<InterfaceVersion>,
    /// By target; empty for a plugin without code.
    pub(crate) libraries: BTreeMap<String, Library>,
}

/// A library of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Library {
    /// Its path: in the package, or where a link leads to.
    pub file: PathBuf,
    /// The hash of its content; none where a link leads to what changes.
    pub hash: Option<ContentHash>,
}

impl Facts {
    /// Reads and checks a package: it is one plugin, its files agree, and its library fits this machine.
    ///
    /// # Errors
    ///
    /// With the code of what the host found, or `no-plugin`.
    pub(crate) fn of_package(dir: &Path, application: Option<&Application>) -> Result<Self> {
        let subject = subject(dir)?;
        let mut facts = Self::at(&subject, application)?;
        for library in facts.libraries.values_mut() {
            library.hash = Some(hash_file(&library.file)?);
            if let Ok(inside) = library.file.strip_prefix(dir) {
                library.file = inside.to_owned();
            }
        }
        Ok(facts)
    }

    /// The same for a library, or the directory of a plugin, that stays where it is.
    pub(crate) fn at(subject: &Path, application: Option<&Application>) -> Result<Self> {
        // Whose the file is counts where it is loaded, not where it comes from.
        let gates = Gates::new()
            .allow_foreign_owner(true)
            .allow_world_writable(true);
        let discovery = discover(&[Root::new(Origin::Explicit, subject)], &gates);
        let findings = discovery
            .candidates
            .iter()
            .flat_map(|candidate| &candidate.findings);
        let mut findings = findings.chain(&discovery.findings);
        if let Some(error) = findings.find(|finding| finding.severity() == Severity::Error) {
            return Err(error.into());
        }
        let [candidate] = &discovery.candidates[..] else {
            return Err(no_plugin(subject, discovery.candidates.len()));
        };
        let (Verdict::Found, Some(manifest)) = (&candidate.verdict, &candidate.manifest) else {
            return Err(no_plugin(subject, 0));
        };
        let mut facts = Facts {
            manifest: Arc::clone(manifest),
            interface: None,
            needed_interface: None,
            libraries: BTreeMap::new(),
        };
        let (Some(file), Some(inspection)) = (&candidate.library, &candidate.facts) else {
            return Ok(facts);
        };
        let note = inspection.require_note()?;
        // Bounds on an application that nobody named are for the host to look at.
        let (name, version) = match application {
            Some(application) => (application.name.clone(), application.version.clone()),
            None => (
                "any application".to_owned(),
                manifest.min_host_version.clone(),
            ),
        };
        Host::builder(name, version)
            .check(inspection)
            .map_err(|error| InstallError::from(&error))?;
        facts.interface = Some(InterfaceVersion {
            major: note.interface_major,
            minor: note.built_minor,
        });
        facts.needed_interface = Some(InterfaceVersion {
            major: note.interface_major,
            minor: note.required_minor,
        });
        let library = Library {
            file: file.clone(),
            hash: None,
        };
        facts.libraries.insert(note.target.clone(), library);
        Ok(facts)
    }

    /// Such as `'weather' v1.0.0`.
    pub(crate) fn label(&self) -> String {
        format!("'{}' v{}", self.manifest.id, self.manifest.version)
    }
}

/// What in a package is the plugin: its directory where a manifest is in there, else its one library.
fn subject(dir: &Path) -> Result<PathBuf> {
    let has = |name: &str| dir.join(name).is_file();
    if contents::MANIFESTS.iter().any(|name| has(name)) {
        return Ok(dir.to_owned());
    }
    let libraries = contents::libraries_in(dir)?;
    match &libraries[..] {
        [library] => Ok(library.clone()),
        _ => Err(no_plugin(dir, libraries.len())),
    }
}

fn no_plugin(at: &Path, found: usize) -> InstallError {
    let found = match found {
        0 => "neither".to_owned(),
        more => format!("{more} libraries and no manifest"),
    };
    InstallError::unfit(
        "no-plugin",
        format!("no plugin: expected a plugin.toml or one library, found {found}"),
    )
    .at(at)
}

/// Packs a plugin that was built as `ID-VERSION.tar.gz` into the directory `out`: from a crate, from a
/// directory, or from a single library. The same files make the same bytes.
///
/// # Errors
///
/// When it is no plugin that could be installed on this machine, or the archive cannot be written.
pub fn package(plugin: &Path, out: &Path) -> Result<Packed> {
    pack(plugin, out).map(|(packed, _)| packed)
}

/// The same, with what the files say.
pub(crate) fn pack(plugin: &Path, out: &Path) -> Result<(Packed, Facts)> {
    let contents = Contents::of(plugin)?;
    // It is put together once as it will be when it is installed, so that what is packed was checked.
    let copy = tempfile::tempdir()
        .map_err(|error| InstallError::io("make a directory", &std::env::temp_dir(), error))?;
    contents.copy_to(copy.path())?;
    let facts = Facts::of_package(copy.path(), None)
        .map_err(|error| error.instead_of(copy.path(), plugin))?;
    let top = format!("{}-{}", facts.manifest.id, facts.manifest.version);
    let entries = crate::tree::files(copy.path())?;
    let packed = archive::pack(&entries, &top, &out.join(format!("{top}.tar.gz")))?;
    Ok((packed, facts))
}
