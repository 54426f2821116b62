//! Tools: functions with a name, a description and typed arguments, callable with JSON.
//!
//! [`macro@crate::tool`] turns an async function into one; the trait [`Tool`] is the extension
//! point underneath, for tools whose description is not known when the plugin is compiled.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::abi::pass::Json;
#[cfg(feature = "tools")]
use crate::capability::Provided;
use crate::error::Result;
#[cfg(feature = "tools")]
use crate::error::{ErrorKind, PluginError};

/// What a tool is, for whoever chooses among tools.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolSpec {
    /// The name under which it is called.
    pub name: String,
    /// What it does, from the function's doc comment.
    pub description: String,
    /// JSON Schema (draft 2020-12) of its arguments.
    pub input_schema: Value,
}

impl ToolSpec {
    /// The description of a tool; `input_schema` is the JSON Schema of its arguments.
    pub fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        input_schema: Value,
    ) -> Self {
        ToolSpec {
            name: name.into(),
            description: description.into(),
            input_schema,
        }
    }
}

/// The extension point of tools.
#[keyway_macros::capability(id = "keyway.tool", version = 1)]
pub trait Tool: Send + Sync {
    /// Describes the tool. The host asks once per version of the plugin.
    fn spec(&self) -> Result<Json<ToolSpec>>;

    /// Runs the tool. Arguments and answer are JSON text; the host has checked the arguments
    /// against the schema before.
    async fn call(&self, arguments: String) -> Result<String>;
}

/// What [`macro@crate::tool`] makes of a function.
#[cfg(feature = "tools")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tool",
    label = "this is not made from a function",
    note = "put `#[keyway::tool]` on an async function, and use its name here"
)]
pub trait ToolFunction: Send + Sync + 'static {
    /// What the function gets by reference beside its arguments; `()` if it takes none.
    type State: Send + Sync + 'static;

    /// Describes the tool.
    fn spec() -> ToolSpec;

    /// Runs the tool on JSON text.
    fn run(state: &Self::State, arguments: String) -> impl Future<Output = Result<String>> + Send;
}

/// The state of a function tool that takes none.
#[cfg(feature = "tools")]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{F}` takes a state",
    label = "this tool takes a state by reference, a `{Self}`",
    note = "use `activation.tool_with::<{F}>(state)`"
)]
pub trait NoState<F>: Sized {
    /// The state that is none.
    fn none() -> Self;
}

#[cfg(feature = "tools")]
#[diagnostic::do_not_recommend]
impl<F> NoState<F> for () {
    fn none() {}
}

#[cfg(feature = "tools")]
struct FunctionTool<F: ToolFunction> {
    state: F::State,
}

#[cfg(feature = "tools")]
impl<F: ToolFunction> Tool for FunctionTool<F> {
    fn spec(&self) -> Result<Json<ToolSpec>> {
        Ok(Json(F::spec()))
    }

    async fn call(&self, arguments: String) -> Result<String> {
        F::run(&self.state, arguments).await
    }
}

#[cfg(feature = "tools")]
pub(crate) fn provide<F: ToolFunction>(state: F::State) -> (String, Provided) {
    (
        F::spec().name,
        ToolHandle::provide(FunctionTool::<F> { state }),
    )
}

/// What a function tool can take.
#[cfg(feature = "tools")]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the arguments of a tool",
    label = "this type is not read from JSON, or has no JSON Schema",
    note = "put `#[keyway::data]` on the type, and on the types of its fields"
)]
pub trait FromArguments: Sized {
    /// The description of a tool that takes them.
    fn spec(name: &str, description: &str) -> ToolSpec;
    /// Reads them.
    fn read(tool: &str, text: &str) -> Result<Self>;
}

#[cfg(feature = "tools")]
#[diagnostic::do_not_recommend]
impl<A: serde::de::DeserializeOwned + schemars::JsonSchema> FromArguments for A {
    fn spec(name: &str, description: &str) -> ToolSpec {
        ToolSpec::new(name, description, schemars::schema_for!(A).into())
    }

    fn read(tool: &str, text: &str) -> Result<A> {
        serde_json::from_str(text).map_err(|error| {
            PluginError::of(
                ErrorKind::InvalidInput,
                format!("the arguments of tool `{tool}` do not fit: {error}"),
            )
            .code("invalid-arguments")
        })
    }
}

/// What a function tool can answer when it succeeds.
#[cfg(feature = "tools")]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the answer of a tool",
    label = "this type is not written as JSON",
    note = "put `#[keyway::data]` on the type, and on the types of its fields"
)]
pub trait Answer {
    /// The value as JSON.
    fn to_json(&self) -> serde_json::Result<String>;
}

#[cfg(feature = "tools")]
#[diagnostic::do_not_recommend]
impl<T: Serialize> Answer for T {
    fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// What a function tool can return.
#[cfg(feature = "tools")]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a tool answers `Result<T>`, not `{Self}`",
    label = "wrap this in `keyway::Result<...>`",
    note = "`T` is any type with `#[keyway::data]` or `serde::Serialize`, the error any type that `?` turns into a `PluginError`"
)]
pub trait IntoAnswer {
    /// The answer as JSON.
    fn write(self, tool: &str) -> Result<String>;
}

#[cfg(feature = "tools")]
impl<T: Answer, E: Into<PluginError>> IntoAnswer for Result<T, E> {
    fn write(self, tool: &str) -> Result<String> {
        let answer = self.map_err(Into::into)?;
        answer.to_json().map_err(|error| {
            PluginError::of(
                ErrorKind::Malformed,
                format!("the answer of tool `{tool}` does not serialize: {error}"),
            )
        })
    }
}

/// Writes the answer of a function tool.
#[cfg(feature = "tools")]
#[doc(hidden)]
pub fn write_answer<A: IntoAnswer>(tool: &str, answer: A) -> Result<String> {
    answer.write(tool)
}

/// The arguments of a tool that takes none: an object, whatever is in it.
#[cfg(feature = "tools")]
#[derive(Clone, Copy, Debug, Default, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct NoArguments {}
