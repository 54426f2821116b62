//! Activation: what a plugin registers in it, whether it may, and how it is called.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keyway::abi::InterfaceLayout;
use keyway::abi::root::{PluginRoot, PluginRootHandle, Registrations};
use keyway::capability::{Entry, Owner, Provided};
use keyway_manifest::Manifest;

use super::Host;
use super::load::LoadOptions;
use crate::adapt::Adapters;
use crate::boundary;
use crate::calls::Calls;
use crate::deprecation::Deprecations;
use crate::described::Description;
use crate::error::{HostError, HostErrorKind};
use crate::finding::Finding;
use crate::generation::Generation;
use crate::registry::{Key, Offer};
use crate::status::{Shape, codes};
use crate::supervise::supervise;

/// All that the plugin's code does from the start of its work to what it offers: it activates, and
/// describes that. One supervised step, since each costs two changes of thread.
pub(super) struct Activation {
    root: PluginRootHandle,
    generation: Arc<Generation>,
    options: LoadOptions,
    manifest: Arc<Manifest>,
}

/// What of the host it takes to offer something.
struct Means {
    calls: Arc<Calls>,
    adapters: Arc<Adapters>,
    deprecations: Arc<Deprecations>,
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
    pub(super) async fn run(self, host: &Host) -> Result<(Vec<Offer>, Vec<Finding>), NotActivated> {
        let began = Arc::new(AtomicBool::new(false));
        let mark = Arc::clone(&began);
        let means = Means {
            calls: Arc::clone(&host.inner.calls),
            adapters: Arc::clone(&host.inner.adapters),
            deprecations: Arc::clone(&host.inner.deprecations),
        };
        let generation = Arc::clone(&self.generation);
        let work = move || async move {
            let registrations = self.root.activate().await?;
            mark.store(true, Ordering::Release);
            Ok(self.offers(&means, registrations))
        };
        let deadline = host.inner.options.lifecycle_deadline;
        let answer = supervise(host.runtime(), deadline, work).await;
        let began = began.load(Ordering::Acquire);
        let answer = answer.unwrap_or_else(|error| {
            let (kind, doing) = match began {
                true => (HostErrorKind::Registration, "describing what it offers"),
                false => (HostErrorKind::Activate, "activate"),
            };
            Err(generation.failed(kind, doing, error))
        });
        answer.map_err(|error| NotActivated { error, began })
    }

    fn offers(
        &self,
        means: &Means,
        registrations: Registrations,
    ) -> Result<(Vec<Offer>, Vec<Finding>), HostError> {
        let mut warnings = check_declared(&self.manifest, &registrations)?;
        let registered = registrations.0.into_iter();
        let offers = registered.map(|(name, provided)| self.offer(&means.calls, &name, provided));
        let mut offers = offers.collect::<Result<Vec<_>, _>>()?;
        for Offer { key, .. } in &offers {
            let deprecated = means.deprecations.of(&key.id, key.major, &key.name);
            warnings.extend(deprecated);
        }
        let ids = offers.iter().map(|offer| offer.key.id.as_str());
        if Shape::of(ids) == Shape::HookOnly {
            let message = "it registers event hooks and nothing else";
            warnings.push(codes::HOOK_ONLY.finding(message));
        }
        let adapted = self.adapted(&means.adapters, &offers)?;
        offers.extend(adapted);
        Ok((offers, warnings))
    }

    /// What the application's adapters make of what the plugin offers.
    fn adapted(&self, adapters: &Adapters, offers: &[Offer]) -> Result<Vec<Offer>, HostError> {
        let mut adapted = Vec::new();
        for offer in offers {
            let Key { id, major, name } = &offer.key;
            for adapter in adapters.of(id, *major) {
                let key = Key {
                    id: adapter.new.0.to_owned(),
                    major: adapter.new.1,
                    name: name.clone(),
                };
                if offers.iter().any(|own| own.key == key) {
                    continue;
                }
                let label = format!("{id}/{major} `{name}`");
                let provided = adapter.adapt(&offer.entry, offer.layout, &label)?;
                let owner = Arc::clone(&self.generation) as Arc<dyn Owner>;
                let (entry, layout) = boundary::adapted(provided, owner);
                adapted.push(self.finish(name, key, entry, layout)?);
            }
        }
        Ok(adapted)
    }

    fn offer(&self, calls: &Calls, name: &str, provided: Provided) -> Result<Offer, HostError> {
        let owner = Arc::clone(&self.generation) as Arc<dyn Owner>;
        let (entry, layout) = boundary::entry(provided, owner);
        let key = Key {
            id: layout.id().to_owned(),
            major: layout.major(),
            name: self.options.qualify(name),
        };
        let warden = calls.warden(&self.generation.name, &key);
        let entry = match warden {
            Some(warden) => entry.watched(warden),
            None => entry,
        };
        self.finish(name, key, entry, layout)
    }

    /// An offer that is complete.
    fn finish(
        &self,
        name: &str,
        key: Key,
        entry: Entry,
        layout: &'static InterfaceLayout,
    ) -> Result<Offer, HostError> {
        let entry = Arc::new(entry);
        let failed = |doing: &str, error| {
            let kind = HostErrorKind::Registration;
            self.generation.failed(kind, doing, error)
        };
        let most = self.generation.max_payload;
        let description = Description::ask(&key, name, &entry, layout, most, failed)?;
        Ok(Offer {
            key,
            entry,
            layout,
            description,
        })
    }
}

/// Whether a plugin registered what its manifest says: more is an error, less a warning.
fn check_declared(
    manifest: &Manifest,
    registrations: &Registrations,
) -> Result<Vec<Finding>, HostError> {
    let registered = registrations.0.iter();
    let registered = registered.map(|(name, provided)| (provided.layout().id(), name.as_str()));
    let contract = manifest.capabilities.contract(registered);
    if let Some((id, name)) = contract.undeclared.first() {
        let declared = manifest.capabilities.names(id);
        let mut message = format!("registered {id} `{name}`, which its manifest does not declare");
        if !declared.is_empty() {
            let declared = declared.join(", ");
            message = format!("{message}: expected {declared}, found `{name}`");
        }
        let left_over = contract.missing.iter().filter(|(other, _)| other == id);
        let slip = crate::suggest::suggestion(name, left_over.map(|(_, name)| &**name))
            .map(|similar| format!("did you mean `{similar}`? else "))
            .unwrap_or_default();
        let key = keyway_manifest::kind_key(id).unwrap_or(id);
        return Err(
            HostError::new(HostErrorKind::Registration, message).hint(format!(
                "{slip}add \"{name}\" to `{key}` under [plugin.capabilities] in plugin.toml"
            )),
        );
    }
    let warning = |(id, name): &(String, String)| {
        let message = format!("its manifest declares {id} `{name}`, which it did not register");
        let hint = "register it in activate, or take it out of plugin.toml";
        codes::CAPABILITY_UNREGISTERED.finding(message).hint(hint)
    };
    Ok(contract.missing.iter().map(warning).collect())
}
