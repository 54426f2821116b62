//! The tables `[plugin.ID]`: what is said of single plugins.
//!
//! What stands where a setting may stand is not repeated in any message.

use std::collections::BTreeMap;

use keyway_manifest::PluginId;
use keyway_manifest::document::{self, Field, Keys, Meant, Problem, Report, Table, Value};
use keyway_manifest::limits::MAX_NAME_CHARS;
use serde_json::Number;

use super::Source;
use crate::settings::PluginSettings;
use crate::settings::template::{Parsed, Template};
use crate::settings::written::{Place, Written};

pub(super) const KEYS: Keys = Keys {
    listed: &["enabled", "config", "permissions"],
    aliases: &[],
    elsewhere: &[(
        "permissions",
        &["network", "filesystem", "env", "subprocess"],
    )],
};

pub(super) fn all(
    field: &Field<'_>,
    source: &Source<'_>,
    report: &mut Report,
) -> Option<BTreeMap<PluginId, PluginSettings>> {
    let table = table(field, report)?;
    let mut plugins = BTreeMap::new();
    for (entry, field) in table.fields() {
        let id = match PluginId::new(&entry.key) {
            Ok(id) => Some(id),
            Err(fault) => {
                let message = format!("the plugin id `{}` {fault}", document::text(&entry.key));
                let problem = Problem::new(&entry.key_span, &field.path, message);
                report.push(document::bad_id(problem, &entry.key));
                None
            }
        };
        let is_list = matches!(field.node.value, Value::Array(_));
        if is_list && super::lists::KEYS.contains(&entry.key) {
            // The one letter between [plugin] and [plugins] decides whether there is a list.
            let message = format!("`{}` has the wrong type", field.path);
            let problem = Problem::new(&field.node.span, "plugin", message)
                .expected("a table")
                .found("an array");
            report.push(problem.hint(format!("did you mean `plugins.{}`?", entry.key)));
            continue;
        }
        let settings = plugin(&field, source, report);
        if let (Some(id), Some(settings)) = (id, settings) {
            plugins.insert(id, settings);
        }
    }
    Some(plugins)
}

fn plugin(field: &Field<'_>, source: &Source<'_>, report: &mut Report) -> Option<PluginSettings> {
    let table = table(field, report)?;
    for (entry, _) in table.fields() {
        if KEYS.contains(&entry.key) {
            continue;
        }
        let hint = match KEYS.meant_by(&entry.key) {
            Meant::Key(key) => format!("did you mean `{key}`?"),
            Meant::Elsewhere(path) => format!("did you mean `{}.{path}`?", table.path),
            Meant::Unclear => format!("the plugin's own settings go under [{}.config]", table.path),
        };
        table.unknown_key(entry, &KEYS.expected(), Some(hint), report);
    }
    let enabled = table.get("enabled").and_then(|field| {
        let Value::Boolean(enabled) = field.node.value else {
            report.push(concealed(&field, "true or false"));
            return None;
        };
        Some(enabled)
    });
    let permissions = table
        .get("permissions")
        .and_then(|field| document::permissions(&field, report));
    let config = table
        .get("config")
        .and_then(|field| config(&field, source, report));
    Some(PluginSettings {
        enabled,
        permissions,
        config: config.unwrap_or_default(),
    })
}

fn config(
    field: &Field<'_>,
    source: &Source<'_>,
    report: &mut Report,
) -> Option<BTreeMap<String, (Place, Written)>> {
    let table = table(field, report)?;
    let mut config = BTreeMap::new();
    for (entry, field) in table.fields() {
        let name = &entry.key;
        if !document::is_identifier(name, b"_-") || name.len() > MAX_NAME_CHARS {
            let message = format!("`{}` is no name of a setting", field.path);
            report.push(
                Problem::new(&field.key_span, &field.path, message).expected(format!(
                    "1 to {MAX_NAME_CHARS} ASCII letters, digits, `_` and `-`, \
                     starting with a letter or `_`"
                )),
            );
        }
        if let Some(written) = written(&field, report) {
            config.insert(name.clone(), (source.place(&field), written));
        }
    }
    Some(config)
}

/// A value as it is written; the depth of the tree is bounded by its reader.
fn written(field: &Field<'_>, report: &mut Report) -> Option<Written> {
    let expected = "a string, a number, true, false, an array or a table";
    Some(match &field.node.value {
        Value::Boolean(truth) => Written::Plain((*truth).into()),
        Value::Integer(number) => Written::Plain((*number).into()),
        Value::Number(number) => Written::Plain(Number::from_f64(*number)?.into()),
        Value::String(text) => match Template::parse(text) {
            Ok(Parsed::Plain(text)) => Written::Plain(text.into()),
            Ok(Parsed::Template(template)) => Written::Template(template),
            Err(malformed) => {
                let (what, hint) = malformed.words();
                report.push(field.problem(what).hint(hint));
                return None;
            }
        },
        Value::Array(_) => {
            let mut items = Vec::new();
            for item in field.elements("an array", report)? {
                items.push(written(&item, report));
            }
            Written::Array(items.into_iter().collect::<Option<_>>()?)
        }
        Value::Table(_) => {
            let mut entries = BTreeMap::new();
            for (entry, field) in field.table(report)?.fields() {
                entries.insert(entry.key.clone(), written(&field, report));
            }
            let entries = entries.into_iter().map(|(key, value)| Some((key, value?)));
            Written::Table(entries.collect::<Option<_>>()?)
        }
        Value::Unrepresentable(_) => {
            let problem = field.problem("is out of range");
            report.push(problem.expected("an integer of 64 bits, or a finite number"));
            return None;
        }
        Value::DateTime => {
            let problem = concealed(field, expected);
            report.push(problem.hint("write it as a string, in double quotes"));
            return None;
        }
        Value::Null => {
            report.push(concealed(field, expected));
            return None;
        }
    })
}

/// A table in whose place a secret might stand.
fn table<'t>(field: &Field<'t>, report: &mut Report) -> Option<Table<'t>> {
    match field.node.value {
        Value::Table(_) => field.table(report),
        _ => {
            report.push(concealed(field, "a table"));
            None
        }
    }
}

/// The problem that a value is of the wrong type, which does not tell the value.
fn concealed(field: &Field<'_>, expected: &str) -> Problem {
    let found = match field.node.value {
        Value::Null => "null",
        Value::Boolean(_) => "a boolean",
        Value::Integer(_) | Value::Number(_) | Value::Unrepresentable(_) => "a number",
        Value::String(_) => "a string",
        Value::DateTime => "a date or time",
        Value::Array(_) => "an array",
        Value::Table(_) => "a table",
    };
    let problem = field.problem("has the wrong type");
    problem.expected(expected).found(found)
}
