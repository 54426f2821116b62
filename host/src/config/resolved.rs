//! A configuration that was completed and checked: the values for the plugin, and what may be shown of
//! them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::secrets::Secrets;
use crate::settings::{Place, Written};

/// What stands for a value that is not shown.
pub(super) const REDACTED: &str = "[redacted]";

/// Where the value of a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigOrigin {
    /// The application gave it, with [`LoadOptions::config`](crate::LoadOptions::config).
    Given,
    /// The host's file has it.
    HostConfig {
        /// The file.
        file: Arc<Path>,
        /// The line, counted from 1.
        line: usize,
        /// The column in characters, counted from 1.
        column: usize,
    },
    /// The environment variable that the manifest names for it.
    Env(String),
    /// The manifest's own default.
    Default,
}

impl ConfigOrigin {
    pub(super) fn at(place: &Place) -> Self {
        ConfigOrigin::HostConfig {
            file: Arc::clone(&place.file),
            line: place.line,
            column: place.column,
        }
    }
}

impl fmt::Display for ConfigOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigOrigin::Given => f.write_str("given by the application"),
            ConfigOrigin::HostConfig { file, line, column } => {
                write!(f, "{}:{line}:{column}", file.display())
            }
            ConfigOrigin::Env(variable) => write!(f, "environment variable {variable}"),
            ConfigOrigin::Default => f.write_str("default"),
        }
    }
}

/// The value of one setting, as far as it may be shown.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConfigValue {
    /// The name of the setting.
    pub name: String,
    /// The value. If it is not to be shown: the `${VARIABLE}`s that it is written with, or else the
    /// text `[redacted]`.
    pub value: Value,
    /// Where it comes from.
    pub origin: ConfigOrigin,
    /// Whether the value itself is not shown: the manifest says that it is a secret, or it came in by a
    /// `${VARIABLE}`, or the manifest does not declare the setting, so that nobody knows.
    pub secret: bool,
}

/// The setting and its origin on one line.
impl fmt::Display for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConfigValue {
            name,
            value,
            origin,
            ..
        } = self;
        write!(f, "{name} = {value} ({origin})")
    }
}

/// One setting with its value.
pub(super) struct Setting {
    pub(super) value: Value,
    /// What may be shown in its place.
    pub(super) shown: Value,
    pub(super) origin: ConfigOrigin,
    pub(super) secret: bool,
    /// Texts that nobody may see, with what stands for each.
    pub(super) private: Vec<(String, String)>,
}

impl Setting {
    /// A value that anyone may see.
    pub(super) fn plain(value: Value, origin: ConfigOrigin) -> Self {
        Setting {
            shown: value.clone(),
            value,
            origin,
            secret: false,
            private: Vec::new(),
        }
    }

    pub(super) fn secret(name: &str, value: Value, origin: ConfigOrigin) -> Self {
        let mut private = Vec::new();
        texts(&value, &mut |text| {
            private.push((text.to_owned(), format!("[redacted {name}]")));
        });
        Setting {
            value,
            shown: REDACTED.into(),
            origin,
            secret: true,
            private,
        }
    }

    /// A value of which nobody knows whether it is a secret, perhaps under a misspelt name. That it
    /// may be one is reason enough not to show it; to take it out of what others write, there has to
    /// be a secret that it may be.
    pub(super) fn undeclared(
        name: &str,
        value: Value,
        origin: ConfigOrigin,
        may_be_meant: bool,
    ) -> Self {
        let mut setting = Setting::secret(name, value, origin);
        if !may_be_meant {
            setting.private.clear();
        }
        setting
    }

    /// Shows the variables that a secret is written with, where it is one text.
    pub(super) fn show_variables(&mut self, written: &Written) {
        if let Some(template) = written.template() {
            self.shown = template.shown(true).into();
        }
    }
}

/// All texts in a value.
fn texts(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, visit)),
        Value::Object(entries) => entries.values().for_each(|item| texts(item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The configuration of a plugin: every value with its origin.
///
/// No form that it prints in, and nothing that is public, has a value that is not to be shown; the
/// plugin alone gets those.
#[derive(Clone, Default)]
pub struct Resolved {
    /// What the plugin gets.
    values: Map<String, Value>,
    /// What may be shown of it, sorted by name.
    shown: Vec<ConfigValue>,
    warnings: Vec<String>,
    secrets: Secrets,
}

impl Resolved {
    pub(super) fn new(settings: BTreeMap<&str, Setting>, warnings: Vec<String>) -> Self {
        let mut values = Map::new();
        let mut shown = Vec::new();
        let mut private = Vec::new();
        for (name, setting) in settings {
            shown.push(ConfigValue {
                name: name.to_owned(),
                value: setting.shown,
                origin: setting.origin,
                secret: setting.secret,
            });
            private.extend(setting.private);
            values.insert(name.to_owned(), setting.value);
        }
        Resolved {
            values,
            shown,
            warnings,
            secrets: Secrets::new(private),
        }
    }

    /// Every setting that has a value, sorted by name, as far as it may be shown.
    pub fn shown(&self) -> &[ConfigValue] {
        &self.shown
    }

    /// What is to be said of settings that the manifest does not declare.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// One object with an entry for each setting: `value`, as far as it may be shown, `origin` and
    /// `secret`.
    pub fn to_json_redacted(&self) -> Value {
        let entries = self.shown.iter().map(|setting| {
            let ConfigValue {
                name,
                value,
                origin,
                secret,
            } = setting;
            let entry = json!({ "value": value, "origin": origin.to_string(), "secret": secret });
            (name.clone(), entry)
        });
        Value::Object(entries.collect())
    }

    /// What the plugin gets; it is not to be shown.
    pub(crate) fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// What is to be taken out of texts that others write.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

/// One line for each setting.
impl fmt::Display for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, setting) in self.shown.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{setting}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved")
            .field("shown", &self.shown)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}
