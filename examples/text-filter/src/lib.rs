//! A plugin that finds and replaces secrets and personal data in text.
//!
//! The work is done by [`engine`]; this file is all that makes it a plugin: a tool and a pipeline
//! stage, both named `redact`.

pub mod engine;

use std::sync::Arc;

use engine::{CustomPattern, DEFAULT_REPLACEMENT, Finding, Kinds, Options, Redactor};
use keyway::pipeline::{PipelineStage, StagePhase};
use keyway::{Activation, Context, Json, Plugin, PluginError, Result, ResultExt, export_plugin};
use serde::Deserialize;
use serde_json::Value;

/// The plugin.
#[derive(Debug)]
pub struct TextFilter {
    redactor: Arc<Redactor>,
}

export_plugin!(TextFilter);

/// The settings of `plugin.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    replacement: Option<String>,
    custom_patterns: Vec<String>,
}

impl Plugin for TextFilter {
    async fn prepare(context: Context) -> Result<Self> {
        let settings: Settings = context.config()?;
        let custom = settings
            .custom_patterns
            .iter()
            .map(|line| custom_pattern(line));
        let options = Options {
            custom: custom.collect::<Result<_>>()?,
            replacement: settings
                .replacement
                .unwrap_or_else(|| DEFAULT_REPLACEMENT.to_owned()),
        };
        let redactor = Redactor::new(options).context("invalid setting `custom_patterns`")?;
        Ok(TextFilter {
            redactor: Arc::new(redactor),
        })
    }

    async fn activate(&self, activation: &mut Activation) -> Result<()> {
        activation.tool_with::<redact>(Arc::clone(&self.redactor))?;
        activation.pipeline_stage(
            "redact",
            Stage {
                redactor: Arc::clone(&self.redactor),
            },
        )?;
        Ok(())
    }
}

fn custom_pattern(line: &str) -> Result<CustomPattern> {
    let (name, pattern) = line.split_once('=').ok_or_else(|| {
        PluginError::invalid_input(format!(
            "setting `custom_patterns`: expected name=pattern, found `{line}`"
        ))
    })?;
    Ok(CustomPattern {
        name: name.trim().to_owned(),
        pattern: pattern.to_owned(),
    })
}

/// What `redact` takes.
#[keyway::data]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub struct RedactArguments {
    /// The text to search.
    pub text: String,
    /// Which kinds of findings to replace; all where it is left out. Known are email, phone, ip,
    /// iban, payment-card, aws-key, github-token, jwt, private-key, and the names of custom
    /// patterns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<String>>,
    /// What stands in the place of a finding; `{kind}` is its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
}

/// What `redact` answers.
#[keyway::data]
#[derive(Debug, PartialEq)]
pub struct RedactAnswer {
    /// The text with every finding replaced.
    pub text: String,
    /// What was found, in order.
    pub findings: Vec<FoundIn>,
}

/// One finding.
#[keyway::data]
#[derive(Debug, PartialEq)]
pub struct FoundIn {
    /// What it is.
    pub kind: String,
    /// Where it starts in the original text, in bytes.
    pub start: usize,
    /// Where it ends in the original text, in bytes.
    pub end: usize,
}

impl From<Finding> for FoundIn {
    fn from(finding: Finding) -> Self {
        FoundIn {
            kind: finding.kind.to_string(),
            start: finding.start,
            end: finding.end,
        }
    }
}

/// Replaces secrets and personal data in a text: e-mail addresses, phone numbers, IP addresses,
/// IBANs, payment cards, AWS keys, GitHub tokens, JWTs, private keys and custom patterns.
/// Answers the new text, and each finding with its kind and byte range in the original.
#[keyway::tool]
pub async fn redact(redactor: &Arc<Redactor>, arguments: RedactArguments) -> Result<RedactAnswer> {
    let RedactArguments {
        text,
        kinds,
        replacement,
    } = arguments;
    let kinds = select(redactor, kinds.as_deref())?;
    let redacted = redactor.redact(&text, &kinds, replacement.as_deref());
    Ok(RedactAnswer {
        text: redacted.text,
        findings: redacted.findings.into_iter().map(FoundIn::from).collect(),
    })
}

fn select(redactor: &Redactor, kinds: Option<&[String]>) -> Result<Kinds> {
    match kinds {
        None => Ok(redactor.all()),
        Some(names) => redactor
            .select(names)
            .map_err(|error| PluginError::invalid_input(error.to_string()).code("unknown-kind")),
    }
}

/// Redacts every text inside a message, whatever the message's shape.
struct Stage {
    redactor: Arc<Redactor>,
}

impl PipelineStage for Stage {
    fn phase(&self) -> Result<Json<StagePhase>> {
        Ok(Json(StagePhase::Pre))
    }

    async fn process(&self, message: Json<Value>) -> Result<Json<Value>> {
        let Json(mut message) = message;
        let kinds = self.redactor.all();
        redact_texts(&self.redactor, &kinds, &mut message);
        Ok(Json(message))
    }
}

fn redact_texts(redactor: &Redactor, kinds: &Kinds, value: &mut Value) {
    match value {
        Value::String(text) => *text = redactor.redact(text, kinds, None).text,
        Value::Array(values) => {
            values
                .iter_mut()
                .for_each(|value| redact_texts(redactor, kinds, value));
        }
        Value::Object(fields) => {
            fields
                .values_mut()
                .for_each(|value| redact_texts(redactor, kinds, value));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use keyway::pipeline::{PipelineStage, PipelineStageHandle};
    use keyway::testing::{TestContext, TestPlugin, block_on};
    use keyway::{Json, PluginError, Result};
    use serde_json::json;

    use super::TextFilter;

    fn plugin(config: serde_json::Value) -> Result<TestPlugin<TextFilter>> {
        block_on(TestPlugin::activate(TestContext::new().config(config)))
    }

    #[test]
    fn it_registers_what_its_manifest_declares() {
        let plugin = plugin(json!({})).expect("it activates");
        assert!(plugin.has("tool", "redact") && plugin.has("pipeline_stage", "redact"));
        plugin.contract().assert_kept();
    }

    #[test]
    fn settings_reach_the_tool_and_the_stage() -> Result<()> {
        let plugin =
            plugin(json!({ "replacement": "*", "custom_patterns": ["ticket=ACME-[0-9]+"] }))?;
        let answer = block_on(plugin.call("redact", json!({ "text": "see ACME-7" })))?;
        assert_eq!(answer["text"], "see *");
        let stage = plugin.capability::<PipelineStageHandle>("redact")?;
        let message = json!({ "from": "bob@example.com", "subject": ["ACME-8", 3] });
        let Json(message) = block_on(stage.process(Json(message)))?;
        assert_eq!(message, json!({ "from": "*", "subject": ["*", 3] }));
        Ok(())
    }

    #[test]
    fn a_pattern_that_is_none_keeps_it_from_starting() {
        let refused = |line: &str| {
            let error = plugin(json!({ "custom_patterns": [line] })).expect_err("it is no pattern");
            PluginError::message(&error).to_owned()
        };
        assert_eq!(
            refused("[0-9]+"),
            "setting `custom_patterns`: expected name=pattern, found `[0-9]+`"
        );
        assert!(refused("broken=[").contains("custom_patterns"));
    }
}
