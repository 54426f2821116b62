//! What a plugin author implements, and where the plugin says what it offers.

use std::future::Future;

use crate::abi::Descriptor;
use crate::abi::root::Registrations;
use crate::capability::{Capability, Provided};
use crate::config::ConfigChange;
use crate::context::Context;
use crate::error::{ErrorKind, PluginError, Result};
use crate::state::{Imported, State};

/// A plugin.
///
/// The host calls [`prepare`](Plugin::prepare), then [`activate`](Plugin::activate), and in the
/// end [`deactivate`](Plugin::deactivate), each under a deadline. A panic in any of them is
/// contained and counts as its failure. Write the methods as plain `async fn`.
///
/// When a plugin is reloaded, the old version's [`export_state`](Plugin::export_state) may answer a
/// state, which the new one's [`import_state`](Plugin::import_state) takes between `prepare` and
/// `activate`.
pub trait Plugin: Send + Sync + Sized + 'static {
    /// Makes the plugin from its configuration. Nothing is offered yet, and nothing should run
    /// yet: an older version of the plugin may still be serving. What can exist only once, such as a
    /// port or a lock on a file, is for [`activate`](Plugin::activate) to take, and for
    /// [`deactivate`](Plugin::deactivate) to give back.
    ///
    /// # Errors
    ///
    /// Whatever keeps the plugin from working; the host reports it and goes on without.
    fn prepare(context: Context) -> impl Future<Output = Result<Self>> + Send;

    /// Starts the work, and registers all that the plugin offers. The registrations take effect
    /// together once this returns.
    ///
    /// # Errors
    ///
    /// Whatever keeps the plugin from working; nothing stays registered then.
    fn activate(&self, activation: &mut Activation) -> impl Future<Output = Result<()>> + Send;

    /// Ends the work. No new call arrives any more.
    ///
    /// # Errors
    ///
    /// Reported, and otherwise without effect: the plugin ends all the same.
    fn deactivate(&self) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Says whether the plugin can do its work.
    ///
    /// # Errors
    ///
    /// What is wrong.
    fn health_check(&self) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Takes settings that have changed while the plugin runs: those whose manifest says
    /// `reload = "hot"`. Calls go on meanwhile, so what is replaced belongs behind a lock or an atomic.
    /// A clone of the [`Context`] that the plugin may have kept has the values of the start still.
    ///
    /// # Errors
    ///
    /// Whatever keeps the settings from being taken; the plugin then goes on with those that it has, and
    /// the host says so. By default [`ErrorKind::Unsupported`] with the code `config-not-taken`, for
    /// which the host reloads the plugin instead, if it may.
    fn on_config_change(&self, change: ConfigChange) -> impl Future<Output = Result<()>> + Send {
        async move { Err(change.not_taken()) }
    }

    /// The state for the version that replaces this one, if there is any; by default none.
    ///
    /// The plugin goes on serving meanwhile and may have to serve on, should the reload fail: the
    /// state is a copy, and nothing is given up by making it. What calls change afterwards is not in
    /// it, unless the manifest asks for `mode = "exclusive"` under `[plugin.reload]`; then no call
    /// runs any more.
    ///
    /// # Errors
    ///
    /// Whatever keeps the state from being made. The table `[plugin.reload]` of the manifest says
    /// whether the reload is refused then.
    fn export_state(&self) -> impl Future<Output = Result<Option<State>>> + Send {
        async { Ok(None) }
    }

    /// Takes the state of the version that this one replaces, after `prepare` and before
    /// `activate`. Not called where there is none. [`StateSchema`](crate::StateSchema) shows how a
    /// state of an older version is migrated.
    ///
    /// # Errors
    ///
    /// Whatever keeps the state from being taken; this value of the plugin is then not used any
    /// further, so it may be left half-way. By default [`ErrorKind::Unsupported`] with the code
    /// `state-not-taken`.
    fn import_state(&self, state: State) -> impl Future<Output = Result<Imported>> + Send {
        async move { Err(state.not_taken()) }
    }
}

/// A type that `export_plugin!` made the plugin of its crate.
///
/// Implemented by the macro only; a host takes it to link the plugin statically.
pub trait Exported: Plugin {
    /// The plugin's id, from its manifest.
    const ID: &'static str;
    /// The plugin's version, from its manifest.
    const VERSION: &'static str;

    /// The descriptor that the library exports.
    #[doc(hidden)]
    fn descriptor() -> &'static Descriptor;
}

/// Collects what a plugin offers.
#[derive(Debug)]
pub struct Activation {
    registrations: Vec<(String, Provided)>,
}

impl Activation {
    pub(crate) fn new() -> Self {
        Activation {
            registrations: Vec::new(),
        }
    }

    pub(crate) fn into_registrations(self) -> Registrations {
        Registrations(self.registrations)
    }

    /// Offers an implementation of a capability under a name:
    /// `activation.register("blur", ImageFilterHandle::provide(Blur))?`.
    ///
    /// # Errors
    ///
    /// When the plugin offers the same capability under this name already.
    pub fn register(&mut self, name: impl Into<String>, provided: Provided) -> Result<&mut Self> {
        self.push(name.into(), provided)
    }

    fn push(&mut self, name: String, provided: Provided) -> Result<&mut Self> {
        let (id, major) = (provided.layout().id(), provided.layout().major());
        let taken = self.registrations.iter().any(|(other, registered)| {
            *other == name && registered.layout().id() == id && registered.layout().major() == major
        });
        if taken {
            let hint = if id == crate::tool::ToolHandle::ID {
                "`#[tool(name = \"...\")]` gives one of them another name"
            } else {
                "give one of them another name"
            };
            return Err(PluginError::of(
                ErrorKind::InvalidInput,
                format!("`{name}` is registered twice as {id}/{major}; hint: {hint}"),
            )
            .code("duplicate-registration"));
        }
        self.registrations.push((name, provided));
        Ok(self)
    }
}

impl Activation {
    /// Offers a function that [`macro@crate::tool`] made a tool:
    /// `activation.tool::<redact>()?`.
    ///
    /// # Errors
    ///
    /// When the plugin offers a tool of this name already.
    #[cfg(feature = "tools")]
    pub fn tool<F>(&mut self) -> Result<&mut Self>
    where
        F: crate::tool::ToolFunction<State: crate::tool::NoState<F>>,
    {
        self.tool_with::<F>(crate::tool::NoState::<F>::none())
    }

    /// Offers a function tool that takes a state by reference.
    ///
    /// # Errors
    ///
    /// When the plugin offers a tool of this name already.
    #[cfg(feature = "tools")]
    pub fn tool_with<F: crate::tool::ToolFunction>(
        &mut self,
        state: F::State,
    ) -> Result<&mut Self> {
        let (name, provided) = crate::tool::provide::<F>(state);
        self.register(name, provided)
    }

    /// Offers a pipeline stage.
    ///
    /// # Errors
    ///
    /// When the plugin offers a stage of this name already.
    pub fn pipeline_stage(
        &mut self,
        name: impl Into<String>,
        stage: impl crate::pipeline::PipelineStage + 'static,
    ) -> Result<&mut Self> {
        self.register(name, crate::pipeline::PipelineStageHandle::provide(stage))
    }

    /// Offers a memory backend.
    ///
    /// # Errors
    ///
    /// When the plugin offers a backend of this name already.
    pub fn memory_backend(
        &mut self,
        name: impl Into<String>,
        backend: impl crate::memory::MemoryBackend + 'static,
    ) -> Result<&mut Self> {
        self.register(name, crate::memory::MemoryBackendHandle::provide(backend))
    }

    /// Offers a channel.
    ///
    /// # Errors
    ///
    /// When the plugin offers a channel of this name already.
    pub fn channel(
        &mut self,
        name: impl Into<String>,
        channel: impl crate::channel::Channel + 'static,
    ) -> Result<&mut Self> {
        self.register(name, crate::channel::ChannelHandle::provide(channel))
    }

    /// Offers a provider.
    ///
    /// # Errors
    ///
    /// When the plugin offers a provider of this name already.
    pub fn provider(
        &mut self,
        name: impl Into<String>,
        provider: impl crate::provider::Provider + 'static,
    ) -> Result<&mut Self> {
        self.register(name, crate::provider::ProviderHandle::provide(provider))
    }

    /// Offers a skill; a [`SkillSpec`](crate::skill::SkillSpec) is one.
    ///
    /// # Errors
    ///
    /// When the plugin offers a skill of this name already.
    pub fn skill(
        &mut self,
        name: impl Into<String>,
        skill: impl crate::skill::Skill + 'static,
    ) -> Result<&mut Self> {
        self.register(name, crate::skill::SkillHandle::provide(skill))
    }

    /// Offers a voice handler.
    ///
    /// # Errors
    ///
    /// When the plugin offers a voice handler of this name already.
    pub fn voice_handler(
        &mut self,
        name: impl Into<String>,
        handler: impl crate::voice::VoiceHandler + 'static,
    ) -> Result<&mut Self> {
        self.register(name, crate::voice::VoiceHandlerHandle::provide(handler))
    }

    /// Offers a command; the name is what is typed after the slash.
    ///
    /// # Errors
    ///
    /// When the plugin offers a command of this name already.
    pub fn command(
        &mut self,
        name: impl Into<String>,
        command: impl crate::command::Command + 'static,
    ) -> Result<&mut Self> {
        self.register(name, crate::command::CommandHandle::provide(command))
    }

    /// Offers an event hook.
    ///
    /// # Errors
    ///
    /// When the plugin offers a hook of this name already.
    pub fn event_hook(
        &mut self,
        name: impl Into<String>,
        hook: impl crate::event::EventHook + 'static,
    ) -> Result<&mut Self> {
        self.register(name, crate::event::EventHookHandle::provide(hook))
    }

    /// Offers a service.
    ///
    /// # Errors
    ///
    /// When the plugin offers a service of this name already.
    pub fn service(
        &mut self,
        name: impl Into<String>,
        service: impl crate::service::Service + 'static,
    ) -> Result<&mut Self> {
        self.register(name, crate::service::ServiceHandle::provide(service))
    }
}
