//! Greets. The feature `polite` is its next version, with a manifest of its own.

use keyway::{Activation, Context, Plugin, Result};

#[keyway::data]
struct Greeting {
    /// Who is greeted.
    name: String,
}

#[keyway::data]
#[derive(Clone)]
struct Settings {
    greeting: String,
}

/// Greets somebody by name.
#[keyway::tool]
async fn greet(settings: &Settings, greeting: Greeting) -> Result<String> {
    let dear = if cfg!(feature = "polite") {
        "dear "
    } else {
        ""
    };
    Ok(format!("{}, {dear}{}!", settings.greeting, greeting.name))
}

struct Greeter {
    settings: Settings,
}

#[cfg(not(feature = "polite"))]
keyway::export_plugin!(Greeter);
#[cfg(feature = "polite")]
keyway::export_plugin!(Greeter, manifest = "polite.toml");

impl Plugin for Greeter {
    async fn prepare(context: Context) -> Result<Self> {
        let settings = context.config()?;
        Ok(Greeter { settings })
    }

    async fn activate(&self, activation: &mut Activation) -> Result<()> {
        activation.tool_with::<greet>(self.settings.clone())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use keyway::testing::{TestContext, TestPlugin, block_on};
    use serde_json::json;

    use super::Greeter;

    #[test]
    fn the_greeting_is_a_setting() {
        let context = TestContext::new().config(json!({ "greeting": "Welcome" }));
        let greeter = block_on(TestPlugin::<Greeter>::activate(context)).expect("it starts");
        greeter.contract().assert_kept();
        let answer = block_on(greeter.call("greet", json!({ "name": "Ada" })));
        assert!(
            answer
                .expect("it answers")
                .as_str()
                .is_some_and(|text| { text.starts_with("Welcome, ") && text.ends_with("Ada!") })
        );
    }
}
