//! A plugin's tool, and what its answers are worth.

use keyway_host::keyway::tool::{ToolHandle, ToolSpec};
use keyway_host::keyway::{ErrorKind, PluginError};
use keyway_host::{Host, ToolClient};
use serde_json::Value;

use crate::bench::CALL;
use crate::generate::Schema;
use crate::panics;
use crate::verdict::Verdict;

/// The longest input that a message shows whole.
const SHOWN: usize = 400;

/// A tool in one host.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) spec: ToolSpec,
    pub(crate) client: ToolClient,
    /// The same without the host's check of the arguments.
    pub(crate) handle: ToolHandle,
    pub(crate) schema: std::sync::Arc<Schema>,
}

/// What came of a call that went as calls may go.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    Answer,
    Refused(PluginError),
}

impl Tool {
    pub(crate) fn new(host: &Host, name: &str) -> Result<Self, Verdict> {
        let client = host.tool(name)?.with_deadline(CALL);
        let handle = host.capability::<ToolHandle>(name)?.with_deadline(CALL);
        let spec = client.spec().map_err(|error| {
            Verdict::failed(format!("tool `{name}` has no description: {error}"))
        })?;
        let schema = Schema::new(spec.input_schema.clone()).map_err(|error| {
            Verdict::failed(format!(
                "the input schema of tool `{name}` is none: {error}"
            ))
        })?;
        Ok(Tool {
            name: name.to_owned(),
            spec,
            client,
            handle,
            schema: schema.into(),
        })
    }

    pub(crate) fn is_destructive(&self) -> bool {
        self.spec.annotations.destructive == Some(true)
    }

    /// What is about to be done, for whoever reads of a crash.
    pub(crate) fn calling(&self, input: &str) -> String {
        format!("calling tool `{}` with {}", self.name, shown(input))
    }

    /// Calls it, with the host's check of the arguments; answers whether there was an answer.
    pub(crate) fn call(&self, host: &Host, input: Value) -> Result<bool, Verdict> {
        let text = input.to_string();
        match self.heard(host.block_on(self.client.call(input)), &text)? {
            Heard::Answer => Ok(true),
            Heard::Refused(_) => Ok(false),
        }
    }

    /// Whether a call went as calls may go: with an answer, or with an error that is told in order.
    pub(crate) fn heard(
        &self,
        answer: Result<Value, PluginError>,
        input: &str,
    ) -> Result<Heard, Verdict> {
        let elsewhere = || match panics::last() {
            None => Ok(()),
            Some(panic) => Err(panic.verdict().detail(format!("input: {}", shown(input)))),
        };
        match answer {
            Ok(_) => elsewhere().map(|()| Heard::Answer),
            Err(error) => match fault(&error) {
                None => elsewhere().map(|()| Heard::Refused(error)),
                Some((what, hint)) => Err(Verdict::failed(format!("tool `{}` {what}", self.name))
                    .detail(format!("input: {}", shown(input)))
                    .hint(hint)),
            },
        }
    }

    /// The same for the text that a tool answers.
    pub(crate) fn heard_text(
        &self,
        answer: Result<String, PluginError>,
        input: &str,
    ) -> Result<Heard, Verdict> {
        let answer = answer.map(|text| serde_json::from_str::<Value>(&text));
        match answer {
            Ok(Ok(value)) => self.heard(Ok(value), input),
            Ok(Err(error)) => {
                let error = PluginError::of(
                    ErrorKind::Malformed,
                    format!("tool `{}` answered what is not JSON: {error}", self.name),
                );
                Err(not_json(&self.name, &error, input))
            }
            // Of what goes in, it may well say that it does not read.
            Err(error) if error.kind() == ErrorKind::Malformed => Ok(Heard::Refused(error)),
            Err(error) => self.heard(Err(error), input),
        }
    }
}

fn not_json(tool: &str, error: &PluginError, input: &str) -> Verdict {
    Verdict::failed(format!(
        "tool `{tool}` failed the call: {}",
        error.message()
    ))
    .detail(format!("input: {}", shown(input)))
    .hint("answer JSON; #[keyway::tool] does that for any serde type")
}

/// What is wrong with an error, and what to do about it; none if it is one that a tool may answer.
fn fault(error: &PluginError) -> Option<(String, &'static str)> {
    let place = error
        .location()
        .map_or(String::new(), |at| format!(" (at {at})"));
    let message = error.message();
    match error.kind() {
        ErrorKind::Panicked => Some((
            format!("panicked: {message}{place}; expected an answer or an error"),
            "answer an error instead, such as PluginError::invalid_input",
        )),
        ErrorKind::DeadlineExceeded => Some((
            format!("did not answer within {CALL:?}; expected an answer or an error"),
            "bound what it waits for, and what it computes",
        )),
        ErrorKind::Malformed if error.error_code() == ErrorKind::Malformed.name() => Some((
            format!("failed the call: {message}"),
            "answer JSON; #[keyway::tool] does that for any serde type",
        )),
        ErrorKind::Unavailable | ErrorKind::Cancelled => Some((
            format!("was lost during the call: {message}"),
            "look for what ends the plugin, or its calls, by itself",
        )),
        _ => None,
    }
}

/// An input as far as it fits into a message.
pub(crate) fn shown(input: &str) -> String {
    if input.is_empty() {
        return "an empty text".to_owned();
    }
    if input.len() <= SHOWN {
        return input.to_owned();
    }
    let start: String = input.chars().take(SHOWN).collect();
    format!("{start}… ({} bytes)", input.len())
}
