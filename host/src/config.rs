//! A plugin's configuration: what the application gave, completed and checked by the schema in the
//! plugin's manifest.
//!
//! All of this is decided from the manifest, before any code of the plugin runs. The values come
//! in and go out as JSON, and the environment is a function, so nothing here does IO. The value of
//! a secret is in no message.

mod words;

use std::collections::BTreeMap;
use std::ffi::OsString;

use keyway_manifest::{ConfigField, ConfigType, ConfigValue, ItemType};
use serde_json::{Map, Value};

use self::words::{expectation, kind_of, show};
use crate::error::{HostError, HostErrorKind};
use crate::suggest::suggestion;

/// The configuration that a plugin gets, with warnings about what its manifest does not declare.
///
/// A value is the application's own, or else that of the environment variable that the manifest
/// names, or else the default; an optional setting that has none of them is left out. What is
/// given without being declared is passed on as it is, with a warning.
///
/// # Errors
///
/// One [`HostErrorKind::Config`] with everything that does not fit.
pub(crate) fn resolve(
    schema: &BTreeMap<String, ConfigField>,
    given: &Map<String, Value>,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<(Map<String, Value>, Vec<String>), HostError> {
    let mut resolved = given.clone();
    let mut problems = Vec::new();
    for (name, field) in schema {
        match value_of(field, given.get(name), env) {
            Ok(Some(value)) => {
                resolved.insert(name.clone(), value);
            }
            Ok(None) => {}
            Err(what) => problems.push(Problem { name, field, what }),
        }
    }
    let undeclared = given.keys().filter(|name| !schema.contains_key(*name));
    let warnings: Vec<String> = undeclared
        .map(|name| {
            let mut warning = format!(
                "its manifest declares no setting `{name}`, whose value is passed on unchecked"
            );
            // Who gave a setting its value did not mean that one.
            let free = schema.keys().filter(|name| !given.contains_key(*name));
            if let Some(similar) = suggestion(name, free.map(String::as_str)) {
                warning.push_str(&format!("; did you mean `{similar}`?"));
            }
            warning
        })
        .collect();
    if problems.is_empty() {
        Ok((resolved, warnings))
    } else {
        Err(refusal(&problems, &warnings))
    }
}

/// Why one setting has no value.
struct Problem<'a> {
    name: &'a str,
    field: &'a ConfigField,
    what: String,
}

fn value_of(
    field: &ConfigField,
    given: Option<&Value>,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Option<Value>, String> {
    if let Some(value) = given {
        check(&field.ty, value)?;
        return Ok(Some(value.clone()));
    }
    let variable = field.env.as_deref();
    if let Some((variable, text)) = variable.and_then(|name| Some((name, env(name)?))) {
        let form = match field.ty {
            ConfigType::Array { .. } => ", read as JSON",
            _ => "",
        };
        return from_variable(&field.ty, text)
            .map(Some)
            .map_err(|what| format!("environment variable {variable}{form}: {what}"));
    }
    if let Some(default) = &field.default {
        return default_value(default).map(Some);
    }
    if field.required {
        return Err(format!(
            "required, expected {}, found no value",
            expectation(&field.ty)
        ));
    }
    Ok(None)
}

/// Reads the text of an environment variable: as it is where the setting is a text, else as JSON.
fn from_variable(ty: &ConfigType, text: OsString) -> Result<Value, String> {
    let text = text
        .into_string()
        // The text itself is not shown: it may be a secret.
        .map_err(|_| format!("expected {}, found text that is not UTF-8", expectation(ty)))?;
    let is_text = matches!(
        ty,
        ConfigType::String | ConfigType::Enum { .. } | ConfigType::Secret
    );
    // What is no JSON is taken for a text, which does not fit and is told as what was found.
    let value = match serde_json::from_str(&text) {
        Ok(value) if !is_text => value,
        _ => Value::String(text),
    };
    check(ty, &value).map(|()| value)
}

fn default_value(default: &ConfigValue) -> Result<Value, String> {
    match default {
        ConfigValue::String(text) => Ok(Value::from(text.as_str())),
        ConfigValue::Integer(number) => Ok(Value::from(*number)),
        ConfigValue::Number(number) => Ok(Value::from(*number)),
        ConfigValue::Boolean(truth) => Ok(Value::from(*truth)),
        ConfigValue::Array(items) => items.iter().map(default_value).collect(),
        _ => Err("this version of the host cannot read its default".to_owned()),
    }
}

/// Whether a value is of the type and within its bounds.
fn check(ty: &ConfigType, value: &Value) -> Result<(), String> {
    let fits = match ty {
        ConfigType::String | ConfigType::Secret => value.is_string(),
        ConfigType::Boolean => value.is_boolean(),
        ConfigType::Integer { min, max } => value
            .as_i64()
            .is_some_and(|number| within(number, *min, *max)),
        ConfigType::Number { min, max } => value
            .as_f64()
            .is_some_and(|number| number.is_finite() && within(number, *min, *max)),
        ConfigType::Enum { values } => value
            .as_str()
            .is_some_and(|text| values.iter().any(|choice| choice == text)),
        ConfigType::Array { items } => {
            let misfit = value.as_array().map(|array| {
                let mut array = array.iter().enumerate();
                array.find(|(_, item)| !item_fits(*items, item))
            });
            if let Some(Some((index, item))) = misfit {
                return Err(format!(
                    "expected {}, found {} at index {index}",
                    expectation(ty),
                    show(item)
                ));
            }
            misfit.is_some()
        }
        other => {
            return Err(format!(
                "this version of the host knows no type `{}`",
                other.name()
            ));
        }
    };
    if fits {
        return Ok(());
    }
    let found = match ty {
        ConfigType::Secret => kind_of(value).to_owned(),
        _ => show(value),
    };
    let mut what = format!("expected {}, found {found}", expectation(ty));
    if let (ConfigType::Enum { values }, Some(text)) = (ty, value.as_str())
        && let Some(similar) = suggestion(text, values.iter().map(String::as_str))
    {
        what.push_str(&format!(", did you mean \"{similar}\"?"));
    }
    Err(what)
}

fn within<T: PartialOrd>(value: T, min: Option<T>, max: Option<T>) -> bool {
    min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max)
}

fn item_fits(ty: ItemType, item: &Value) -> bool {
    match ty {
        ItemType::String => item.is_string(),
        ItemType::Integer => item.is_i64(),
        ItemType::Number => item.as_f64().is_some_and(f64::is_finite),
        ItemType::Boolean => item.is_boolean(),
        _ => false,
    }
}

fn refusal(problems: &[Problem<'_>], warnings: &[String]) -> HostError {
    let told: Vec<String> = problems
        .iter()
        .map(|Problem { name, what, .. }| format!("setting `{name}`: {what}"))
        .collect();
    let (it, key) = match problems {
        [only] => ("it", only.name),
        _ => ("them", "KEY"),
    };
    let mut hint = format!(
        "set {it} with `LoadOptions::config`, or with `--config {key}=JSON` of the keyway command"
    );
    let variables: Vec<String> = problems
        .iter()
        .filter_map(|Problem { name, field, .. }| {
            let variable = field.env.as_ref()?;
            Some(format!("`{name}` with the environment variable {variable}"))
        })
        .collect();
    if !variables.is_empty() {
        hint.push_str(&format!("; {}", variables.join(", ")));
    }
    // A value that is missing may have been given under a misspelt name.
    for warning in warnings {
        hint.push_str(&format!("; {warning}"));
    }
    HostError::new(HostErrorKind::Config, told.join("; ")).hint(hint)
}

#[cfg(test)]
mod tests;
