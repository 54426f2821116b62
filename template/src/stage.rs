//! The pipeline stage: puts a greeting into each message that says who sent it.

use keyway::pipeline::{PipelineStage, StagePhase};
use keyway::{Json, Result};
use serde_json::Value;

use crate::Greeter;

impl PipelineStage for Greeter {
    fn phase(&self) -> Result<Json<StagePhase>> {
        Ok(Json(StagePhase::Pre))
    }

    async fn process(&self, mut message: Json<Value>) -> Result<Json<Value>> {
        if let Some(sender) = message["sender"].as_str() {
            let greeting = self.greet(sender){% if runtime == "tokio" %}.await{% endif %};
            message["greeting"] = greeting.into();
        }
        Ok(message)
    }
}
