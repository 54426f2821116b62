//! Values of plugins' settings as they are written in the host's file.
//!
//! They stay like that until their plugin is configured, since only its manifest says what they are. So
//! nothing that was read from the environment is kept here, and nothing here prints itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::template::{Template, Unset};

/// Where in the host's file something is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Arc<Path>,
    /// Counted from 1.
    pub(crate) line: usize,
    /// In characters, counted from 1.
    pub(crate) column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column } = self;
        write!(f, "{}:{line}:{column}", file.display())
    }
}

/// A value as it is written.
#[derive(Clone, PartialEq)]
pub(crate) enum Written {
    /// A value that has no variables in it; neither an array nor a table.
    Plain(Value),
    /// A text with variables.
    Template(Template),
    Array(Vec<Written>),
    Table(BTreeMap<String, Written>),
}

/// A value whose variables were put in.
pub(crate) struct Filled {
    pub(crate) value: Value,
    /// What came in by variables, each with the variable as it is written.
    pub(crate) private: Vec<(String, String)>,
}

impl Written {
    /// Puts all variables in. A text that has some is given to `read`, and is what that makes of it.
    pub(crate) fn fill(
        &self,
        env: &dyn Fn(&str) -> Option<OsString>,
        read: &dyn Fn(String) -> Value,
    ) -> Result<Filled, Unset> {
        let mut private = Vec::new();
        let value = self.value(env, read, &mut private)?;
        Ok(Filled { value, private })
    }

    fn value(
        &self,
        env: &dyn Fn(&str) -> Option<OsString>,
        read: &dyn Fn(String) -> Value,
        private: &mut Vec<(String, String)>,
    ) -> Result<Value, Unset> {
        Ok(match self {
            Written::Plain(value) => value.clone(),
            Written::Template(template) => {
                let expanded = template.expand(env)?;
                private.extend(expanded.pieces);
                read(expanded.text)
            }
            Written::Array(items) => {
                let items = items.iter().map(|item| item.value(env, read, private));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Written::Table(entries) => {
                let mut table = Map::new();
                for (key, item) in entries {
                    table.insert(key.clone(), item.value(env, read, private)?);
                }
                Value::Object(table)
            }
        })
    }

    /// The value with its variables as they are written, for a setting that is no secret.
    pub(crate) fn shown(&self) -> Value {
        match self {
            Written::Plain(value) => value.clone(),
            Written::Template(template) => Value::String(template.shown(false)),
            Written::Array(items) => items.iter().map(Written::shown).collect(),
            Written::Table(entries) => {
                let entries = entries.iter();
                entries
                    .map(|(key, item)| (key.clone(), item.shown()))
                    .collect()
            }
        }
    }

    /// Whether it is one text, with variables.
    pub(crate) fn template(&self) -> Option<&Template> {
        match self {
            Written::Template(template) => Some(template),
            _ => None,
        }
    }

    /// Whether there is a variable in it anywhere.
    pub(crate) fn has_variables(&self) -> bool {
        match self {
            Written::Plain(_) => false,
            Written::Template(_) => true,
            Written::Array(items) => items.iter().any(Written::has_variables),
            Written::Table(entries) => entries.values().any(Written::has_variables),
        }
    }
}
