//! Loading: from a file to a plugin that serves, or to one precise error.
//!
//! The steps come in the order of trust: a private copy, its inspection, the decision. No code of
//! the plugin runs in them; [`start`](super::start) has the steps after that.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway::Exported;
use keyway::abi::Descriptor;
use keyway::abi::note::{self, Endian};
use keyway_manifest::{Manifest, Permissions, ThreadLocals};
use semver::Version;
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use super::builder::without_links;
use super::consent::base_of;
use super::plugin::LoadedPlugin;
use super::start::{Candidate, Code, Draft};
use super::{Host, Inner, shutting_down};
use crate::config::{Resolved, Sources};
use crate::discovery::codes::MANIFEST_NEWER;
use crate::error::{HostError, HostErrorKind};
use crate::event::EventKind;
use crate::finding::Finding;
use crate::inspect::{NoteFacts, inspect};
use crate::journal::{Guard, Occasion};
use crate::lane;
use crate::library::{IdleThreads, Terms};
use crate::mediate::Mediator;
use crate::registry::{Change, Offer};
use crate::settings::PluginSettings;
use crate::settings::codes::NOT_PINNED;
use crate::stage::Staged;
use crate::status::{LoadTimes, PluginStatus, codes};

/// How one plugin is to be loaded.
#[derive(Clone, Default)]
#[must_use]
pub struct LoadOptions {
    namespace: Option<String>,
    config: Map<String, Value>,
    pub(super) settings: Option<Arc<PluginSettings>>,
}

/// Settings may be secret, so only their names are shown.
impl fmt::Debug for LoadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadOptions")
            .field("namespace", &self.namespace)
            .field("config_keys", &self.config.keys().collect::<Vec<_>>())
            .field("settings", &self.settings)
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
    /// host's file, if [`LoadOptions::settings`] has it, or else from the environment variable that
    /// the manifest names for it, or else is its default. What does not
    /// fit is an error of kind [`HostErrorKind::Config`], before any code of the plugin runs; what
    /// the manifest does not declare is passed on, with a warning in [`PluginStatus::warnings`].
    pub fn config(mut self, config: Map<String, Value>) -> Self {
        self.config = config;
        self
    }

    /// What the host's file says of the plugin. Its values for the plugin's settings come after those of
    /// [`LoadOptions::config`], and before the environment. What it grants counts where the host's own file
    /// does not say what the plugin is granted.
    pub fn settings(mut self, settings: &PluginSettings) -> Self {
        self.settings = Some(Arc::new(settings.clone()));
        self
    }

    /// What the host's file has granted, as far as these options know.
    pub(super) fn permissions(&self) -> Option<&Permissions> {
        self.settings.as_ref()?.permissions.as_ref()
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
        let path = path.as_ref().to_owned();
        // Before the file is read: what changes after that is a change.
        self.inner.watch(&path);
        let (host, file) = (self.clone(), path.clone());
        let load = async move {
            let candidate = host.candidate(file, options).await?;
            host.start(candidate).await
        };
        let loaded = lane::run(self.runtime(), load).await;
        let loaded = loaded.unwrap_or_else(|| Err(shutting_down()));
        if loaded.is_err() {
            self.inner.unwatch(&path);
        }
        loaded
    }

    /// Starts a plugin that is linked into this binary, through the same tables as a loaded one.
    ///
    /// There is no library to inspect or to keep; everything else is as with [`Host::load_with`].
    /// It is a part of the application, so it may ask the host for all that its manifest asks for, unless the
    /// host's file grants it less; relative paths begin at the working directory of the process.
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
        let (manifest, mut warnings) = read_manifest(&note)?;
        let minor = self
            .inner
            .side
            .check_static(&note, &manifest)
            .map_err(|error| error.of_plugin(&label(&manifest)))?;
        warnings.extend(self.inner.side.advisory(&note));
        let base = std::env::current_dir().map_err(|error| {
            let message = format!("the working directory cannot be had: {error}");
            HostError::new(HostErrorKind::Host, message).source(error)
        })?;
        let mediator = self
            .inner
            .mediator(
                &manifest,
                None,
                base,
                &options,
                &Place::FIRST,
                &mut warnings,
            )
            .map_err(|error| error.of_plugin(&label(&manifest)))?;
        let code = Code::Static(descriptor);
        let candidate = Read {
            manifest,
            warnings,
            minor,
            times: LoadTimes::default(),
            mediator,
        }
        .configured(
            options,
            Place::FIRST.number,
            code,
            Guard::of_static_plugin(),
        )?;
        self.start(candidate).await
    }

    /// Makes a private copy of a file, inspects it and decides on it. No code of the plugin runs.
    async fn candidate(&self, path: PathBuf, options: LoadOptions) -> Result<Candidate, HostError> {
        let inner = Arc::clone(&self.inner);
        let work = move || {
            let (staged, took) = inner.staged(&path)?;
            inner.checked(path, staged, took, options, Place::FIRST)
        };
        on_thread(self.runtime(), work).await
    }

    /// Makes a private copy of a file; answers also how long that took.
    pub(super) async fn staged(&self, path: &Path) -> Result<(Staged, Duration), HostError> {
        let (inner, path) = (Arc::clone(&self.inner), path.to_owned());
        on_thread(self.runtime(), move || inner.staged(&path)).await
    }

    /// Inspects a private copy and decides on it. No code of the plugin runs.
    pub(super) async fn checked(
        &self,
        path: PathBuf,
        staged: Staged,
        staged_in: Duration,
        options: LoadOptions,
        place: Place,
    ) -> Result<Candidate, HostError> {
        let inner = Arc::clone(&self.inner);
        let work = move || inner.checked(path, staged, staged_in, options, place);
        on_thread(self.runtime(), work).await
    }

    /// From a file that fits to a plugin that serves under a name of its own.
    async fn start(&self, candidate: Candidate) -> Result<PluginStatus, HostError> {
        let inner = &self.inner;
        let (label, path) = (candidate.label(), candidate.path().cloned());
        let reserved = inner.reserve(&candidate.name).map_err(|error| {
            let error = error.of_plugin(&label);
            match &path {
                Some(path) => error.at(path),
                None => error,
            }
        })?;
        let name = Arc::clone(&candidate.name);
        let filter = crate::log::epoch();
        let mut draft = candidate.construct(self).await?;
        let prepared = match draft.prepare().await {
            Ok(()) => draft.activate().await,
            Err(error) => Err(error),
        };
        let offers = match prepared {
            Ok(offers) => offers,
            Err(error) => {
                draft.abandon().await;
                return Err(error);
            }
        };
        if let Err(error) = inner.register(&draft, &offers) {
            draft.withdraw(offers).await;
            draft.abandon().await;
            return Err(error);
        }
        let instance = Arc::new(draft.into_instance(offers));
        let plugin = Arc::new(LoadedPlugin::new(Arc::clone(&instance)));
        inner.plugins().insert(name, Arc::clone(&plugin));
        drop(reserved);
        let version = instance.generation.version.clone();
        inner.bus.tell(&plugin.name, EventKind::Loaded { version });
        self.attend_first(&plugin).await;
        if crate::log::epoch() != filter {
            // It may have asked before the change, and was not yet among those who are told.
            instance
                .log_filter_changed(self.runtime(), inner.options.lifecycle_deadline)
                .await;
        }
        Ok(inner.status(&plugin))
    }
}

impl Inner {
    fn staged(&self, path: &Path) -> Result<(Staged, Duration), HostError> {
        let clock = Instant::now();
        let staged = self.stage.copy(path);
        // The inspection has the better words for a file that is missing or no file.
        let staged = staged.map_err(|error| match inspect(path) {
            Err(better) => HostError::inspect(better),
            Ok(_) => error,
        });
        Ok((staged?, clock.elapsed()))
    }

    /// Whether a private copy is what somebody pinned its file to, if anybody did.
    fn compare_with_pin(&self, path: &Path, staged: &Staged) -> Result<(), HostError> {
        if self.options.pins.is_empty() {
            return Ok(());
        }
        match self.options.pins.get(&without_links(path)) {
            Some(pin) if *pin != staged.hash => {
                let message = format!(
                    "the file is not the one that was installed: expected {pin}, found {}",
                    staged.hash
                );
                let finding = NOT_PINNED.finding(message).hint("install the plugin again");
                Err(HostError::from(finding.at(path)))
            }
            _ => Ok(()),
        }
    }

    fn checked(
        &self,
        path: PathBuf,
        staged: Staged,
        staged_in: Duration,
        options: LoadOptions,
        place: Place,
    ) -> Result<Candidate, HostError> {
        let clock = Instant::now();
        self.compare_with_pin(&path, &staged)?;
        // The copy is inspected, not the file: what was checked is what gets loaded.
        let inspection =
            inspect(&staged.path).map_err(|error| HostError::inspect(error.with_path(&path)))?;
        let note = inspection
            .require_note()
            .map_err(|error| HostError::inspect(error.with_path(&path)))?
            .clone();
        let (manifest, mut warnings) = read_manifest(&note).map_err(|error| error.at(&path))?;
        let about = |error: HostError| error.of_plugin(&label(&manifest)).at(&path);
        let minor = self.side.check(&inspection, &note, &manifest);
        let minor = minor.map_err(about)?;
        warnings.extend(self.side.advisory(&note));
        // By the content of the copy: the file may have changed since anybody looked at it.
        self.catalog
            .admit(&manifest.id, &staged.hash)
            .map_err(|finding| about(finding.into()))?;
        self.journal.admit(&staged.hash, &path).map_err(about)?;
        let (base, hash) = (base_of(&path), Some(&staged.hash));
        let mediator = self
            .mediator(&manifest, hash, base, &options, &place, &mut warnings)
            .map_err(about)?;
        // From here on the process may die of the plugin; until here it may wait for a person.
        let occasion = match place.replaces {
            Some(from) => Occasion::Reload { from },
            None => Occasion::Load,
        };
        let guard = self
            .journal
            .begin(staged.hash, &manifest, &path, occasion)
            .map_err(about)?;
        let times = LoadTimes {
            stage: staged_in,
            inspect: clock.elapsed(),
            ..LoadTimes::default()
        };
        let read = Read {
            manifest,
            warnings,
            minor,
            times,
            mediator,
        };
        let idle_threads = match read.manifest.reload.thread_locals {
            ThreadLocals::Leak => IdleThreads::Leak,
            ThreadLocals::Retain => IdleThreads::Retain,
            _ => IdleThreads::Run,
        };
        let patience = self.options.idle_thread_deadline;
        let terms = Box::new(Terms::new(&inspection, &note, idle_threads, patience));
        let code = Code::File {
            path,
            staged,
            terms,
        };
        read.configured(options, place.number, code, guard)
    }

    /// Lets a plugin offer what nobody offered before.
    fn register(&self, draft: &Draft, offers: &[Offer]) -> Result<(), HostError> {
        let change = Change {
            owner: draft.name(),
            offers,
            doorkeeper: draft.doorkeeper(),
        };
        let mut answers = self.registry.switch(&[change]);
        match answers.pop() {
            Some(Err(error)) => Err(draft.labelled(error)),
            _ => Ok(()),
        }
    }
}

/// Which of a plugin's versions a file is to become.
pub(super) struct Place {
    pub(super) number: u64,
    /// The version that serves.
    pub(super) replaces: Option<Version>,
    /// What that one asks of the host.
    pub(super) earlier: Option<Mediator>,
    /// Whether nothing is to come of it.
    pub(super) dry: bool,
}

impl Place {
    const FIRST: Place = Place {
        number: 1,
        replaces: None,
        earlier: None,
        dry: false,
    };
}

/// What the note of a file that fits says.
struct Read {
    manifest: Manifest,
    warnings: Vec<Finding>,
    minor: u16,
    times: LoadTimes,
    mediator: Mediator,
}

impl Read {
    /// Completes the configuration.
    fn configured(
        self,
        options: LoadOptions,
        number: u64,
        code: Code,
        guard: Guard,
    ) -> Result<Candidate, HostError> {
        let Read {
            manifest,
            mut warnings,
            minor,
            times,
            mediator,
        } = self;
        let config = resolved(&manifest, &options).map_err(|error| match &code {
            Code::File { path, .. } => error.at(path),
            Code::Static(_) => error,
        })?;
        let of_config = config.warnings().iter();
        warnings.extend(of_config.map(|text| codes::CONFIG_UNDECLARED.finding(text)));
        Ok(Candidate {
            name: options.qualify(manifest.id.as_str()).into(),
            number,
            manifest: Arc::new(manifest),
            options,
            config: Arc::new(config),
            code,
            minor,
            times,
            warnings,
            mediator,
            gate: None,
            guard,
        })
    }
}

/// The configuration that a plugin gets with these options.
pub(super) fn resolved(manifest: &Manifest, options: &LoadOptions) -> Result<Resolved, HostError> {
    let env = |name: &str| std::env::var_os(name);
    let mut sources = Sources::new(&env).given(&options.config);
    if let Some(settings) = &options.settings {
        sources = sources.host(settings);
    }
    let resolved = crate::config::resolve(&manifest.config, &sources);
    resolved.map_err(|error| error.of_plugin(&label(manifest)))
}

/// Runs what reads and writes files where it may block.
async fn on_thread<T: Send + 'static>(
    runtime: &Handle,
    work: impl FnOnce() -> Result<T, HostError> + Send + 'static,
) -> Result<T, HostError> {
    let answer = lane::on_thread(runtime, work).await;
    answer.unwrap_or_else(|| Err(shutting_down()))
}

pub(super) fn label(manifest: &Manifest) -> String {
    format!("'{}' v{}", manifest.id, manifest.version)
}

pub(super) fn read_manifest(note: &NoteFacts) -> Result<(Manifest, Vec<Finding>), HostError> {
    let (manifest, warnings) = Manifest::from_embedded(&note.manifest).map_err(|error| {
        HostError::new(HostErrorKind::Manifest, error.to_string())
            .hint("rebuild the plugin: export_plugin! checks plugin.toml when it is compiled")
    })?;
    let warnings = warnings.iter();
    let warnings = warnings.map(|warning| MANIFEST_NEWER.finding(warning.to_string()));
    Ok((manifest, warnings.collect()))
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
