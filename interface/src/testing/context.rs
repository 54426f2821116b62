//! What a test gives to a plugin, and so grants it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::services::{Services, World};
use super::{AuditRecord, UnderTest};
use crate::context::Context;
use crate::host::{Environment, HostServices};
use crate::shim::here;
use crate::state::State;

/// What a plugin finds when it runs in a test: its settings, and a host that has nothing but what the test
/// puts into it.
///
/// Whatever the test gives is granted, and nothing else is; a plugin that asks for more gets the error that
/// a host would answer, with the same code. Keys and values need no grant, as with a host.
///
/// A function that takes a [`Context`] can be tested with one alone:
///
/// ```
/// use keyway::testing::{TestContext, block_on};
/// use keyway::{Context, Result};
///
/// async fn words(context: &Context) -> Result<usize> {
///     let text = context.files().read_to_string("words.txt").await?;
///     Ok(text.lines().count())
/// }
///
/// let test = TestContext::new().file("words.txt", "one\ntwo\n");
/// assert_eq!(block_on(words(&test.context()))?, 2);
///
/// let error = block_on(words(&TestContext::new().context())).unwrap_err();
/// assert_eq!(error.error_code(), "read-not-granted");
/// # Ok::<(), keyway::PluginError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TestContext {
    pub(super) config: Map<String, Value>,
    pub(super) environment: Environment,
    pub(super) state: Option<State>,
    world: World,
}

impl Default for TestContext {
    fn default() -> Self {
        TestContext::new()
    }
}

impl TestContext {
    /// No settings, and a host `test` 0.0.0 that grants nothing.
    pub fn new() -> Self {
        let mut environment = Environment::new("test", "0.0.0");
        environment.linked_statically = true;
        TestContext {
            config: Map::new(),
            environment,
            state: None,
            world: World::default(),
        }
    }

    /// Settings, as a JSON object. A setting that is not in it has the default that `plugin.toml` says.
    ///
    /// # Panics
    ///
    /// When it is not an object.
    pub fn config(mut self, config: Value) -> Self {
        let Value::Object(config) = config else {
            panic!("the settings of a plugin are an object, not {config}");
        };
        self.config.extend(config);
        self
    }

    /// The application that the plugin finds itself in, and its version.
    pub fn host(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.environment.host_name = name.into();
        self.environment.host_version = version.into();
        self
    }

    /// The state of an older version, which the plugin takes between `prepare` and `activate`.
    pub fn state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// A text of the host's: see [`Context::text`].
    pub fn text(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.world.texts.insert(name.into(), text.into());
        self
    }

    /// A file that may be read. Paths are compared as they are written.
    pub fn file(mut self, path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        self.world.files.insert(path.into(), content.into());
        self
    }

    /// A file or a directory that may be read and written, with all that is in it.
    pub fn writable(mut self, path: impl Into<String>) -> Self {
        self.world.writable.push(path.into());
        self
    }

    /// An environment variable that may be read.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.world.env.insert(name.into(), value.into());
        self
    }

    /// The answer to requests for this very URL, whatever the method.
    pub fn response(mut self, url: impl Into<String>, status: u16, body: impl Into<Bytes>) -> Self {
        let answer = (status, body.into());
        self.world.responses.insert(url.into(), answer);
        self
    }

    /// A program that may be run, whatever its arguments: the code that it ends with, and its output.
    pub fn program(
        mut self,
        program: impl Into<String>,
        code: i32,
        stdout: impl Into<Bytes>,
    ) -> Self {
        let end = (code, stdout.into());
        self.world.programs.insert(program.into(), end);
        self
    }

    /// A key that the plugin's store has already.
    pub fn key(mut self, key: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.world.keys.insert(key.into(), value.into());
        self
    }

    /// A context as a plugin gets it, for tests of functions that take one. Its plugin is called `test`,
    /// and has the settings that were given, without any defaults.
    #[must_use]
    pub fn context(&self) -> Context {
        let shared = Arc::new(Mutex::new(self.world.clone()));
        let owner = Arc::new(UnderTest("the test".to_owned()));
        let services = here::services(self.services(shared), owner);
        let environment = Arc::new(self.environment.clone());
        Context::new("test", "0.0.0", environment, self.config.clone(), services)
    }

    pub(super) fn world(&self) -> World {
        self.world.clone()
    }

    pub(super) fn services(&self, world: Arc<Mutex<World>>) -> impl HostServices + use<> + 'static {
        Services {
            environment: self.environment.clone(),
            world,
        }
    }
}

impl World {
    /// What was asked so far.
    pub(super) fn audit(&self) -> &[AuditRecord] {
        &self.audit
    }
}
