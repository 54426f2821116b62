//! {{description}}.

use std::sync::{Arc, PoisonError, RwLock};

use keyway::{Activation, ConfigChange, Context, Plugin, Result};

/// The settings, as `[plugin.config]` in plugin.toml declares them.
#[keyway::data]
#[derive(Debug)]
pub struct Settings {
    /// What is said before the name.
    pub greeting: String,
}

/// They change while calls run.
pub type Shared = Arc<RwLock<Settings>>;

/// What `greet` takes. The comments become the descriptions in the tool's schema.
#[keyway::data]
pub struct Greeting {
    /// Who is greeted.
    pub name: String,
}

/// Greets somebody by name.
#[keyway::tool]
pub async fn greet(settings: &Shared, greeting: Greeting) -> Result<String> {
    tracing::info!(name = greeting.name, "greeting");
    let settings = settings.read().unwrap_or_else(PoisonError::into_inner);
    Ok(format!("{}, {}!", settings.greeting, greeting.name))
}

/// The plugin: what it keeps while it runs.
pub struct Greeter {
    settings: Shared,
}

keyway::export_plugin!(Greeter);

impl Plugin for Greeter {
    async fn prepare(context: Context) -> Result<Self> {
        let settings = Arc::new(RwLock::new(context.config()?));
        Ok(Greeter { settings })
    }

    async fn activate(&self, activation: &mut Activation) -> Result<()> {
        activation.tool_with::<greet>(self.settings.clone())?;
        Ok(())
    }

    async fn on_config_change(&self, change: ConfigChange) -> Result<()> {
        let changed = change.config()?;
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = changed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use keyway::testing::{TestContext, TestPlugin, block_on};
    use serde_json::json;

    use super::Greeter;

    #[test]
    fn it_offers_what_it_declares_and_greets() {
        let context = TestContext::new().config(json!({ "greeting": "Good day" }));
        let plugin = block_on(TestPlugin::<Greeter>::activate(context)).unwrap();
        plugin.contract().assert_kept();
        let ada = block_on(plugin.call("greet", json!({ "name": "Ada" })));
        assert_eq!(ada.unwrap(), "Good day, Ada!");
    }
}
