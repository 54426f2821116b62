//! The command: what a person types after a slash.

use keyway::command::{Command, CommandOutput, Invocation};
use keyway::{Json, PluginError, Result};

use crate::Greeter;

impl Command for Greeter {
    async fn run(&self, invocation: Json<Invocation>) -> Result<Json<CommandOutput>> {
        let name = invocation.text.trim();
        if name.is_empty() {
            return Err(PluginError::invalid_input("expected a name, found nothing"));
        }
        Ok(Json(CommandOutput::text(self.greet(name){% if runtime == "tokio" %}.await{% endif %})))
    }
}
