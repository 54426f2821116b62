//! The rows that come from a plugin's manifest.

use keyway_host::manifest::{
    Access, ConfigField, ConfigType, ConfigValue, Manifest, Permissions, Reload, Resources,
};

use super::Table;

pub(super) fn rows(table: &mut Table, manifest: &Manifest) {
    let bounds = match &manifest.max_host_version {
        Some(newest) => format!("{} to {newest}", manifest.min_host_version),
        None => format!("{} or newer", manifest.min_host_version),
    };
    table.row("host version", &bounds);
    table.row("isolation", &manifest.isolation.to_string());
    group(table, "authors", manifest.authors.iter().cloned());
    group(table, "license", manifest.license.iter().cloned());
    group(table, "homepage", manifest.homepage.iter().cloned());
    if manifest.capabilities.is_empty() {
        table.row("capabilities", "none");
    }
    let widest = manifest.capabilities.ids().map(str::len).max().unwrap_or(0);
    let offers = manifest.capabilities.declared();
    group(
        table,
        "capabilities",
        offers.map(|(id, name)| format!("{id:widest$}  {name}")),
    );
    let dependencies = manifest.dependencies.iter().map(|(id, dependency)| {
        let optional = if dependency.optional {
            " (optional)"
        } else {
            ""
        };
        format!("{id} {}{optional}", dependency.requirement)
    });
    group(table, "depends on", dependencies);
    if manifest.permissions.is_empty() {
        table.row("permissions", "none");
    }
    group(table, "permissions", permissions(&manifest.permissions));
    group(table, "resources", resources(&manifest.resources));
    group(table, "reload", reload(&manifest.reload));
    group(table, "config", manifest.config.iter().flat_map(setting));
}

/// One row for each value, and the label once.
fn group(table: &mut Table, label: &str, values: impl Iterator<Item = String>) {
    for (index, value) in values.enumerate() {
        if index == 0 {
            table.row(label, &value);
        } else {
            table.continued(&value);
        }
    }
}

fn permissions(permissions: &Permissions) -> impl Iterator<Item = String> {
    let Permissions {
        network,
        filesystem,
        env,
        subprocess,
        ..
    } = permissions;
    let env = Access::from(env.clone());
    let kinds = [
        ("network", network),
        ("read", &filesystem.read),
        ("write", &filesystem.write),
        ("env", &env),
        ("subprocess", subprocess),
    ];
    let asked = kinds.into_iter().filter(|(_, access)| !access.is_none());
    asked
        .map(|(kind, access)| match access {
            Access::Only(patterns) => format!("{kind:10}  {}", patterns.join(", ")),
            _ => format!("{kind:10}  everything"),
        })
        .collect::<Vec<_>>()
        .into_iter()
}

fn resources(resources: &Resources) -> impl Iterator<Item = String> {
    let limits = [
        ("memory", resources.max_memory_mb, "MiB"),
        ("cpu time", resources.max_cpu_seconds, "s"),
        ("concurrency", resources.max_concurrency, "calls"),
        ("call deadline", resources.call_deadline_ms, "ms"),
        ("payload", resources.max_payload_bytes, "bytes"),
        ("log", resources.log_events_per_second, "events/s"),
    ];
    limits
        .into_iter()
        .filter_map(|(what, limit, unit)| Some(format!("{what:13}  {} {unit}", limit?)))
}

/// What is not the default.
fn reload(reload: &Reload) -> impl Iterator<Item = String> {
    let default = Reload::default();
    let bytes = reload.max_state_bytes;
    let rows = [
        ("mode", reload.mode.to_string(), reload.mode != default.mode),
        (
            "state",
            reload.state.to_string(),
            reload.state != default.state,
        ),
        (
            "state up to",
            format!("{bytes} bytes"),
            bytes != default.max_state_bytes,
        ),
        (
            "thread locals",
            reload.thread_locals.to_string(),
            reload.thread_locals != default.thread_locals,
        ),
    ];
    rows.into_iter()
        .filter(|(.., is_set)| *is_set)
        .map(|(what, value, _)| format!("{what:13}  {value}"))
}

/// The type of a setting with its default, and what it is for on a line of its own.
fn setting((key, field): (&String, &ConfigField)) -> Vec<String> {
    let mut line = format!("{key}: {}", constraint(&field.ty));
    if field.required {
        line.push_str(", required");
    }
    if let Some(default) = &field.default {
        line = format!("{line} = {}", value(default));
    }
    if let Some(env) = &field.env {
        line = format!("{line}, from ${env}");
    }
    let description = field.description.iter().map(|text| format!("  {text}"));
    std::iter::once(line).chain(description).collect()
}

fn constraint(ty: &ConfigType) -> String {
    match ty {
        ConfigType::Integer { min, max } => range("integer", min.as_ref(), max.as_ref()),
        ConfigType::Number { min, max } => range("number", min.as_ref(), max.as_ref()),
        ConfigType::Array { items } => format!("array of {items}"),
        ConfigType::Enum { values } => format!("one of {}", values.join(", ")),
        other => other.name().to_owned(),
    }
}

fn range<T: std::fmt::Display>(name: &str, min: Option<&T>, max: Option<&T>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{name} from {min} to {max}"),
        (Some(min), None) => format!("{name} from {min}"),
        (None, Some(max)) => format!("{name} up to {max}"),
        (None, None) => name.to_owned(),
    }
}

fn value(value: &ConfigValue) -> String {
    match value {
        ConfigValue::String(text) => format!("{text:?}"),
        ConfigValue::Integer(number) => number.to_string(),
        ConfigValue::Number(number) => number.to_string(),
        ConfigValue::Boolean(truth) => truth.to_string(),
        ConfigValue::Array(items) => {
            let items: Vec<String> = items.iter().map(self::value).collect();
            format!("[{}]", items.join(", "))
        }
        // A kind of value that is newer than this table.
        _ => "…".to_owned(),
    }
}
