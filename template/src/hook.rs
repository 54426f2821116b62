//! The event hook: is told of each message that comes in.

use keyway::event::{Event, EventHook, MESSAGE_RECEIVED};
use keyway::{Json, Result};

use crate::Greeter;

impl EventHook for Greeter {
    fn topics(&self) -> Result<Json<Vec<String>>> {
        Ok(Json(vec![MESSAGE_RECEIVED.to_owned()]))
    }

    async fn handle(&self, event: Json<Event>) -> Result<()> {
        if let Some(sender) = event.payload["sender"].as_str() {
            let greeting = self.greet(sender){% if runtime == "tokio" %}.await{% endif %};
            tracing::info!("{greeting}");
        }
        Ok(())
    }
}
