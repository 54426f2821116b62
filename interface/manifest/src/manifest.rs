//! The manifest itself, and the ways into and out of it.

use std::collections::BTreeMap;

use semver::Version;

use crate::check;
use crate::diagnostic::report::Report;
use crate::limits::MAX_TEXT_BYTES;
use crate::tree::Syntax;
use crate::{
    Activation, Capabilities, CommandText, ConfigField, Content, Dependency, Isolation,
    ManifestError, Permissions, PluginId, Reload, Requirement, Resources, tree, write,
};
#[cfg(feature = "json")]
use crate::{Diagnostic, limits::MAX_EMBEDDED_BYTES};

/// A checked manifest.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Manifest {
    /// The id of the plugin, under `id` or `name`.
    pub id: PluginId,
    /// Its version.
    pub version: Version,
    /// What it does, for people.
    pub description: Option<String>,
    /// Who wrote it, under `authors` or `author`.
    pub authors: Vec<String>,
    /// Its license, as free text.
    pub license: Option<String>,
    /// Its home page, an `http` or `https` URL.
    pub homepage: Option<String>,
    /// The oldest version of the embedding application that it works with.
    pub min_host_version: Version,
    /// The newest version of the embedding application that it works with, if there is a bound.
    pub max_host_version: Option<Version>,
    /// Where its code runs.
    pub isolation: Isolation,
    /// What it offers.
    pub capabilities: Capabilities,
    /// The help for the commands that it offers, by name. Each is declared in
    /// [`Self::capabilities`]; one of which nothing is said is missing here.
    pub commands: BTreeMap<String, CommandText>,
    /// The capabilities that it needs, by capability id, such as `acme.image-filter`.
    pub requires: BTreeMap<String, Requirement>,
    /// The other plugins that it needs; never itself.
    pub dependencies: BTreeMap<PluginId, Dependency>,
    /// When it is started.
    pub activation: Activation,
    /// What it asks to be allowed to reach.
    pub permissions: Permissions,
    /// The settings that it takes, by name.
    pub config: BTreeMap<String, ConfigField>,
    /// The limits that it asks to be held to.
    pub resources: Resources,
    /// How it is replaced by another version of itself.
    pub reload: Reload,
    /// What it consists of, if it has no library. It then offers its skills, and nothing else.
    pub content: Option<Content>,
    /// The cargo package that it was built from. `export_plugin!` puts it into what is embedded; nobody
    /// writes it into a `plugin.toml`.
    pub package: Option<String>,
}

impl Manifest {
    /// Reads the text of a `plugin.toml`; `file_name` is only for messages.
    ///
    /// # Errors
    ///
    /// When anything is wrong with the text. All problems are listed, unless it is not TOML at all:
    /// then only the mistakes of syntax are.
    pub fn from_toml(text: &str, file_name: &str) -> Result<Self, ManifestError> {
        let mut report = Report::new(Syntax::Toml);
        let manifest = report
            .admits(text, MAX_TEXT_BYTES)
            .then(|| tree::toml::read(text, &mut report))
            .flatten()
            .and_then(|root| check::manifest(&root, &mut report));
        report
            .finish(manifest, text, file_name)
            .map(|(manifest, _)| manifest)
    }

    /// Reads the JSON form of a manifest, as strictly as [`Self::from_toml`] reads the TOML form.
    ///
    /// # Errors
    ///
    /// When anything is wrong with the text. All problems are listed, unless it is not JSON at all:
    /// then only the first mistake of syntax is.
    #[cfg(feature = "json")]
    pub fn from_json(text: &str, file_name: &str) -> Result<Self, ManifestError> {
        let report = Report::new(Syntax::Json);
        Self::read_json(text, file_name, MAX_TEXT_BYTES, report).map(|(manifest, _)| manifest)
    }

    /// Reads the JSON that is embedded in a plugin binary.
    ///
    /// The plugin may have been built with a newer minor of the interface, whose manifests have keys
    /// that this one does not know. Such keys come back as warnings; everything else is as strict as
    /// in [`Self::from_json`].
    ///
    /// # Errors
    ///
    /// When anything but unknown keys is wrong; the error then lists the unknown keys as well.
    #[cfg(feature = "json")]
    pub fn from_embedded(json: &str) -> Result<(Self, Vec<Diagnostic>), ManifestError> {
        let report = Report::new(Syntax::Json).with_unknown_keys_as_warnings();
        Self::read_json(json, "embedded manifest", MAX_EMBEDDED_BYTES, report)
    }

    #[cfg(feature = "json")]
    fn read_json(
        text: &str,
        file_name: &str,
        max_bytes: usize,
        mut report: Report,
    ) -> Result<(Self, Vec<Diagnostic>), ManifestError> {
        let manifest = report
            .admits(text, max_bytes)
            .then(|| tree::json::read(text, &mut report))
            .flatten()
            .and_then(|root| check::manifest(&root, &mut report));
        report.finish(manifest, text, file_name)
    }

    /// Writes the canonical JSON: compact, in a fixed order, without what is absent or the default.
    ///
    /// Equal manifests give equal bytes, and `from_embedded` reads them back to an equal manifest;
    /// `from_json` does so too where there is no [`package`](Self::package).
    #[must_use]
    pub fn to_json(&self) -> String {
        write::manifest(self)
    }

    /// Whether the id is anchored in the package's name, which nobody else can publish: it is that name,
    /// or the last part of it, as `weather` is of `acme-weather`. Also where no package is known.
    #[must_use]
    pub fn is_anchored(&self) -> bool {
        let Some(package) = &self.package else {
            return true;
        };
        let package = package.replace('_', "-");
        let rest = package.strip_suffix(self.id.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('-'))
    }
}
