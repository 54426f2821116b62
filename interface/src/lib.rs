//! Contract and author SDK for Keyway plugins: the only crate of Keyway that a plugin depends on.
//!
//! A plugin is an ordinary cdylib crate with a `plugin.toml` beside its `Cargo.toml`. All keys of
//! that file are described in `MANIFEST.md`, at the root of Keyway's repository.
//!
//! ```toml
//! [plugin]
//! id = "greeter"
//! version = "0.1.0"
//! min_host_version = "0.1.0"
//!
//! [plugin.capabilities]
//! tools = ["greet"]
//! ```
//!
//! ```
//! use keyway::{Activation, Context, Plugin, Result};
//!
//! #[keyway::data]
//! struct Greeting {
//!     /// Who is greeted.
//!     name: String,
//! }
//!
//! /// Greets somebody by name.
//! #[keyway::tool]
//! async fn greet(greeting: Greeting) -> Result<String> {
//!     Ok(format!("Hello, {}!", greeting.name))
//! }
//!
//! struct Greeter;
//!
//! impl Plugin for Greeter {
//!     async fn prepare(_: Context) -> Result<Self> {
//!         Ok(Greeter)
//!     }
//!
//!     async fn activate(&self, activation: &mut Activation) -> Result<()> {
//!         activation.tool::<greet>()?;
//!         Ok(())
//!     }
//! }
//!
//! # /*
//! keyway::export_plugin!(Greeter);
//! # */
//! # keyway::export_plugin!(Greeter, manifest = "src/greeter.toml");
//! # use std::task::{Context as Cx, Poll, Waker};
//! # let greeting = Greeting { name: "Ada".into() };
//! # let mut call = std::pin::pin!(greet(greeting));
//! # let Poll::Ready(Ok(answer)) = call.as_mut().poll(&mut Cx::from_waker(Waker::noop())) else {
//! #     panic!("nothing to wait for");
//! # };
//! # assert_eq!(answer, "Hello, Ada!");
//! ```
//!
//! # The life of a plugin
//!
//! 1. **Built.** [`export_plugin!`] reads and checks `plugin.toml` when the crate is compiled, and
//!    embeds it in the library as a note. One file is a whole plugin.
//! 2. **Inspected.** A host reads the note from the file and decides whether the plugin fits:
//!    target, panic strategy, interface version, version of the application. No code of the plugin
//!    has run.
//! 3. **Opened.** The host makes a private copy, opens it, and compares the layouts of all types
//!    and method tables before it calls the first function.
//! 4. **Prepared.** [`Plugin::prepare`] makes the plugin from its configuration.
//! 5. **Active.** [`Plugin::activate`] registers what the plugin offers; it takes effect together.
//! 6. **Called.** Each call goes through a handle. A panic is contained and answered as a
//!    [`PluginError`]; the next call works.
//! 7. **Replaced.** A newer version is prepared beside it, takes its state
//!    ([`Plugin::export_state`], [`Plugin::import_state`]), activates, and gets all new calls. This one
//!    finishes the calls that it has started.
//! 8. **Ended.** The registrations are withdrawn, [`Plugin::deactivate`] runs, the plugin's value
//!    is dropped and its tasks are cancelled.
//!
//! # Settings
//!
//! The settings of a plugin are declared in the tables `[plugin.config.*]` of `plugin.toml`, and
//! [`Plugin::prepare`] reads them into a type:
//!
//! ```toml
//! [plugin.config.shunned]
//! type = "array"
//! items = "string"
//! default = []
//! ```
//!
//! ```
//! # use keyway::{Context, Result};
//! #[keyway::data]
//! struct Settings {
//!     shunned: Vec<String>,
//! }
//!
//! struct Greeter {
//!     settings: Settings,
//! }
//!
//! # impl Greeter {
//! // In `impl Plugin for Greeter`:
//! async fn prepare(context: Context) -> Result<Self> {
//!     let settings = context.config::<Settings>()?;
//!     Ok(Greeter { settings })
//! }
//! # }
//! ```
//!
//! A tool takes the settings, or any other state, by reference: see [`Activation::tool_with`].
//!
//! # State over a reload
//!
//! A plugin that is replaced by another version of itself loses what it has in memory, unless it
//! hands it over: [`Plugin::export_state`] of the old version answers a [`State`], and
//! [`Plugin::import_state`] of the new one takes it before it is activated. [`StateSchema`] has the
//! whole of it as an example, with a migration. How a plugin wants to be replaced, and what happens
//! when the state is refused, stands in the table `[plugin.reload]` of `plugin.toml`.
//!
//! # Extension points
//!
//! These come with this crate:
//!
//! | in `plugin.toml` | trait | what |
//! |---|---|---|
//! | `tools` | [`tool::Tool`], or [`#[tool]`](macro@tool) on a function | functions for whoever can call with JSON |
//! | `channels` | [`channel::Channel`] | messages that come in and go out |
//! | `pipeline_stages` | [`pipeline::PipelineStage`] | steps that a message runs through |
//! | `providers` | [`provider::Provider`] | one of several that can answer a request |
//! | `memory_backends` | [`memory::MemoryBackend`] | documents, kept and found again |
//! | `skills` | [`skill::Skill`] | instructions, with tools and resources |
//! | `voice_handlers` | [`voice::VoiceHandler`] | audio, heard and spoken |
//! | `commands` | [`command::Command`] | what a person types after a slash |
//! | `event_hooks` | [`event::EventHook`] | are told of what happens |
//! | `services` | [`service::Service`] | run all the time |
//!
//! An application's own are made with [`#[capability]`](macro@capability) on an ordinary trait; they
//! are first-class equals, since the built-in ones are made with the same macro.
//!
//! A call that is somebody else's to answer is [declined](PluginError::declined): the host asks the
//! next provider, or goes on without one.
//!
//! # Inside a plugin
//!
//! It is ordinary Rust. `panic!` and `?` do what they should. With the feature `tokio` the plugin
//! has its own runtime, entered whenever its futures run, so `tokio::spawn`, timers and sockets
//! work; with the feature `tracing` events and spans reach the host's subscriber. What a plugin
//! cannot do is protect the host from itself: it runs in the host's process and is trusted code.
//!
//! # Asking the host
//!
//! Files, environment variables, web requests, programs, keys and values, and texts of the host's come by
//! way of the [`Context`], if `plugin.toml` asks for them under `[plugin.permissions]` and somebody
//! approved that: `context.files().read("data/words.txt").await?`. [`context`] has all of it. A plugin that
//! asks in this way can be told from one that helps itself, and is written down; it is kept from nothing.
//!
//! # Testing
//!
//! The function of a [`tool`](macro@tool) and the methods of a capability's trait are ordinary
//! functions, so a unit test calls them directly. With the feature `testing`, the module `testing` has
//! the whole life of a plugin for unit tests: `TestPlugin::<MyPlugin>::activate(context)` is the plugin
//! with what the test gives it, and answers what it registered, what its tools answer, and whether it
//! keeps to its manifest. With a real host and the built library, `keyway_host::testing` does the same
//! in an integration test.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `tools` | yes | [`tool`](macro@tool) and [`data`]: typed tools over serde and schemars |
//! | `tracing` | yes | forwards `tracing` events and spans to the host |
//! | `tokio` | no | a tokio runtime for the plugin |
//! | `testing` | no | `testing`: plugins in unit tests; for `[dev-dependencies]` |

// The macros name this crate `::keyway`, also inside it.
extern crate self as keyway;

pub mod abi;
pub mod channel;
pub mod command;
mod config;
pub mod context;
mod error;
pub mod event;
pub mod host;
#[doc(hidden)]
pub mod log;
pub mod memory;
pub mod pipeline;
mod plugin;
pub mod provider;
mod runtime;
mod scope;
pub mod service;
#[doc(hidden)]
pub mod shim;
mod sink;
pub mod skill;
#[doc(hidden)]
pub mod slot;
mod state;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tool;
pub mod version;
pub mod voice;

pub use abi::pass::Json;
pub use abi::stream::Stream;
pub use bytes::Bytes;
pub use config::ConfigChange;
pub use context::Context;
pub use error::{ErrorKind, PluginError, Result, ResultExt};
pub use plugin::{Activation, Exported, Plugin};
#[cfg(feature = "tools")]
#[doc(hidden)]
pub use schemars;
pub use scope::Scope;
pub use shim::capability;
pub use sink::Sink;
pub use state::{Imported, OldState, State, StateSchema};
#[doc(hidden)]
pub use {serde, serde_json};

/// Makes a trait an extension point.
///
/// ```
/// use keyway::{Bytes, Json, PluginError, Result, Stream};
/// # #[keyway::data] pub struct Report { pub fast: bool }
///
/// #[keyway::capability(id = "acme.image-filter", version = 1)]
/// pub trait ImageFilter: Send + Sync {
///     fn apply(&self, pixels: &mut [u8], width: u32, height: u32) -> Result<()>;
///     async fn warm_up(&self, sizes: Vec<u32>) -> Result<Json<Report>>;
///     fn rows(&self, pixels: Bytes) -> Result<Stream<Bytes>>;
///
///     /// Appended in a later minor, hence with a default body.
///     fn is_lossless(&self) -> Result<bool> {
///         Ok(false)
///     }
/// }
/// ```
///
/// The trait stays an ordinary trait; an author implements it with `fn` and `async fn`. Beside it
/// comes `ImageFilterHandle` with the same methods: a cheap, cloneable handle through which a host
/// calls whatever version of a plugin serves at the moment. `ImageFilterHandle::provide(value)`
/// makes an implementation ready for [`Activation::register`].
///
/// # What may stand in a method
///
/// - `&self` first; the object is shared by all callers.
/// - Arguments: numbers, `bool`, `&str`, `&[T]` and `&mut [T]` of plain types, `String`, `Vec<T>`,
///   `Option<T>`, tuples, [`Bytes`], and any serde type as [`Json<T>`]. See
///   [`Pass`](abi::pass::Pass).
/// - A result [`Result<T>`](Result) of an owned `T`, or of a [`Stream`].
/// - A default body, which runs where a plugin was built before the method existed.
///
/// # Calls
///
/// A handle implements the trait, so who calls through one has the trait in scope. Its method
/// `with_deadline` answers the same handle with a deadline for async calls. A deadline is looked at
/// whenever a call waits: code that blocks its thread is not interrupted.
///
/// # Evolution
///
/// Within one `version` methods may only be appended, each with a default body. Anything else is a
/// new `version`, and both live side by side. Hosts compare the tables before the first call, so a
/// break that slips through is an error when the plugin is loaded, never a crash.
///
/// The generated code contains `unsafe`, under its own `allow`: the crate may deny unsafe code, but
/// not forbid it.
pub use keyway_macros::capability;

/// Derives what a type needs to be read from JSON, written as JSON and described by a JSON Schema.
///
/// It goes on the structs and enums that are arguments or answers of a tool, on the type that
/// [`Context::config`] reads the settings into, on types that cross a capability inside [`Json`],
/// and on the types of their fields:
///
/// ```
/// #[keyway::data]
/// #[derive(Clone, Default)]
/// struct Settings {
///     /// Names that are not greeted.
///     #[serde(default)]
///     shunned: Vec<String>,
/// }
/// ```
///
/// The derives are serde's `Serialize` and `Deserialize` and schemars' `JsonSchema`, through this
/// crate's copies of them. The attributes `#[serde(..)]` and `#[schemars(..)]` work as usual, and
/// doc comments become descriptions in the schema.
#[cfg(feature = "tools")]
pub use keyway_macros::data;

/// Exports a type as the plugin of its crate: `export_plugin!(MyPlugin);`
///
/// Reads `plugin.toml` beside the crate's `Cargo.toml`, checks it, embeds it, and exports the
/// descriptor that hosts look for. A mistake in the manifest is a compile error that shows the
/// line. The reference of its keys is `MANIFEST.md`, at the root of Keyway's repository.
///
/// Options, after the type: `manifest = "other.toml"` for another file, and `required_minor = 0`
/// for the interface minor that the plugin really needs, where that is less than the one it is
/// built with: it then also loads into older hosts, where what is newer has its default.
///
/// The generated code contains `unsafe`, under its own `allow`: the crate may deny unsafe code, but
/// not forbid it.
pub use keyway_macros::export_plugin;

/// Makes an async function a tool.
///
/// The function takes one struct of arguments by value (see [`data`]), and, if it needs one, a
/// state by reference, in any order; it returns a `Result` of anything that serializes. Its doc
/// comment is the description. `#[tool(name = "other-name")]` gives another name than the
/// function's. What else can be said of it:
///
/// ```
/// # #[keyway::data] struct Copy { from: String, to: String }
/// /// Copies a file.
/// #[keyway::tool(title = "Copy a file", idempotent, destructive = false, reads = "from", writes = "to")]
/// async fn copy_file(copy: Copy) -> keyway::Result<()> {
///     // ...
///     # let _ = copy;
///     Ok(())
/// }
/// ```
///
/// - `title = "..."`, `read_only`, `destructive` and `idempotent` are the tool's
///   [`ToolAnnotations`](tool::ToolAnnotations).
/// - `reads` and `writes` name the arguments that are paths of files, as `"path"` or
///   `["from", "to"]`: see [`ToolSpec::path_parameters`](tool::ToolSpec::path_parameters).
///
/// The function stays callable as it is. Beside it comes a type of the same name for
/// [`Activation::tool`] and [`Activation::tool_with`].
#[cfg(feature = "tools")]
pub use keyway_macros::tool;
