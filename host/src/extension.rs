//! What runs the built-in extension points: a host does not only hand out what plugins offer, it also
//! says who comes after whom, what becomes of a failure, and what is started, ended and opened again.
//!
//! Each module is one kind. All of them see what is offered at the moment they are used, so nothing that
//! an application holds of them goes stale over reloads.

mod channel;
pub(crate) mod codes;
mod command;
mod event;
mod listen;
mod memory;
mod paths;
mod pipeline;
mod provider;
mod service;
mod skill;
mod voice;

pub use channel::{ChannelRecord, Channels, Incoming, Received};
pub use command::{CommandRecord, Commands};
pub use event::{DispatchReport, HookOutcome, HookRecord};
pub use pipeline::{Pipeline, PipelineError, StageRecord};
pub use provider::{Answer, AnswerStream, Attempt, ProviderRecord, Providers, ProvidersError};
pub use service::ServiceRecord;
pub use skill::{SkillClient, SkillRecord};
pub use voice::VoiceRecord;

pub(crate) use channel::{Switchboard, unavailable};
pub(crate) use command::DeclaredCommand;
pub(crate) use paths::make_absolute;
pub(crate) use service::RunningService;
