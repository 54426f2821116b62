//! Pipeline stages: steps that a host runs a message through.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::abi::pass::Json;
use crate::error::Result;

/// When a stage runs.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StagePhase {
    /// Before the main work: validate, enrich, filter.
    Pre,
    /// The main work.
    #[default]
    Process,
    /// After the main work: format, filter.
    Post,
    /// Sees every message as it comes out, and changes none; what it answers is ignored, and so is a
    /// failure.
    Observer,
}

/// The extension point of pipeline stages.
#[keyway_macros::capability(id = "keyway.pipeline-stage", version = 1)]
pub trait PipelineStage: Send + Sync {
    /// When the stage runs. The host asks once per version of the plugin, and for the priority too.
    fn phase(&self) -> Result<Json<StagePhase>>;

    /// Takes the message and answers what goes on to the next stage.
    async fn process(&self, message: Json<Value>) -> Result<Json<Value>>;

    /// Stages of one phase run by rising priority. Default 0.
    fn priority(&self) -> Result<i32> {
        Ok(0)
    }
}
