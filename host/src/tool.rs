//! Calling tools with JSON, with the arguments checked before the plugin sees them.

use std::fmt;
use std::future::{Future, poll_fn};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use keyway::capability::Capability;
use keyway::tool::{Tool, ToolHandle, ToolSpec};
use keyway::{ErrorKind, PluginError, Result};
use serde_json::Value;

use crate::error::{HostError, HostErrorKind};
use crate::extension::make_absolute;
use crate::host::WeakHost;
use crate::plan::Trigger;
use crate::policy::Arguments;
use crate::registry::{Key, Registry};

/// What a plugin says of a tool, with its schema compiled.
pub(crate) struct ToolFacts {
    spec: ToolSpec,
    schema: jsonschema::Validator,
    /// The most bytes of JSON that go in or come out.
    max_payload: Option<u64>,
}

impl ToolFacts {
    pub(crate) fn new(
        name: &str,
        spec: ToolSpec,
        max_payload: Option<u64>,
    ) -> std::result::Result<Self, HostError> {
        let schema = jsonschema::validator_for(&spec.input_schema).map_err(|error| {
            HostError::new(
                HostErrorKind::Registration,
                format!("the input schema of tool `{name}` is not a valid JSON Schema: {error}"),
            )
        })?;
        Ok(ToolFacts {
            spec,
            schema,
            max_payload,
        })
    }

    /// Whether so much may cross at once; `what` says what it is.
    fn check_size(&self, what: &str, kind: ErrorKind, bytes: usize) -> Result<()> {
        match self.max_payload {
            Some(most) if bytes as u64 > most => Err(PluginError::of(
                kind,
                format!(
                    "{what} of tool `{}` is too large: expected at most {most} bytes of JSON, found \
                     {bytes}",
                    self.spec.name
                ),
            )
            .code("payload-too-large")),
            _ => Ok(()),
        }
    }

    fn check(&self, arguments: &Value) -> Result<()> {
        if self.schema.is_valid(arguments) {
            return Ok(());
        }
        let mut problems = self.schema.iter_errors(arguments).map(|error| {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() {
                "the arguments".to_owned()
            } else {
                place
            };
            format!("{place}: {error}")
        });
        let first = problems.next().unwrap_or_default();
        let rest = problems.count();
        let more = if rest > 0 {
            format!(" (and {rest} more)")
        } else {
            String::new()
        };
        Err(PluginError::of(
            ErrorKind::InvalidInput,
            format!(
                "the arguments of tool `{}` do not fit: {first}{more}",
                self.spec.name
            ),
        )
        .code("invalid-arguments"))
    }
}

/// A tool of a plugin. Cheap to clone, and valid over reloads.
#[derive(Clone)]
pub struct ToolClient {
    handle: ToolHandle,
    key: Arc<Key>,
    registry: Arc<Registry>,
    /// Who starts the plugin, should it not run yet.
    host: WeakHost,
    /// Where paths among the arguments begin, if the host does not say it.
    work_dir: Option<Arc<Path>>,
}

impl ToolClient {
    pub(crate) fn new(
        registry: &Arc<Registry>,
        host: WeakHost,
        name: &str,
    ) -> std::result::Result<Self, HostError> {
        // Before the handle, whose error compares the name with all others.
        let is_dormant = || {
            let host = host.upgrade();
            host.is_some_and(|host| host.is_dormant(Trigger::Tool(name)))
        };
        let handle = match !registry.is_offered::<ToolHandle>(name) && is_dormant() {
            true => registry.expected::<ToolHandle>(name)?,
            false => registry.handle::<ToolHandle>(name)?,
        };
        let key = Key {
            id: ToolHandle::ID.to_owned(),
            major: ToolHandle::MAJOR,
            name: name.to_owned(),
        };
        Ok(ToolClient {
            handle,
            key: Arc::new(key),
            registry: Arc::clone(registry),
            host,
            work_dir: None,
        })
    }

    /// What the tool does and takes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when no plugin serves the tool at the moment.
    pub fn spec(&self) -> Result<ToolSpec> {
        Ok(self.facts()?.spec.clone())
    }

    /// The same tool with a deadline for each call.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        ToolClient {
            handle: self.handle.with_deadline(deadline),
            ..self.clone()
        }
    }

    /// The same tool with another directory that paths among its arguments are relative to, and must not lead
    /// out of. Default: [`HostBuilder::work_dir`](crate::HostBuilder::work_dir).
    #[must_use]
    pub fn with_work_dir(&self, dir: impl AsRef<Path>) -> Self {
        ToolClient {
            work_dir: Some(dir.as_ref().into()),
            ..self.clone()
        }
    }

    /// Calls the tool. Where its plugin is one that starts when it is first needed, that is now.
    ///
    /// Arguments that are [paths](keyway::tool::PathParameter) are made absolute before, and looked at: they
    /// must not lead out of the [directory](Self::with_work_dir) that they belong to.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when the arguments do not fit the tool's schema, or are larger than the
    /// plugin's `max_payload_bytes` and the host's [limit](crate::HostBuilder::max_payload) allow, in which
    /// case the plugin was not called; [`ErrorKind::Malformed`] when the answer is larger than that or not
    /// JSON; [`ErrorKind::Denied`] with the code `path-escapes`, in which case it was
    /// not either; otherwise whatever the call answers.
    pub async fn call(&self, mut arguments: Value) -> Result<Value> {
        let facts = self.awake().await?;
        facts.check(&arguments)?;
        make_absolute(&facts.spec, &self.work_dir(), &mut arguments)?;
        let text = arguments.to_string();
        facts.check_size("what goes into a call", ErrorKind::InvalidInput, text.len())?;
        let arguments = Arguments::new(arguments);
        let mut call = pin!(self.handle.call(text));
        let answer = poll_fn(|cx| arguments.of_call(|| call.as_mut().poll(cx)));
        let answer = answer.await?;
        facts.check_size("the answer", ErrorKind::Malformed, answer.len())?;
        serde_json::from_str(&answer).map_err(|error| {
            PluginError::of(
                ErrorKind::Malformed,
                format!(
                    "tool `{}` answered what is not JSON: {error}",
                    self.key.name
                ),
            )
        })
    }

    fn work_dir(&self) -> PathBuf {
        let own = self.work_dir.as_deref().map(Path::to_owned);
        let of_host = || self.host.upgrade()?.options().work_dir.clone();
        own.or_else(of_host).unwrap_or_else(|| PathBuf::from("."))
    }

    /// What is known of the tool, once its plugin runs.
    async fn awake(&self) -> Result<Arc<ToolFacts>> {
        if let Some(facts) = self.registry.tool_facts(&self.key) {
            return Ok(facts);
        }
        let trigger = Trigger::Tool(&self.key.name);
        match self.host.upgrade() {
            Some(host) if host.is_dormant(trigger) => {
                host.activate(trigger)
                    .await
                    .map_err(|error| not_started(&self.key.name, &error))?;
            }
            _ => {}
        }
        self.facts()
    }

    fn facts(&self) -> Result<Arc<ToolFacts>> {
        self.registry.tool_facts(&self.key).ok_or_else(|| {
            PluginError::of(
                ErrorKind::Unavailable,
                format!("no plugin serves tool `{}` at the moment", self.key.name),
            )
        })
    }
}

/// For a tool whose plugin was to be started for it.
#[cold]
fn not_started(name: &str, error: &HostError) -> PluginError {
    PluginError::of(
        ErrorKind::Unavailable,
        format!("the plugin of tool `{name}` was not started: {error}"),
    )
    .code("not-started")
}

impl fmt::Debug for ToolClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ToolClient").field(&self.key.name).finish()
    }
}
