//! A host for tests: of plugins, by their authors, and of applications that embed one.
//!
//! [`TestHost`] is a [`Host`] with its files in a directory of its own, that remembers what happened. Its
//! methods block, so that a test needs no runtime, and those that only a mistake of the test could fail
//! panic. A plugin is loaded from its library, or linked into the test and loaded without one; either
//! way it is the real thing, with every check.
//!
//! ```
//! use keyway_host::EventKind;
//! use keyway_host::testing::TestHost;
//! use serde_json::json;
//! # use keyway::{Activation, Context, Plugin, Result};
//! # #[keyway::data] struct Greeting { name: String }
//! # /// Greets somebody by name.
//! # #[keyway::tool]
//! # async fn greet(greeting: Greeting) -> Result<String> {
//! #     Ok(format!("Hello, {}!", greeting.name))
//! # }
//! # struct Greeter;
//! # impl Plugin for Greeter {
//! #     async fn prepare(_: Context) -> Result<Self> { Ok(Greeter) }
//! #     async fn activate(&self, activation: &mut Activation) -> Result<()> {
//! #         activation.tool::<greet>()?;
//! #         Ok(())
//! #     }
//! # }
//! # keyway::export_plugin!(Greeter, manifest = "../interface/src/greeter.toml");
//!
//! # fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! let host = TestHost::new();
//! host.load_static::<Greeter>(json!({}))?;
//!
//! assert!(host.has("tool", "greet"));
//! host.contract("greeter").assert_kept();
//! assert_eq!(host.call("greet", json!({ "name": "Ada" }))?, "Hello, Ada!");
//!
//! host.block_on(host.host().stop("greeter"))?;
//! host.events().wait_for(|event| matches!(event.kind, EventKind::Stopped { .. }));
//! # Ok(())
//! # }
//! ```
//!
//! What a plugin has to expect from hosts that were built at other times, a host gives it with a
//! [`HostTable`] of another size.
//!
//! For unit tests in the crate of a plugin, without this crate, there is `keyway::testing`.

mod events;

use std::fmt;
use std::future::Future;
use std::path::Path;

use keyway::{Exported, State};
use keyway_manifest::capability_named;
use semver::Version;
use serde_json::{Map, Value};
use tempfile::TempDir;

pub use events::CapturedEvents;
pub use keyway_manifest::Contract;

pub use crate::boundary::HostTable;

use crate::error::HostError;
use crate::host::{Host, HostBuilder, LoadOptions};
use crate::status::PluginStatus;

/// The state that a loaded plugin would hand to its next version; none if it hands over none. The plugin is
/// asked for it, and serves on.
///
/// # Errors
///
/// [`NotFound`](crate::HostErrorKind::NotFound) when no plugin of this name is loaded,
/// [`State`](crate::HostErrorKind::State) when it fails, or its state is larger than its manifest allows.
///
/// # Panics
///
/// When called from inside an async context of tokio.
pub fn export_state(host: &Host, plugin: &str) -> Result<Option<State>, HostError> {
    host.block_on(host.export_state(plugin))
}

/// What a loaded plugin registered, held against its manifest. It can only lack something: who
/// registers more than it declares is not loaded.
///
/// # Errors
///
/// [`NotFound`](crate::HostErrorKind::NotFound) when no plugin of this name is loaded.
pub fn contract(host: &Host, plugin: &str) -> Result<Contract, HostError> {
    let status = host.plugin(plugin)?;
    let namespace = status.name.strip_suffix(&*status.id).unwrap_or_default();
    let declared = &status.manifest.capabilities;
    let registered = status.capabilities.iter().filter_map(|offered| {
        let name = offered.name.strip_prefix(namespace)?;
        // What an adapter of the application makes of it stands in its name as well.
        let own = declared.declares(&offered.id, name);
        own.then_some((&*offered.id, name))
    });
    Ok(declared.contract(registered))
}

/// A host for one test.
pub struct TestHost {
    host: Host,
    events: CapturedEvents,
    /// Last, so that the host's files outlive the host.
    home: TempDir,
}

impl Default for TestHost {
    fn default() -> Self {
        TestHost::new()
    }
}

impl TestHost {
    /// A host of an application `test` at version 1.0.0, whose private copies and whose state are in a
    /// directory that goes with it. Nothing else is set.
    ///
    /// # Panics
    ///
    /// When there is no place for the directory, or no thread for the host.
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// The same, with whatever else the test sets.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new), and when the host cannot be built with that.
    #[track_caller]
    pub fn with(set: impl FnOnce(HostBuilder) -> HostBuilder) -> Self {
        let home = tempfile::tempdir()
            .unwrap_or_else(|error| panic!("a test host has no directory: {error}"));
        let stage = home.path().join("stage");
        std::fs::create_dir(&stage)
            .unwrap_or_else(|error| panic!("{} cannot be made: {error}", stage.display()));
        let builder = Host::builder("test", Version::new(1, 0, 0))
            .stage_dir(stage)
            .state_dir(home.path().join("state"));
        let host = set(builder).build();
        let host = host.unwrap_or_else(|error| panic!("the host was not built: {error}"));
        TestHost {
            events: CapturedEvents::of(&host),
            host,
            home,
        }
    }

    /// The host itself, with everything else that it can do.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The directory that goes with the host. The test may put files into it, under any names but
    /// `stage` and `state`.
    pub fn dir(&self) -> &Path {
        self.home.path()
    }

    /// Runs a future to its end.
    ///
    /// # Panics
    ///
    /// When called from inside an async context of tokio, as all methods here that block.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.host.block_on(future)
    }

    /// Loads a plugin's library, with settings as a JSON object.
    ///
    /// # Errors
    ///
    /// As [`Host::load_with`].
    pub fn load(&self, path: impl AsRef<Path>, config: Value) -> Result<PluginStatus, HostError> {
        let options = LoadOptions::new().config(object(config));
        self.block_on(self.host.load_with(path, options))
    }

    /// Loads a plugin that is linked into the test, with settings as a JSON object.
    ///
    /// # Errors
    ///
    /// As [`Host::register_static`].
    pub fn load_static<P: Exported>(&self, config: Value) -> Result<PluginStatus, HostError> {
        let options = LoadOptions::new().config(object(config));
        self.block_on(self.host.register_static::<P>(options))
    }

    /// Whether any plugin offers something of a kind under a name. The kind is a word as in
    /// `plugin.toml`, in the singular or the plural (`tool`, `tools`), or a capability id.
    ///
    /// # Panics
    ///
    /// When there is no such kind.
    #[track_caller]
    pub fn has(&self, kind: &str, name: &str) -> bool {
        let Some(id) = capability_named(kind) else {
            panic!("`{kind}` is no kind of capability: expected a word such as `tool`, or an id");
        };
        let offered = self.host.capabilities();
        offered
            .iter()
            .any(|offered| offered.id == id && offered.name == name)
    }

    /// Calls a tool.
    ///
    /// # Errors
    ///
    /// As [`ToolClient::call`](crate::ToolClient::call); of the kind
    /// [`NotFound`](keyway::ErrorKind::NotFound) if nobody offers it.
    pub fn call(&self, tool: &str, arguments: Value) -> keyway::Result<Value> {
        let client = self.host.tool(tool);
        let client = client.map_err(|error| keyway::PluginError::not_found(error.to_string()))?;
        self.block_on(client.call(arguments))
    }

    /// What a loaded plugin registered, held against its manifest. It can only lack something: who
    /// registers more than it declares is not loaded.
    ///
    /// # Panics
    ///
    /// When no plugin of this name is loaded.
    #[track_caller]
    pub fn contract(&self, plugin: &str) -> Contract {
        contract(&self.host, plugin).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What has happened to plugins since the host was built.
    pub fn events(&self) -> &CapturedEvents {
        &self.events
    }
}

impl fmt::Debug for TestHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestHost")
            .field("host", &self.host)
            .field("home", &self.home.path())
            .finish_non_exhaustive()
    }
}

#[track_caller]
fn object(config: Value) -> Map<String, Value> {
    match config {
        Value::Object(config) => config,
        other => panic!("the settings of a plugin are an object, not {other}"),
    }
}
