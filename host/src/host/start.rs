//! Starting a plugin whose file, if it has one, was found to fit: open, construct, prepare,
//! activate, register.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use keyway::abi::Descriptor;
use keyway::abi::pass::Json;
use keyway::abi::root::{PluginRoot, PluginRootHandle, Registrations};
use keyway::capability::{Capability, Gate, GateLimits, Owner, Provided, Target};
use keyway::host::Environment;
use keyway::tool::{Tool, ToolHandle};
use keyway_manifest::Manifest;

use super::Host;
use super::load::{LoadOptions, label};
use super::plugin::{LoadTimes, LoadedPlugin, PluginStatus, stop_root};
use crate::boundary;
use crate::error::{HostError, HostErrorKind};
use crate::generation::Generation;
use crate::library::Library;
use crate::log::{LogBridge, LogLimits};
use crate::registry::{Key, Offer};
use crate::services::Services;
use crate::stage::Staged;
use crate::supervise::supervise;
use crate::tool::ToolFacts;

/// A plugin on its way to serving.
pub(super) struct Candidate {
    pub(super) name: Arc<str>,
    pub(super) manifest: Manifest,
    pub(super) path: Option<PathBuf>,
    pub(super) staged: Option<Staged>,
    pub(super) minor: u16,
    pub(super) times: LoadTimes,
    pub(super) warnings: Vec<String>,
}

impl Host {
    /// From a plugin whose file was found to fit to one that serves.
    pub(super) async fn start(
        &self,
        candidate: Candidate,
        options: LoadOptions,
        open: impl FnOnce(Option<&Path>) -> Result<Opened, HostError> + Send + 'static,
    ) -> Result<PluginStatus, HostError> {
        let label = label(&candidate.manifest);
        let path = candidate.path.clone();
        let started = self.start_unlabelled(candidate, options, open).await;
        started.map_err(|error| match &path {
            Some(path) => error.of_plugin(&label).at(path),
            None => error.of_plugin(&label),
        })
    }

    async fn start_unlabelled(
        &self,
        mut candidate: Candidate,
        options: LoadOptions,
        open: impl FnOnce(Option<&Path>) -> Result<Opened, HostError> + Send + 'static,
    ) -> Result<PluginStatus, HostError> {
        let inner = &self.inner;
        let reserved = inner.reserve(&candidate.name)?;
        let schema = &candidate.manifest.config;
        let (config, unknown) =
            crate::config::resolve(schema, &options.config, &|name| std::env::var_os(name))?;
        candidate.warnings.extend(unknown);
        let options = options.config(config);
        let filter = crate::log::epoch();
        let root = self.construct(&mut candidate, open).await?;
        if let Err(error) = self
            .prepare_and_activate(&mut candidate, &root, &options)
            .await
        {
            // Whatever the plugin had started by then has no further use.
            let deadline = inner.options.lifecycle_deadline;
            let _ = stop_root(self.runtime(), deadline, &root.handle).await;
            return Err(error);
        }
        let Candidate {
            name,
            manifest,
            path,
            staged,
            minor,
            times,
            warnings,
        } = candidate;
        let plugin = Arc::new(LoadedPlugin {
            generation: root.generation,
            root: root.handle,
            manifest: Arc::new(manifest),
            path,
            hash: staged.map(|staged| staged.hash),
            minor,
            times,
            warnings,
        });
        inner.plugins().insert(name, Arc::clone(&plugin));
        drop(reserved);
        if crate::log::epoch() != filter {
            // It may have asked before the change, and was not yet among those who are told.
            plugin
                .log_filter_changed(self.runtime(), inner.options.lifecycle_deadline)
                .await;
        }
        Ok(plugin.status(&inner.registry))
    }

    /// Opens the library and calls its entry function, on a thread that the plugin's constructors
    /// may block.
    async fn construct(
        &self,
        candidate: &mut Candidate,
        open: impl FnOnce(Option<&Path>) -> Result<Opened, HostError> + Send + 'static,
    ) -> Result<Root, HostError> {
        let (inner, runtime) = (&self.inner, self.runtime().clone());
        let resources = &candidate.manifest.resources;
        let limits = LogLimits::per_second(resources.log_events_per_second);
        let log = Arc::new(LogBridge::new(&candidate.name, limits));
        let services = Services {
            environment: {
                let side = &inner.side;
                let mut environment = Environment::new(&*side.name, side.version.to_string());
                environment.interface_minor = candidate.minor;
                environment.linked_statically = candidate.path.is_none();
                environment
            },
            log: Arc::clone(&log),
        };
        let concurrent = [
            resources
                .max_concurrency
                .and_then(|limit| usize::try_from(limit).ok()),
            inner.options.max_concurrency,
        ];
        let gate = concurrent.into_iter().flatten().min().map(|concurrent| {
            Gate::new(GateLimits {
                concurrent,
                queued: inner.options.max_queued,
            })
        });
        let mut generation = Generation {
            name: Arc::clone(&candidate.name),
            version: candidate.manifest.version.clone(),
            gate,
            deadline: resources.call_deadline().or(inner.options.call_deadline),
            clock: Arc::clone(&inner.clock),
            panics: AtomicU64::new(0),
            log,
            staged: candidate.staged.as_ref().map(|staged| staged.path.clone()),
            library: None,
        };
        let deadline = inner.options.lifecycle_deadline;
        let work = move || async move {
            let clock = Instant::now();
            let opened = open(generation.staged.as_deref());
            let (descriptor, library) = match opened {
                Ok(opened) => opened,
                Err(error) => return Ok(Err(error)),
            };
            generation.library = library;
            let generation = Arc::new(generation);
            if let Some(library) = &generation.library {
                let whole = Arc::clone(&generation) as Arc<dyn Any + Send + Sync>;
                library.set_generation(Arc::downgrade(&whole));
                let name = Arc::clone(&generation.name);
                library.on_closed(move |closed| closed.log(&name));
            }
            let opened_in = clock.elapsed();
            let owner = Arc::clone(&generation) as Arc<dyn Owner>;
            let handle = boundary::enter(descriptor, services, owner)?;
            let entered_in = clock.elapsed() - opened_in;
            Ok(Ok((Root { generation, handle }, opened_in, entered_in)))
        };
        let constructed = supervise(&runtime, deadline, work).await.map_err(|error| {
            HostError::from_plugin(HostErrorKind::Construct, "construct", error)
        })?;
        let (root, opened_in, entered_in) = constructed?;
        candidate.times.open = opened_in;
        candidate.times.prepare = entered_in;
        Ok(root)
    }

    async fn prepare_and_activate(
        &self,
        candidate: &mut Candidate,
        root: &Root,
        options: &LoadOptions,
    ) -> Result<(), HostError> {
        let (inner, runtime) = (&self.inner, self.runtime());
        let deadline = inner.options.lifecycle_deadline;
        let clock = Instant::now();
        let (handle, config) = (root.handle.clone(), options.config.clone());
        supervise(runtime, deadline, move || async move {
            handle.prepare(Json(config)).await
        })
        .await
        .map_err(|error| HostError::from_plugin(HostErrorKind::Prepare, "prepare", error))?;
        candidate.times.prepare += clock.elapsed();

        let clock = Instant::now();
        let handle = root.handle.clone();
        let registrations = supervise(
            runtime,
            deadline,
            move || async move { handle.activate().await },
        )
        .await
        .map_err(|error| HostError::from_plugin(HostErrorKind::Activate, "activate", error))?;
        if let Err(error) = self.register(candidate, root, options, registrations).await {
            // It was activated, so it gets to end its work.
            let handle = root.handle.clone();
            let _ = supervise(runtime, deadline, move || async move {
                handle.deactivate().await
            })
            .await;
            return Err(error);
        }
        candidate.times.activate = clock.elapsed();
        Ok(())
    }

    async fn register(
        &self,
        candidate: &mut Candidate,
        root: &Root,
        options: &LoadOptions,
        registrations: Registrations,
    ) -> Result<(), HostError> {
        let (inner, runtime) = (&self.inner, self.runtime());
        let deadline = inner.options.lifecycle_deadline;
        check_declared(&candidate.manifest, &registrations, &mut candidate.warnings)?;
        let owner = Arc::clone(&root.generation) as Arc<dyn Owner>;
        let prefix = options.clone();
        // Describing a tool runs the plugin's code, so it is supervised as well.
        let offers = supervise(runtime, deadline, move || async move {
            Ok(registrations
                .0
                .into_iter()
                .map(|(name, provided)| offer(&prefix, &name, provided, &owner))
                .collect::<Result<Vec<_>, _>>())
        })
        .await
        .map_err(|error| {
            HostError::from_plugin(HostErrorKind::Registration, "describing its tools", error)
        })??;
        inner.registry.commit(&root.generation.name, offers)
    }
}

pub(super) type Opened = (&'static Descriptor, Option<Library>);

struct Root {
    generation: Arc<Generation>,
    handle: PluginRootHandle,
}

/// Whether a plugin registered what its manifest says: more is an error, less a warning.
fn check_declared(
    manifest: &Manifest,
    registrations: &Registrations,
    warnings: &mut Vec<String>,
) -> Result<(), HostError> {
    let is_registered = |id: &str, name: &str| {
        registrations
            .0
            .iter()
            .any(|(other, provided)| other == name && provided.layout().id() == id)
    };
    for (name, provided) in &registrations.0 {
        let id = provided.layout().id();
        if manifest.capabilities.declares(id, name) {
            continue;
        }
        let declared = manifest.capabilities.names(id);
        let mut message = format!("registered {id} `{name}`, which its manifest does not declare");
        if !declared.is_empty() {
            let declared = declared.join(", ");
            message = format!("{message}: expected {declared}, found `{name}`");
        }
        let left_over = declared.iter().map(String::as_str);
        let left_over = left_over.filter(|declared| !is_registered(id, declared));
        let slip = crate::suggest::suggestion(name, left_over)
            .map(|similar| format!("did you mean `{similar}`? else "))
            .unwrap_or_default();
        let key = keyway_manifest::kind_key(id).unwrap_or(id);
        return Err(
            HostError::new(HostErrorKind::Registration, message).hint(format!(
                "{slip}add \"{name}\" to `{key}` under [plugin.capabilities] in plugin.toml"
            )),
        );
    }
    for (id, name) in manifest.capabilities.declared() {
        if !is_registered(id, name) {
            warnings.push(format!(
                "its manifest declares {id} `{name}`, which it did not register; register it in \
                 activate, or take it out of plugin.toml"
            ));
        }
    }
    Ok(())
}

fn offer(
    options: &LoadOptions,
    name: &str,
    provided: Provided,
    owner: &Arc<dyn Owner>,
) -> Result<Offer, HostError> {
    let (entry, layout) = boundary::entry(provided, Arc::clone(owner));
    let key = Key {
        id: layout.id().to_owned(),
        major: layout.major(),
        name: options.qualify(name),
    };
    if (&*key.id, key.major) != (ToolHandle::ID, ToolHandle::MAJOR) {
        return Ok(Offer {
            key,
            entry: Arc::new(entry),
            layout,
            tool: None,
        });
    }
    ToolHandle::LAYOUT
        .check(layout)
        .map_err(|error| HostError::layout(&error))?;
    let entry = Arc::new(entry);
    let tool = ToolHandle::from_target(Target::fixed(Arc::clone(&entry)));
    let spec = tool.spec().map_err(|error| {
        HostError::from_plugin(
            HostErrorKind::Registration,
            &format!("describing tool `{name}`"),
            error,
        )
    })?;
    let facts = ToolFacts::new(name, spec.0)?;
    Ok(Offer {
        key,
        entry,
        layout,
        tool: Some(Arc::new(facts)),
    })
}
