//! The settings as a JSON Schema.

use super::*;

fn manifest(config: Value) -> keyway_manifest::Manifest {
    let manifest = json!({ "plugin": {
        "id": "configured", "version": "1.0.0", "min_host_version": "1.0.0", "config": config,
    } });
    keyway_manifest::Manifest::from_json(&manifest.to_string(), "plugin.json").expect("it reads")
}

#[test]
fn every_type_has_its_words() {
    let schema = config_schema(&manifest(json!({
        "key": { "type": "secret", "required": true, "description": "The key" },
        "token": { "type": "secret", "required": true, "env": "TOKEN" },
        "port": { "type": "integer", "min": 1, "max": 65535, "default": 80, "reload": "hot" },
        "ratio": { "type": "number", "min": 0.5 },
        "on": { "type": "boolean", "default": false },
        "level": { "type": "enum", "values": ["low", "high"] },
        "names": { "type": "array", "items": "string", "default": ["a"] },
        "counts": { "type": "array", "items": "integer" },
        "title": { "type": "string" },
    })));
    let integer = json!({ "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX });
    let expected = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of configured 1.0.0",
        "type": "object",
        "properties": {
            "key": {
                "type": "string", "writeOnly": true, "description": "The key", "x-reload": "restart",
            },
            "token": {
                "type": "string", "writeOnly": true, "x-env": "TOKEN", "x-reload": "restart",
            },
            "port": {
                "type": "integer", "minimum": 1, "maximum": 65535, "default": 80, "x-reload": "hot",
            },
            "ratio": { "type": "number", "minimum": 0.5, "x-reload": "restart" },
            "on": { "type": "boolean", "default": false, "x-reload": "restart" },
            "level": { "type": "string", "enum": ["low", "high"], "x-reload": "restart" },
            "names": {
                "type": "array", "items": { "type": "string" }, "default": ["a"],
                "x-reload": "restart",
            },
            "counts": { "type": "array", "items": integer, "x-reload": "restart" },
            "title": { "type": "string", "x-reload": "restart" },
        },
        "required": ["key"],
    });
    assert_eq!(schema, expected);
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
}

#[test]
fn a_plugin_without_settings_has_a_schema_that_takes_any_object() {
    let schema = config_schema(&manifest(json!({})));
    assert_eq!(schema["properties"], json!({}));
    assert_eq!(schema.get("required"), None);
    assert!(jsonschema::is_valid(&schema, &json!({ "any": 1 })));
    assert!(!jsonschema::is_valid(&schema, &json!([])));
}
