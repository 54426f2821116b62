//! Loading: from a file to a plugin that serves, or to one precise error.
//!
//! The steps come in the order of trust: a private copy, its inspection, the decision. No code of
//! the plugin runs in them; [`start`](super::start) has the steps after that.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use keyway::Exported;
use keyway::abi::Descriptor;
use keyway::abi::note::{self, Endian};
use keyway_manifest::Manifest;
use serde_json::{Map, Value};

use super::Host;
use super::plugin::{LoadTimes, PluginStatus};
use super::start::Candidate;
use crate::error::{HostError, HostErrorKind};
use crate::inspect::{NoteFacts, inspect};
use crate::library::{IdleThreads, Library, Terms};

/// How one plugin is to be loaded.
#[derive(Clone, Default)]
#[must_use]
pub struct LoadOptions {
    namespace: Option<String>,
    pub(super) config: Map<String, Value>,
}

/// Settings may be secret, so only their names are shown.
impl fmt::Debug for LoadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadOptions")
            .field("namespace", &self.namespace)
            .field("config_keys", &self.config.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl LoadOptions {
    /// Default options: no namespace, no configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `namespace/` in front of the plugin's name and of all that it offers, so that several
    /// copies or versions of one plugin can serve at the same time.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The plugin's configuration.
    ///
    /// The plugin's manifest says what settings there are. One that is missing here comes from the
    /// environment variable that the manifest names for it, or else is its default. What does not
    /// fit is an error of kind [`HostErrorKind::Config`], before any code of the plugin runs; what
    /// the manifest does not declare is passed on, with a warning in [`PluginStatus::warnings`].
    pub fn config(mut self, config: Map<String, Value>) -> Self {
        self.config = config;
        self
    }

    pub(super) fn qualify(&self, name: &str) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        }
    }
}

impl Host {
    /// Loads a plugin's library with default options.
    ///
    /// # Errors
    ///
    /// See [`Host::load_with`].
    pub async fn load(&self, path: impl AsRef<Path>) -> Result<PluginStatus, HostError> {
        self.load_with(path, LoadOptions::new()).await
    }

    /// Loads a plugin's library: makes a private copy of the file, inspects the copy, decides
    /// whether it fits, opens it, checks what it exports, prepares and activates the plugin, and
    /// takes over all that it registers. No code of the plugin runs before its file was found to
    /// fit.
    ///
    /// # Errors
    ///
    /// One [`HostError`] whose kind tells the step. After an error nothing of the plugin serves; a
    /// library that was refused after it was opened stays in memory.
    pub async fn load_with(
        &self,
        path: impl AsRef<Path>,
        options: LoadOptions,
    ) -> Result<PluginStatus, HostError> {
        let path = path.as_ref();
        let mut times = LoadTimes::default();
        let clock = Instant::now();
        let staged = self
            .inner
            .stage
            .copy(path)
            .map_err(|error| match inspect(path) {
                // The inspection has the better words for a file that is missing or no file.
                Err(better) => HostError::inspect(better),
                Ok(_) => error,
            })?;
        times.stage = clock.elapsed();
        let clock = Instant::now();
        // The copy is inspected, not the file: what was checked is what gets loaded.
        let inspection =
            inspect(&staged.path).map_err(|error| HostError::inspect(error.with_path(path)))?;
        let note = inspection
            .require_note()
            .map_err(|error| HostError::inspect(error.with_path(path)))?;
        let (manifest, warnings) = read_manifest(note).map_err(|error| error.at(path))?;
        let label = label(&manifest);
        let minor = self
            .inner
            .side
            .check(&inspection, note, &manifest)
            .map_err(|error| error.of_plugin(&label).at(path))?;
        times.inspect = clock.elapsed();
        let name = options.qualify(manifest.id.as_str()).into();
        let path = Some(path.to_owned());
        let staged = Some(staged);
        let candidate = Candidate {
            name,
            manifest,
            path,
            staged,
            minor,
            times,
            warnings,
        };
        let terms = Terms::new(
            &inspection,
            note,
            IdleThreads::Run,
            self.inner.options.idle_thread_deadline,
        );
        let tally = Arc::clone(&self.inner.tally);
        self.start(candidate, options, move |path| {
            let path = path.ok_or_else(|| {
                HostError::new(HostErrorKind::Stage, "there is no private copy to open")
            })?;
            let library = Library::open(path, &terms, &tally)?;
            Ok((library.descriptor(), Some(library)))
        })
        .await
    }

    /// Starts a plugin that is linked into this binary, through the same tables as a loaded one.
    ///
    /// There is no library to inspect or to keep; everything else is as with [`Host::load_with`].
    /// Panics of the plugin also reach the application's own panic hook, and what it logs goes
    /// straight to the application's subscriber.
    ///
    /// # Errors
    ///
    /// As [`Host::load_with`].
    pub async fn register_static<P: Exported>(
        &self,
        options: LoadOptions,
    ) -> Result<PluginStatus, HostError> {
        let descriptor = P::descriptor();
        let note = static_note(descriptor)?;
        let (manifest, warnings) = read_manifest(&note)?;
        let minor = self
            .inner
            .side
            .check_static(&note, &manifest)
            .map_err(|error| error.of_plugin(&label(&manifest)))?;
        let candidate = Candidate {
            name: options.qualify(manifest.id.as_str()).into(),
            manifest,
            path: None,
            staged: None,
            minor,
            times: LoadTimes::default(),
            warnings,
        };
        self.start(candidate, options, move |_| Ok((descriptor, None)))
            .await
    }
}

pub(super) fn label(manifest: &Manifest) -> String {
    format!("'{}' v{}", manifest.id, manifest.version)
}

pub(super) fn read_manifest(note: &NoteFacts) -> Result<(Manifest, Vec<String>), HostError> {
    let (manifest, warnings) = Manifest::from_embedded(&note.manifest).map_err(|error| {
        HostError::new(HostErrorKind::Manifest, error.to_string())
            .hint("rebuild the plugin: export_plugin! checks plugin.toml when it is compiled")
    })?;
    Ok((manifest, warnings.iter().map(ToString::to_string).collect()))
}

/// The note of a plugin that is linked into this binary.
fn static_note(descriptor: &'static Descriptor) -> Result<NoteFacts, HostError> {
    let refuse = |what: String| {
        HostError::new(
            HostErrorKind::Descriptor,
            format!("the plugin's note does not read: {what}"),
        )
    };
    let raw = note::split(descriptor.note(), Endian::NATIVE)
        .next()
        .ok_or_else(|| refuse("it is empty".to_owned()))?
        .map_err(|error| refuse(error.to_string()))?;
    let note = note::decode_desc(raw.desc).map_err(|error| refuse(error.to_string()))?;
    Ok(NoteFacts::new(&note, true))
}
