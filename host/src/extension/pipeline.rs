//! The pipeline: all stages that plugins offer, as one chain that a message goes through.

use std::fmt;
use std::time::Duration;

use keyway::PluginError;
use keyway::abi::pass::Json;
use keyway::capability::Capability;
use keyway::pipeline::{PipelineStage, PipelineStageHandle, StagePhase};
use serde_json::Value;

use super::codes;
use super::listen::listen;
use crate::described::Description;
use crate::host::Host;
use crate::plan::Trigger;
use crate::registry::Member;
use crate::status::RegisteredCapability;

/// The pipeline of a host: [`Host::pipeline`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pipeline {
    host: Host,
    deadline: Option<Duration>,
}

/// A stage as it stands in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StageRecord {
    /// Its name.
    pub name: String,
    /// The plugin that offers it.
    pub plugin: String,
    /// When it runs.
    pub phase: StagePhase,
    /// Stages of one phase run by rising priority, and those of one priority by name.
    pub priority: i32,
}

/// A stage that failed. The message went no further.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipelineError {
    /// The stage.
    pub stage: StageRecord,
    /// What it failed with.
    pub error: PluginError,
}

struct Stage {
    record: StageRecord,
    handle: PipelineStageHandle,
}

impl Host {
    /// The stages of all plugins as one chain.
    ///
    /// ```
    /// # use keyway_host::{Host, PipelineError};
    /// # use serde_json::json;
    /// # async fn example(host: &Host) -> Result<(), PipelineError> {
    /// let message = host.pipeline().run(json!({ "text": " hello " })).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pipeline(&self) -> Pipeline {
        Pipeline {
            host: self.clone(),
            deadline: None,
        }
    }
}

impl Pipeline {
    /// The same with a deadline for each stage but observers, which have the
    /// [`listener_deadline`](crate::HostBuilder::listener_deadline).
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Pipeline {
            host: self.host.clone(),
            deadline: Some(deadline),
        }
    }

    /// The stages in the order in which they run now.
    pub fn stages(&self) -> Vec<StageRecord> {
        let chain = self.chain().into_iter();
        chain.map(|stage| stage.record).collect()
    }

    /// Lets a message go through the chain: first the stages of phase pre, then process, then post, in
    /// each by rising priority and then by name. What one answers goes to the next, and what the last one
    /// answers comes back.
    ///
    /// Then the observers see that. What they answer is ignored, and one that fails or takes too long is
    /// told as an event [`Faulted`](crate::EventKind::Faulted).
    ///
    /// Plugins that start when they are first needed and have stages are started before the message
    /// sets out.
    ///
    /// # Errors
    ///
    /// That of the first stage that failed, which ends the chain: nobody after it sees the message. It has
    /// the code `stage-failed`.
    pub async fn run(&self, message: Value) -> Result<Value, PipelineError> {
        let stages = Trigger::Capability {
            id: PipelineStageHandle::ID,
            name: None,
        };
        self.host.wake(stages).await;
        let chain = self.chain();
        let is_observer = |stage: &Stage| stage.record.phase == StagePhase::Observer;
        let (observers, workers): (Vec<Stage>, Vec<Stage>) =
            chain.into_iter().partition(is_observer);
        let mut message = Json(message);
        for Stage { record, handle } in workers {
            match handle.process(message).await {
                Ok(next) => message = next,
                Err(error) => {
                    let error = self.host.without_secrets(&record.plugin, error);
                    return Err(PipelineError {
                        stage: record,
                        error,
                    });
                }
            }
        }
        for Stage { record, handle } in observers {
            let shown = message.clone();
            let work = move || async move { handle.process(shown).await.map(drop) };
            let listener = RegisteredCapability {
                id: PipelineStageHandle::ID.to_owned(),
                major: PipelineStageHandle::MAJOR,
                name: record.name,
                plugin: record.plugin,
            };
            // Whoever wants to know has it as an event.
            let _ = listen(&self.host, listener, work).await;
        }
        Ok(message.0)
    }

    fn chain(&self) -> Vec<Stage> {
        let members = self.host.registry().members::<PipelineStageHandle>();
        let mut chain: Vec<Stage> = members
            .into_iter()
            .filter_map(|member| self.stage(member))
            .collect();
        let order = |stage: &Stage| {
            let StageRecord {
                phase, priority, ..
            } = stage.record;
            (phase, priority)
        };
        // The registry answers by name, and equal ones stay as they are.
        chain.sort_by_key(order);
        chain
    }

    fn stage(&self, member: Member<PipelineStageHandle>) -> Option<Stage> {
        let Description::Stage { phase, priority } = member.description else {
            return None;
        };
        let handle = match self.deadline {
            Some(deadline) => member.handle.with_deadline(deadline),
            None => member.handle,
        };
        let record = StageRecord {
            name: member.name,
            plugin: member.plugin.to_string(),
            phase,
            priority,
        };
        Some(Stage { record, handle })
    }
}

impl PipelineError {
    /// The stable identifier of what went wrong, which [`explain`](crate::explain) explains.
    pub fn code(&self) -> &'static str {
        codes::STAGE_FAILED.id
    }
}

/// Names the stage and its plugin.
impl fmt::Display for PipelineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StageRecord { name, plugin, .. } = &self.stage;
        let error = &self.error;
        write!(f, "stage `{name}` of plugin '{plugin}' failed: {error:#}")
    }
}

impl std::error::Error for PipelineError {}
