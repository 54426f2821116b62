//! `keyway config set` and `keyway config unset`.

use std::collections::BTreeMap;
use std::path::Path;

use keyway_host::config::{self, Sources};
use keyway_host::manifest::{ConfigField, ConfigType, Manifest, PluginId};
use keyway_host::{Settings, suggestion};
use keyway_install::Home;
use serde::Serialize;
use serde_json::Value;

use super::manifest;
use crate::args::{ConfigSet, ConfigUnset, Place, StandIn};
use crate::edit::Edit;
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::failure::{Failure, SCHEMA_VERSION};
use crate::installation::{Installation, settings_file};
use crate::terminal::{Form, Terminal};

/// What is printed of a run.
#[derive(Debug, Serialize)]
struct Report<'a> {
    schema_version: u32,
    dry_run: bool,
    /// Whether the settings file says something else now.
    changed: bool,
    settings: &'a Path,
    /// `set`, `unset` or `keep`.
    action: &'static str,
    plugin: &'a str,
    key: &'a str,
}

pub(super) fn set(command: &ConfigSet, terminal: &Terminal) -> Outcome {
    let (id, key) = &command.key;
    let (mut edit, installation) = begin("keyway config set", &command.place, terminal)?;
    let survey = installation.survey(&StandIn::default())?;
    let manifest = manifest(survey.find(id)?)?;
    let field = field(manifest, key)?;
    let value = read(&field.ty, &command.value, id, key)?;
    check(manifest, key, field, &value, terminal)?;
    if matches!(field.ty, ConfigType::Secret) && !command.value.contains("${") {
        terminal.warning(&format!(
            "the secret {id}.{key} will stand in the settings file as plain text; `${{VARIABLE}}` keeps it in \
             the environment"
        ));
    }
    edit.set(id, &["config", key], value)?;
    finish(
        edit,
        &installation,
        &command.place,
        "set",
        (id, key),
        terminal,
    )
}

pub(super) fn unset(command: &ConfigUnset, terminal: &Terminal) -> Outcome {
    let (id, key) = &command.key;
    let (mut edit, installation) = begin("keyway config unset", &command.place, terminal)?;
    // The plugin may be gone, and what is left of it in the file is what is to go.
    edit.unset(id, &["config", key]);
    finish(
        edit,
        &installation,
        &command.place,
        "unset",
        (id, key),
        terminal,
    )
}

fn begin(doing: &str, place: &Place, terminal: &Terminal) -> Outcome<(Edit, Installation)> {
    let file = settings_file(&Home::of_user()?, place.config.as_deref())?;
    // The turn comes first, so that what is read is what is changed.
    let edit = Edit::begin(&file, doing, place.dry_run, terminal)?;
    Ok((edit, Installation::open(place.config.as_deref())?))
}

fn finish(
    edit: Edit,
    installation: &Installation,
    place: &Place,
    action: &'static str,
    (id, key): (&PluginId, &str),
    terminal: &Terminal,
) -> Outcome {
    let action = match edit.is_changed() {
        true => action,
        false => "keep",
    };
    edit.settings()?;
    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        dry_run: place.dry_run,
        changed: false,
        settings: &installation.settings_file,
        action,
        plugin: id.as_str(),
        key,
    };
    if !place.json {
        let why = if action == "keep" {
            "  as it is already"
        } else {
            ""
        };
        terminal.text(&format!("{action:<7}  {id}.{key}{why}\n"))?;
    }
    if !place.dry_run {
        report.changed = edit.write()?;
    }
    if place.json {
        terminal.json(&report, Form::ForReader)?;
    }
    if place.dry_run {
        terminal.note("nothing was changed, since this is a dry run");
    }
    Ok(())
}

/// What the manifest says of a setting.
fn field<'a>(manifest: &'a Manifest, key: &str) -> Outcome<&'a ConfigField> {
    if let Some(field) = manifest.config.get(key) {
        return Ok(field);
    }
    let message = format!("plugin '{}' declares no setting `{key}`", manifest.id);
    let failure = Failure::new(exit::USAGE, "unknown-setting", message);
    let names = manifest.config.keys().map(String::as_str);
    let hint = match suggestion(key, names.clone()) {
        Some(meant) => format!("did you mean {}.{meant}?", manifest.id),
        None if manifest.config.is_empty() => "it takes no settings".to_owned(),
        None => format!("it takes {}", names.collect::<Vec<_>>().join(", ")),
    };
    Err(Ending::from(failure.hint(hint)))
}

/// A value as it is written in the file: a text for what is a text, and for what variables make.
fn read(ty: &ConfigType, text: &str, id: &PluginId, key: &str) -> Outcome<toml_edit::Value> {
    let is_text = matches!(
        ty,
        ConfigType::String | ConfigType::Enum { .. } | ConfigType::Secret
    );
    if is_text || text.contains("${") {
        return Ok(text.into());
    }
    let wrong = |what: String| {
        let message = format!(
            "setting `{key}` of plugin '{id}' is of type {}: {what}",
            ty.name()
        );
        Ending::from(Failure::new(exit::USAGE, "config", message))
    };
    let json: Value = serde_json::from_str(text).map_err(|_| wrong(format!("found `{text}`")))?;
    toml(&json).ok_or_else(|| wrong("expected a value that TOML has".to_owned()))
}

fn toml(json: &Value) -> Option<toml_edit::Value> {
    Some(match json {
        Value::Bool(truth) => (*truth).into(),
        Value::String(text) => text.into(),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => integer.into(),
            None => number.as_f64()?.into(),
        },
        Value::Array(items) => {
            let items = items
                .iter()
                .map(toml)
                .collect::<Option<toml_edit::Array>>()?;
            items.into()
        }
        Value::Null | Value::Object(_) => return None,
    })
}

/// Compares the value with what the plugin's schema says of it, in the way in which the host does.
fn check(
    manifest: &Manifest,
    key: &str,
    field: &ConfigField,
    value: &toml_edit::Value,
    terminal: &Terminal,
) -> Outcome {
    let id = &manifest.id;
    let mut alone = toml_edit::DocumentMut::new();
    alone["plugin"][id.as_str()]["config"][key] = toml_edit::Item::Value(value.clone());
    let env = |name: &str| std::env::var_os(name);
    let wrong = |what: String| {
        let message = format!("`{id}.{key}` does not fit: {what}");
        Ending::from(
            Failure::new(exit::USAGE, "config", message)
                .hint(format!("keyway config schema {id} shows what fits")),
        )
    };
    let settings = Settings::from_toml(&alone.to_string(), Path::new("VALUE"), &env);
    let settings = settings.map_err(|error| wrong(error.to_string()))?;
    let Some(own) = settings.plugin(id.as_str()) else {
        return Ok(());
    };
    let schema = BTreeMap::from([(key.to_owned(), field.clone())]);
    let resolve = |env: &dyn Fn(&str) -> Option<std::ffi::OsString>| {
        config::resolve(&schema, &Sources::new(env).host(own)).map(drop)
    };
    let Err(error) = resolve(&env) else {
        return Ok(());
    };
    let message = error.message();
    let place = message.find("): ").map_or(message, |at| &message[at + 3..]);
    // Whoever runs the host may have another environment.
    if place.contains("needs the environment variable") {
        terminal.warning(&format!("`{id}.{key}` {place} here"));
        return Ok(());
    }
    Err(wrong(place.to_owned()))
}
