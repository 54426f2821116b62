//! What plugins say of the things that they offer: when a stage runs, what a hook listens to. The host
//! asks once per version, while the plugin activates: so a plugin that cannot say it is refused as a
//! whole, and nobody who uses the thing later has to wait for the answer.

use std::sync::Arc;

use keyway::abi::InterfaceLayout;
use keyway::capability::{Capability, Entry, Target};
use keyway::channel::ChannelHandle;
use keyway::command::{Command, CommandHandle, CommandSpec};
use keyway::event::{EventHook, EventHookHandle};
use keyway::memory::MemoryBackendHandle;
use keyway::pipeline::{PipelineStage, PipelineStageHandle, StagePhase};
use keyway::provider::{Provider, ProviderHandle, ProviderSpec};
use keyway::service::ServiceHandle;
use keyway::skill::{Skill, SkillHandle};
use keyway::tool::{Tool, ToolHandle};
use keyway::voice::{AudioFormat, VoiceHandler, VoiceHandlerHandle};

use crate::error::HostError;
use crate::registry::Key;
use crate::tool::ToolFacts;

/// The layouts by which this host calls the built-in extension points.
pub(crate) static BUILT_IN: [&InterfaceLayout; 10] = [
    ToolHandle::LAYOUT,
    ChannelHandle::LAYOUT,
    PipelineStageHandle::LAYOUT,
    ProviderHandle::LAYOUT,
    MemoryBackendHandle::LAYOUT,
    SkillHandle::LAYOUT,
    VoiceHandlerHandle::LAYOUT,
    CommandHandle::LAYOUT,
    EventHookHandle::LAYOUT,
    ServiceHandle::LAYOUT,
];

/// What is known of one thing that a plugin offers.
#[derive(Clone)]
pub(crate) enum Description {
    /// Of its kind there is nothing to know.
    Silent,
    Tool(Arc<ToolFacts>),
    Stage {
        phase: StagePhase,
        priority: i32,
    },
    Provider {
        spec: Arc<ProviderSpec>,
        priority: i32,
    },
    Hook {
        topics: Arc<[String]>,
        priority: i32,
    },
    Command(Arc<CommandSpec>),
    /// What lists say of it; the rest is asked for when it is used.
    Skill {
        description: Arc<str>,
        user_invocable: bool,
    },
    Voice(Arc<[AudioFormat]>),
}

impl Description {
    /// Asks the plugin; `failed` makes an error of its answer if that is none.
    pub(crate) fn ask(
        key: &Key,
        name: &str,
        entry: &Arc<Entry>,
        layout: &'static InterfaceLayout,
        max_payload: Option<u64>,
        failed: impl Fn(&str, keyway::PluginError) -> HostError,
    ) -> Result<Self, HostError> {
        let Some(known) = BUILT_IN
            .iter()
            .find(|known| (known.id(), known.major()) == (&*key.id, key.major))
        else {
            return Ok(Description::Silent);
        };
        known
            .check(layout)
            .map_err(|error| HostError::layout(&error))?;
        let target = Target::fixed(Arc::clone(entry));
        let failed = |error| {
            let kind = key.id.trim_start_matches("keyway.").replace('-', " ");
            failed(&format!("describing {kind} `{name}`"), error)
        };
        let described = match known.id() {
            ToolHandle::ID => {
                let spec = ToolHandle::from_target(target).spec().map_err(failed)?;
                return Ok(Description::Tool(Arc::new(ToolFacts::new(
                    name,
                    spec.0,
                    max_payload,
                )?)));
            }
            PipelineStageHandle::ID => Self::stage(&PipelineStageHandle::from_target(target)),
            ProviderHandle::ID => Self::provider(&ProviderHandle::from_target(target)),
            EventHookHandle::ID => Self::hook(&EventHookHandle::from_target(target)),
            CommandHandle::ID => Self::command(&CommandHandle::from_target(target)),
            SkillHandle::ID => Self::skill(&SkillHandle::from_target(target)),
            VoiceHandlerHandle::ID => Self::voice(&VoiceHandlerHandle::from_target(target)),
            _ => Ok(Description::Silent),
        };
        described.map_err(failed)
    }

    fn stage(stage: &PipelineStageHandle) -> keyway::Result<Self> {
        Ok(Description::Stage {
            phase: stage.phase()?.0,
            priority: stage.priority()?,
        })
    }

    fn provider(provider: &ProviderHandle) -> keyway::Result<Self> {
        Ok(Description::Provider {
            spec: Arc::new(provider.spec()?.0),
            priority: provider.priority()?,
        })
    }

    fn hook(hook: &EventHookHandle) -> keyway::Result<Self> {
        Ok(Description::Hook {
            topics: hook.topics()?.0.into(),
            priority: hook.priority()?,
        })
    }

    fn command(command: &CommandHandle) -> keyway::Result<Self> {
        Ok(Description::Command(Arc::new(command.spec()?.0)))
    }

    fn skill(skill: &SkillHandle) -> keyway::Result<Self> {
        let spec = skill.spec()?.0;
        Ok(Description::Skill {
            description: spec.description.into(),
            user_invocable: spec.user_invocable,
        })
    }

    fn voice(voice: &VoiceHandlerHandle) -> keyway::Result<Self> {
        Ok(Description::Voice(voice.formats()?.0.into()))
    }
}
