//! Starting a version of a plugin whose file, if it has one, was found to fit: open, construct,
//! prepare, activate. What it offers is taken over by somebody else.

use std::any::Any;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, RwLock};
use std::time::Instant;

use keyway::abi::Descriptor;
use keyway::abi::pass::Json;
use keyway::abi::root::{PluginRoot, PluginRootHandle};
use keyway::capability::{Gate, GateLimits, Owner};
use keyway::host::Environment;
use keyway_manifest::Manifest;
use tokio::sync::Notify;

use super::Host;
use super::instance::{Facts, Instance, stop_root};
use super::load::{LoadOptions, label};
use super::offers::{Activation, NotActivated};
use crate::boundary;
use crate::config::Resolved;
use crate::error::{HostError, HostErrorKind};
use crate::event::{Bus, EventKind};
use crate::finding::Finding;
use crate::generation::{Doorkeeper, Generation};
use crate::journal::{Guard, Phase};
use crate::library::{Closed, Library, Tally, Terms};
use crate::log::{LogBridge, LogLimits};
use crate::mediate::Mediator;
use crate::mediate::session::Session;
use crate::registry::Offer;
use crate::services::Services;
use crate::stage::Staged;
use crate::status::LoadTimes;
use crate::supervise::{let_go, supervise};

/// A plugin whose file was found to fit. No code of it has run.
pub(super) struct Candidate {
    pub(super) name: Arc<str>,
    pub(super) number: u64,
    pub(super) manifest: Arc<Manifest>,
    pub(super) options: LoadOptions,
    /// What the plugin is to be prepared with.
    pub(super) config: Arc<Resolved>,
    pub(super) code: Code,
    pub(super) minor: u16,
    pub(super) times: LoadTimes,
    pub(super) warnings: Vec<Finding>,
    /// What it may ask of the host.
    pub(super) mediator: Mediator,
    /// The limit on concurrent calls of the version that it is to replace.
    pub(super) gate: Option<Arc<Gate>>,
    /// Says to later hosts how far the load came, should the process die in it.
    pub(super) guard: Guard,
}

/// Where the code of a plugin is.
pub(super) enum Code {
    File {
        path: PathBuf,
        staged: Staged,
        terms: Box<Terms>,
    },
    Static(&'static Descriptor),
}

/// A version of a plugin on its way to serving. It must be activated or [abandoned](Draft::abandon).
pub(super) struct Draft {
    host: Host,
    root: PluginRootHandle,
    generation: Arc<Generation>,
    pub(super) facts: Facts,
    options: LoadOptions,
    config: Arc<Resolved>,
    guard: Guard,
}

impl Candidate {
    pub(super) fn label(&self) -> String {
        label(&self.manifest)
    }

    pub(super) fn path(&self) -> Option<&PathBuf> {
        match &self.code {
            Code::File { path, .. } => Some(path),
            Code::Static(_) => None,
        }
    }

    /// Opens the library and calls its entry function, on a thread that the plugin's constructors
    /// may block.
    pub(super) async fn construct(self, host: &Host) -> Result<Draft, HostError> {
        let (label, path) = (self.label(), self.path().cloned());
        let constructed = self.construct_unlabelled(host).await;
        constructed.map_err(|error| labelled(error, &label, path.as_ref()))
    }

    async fn construct_unlabelled(mut self, host: &Host) -> Result<Draft, HostError> {
        let mut generation = self.generation(host);
        let services = Services {
            environment: self.environment(host),
            log: Arc::clone(&generation.log),
            session: Arc::clone(&generation.session),
            texts: Arc::clone(&host.inner.texts),
        };
        let (path, hash) = match &self.code {
            Code::File { path, staged, .. } => (Some(path.clone()), Some(staged.hash)),
            Code::Static(_) => (None, None),
        };
        let code = self.code;
        let tally = Arc::clone(&host.inner.tally);
        let mark = self.guard.mark();
        let events = host.inner.bus.clone();
        let table = host.inner.options.host_table;
        let work = move || async move {
            let clock = Instant::now();
            let descriptor = match code {
                Code::File { staged, terms, .. } => match open(staged, &terms, &tally) {
                    Ok(library) => {
                        let descriptor = library.descriptor();
                        generation.library = Some(library);
                        descriptor
                    }
                    Err(error) => return Ok(Err(error)),
                },
                Code::Static(descriptor) => descriptor,
            };
            let generation = Arc::new(generation);
            if let Some(library) = &generation.library {
                let whole = Arc::clone(&generation) as Arc<dyn Any + Send + Sync>;
                library.set_generation(Arc::downgrade(&whole));
                let (name, version) = (Arc::clone(&generation.name), generation.version.clone());
                library.on_closed(move |closed| tell_end(&events, &name, &version, closed));
            }
            let opened_in = clock.elapsed();
            mark.phase(Phase::Construct);
            let owner = Arc::clone(&generation) as Arc<dyn Owner>;
            let root = boundary::enter(descriptor, services, table, owner)?;
            let entered_in = clock.elapsed() - opened_in;
            Ok(Ok((root, generation, opened_in, entered_in)))
        };
        let deadline = host.inner.options.lifecycle_deadline;
        let constructed = supervise(host.runtime(), deadline, work).await;
        let constructed = constructed.map_err(|error| {
            let error = self.config.secrets().scrub_error(error);
            HostError::from_plugin(HostErrorKind::Construct, "construct", error)
        })?;
        let (root, generation, opened_in, entered_in) = constructed?;
        self.times.open = opened_in;
        self.times.prepare = entered_in;
        Ok(Draft {
            host: host.clone(),
            root,
            generation,
            facts: Facts {
                manifest: self.manifest,
                path,
                hash,
                minor: self.minor,
                times: self.times,
                warnings: self.warnings,
                grant: self.mediator.grant().clone(),
            },
            options: self.options,
            config: self.config,
            guard: self.guard,
        })
    }

    /// The generation, but for its library.
    fn generation(&self, host: &Host) -> Generation {
        let options = &host.inner.options;
        let resources = &self.manifest.resources;
        let own = resources.max_concurrency;
        let own = own.and_then(|limit| usize::try_from(limit).ok());
        let concurrent = [own, options.max_concurrency];
        let gate = concurrent.into_iter().flatten().min().map(|concurrent| {
            let limits = GateLimits {
                concurrent,
                queued: options.max_queued,
            };
            // A limit is that of the plugin, over all its versions.
            let old = self.gate.as_ref().filter(|old| old.limits() == limits);
            old.map_or_else(|| Gate::new(limits), Arc::clone)
        });
        let limits = LogLimits::per_second(resources.log_events_per_second);
        Generation {
            name: Arc::clone(&self.name),
            version: self.manifest.version.clone(),
            number: self.number,
            gate,
            deadline: resources.call_deadline().or(options.call_deadline),
            max_payload: {
                let both = [resources.max_payload_bytes, options.max_payload];
                both.into_iter().flatten().min()
            },
            clock: Arc::clone(&host.inner.clock),
            panics: AtomicU64::new(0),
            panicked: Arc::new(Notify::new()),
            log: Arc::new(LogBridge::new(&self.name, limits)),
            session: Arc::new(Session::new(self.mediator.clone())),
            secrets: RwLock::new(self.config.secrets().clone()),
            staged: match &self.code {
                Code::File { staged, .. } => Some(staged.path.clone()),
                Code::Static(_) => None,
            },
            library: None,
        }
    }

    fn environment(&self, host: &Host) -> Environment {
        let side = &host.inner.side;
        let mut environment = Environment::new(&*side.name, side.version.to_string());
        environment.interface_minor = self.minor;
        environment.linked_statically = matches!(self.code, Code::Static(_));
        environment
    }
}

impl Draft {
    pub(super) fn name(&self) -> &Arc<str> {
        &self.generation.name
    }

    pub(super) fn doorkeeper(&self) -> Arc<dyn Owner> {
        Doorkeeper::of(&self.generation)
    }

    pub(super) fn generation(&self) -> &Generation {
        &self.generation
    }

    pub(super) fn options(&self) -> &LoadOptions {
        &self.options
    }

    pub(super) fn version(&self) -> &semver::Version {
        &self.generation.version
    }

    pub(super) fn root(&self) -> &PluginRootHandle {
        &self.root
    }

    /// Makes the plugin's value from its configuration; in place of the one that it has, if any.
    pub(super) async fn prepare(&mut self) -> Result<(), HostError> {
        self.guard.phase(Phase::Prepare);
        let clock = Instant::now();
        let prepared = prepare(&self.host, &self.root, &self.generation, &self.config).await;
        self.facts.times.prepare += clock.elapsed();
        prepared.map_err(|error| self.labelled(error))
    }

    /// The next steps are those of others.
    pub(super) fn rest(&self) {
        self.guard.rest();
    }

    /// It is about to be given a state.
    pub(super) fn takes_state(&self) {
        self.guard.phase(Phase::State);
    }

    /// Starts the plugin's work; answers what it offers.
    pub(super) async fn activate(&mut self) -> Result<Vec<Offer>, HostError> {
        self.guard.phase(Phase::Activate);
        let clock = Instant::now();
        let activated = self.activate_unlabelled().await;
        self.facts.times.activate += clock.elapsed();
        activated.map_err(|error| self.labelled(error))
    }

    async fn activate_unlabelled(&mut self) -> Result<Vec<Offer>, HostError> {
        let manifest = &self.facts.manifest;
        let work = Activation::of(&self.root, &self.generation, &self.options, manifest);
        match work.run(&self.host).await {
            Ok((offers, warnings)) => {
                self.facts.warnings.extend(warnings);
                Ok(offers)
            }
            Err(NotActivated { error, began }) => {
                if began {
                    // It was activated, so it gets to end its work.
                    self.withdraw(Vec::new()).await;
                }
                Err(error)
            }
        }
    }

    /// Asks the plugin whether it can do its work.
    pub(super) async fn health_check(&self) -> Result<(), HostError> {
        self.guard.phase(Phase::Health);
        let root = self.root.clone();
        let deadline = self.host.inner.options.lifecycle_deadline;
        let work = move || async move { root.health_check().await };
        let healthy = supervise(self.host.runtime(), deadline, work).await;
        healthy.map_err(|error| {
            let doing = "the health check";
            self.labelled(self.generation.failed(HostErrorKind::Health, doing, error))
        })
    }

    /// Ends the work of a plugin that was activated, and is not taken over after all.
    pub(super) async fn withdraw(&self, offers: Vec<Offer>) {
        self.guard.phase(Phase::Deactivate);
        self.host.let_go(offers).await;
        let root = self.root.clone();
        let deadline = self.host.inner.options.lifecycle_deadline;
        let work = move || async move { root.deactivate().await };
        if let Err(error) = supervise(self.host.runtime(), deadline, work).await {
            let plugin = &*self.generation.name;
            let error = self.generation.without_secrets(error);
            tracing::debug!(plugin, "deactivating what is not taken over: {error}");
        }
    }

    /// Ends what the plugin had started; it has no further use.
    pub(super) async fn abandon(self) {
        self.guard.phase(Phase::Stop);
        let host = self.host.clone();
        let deadline = host.inner.options.lifecycle_deadline;
        self.generation.session.close();
        let _ = stop_root(host.runtime(), deadline, &self.root).await;
        let_go(host.runtime(), deadline, self).await;
    }

    /// The plugin, once it was activated.
    pub(super) fn into_instance(self, offers: Vec<Offer>) -> Instance {
        Instance::new(
            self.root,
            self.generation,
            self.facts,
            self.options,
            self.config,
            offers,
        )
    }

    pub(super) fn labelled(&self, error: HostError) -> HostError {
        let label = label(&self.facts.manifest);
        labelled(error, &label, self.facts.path.as_ref())
    }
}

/// Opens a private copy, which is the library's from then on.
fn open(staged: Staged, terms: &Terms, tally: &Arc<Tally>) -> Result<Library, HostError> {
    let opened = Library::open(&staged.path, terms, tally);
    let never_opened = [HostErrorKind::Open, HostErrorKind::Retained];
    if !matches!(&opened, Err(error) if never_opened.contains(&error.kind())) {
        staged.keep();
    }
    opened
}

/// Tells how a library has ended.
fn tell_end(events: &Bus, name: &Arc<str>, version: &semver::Version, closed: &Closed) {
    closed.log(name);
    let version = version.clone();
    let kind = match closed {
        Closed::Unloaded => EventKind::Unloaded { version },
        Closed::Pinned { cause } => EventKind::Pinned {
            version,
            cause: cause.clone(),
        },
        Closed::Retained { cause } => EventKind::Retained {
            version,
            cause: cause.clone(),
        },
    };
    events.tell(name, kind);
}

fn labelled(error: HostError, label: &str, path: Option<&PathBuf>) -> HostError {
    let error = error.of_plugin(label);
    match path {
        Some(path) => error.at(path),
        None => error,
    }
}

pub(super) async fn prepare(
    host: &Host,
    root: &PluginRootHandle,
    generation: &Generation,
    config: &Resolved,
) -> Result<(), HostError> {
    let (root, config) = (root.clone(), config.values().clone());
    let work = move || async move { root.prepare(Json(config)).await };
    supervise(host.runtime(), host.inner.options.lifecycle_deadline, work)
        .await
        .map_err(|error| generation.failed(HostErrorKind::Prepare, "prepare", error))
}
