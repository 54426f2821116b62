//! Activation: what a plugin registers in it, whether it may, and how it is called.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keyway::abi::root::{PluginRoot, PluginRootHandle, Registrations};
use keyway::capability::{Capability, Owner, Provided, Target};
use keyway::tool::{Tool, ToolHandle};
use keyway_manifest::Manifest;

use super::Host;
use super::load::LoadOptions;
use crate::boundary;
use crate::error::{HostError, HostErrorKind};
use crate::generation::Generation;
use crate::registry::{Key, Offer};
use crate::supervise::supervise;
use crate::tool::ToolFacts;

/// All that the plugin's code does from the start of its work to what it offers: it activates, and
/// describes its tools. One supervised step, since each costs two changes of thread.
pub(super) struct Activation {
    root: PluginRootHandle,
    generation: Arc<Generation>,
    options: LoadOptions,
    manifest: Arc<Manifest>,
}

/// Why a plugin does not serve.
pub(super) struct NotActivated {
    pub(super) error: HostError,
    /// Its work has begun, and is to be ended.
    pub(super) began: bool,
}

impl Activation {
    pub(super) fn of(
        root: &PluginRootHandle,
        generation: &Arc<Generation>,
        options: &LoadOptions,
        manifest: &Arc<Manifest>,
    ) -> Self {
        Activation {
            root: root.clone(),
            generation: Arc::clone(generation),
            options: options.clone(),
            manifest: Arc::clone(manifest),
        }
    }

    /// Answers what the plugin offers, and what is to be said of that.
    pub(super) async fn run(self, host: &Host) -> Result<(Vec<Offer>, Vec<String>), NotActivated> {
        let began = Arc::new(AtomicBool::new(false));
        let mark = Arc::clone(&began);
        let generation = Arc::clone(&self.generation);
        let work = move || async move {
            let registrations = self.root.activate().await?;
            mark.store(true, Ordering::Release);
            Ok(self.offers(registrations))
        };
        let deadline = host.inner.options.lifecycle_deadline;
        let answer = supervise(host.runtime(), deadline, work).await;
        let began = began.load(Ordering::Acquire);
        let answer = answer.unwrap_or_else(|error| {
            let (kind, doing) = match began {
                true => (HostErrorKind::Registration, "describing its tools"),
                false => (HostErrorKind::Activate, "activate"),
            };
            Err(generation.failed(kind, doing, error))
        });
        answer.map_err(|error| NotActivated { error, began })
    }

    fn offers(&self, registrations: Registrations) -> Result<(Vec<Offer>, Vec<String>), HostError> {
        let warnings = check_declared(&self.manifest, &registrations)?;
        let owner = Arc::clone(&self.generation) as Arc<dyn Owner>;
        let registered = registrations.0.into_iter();
        let offers = registered.map(|(name, provided)| self.offer(&name, provided, &owner));
        Ok((offers.collect::<Result<_, _>>()?, warnings))
    }

    fn offer(
        &self,
        name: &str,
        provided: Provided,
        owner: &Arc<dyn Owner>,
    ) -> Result<Offer, HostError> {
        let (entry, layout) = boundary::entry(provided, Arc::clone(owner));
        let key = Key {
            id: layout.id().to_owned(),
            major: layout.major(),
            name: self.options.qualify(name),
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
            let doing = format!("describing tool `{name}`");
            self.generation
                .failed(HostErrorKind::Registration, &doing, error)
        })?;
        let facts = ToolFacts::new(name, spec.0)?;
        Ok(Offer {
            key,
            entry,
            layout,
            tool: Some(Arc::new(facts)),
        })
    }
}

/// Whether a plugin registered what its manifest says: more is an error, less a warning.
fn check_declared(
    manifest: &Manifest,
    registrations: &Registrations,
) -> Result<Vec<String>, HostError> {
    let mut warnings = Vec::new();
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
    Ok(warnings)
}
