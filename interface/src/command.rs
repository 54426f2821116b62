//! Commands: what a person types after a slash.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::abi::pass::Json;
use crate::error::Result;
use crate::scope::Scope;

/// What help says of a command.
///
/// The table `[plugin.commands.NAME]` of the manifest says the same without the plugin being
/// started, and is the better place for it. What stands here as well goes before it while the plugin
/// runs, for help that is not known when the plugin is built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CommandSpec {
    /// What the command does, in a sentence.
    #[serde(default)]
    pub description: Option<String>,
    /// Its arguments, such as `[--all] NAME`.
    #[serde(default)]
    pub usage: Option<String>,
}

impl CommandSpec {
    /// Help with a description.
    pub fn new(description: impl Into<String>) -> Self {
        CommandSpec {
            description: Some(description.into()),
            usage: None,
        }
    }

    /// The same with the arguments.
    #[must_use]
    pub fn with_usage(mut self, usage: impl Into<String>) -> Self {
        self.usage = Some(usage.into());
        self
    }
}

/// A command as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Invocation {
    /// All that stood after the command's name.
    #[serde(default)]
    pub text: String,
    /// The same as words. How quotes are read is the host's to say.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Who typed it, and where.
    #[serde(default)]
    pub scope: Scope,
}

impl Invocation {
    /// A command with this text after its name, split at spaces.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Invocation {
            arguments: text.split_whitespace().map(str::to_owned).collect(),
            text,
            scope: Scope::new(),
        }
    }

    /// The same with words that were split in another way.
    #[must_use]
    pub fn with_arguments(mut self, arguments: impl IntoIterator<Item = String>) -> Self {
        self.arguments = arguments.into_iter().collect();
        self
    }

    /// The same from this scope.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }
}

/// What a command answers: text for people, data for programs, or both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CommandOutput {
    /// What is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The same as data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl CommandOutput {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        CommandOutput {
            text: Some(text.into()),
            data: None,
        }
    }

    /// Data.
    pub fn data(data: impl Into<Value>) -> Self {
        CommandOutput {
            text: None,
            data: Some(data.into()),
        }
    }

    /// The same with data.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }
}

/// The extension point of commands. The name under which one is registered is what is typed.
///
/// ```
/// use keyway::command::{Command, CommandOutput, Invocation};
/// use keyway::{Json, PluginError, Result};
///
/// struct Roll;
///
/// impl Command for Roll {
///     async fn run(&self, invocation: Json<Invocation>) -> Result<Json<CommandOutput>> {
///         match invocation.arguments.as_slice() {
///             [] => Ok(Json(CommandOutput::text("You rolled a 4.").with_data(4))),
///             _ => Err(PluginError::invalid_input("expected no arguments")),
///         }
///     }
/// }
/// # keyway::command::CommandHandle::provide(Roll);
/// ```
#[keyway_macros::capability(id = "keyway.command", version = 1)]
pub trait Command: Send + Sync {
    /// Runs the command. Arguments that it does not take are an invalid-input error.
    async fn run(&self, invocation: Json<Invocation>) -> Result<Json<CommandOutput>>;

    /// Help that goes before that of the manifest; the host asks once per version of the plugin. By
    /// default there is none.
    fn spec(&self) -> Result<Json<CommandSpec>> {
        Ok(Json(CommandSpec::default()))
    }
}
