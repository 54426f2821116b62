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
use crate::scope::Scope;
#[cfg(feature = "tools")]
use crate::shim::author::BoxFuture;

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
    /// What a call does to the world, as far as the tool says.
    #[serde(default, skip_serializing_if = "ToolAnnotations::is_empty")]
    pub annotations: ToolAnnotations,
    /// The argument that says which of several actions a call is, where the tool has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_parameter: Option<String>,
    /// The arguments that are paths of files. A host makes them absolute and checks them before the
    /// call, so that a tool never sees a path that it may not touch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path_parameters: Vec<PathParameter>,
}

/// What a call of a tool does to the world. What is none, the tool does not say.
///
/// These are the tool's own words, for people and programs who choose; nothing enforces them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolAnnotations {
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A call changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// A call may destroy something, and not only add.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
    /// The same call again changes nothing more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
}

impl ToolAnnotations {
    /// Annotations that say nothing.
    pub fn new() -> Self {
        ToolAnnotations::default()
    }

    /// The same with a name for people.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same, saying whether a call changes nothing.
    #[must_use]
    pub fn with_read_only(mut self, read_only: bool) -> Self {
        self.read_only = Some(read_only);
        self
    }

    /// The same, saying whether a call may destroy something.
    #[must_use]
    pub fn with_destructive(mut self, destructive: bool) -> Self {
        self.destructive = Some(destructive);
        self
    }

    /// The same, saying whether a second call changes nothing more.
    #[must_use]
    pub fn with_idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = Some(idempotent);
        self
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a tool does with the file at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PathAccess {
    /// It reads it.
    Read,
    /// It makes, changes or removes it; the word of a newer peer counts as this too.
    #[serde(other)]
    Write,
}

/// An argument that is the path of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PathParameter {
    /// The name of the argument: a string, or an array of strings.
    pub argument: String,
    /// What is done with the file.
    pub access: PathAccess,
    /// The actions of which this holds, by the value of [`ToolSpec::action_parameter`]. None: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
}

impl PathParameter {
    /// The path of a file that is read.
    pub fn read(argument: impl Into<String>) -> Self {
        Self::new(argument, PathAccess::Read)
    }

    /// The path of a file that is made, changed or removed.
    pub fn write(argument: impl Into<String>) -> Self {
        Self::new(argument, PathAccess::Write)
    }

    fn new(argument: impl Into<String>, access: PathAccess) -> Self {
        PathParameter {
            argument: argument.into(),
            access,
            actions: Vec::new(),
        }
    }

    /// The same for one action, beside those that were named before.
    #[must_use]
    pub fn for_action(mut self, action: impl Into<String>) -> Self {
        self.actions.push(action.into());
        self
    }

    /// Whether this holds for a call with this action, if it has one.
    pub fn applies_to(&self, action: Option<&str>) -> bool {
        self.actions.is_empty() || self.actions.iter().any(|other| Some(&**other) == action)
    }
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
            annotations: ToolAnnotations::new(),
            action_parameter: None,
            path_parameters: Vec::new(),
        }
    }

    /// The same with other annotations.
    #[must_use]
    pub fn with_annotations(mut self, annotations: ToolAnnotations) -> Self {
        self.annotations = annotations;
        self
    }

    /// The same with several actions, told apart by this argument.
    #[must_use]
    pub fn with_action_parameter(mut self, argument: impl Into<String>) -> Self {
        self.action_parameter = Some(argument.into());
        self
    }

    /// The same with one argument more that is a path.
    #[must_use]
    pub fn with_path(mut self, path: PathParameter) -> Self {
        self.path_parameters.push(path);
        self
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

    /// Describes the tool to those in a scope, who may get another description than others; none
    /// hides it from them. What they call is the same tool, so this is no protection of it.
    ///
    /// By default everybody gets what [`spec`](Tool::spec) says. The name stays the same, and the
    /// host goes on checking arguments against the schema of `spec`.
    fn describe(&self, scope: Json<Scope>) -> Result<Json<Option<ToolSpec>>> {
        let _ = scope;
        Ok(Json(Some(self.spec()?.0)))
    }
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

/// A function tool with its state, without its type: the table of [`Tool`] is filled once, here, and
/// not again in the crate of each plugin.
#[cfg(feature = "tools")]
trait Function: Send + Sync {
    fn spec(&self) -> ToolSpec;
    fn run(&self, arguments: String) -> BoxFuture<'_, Result<String>>;
}

#[cfg(feature = "tools")]
struct Stateful<F: ToolFunction>(F::State);

#[cfg(feature = "tools")]
impl<F: ToolFunction> Function for Stateful<F> {
    fn spec(&self) -> ToolSpec {
        F::spec()
    }

    fn run(&self, arguments: String) -> BoxFuture<'_, Result<String>> {
        Box::pin(F::run(&self.0, arguments))
    }
}

#[cfg(feature = "tools")]
struct FunctionTool(Box<dyn Function>);

#[cfg(feature = "tools")]
impl Tool for FunctionTool {
    fn spec(&self) -> Result<Json<ToolSpec>> {
        Ok(Json(self.0.spec()))
    }

    async fn call(&self, arguments: String) -> Result<String> {
        self.0.run(arguments).await
    }
}

#[cfg(feature = "tools")]
pub(crate) fn provide<F: ToolFunction>(state: F::State) -> (String, Provided) {
    provide_function(Box::new(Stateful::<F>(state)))
}

#[cfg(feature = "tools")]
fn provide_function(function: Box<dyn Function>) -> (String, Provided) {
    let name = function.spec().name;
    (name, ToolHandle::provide(FunctionTool(function)))
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
