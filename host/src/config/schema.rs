//! The settings of a plugin as a JSON Schema, for editors, forms and other programs.

use keyway_manifest::{ConfigField, ConfigType, ItemType, Manifest};
use serde_json::{Map, Value, json};

use super::default_value;

/// The settings that a plugin takes, as a JSON Schema of draft 2020-12 for the object that
/// [`LoadOptions::config`](crate::LoadOptions::config) takes.
///
/// A secret is `writeOnly`. What JSON Schema has no word for is said with words of Keyway's own, which
/// other programs pass over: `x-env`, the environment variable that stands in where the object has no
/// value, and `x-reload`, what a changed value needs. A required setting with such a variable may be
/// missing in the object, so `required` does not list it. Settings that the manifest does not declare are
/// allowed, since the host passes them on.
///
/// The schema takes whatever the host takes. The other way round there is one exception: JSON Schema
/// calls `1.0` an integer, and the host does not.
pub fn config_schema(manifest: &Manifest) -> Value {
    let properties = manifest.config.iter();
    let properties: Map<String, Value> = properties
        .map(|(name, field)| (name.clone(), property(field)))
        .collect();
    let required: Vec<&String> = manifest
        .config
        .iter()
        .filter(|(_, field)| field.required && field.env.is_none())
        .map(|(name, _)| name)
        .collect();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Settings of {} {}", manifest.id, manifest.version),
        "type": "object",
        "properties": properties,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn property(field: &ConfigField) -> Value {
    let mut property = match &field.ty {
        ConfigType::String => json!({ "type": "string" }),
        ConfigType::Secret => json!({ "type": "string", "writeOnly": true }),
        ConfigType::Boolean => json!({ "type": "boolean" }),
        // The host's integers have 64 bits.
        ConfigType::Integer { min, max } => json!({
            "type": "integer",
            "minimum": min.unwrap_or(i64::MIN),
            "maximum": max.unwrap_or(i64::MAX),
        }),
        ConfigType::Number { min, max } => {
            let mut number = json!({ "type": "number" });
            if let Some(min) = min {
                number["minimum"] = json!(min);
            }
            if let Some(max) = max {
                number["maximum"] = json!(max);
            }
            number
        }
        ConfigType::Enum { values } => json!({ "type": "string", "enum": values }),
        ConfigType::Array { items } => json!({ "type": "array", "items": item(*items) }),
        // A type that is newer than this table takes what it takes.
        _ => json!({}),
    };
    if let Some(description) = &field.description {
        property["description"] = json!(description);
    }
    if let Some(Ok(default)) = field.default.as_ref().map(default_value) {
        property["default"] = default;
    }
    if let Some(variable) = &field.env {
        property["x-env"] = json!(variable);
    }
    property["x-reload"] = json!(field.reload.as_str());
    property
}

fn item(ty: ItemType) -> Value {
    match ty {
        ItemType::Integer => json!({
            "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX,
        }),
        other => json!({ "type": other.as_str() }),
    }
}
