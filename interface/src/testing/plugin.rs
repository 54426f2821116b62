//! A plugin that is alive in a test.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use keyway_manifest::{ConfigField, ConfigValue, Contract, Manifest, capability_named};
use serde_json::{Map, Value};

use super::services::{World, lock};
use super::{AuditRecord, TestContext, UnderTest};
use crate::abi::InterfaceLayout;
use crate::abi::note::{self, Endian};
use crate::abi::pass::Json;
use crate::abi::root::{PluginRoot, PluginRootHandle};
use crate::capability::{Capability, Entry, Owner, Target};
use crate::error::{ErrorKind, PluginError, Result};
use crate::event::{Event, EventHook, EventHookHandle, topic_matches};
use crate::plugin::Exported;
use crate::shim::here;
use crate::state::{Imported, State};
use crate::tool::{Tool, ToolHandle};

/// A plugin that was activated for a test. Dropping it drops the plugin's value; who wants to see
/// [`deactivate`](crate::Plugin::deactivate) run calls [`deactivate`](TestPlugin::deactivate).
pub struct TestPlugin<P> {
    root: PluginRootHandle,
    offers: Vec<Offer>,
    manifest: Manifest,
    context: TestContext,
    world: Arc<Mutex<World>>,
    imported: Option<Imported>,
    plugin: PhantomData<fn() -> P>,
}

struct Offer {
    name: String,
    layout: &'static InterfaceLayout,
    entry: Arc<Entry>,
}

impl<P: Exported> TestPlugin<P> {
    /// Prepares and activates the plugin, and in between lets it take the [state](TestContext::state), if
    /// there is one.
    ///
    /// # Errors
    ///
    /// Those of the plugin's own steps, and `missing-setting` for a setting that `plugin.toml` requires and
    /// the test does not give.
    ///
    /// # Panics
    ///
    /// When the note that `export_plugin!` made does not read, which no test can bring about.
    pub async fn activate(context: TestContext) -> Result<Self> {
        let world = Arc::new(Mutex::new(context.world()));
        Self::activate_in(context, world).await
    }

    async fn activate_in(context: TestContext, world: Arc<Mutex<World>>) -> Result<Self> {
        let manifest = manifest_of::<P>();
        lock(&world).asks_for = Some(manifest.permissions.clone());
        let owner: Arc<dyn Owner> = Arc::new(UnderTest(format!("plugin '{}'", P::ID)));
        let services = context.services(Arc::clone(&world));
        let root = here::root::<P>(services, Arc::clone(&owner))?;
        let config = completed(&manifest, context.config.clone())?;
        root.prepare(Json(config)).await?;
        let imported = match &context.state {
            Some(state) => Some(root.import_state(state.clone()).await?),
            None => None,
        };
        let registrations = root.activate().await?;
        let offers = registrations.0.into_iter().map(|(name, provided)| Offer {
            name,
            layout: provided.layout(),
            entry: here::entry(provided, Arc::clone(&owner)),
        });
        Ok(TestPlugin {
            offers: offers.collect(),
            root,
            manifest,
            context,
            world,
            imported,
            plugin: PhantomData,
        })
    }

    /// A second instance of the plugin with the same settings and the same world, to which this one hands
    /// its state, as in a reload. This one goes on.
    ///
    /// # Errors
    ///
    /// Those of the plugin's own steps.
    pub async fn reload(&self) -> Result<Self> {
        let mut context = self.context.clone();
        context.state = self.export_state().await?;
        Self::activate_in(context, Arc::clone(&self.world)).await
    }
}

impl<P> TestPlugin<P> {
    /// Whether the plugin registered something of a kind under a name. The kind is a word as in
    /// `plugin.toml`, in the singular or the plural (`tool`, `tools`), or a capability id.
    ///
    /// # Panics
    ///
    /// When there is no such kind.
    #[track_caller]
    pub fn has(&self, kind: &str, name: &str) -> bool {
        let Some(id) = capability_named(kind) else {
            panic!("`{kind}` is no kind of capability: expected a word such as `tool`, or an id");
        };
        self.registered().any(|offered| offered == (id, name))
    }

    /// What the plugin registered, as capability id and name, in the order in which it did that.
    pub fn registered(&self) -> impl Iterator<Item = (&str, &str)> {
        let offers = self.offers.iter();
        offers.map(|offer| (offer.layout.id(), &*offer.name))
    }

    /// What was registered, held against what `plugin.toml` declares.
    pub fn contract(&self) -> Contract {
        self.manifest.capabilities.contract(self.registered())
    }

    /// A handle to what the plugin registered, by the type of the handle.
    ///
    /// # Errors
    ///
    /// Of the kind [`NotFound`](ErrorKind::NotFound) if there is nothing of this name; `layout` if it was
    /// made with another version of the trait.
    pub fn capability<C: Capability>(&self, name: &str) -> Result<C> {
        let found = self.offers.iter().find(|offer| {
            offer.name == name && offer.layout.id() == C::ID && offer.layout.major() == C::MAJOR
        });
        let Some(offer) = found else {
            let all = self.registered().map(|(id, name)| format!("{id} `{name}`"));
            let all: Vec<String> = all.collect();
            let message = format!(
                "the plugin did not register {} `{name}`: it registered {}",
                C::ID,
                if all.is_empty() {
                    "nothing".to_owned()
                } else {
                    all.join(", ")
                }
            );
            return Err(PluginError::not_found(message));
        };
        let differs = |error: crate::abi::layout::LayoutError| {
            PluginError::of(ErrorKind::Unsupported, error.to_string()).code("layout")
        };
        C::LAYOUT.check(offer.layout).map_err(differs)?;
        Ok(C::from_target(Target::fixed(Arc::clone(&offer.entry))))
    }

    /// Calls a tool. The tool reads its arguments itself, as with a host, which holds them against the
    /// tool's schema before.
    ///
    /// # Errors
    ///
    /// As [`capability`](Self::capability); otherwise what the tool answers.
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<Value> {
        let handle = self.capability::<ToolHandle>(tool)?;
        let answer = handle.call(arguments.to_string()).await?;
        serde_json::from_str(&answer).map_err(|error| {
            let message = format!("tool `{tool}` answered what is not JSON: {error}");
            PluginError::of(ErrorKind::Malformed, message)
        })
    }

    /// Tells the plugin's event hooks that listen to the event's topic, by rising priority and then by name;
    /// answers their names in that order.
    ///
    /// # Errors
    ///
    /// The first that a hook answers. A host would go on to the next one.
    pub async fn deliver(&self, event: Event) -> Result<Vec<String>> {
        let mut hooks = Vec::new();
        for (id, name) in self.registered() {
            if id == EventHookHandle::ID {
                let hook = self.capability::<EventHookHandle>(name)?;
                let topics = hook.topics()?.0;
                if topics
                    .iter()
                    .any(|topic| topic_matches(topic, &event.topic))
                {
                    hooks.push((hook.priority()?, name, hook));
                }
            }
        }
        hooks.sort_by_key(|(priority, name, _)| (*priority, *name));
        let mut told = Vec::new();
        for (_, name, hook) in hooks {
            let handled = hook.handle(Json(event.clone())).await;
            handled.map_err(|error| error.context(format!("event hook `{name}`")))?;
            told.push(name.to_owned());
        }
        Ok(told)
    }

    /// Asks the plugin for its health.
    ///
    /// # Errors
    ///
    /// What it says is wrong.
    pub async fn health(&self) -> Result<()> {
        self.root.health_check().await
    }

    /// The state that the plugin would hand to its next version; none if it has none.
    ///
    /// # Errors
    ///
    /// The plugin's own, and `state-too-large` beyond what its manifest allows.
    pub async fn export_state(&self) -> Result<Option<State>> {
        let limit = self.manifest.reload.max_state_bytes;
        self.root.export_state(limit).await
    }

    /// How the plugin took the state that it was given; none if it was given none.
    pub fn imported(&self) -> Option<Imported> {
        self.imported
    }

    /// Ends the plugin's work.
    ///
    /// # Errors
    ///
    /// The plugin's own.
    pub async fn deactivate(&self) -> Result<()> {
        self.root.deactivate().await
    }

    /// What the plugin asks, for tests of the kit itself.
    #[cfg(test)]
    pub(super) fn services(&self) -> impl crate::host::HostServices + use<P> + 'static
    where
        P: 'static,
    {
        self.context.services(Arc::clone(&self.world))
    }

    /// What the plugin has asked its host for so far, in order.
    pub fn audit(&self) -> Vec<AuditRecord> {
        lock(&self.world).audit().to_vec()
    }

    /// The content that a file has now: what the test gave, or what the plugin wrote.
    pub fn file(&self, path: &str) -> Option<Bytes> {
        lock(&self.world).files.get(path).cloned()
    }

    /// The value that a key of the plugin's store has now.
    pub fn key(&self, key: &str) -> Option<Bytes> {
        lock(&self.world).keys.get(key).cloned()
    }
}

impl<P: Exported> fmt::Debug for TestPlugin<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestPlugin")
            .field("id", &P::ID)
            .field("version", &P::VERSION)
            .field("registered", &self.registered().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The manifest that is embedded with the plugin.
fn manifest_of<P: Exported>() -> Manifest {
    let notes = note::split(P::descriptor().note(), Endian::NATIVE).next();
    let note = notes.expect("`export_plugin!` makes a note");
    let note = note.and_then(|raw| note::decode_desc(raw.desc));
    let note = note.unwrap_or_else(|error| panic!("the plugin's own note: {error}"));
    let read = Manifest::from_embedded(note.manifest);
    let (manifest, _) = read.unwrap_or_else(|error| panic!("the plugin's own manifest: {error}"));
    manifest
}

/// The settings with the defaults of the manifest.
fn completed(manifest: &Manifest, mut config: Map<String, Value>) -> Result<Map<String, Value>> {
    for (
        name,
        ConfigField {
            default, required, ..
        },
    ) in &manifest.config
    {
        if config.contains_key(name) {
            continue;
        }
        match default {
            Some(default) => {
                config.insert(name.clone(), json(default));
            }
            None if *required => {
                let message = format!(
                    "plugin.toml requires a setting `{name}`, and the test gives none: expected one in \
                     `TestContext::config`"
                );
                let error = PluginError::of(ErrorKind::InvalidInput, message);
                return Err(error.code("missing-setting"));
            }
            None => {}
        }
    }
    Ok(config)
}

fn json(value: &ConfigValue) -> Value {
    match value {
        ConfigValue::String(text) => text.as_str().into(),
        ConfigValue::Integer(number) => (*number).into(),
        ConfigValue::Number(number) => (*number).into(),
        ConfigValue::Boolean(truth) => (*truth).into(),
        ConfigValue::Array(items) => items.iter().map(json).collect(),
        // A manifest of this build has no values of other types.
        _ => Value::Null,
    }
}
