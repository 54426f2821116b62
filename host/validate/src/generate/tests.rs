//! Values for schemas as schemars and the host write them.

use std::collections::BTreeMap;

use keyway_host::keyway;
use serde_json::{Value, json};

use super::Schema;
use crate::random::Random;

const ROUNDS: u64 = 300;

/// Many values of a schema: allowed ones, and such that are not. Whether each is what it is meant to be is
/// checked by the generator itself; that there are some is not.
#[track_caller]
fn values(schema: &Value) -> (Vec<Value>, Vec<Value>) {
    let schema = Schema::new(schema.clone()).expect("a schema");
    let make = |make: &dyn Fn(&mut Random) -> Option<Value>| -> Vec<Value> {
        (0..ROUNDS)
            .filter_map(|case| make(&mut Random::of(1, "test", case)))
            .collect()
    };
    let valid = make(&|random| schema.valid(random));
    let invalid = make(&|random| schema.invalid(random));
    assert!(valid.iter().all(|value| schema.allows(value)));
    assert!(!invalid.iter().any(|value| schema.allows(value)));
    (valid, invalid)
}

/// What a tool's arguments look like when they use everything.
#[keyway::data]
#[derive(Debug)]
struct Arguments {
    name: String,
    letter: char,
    count: u8,
    offset: i64,
    size: u64,
    ratio: f32,
    flag: bool,
    maybe: Option<u32>,
    list: Vec<Kind>,
    pair: (u8, String),
    map: BTreeMap<String, Tree>,
    kind: Kind,
    any: Value,
}

#[keyway::data]
#[derive(Debug)]
enum Kind {
    Plain,
    Also,
    With { text: String },
    Tuple(u8, bool),
}

#[keyway::data]
#[derive(Debug)]
struct Tree {
    value: i32,
    children: Vec<Tree>,
    #[serde(default)]
    parent: Option<Box<Tree>>,
}

fn schema_of_arguments() -> Value {
    serde_json::to_value(keyway::schemars::schema_for!(Arguments)).expect("JSON")
}

#[test]
fn what_serde_and_schemars_agree_on_is_generated_and_read() {
    let (valid, invalid) = values(&schema_of_arguments());
    assert_eq!(valid.len() as u64, ROUNDS, "every case has a value");
    for value in &valid {
        let read = serde_json::from_value::<Arguments>(value.clone());
        read.unwrap_or_else(|error| panic!("{error}: {value}"));
    }
    assert_eq!(invalid.len() as u64, ROUNDS);
    let refused = |value: &&Value| serde_json::from_value::<Arguments>((*value).clone()).is_err();
    let refused = invalid.iter().filter(refused).count();
    // serde ignores what it does not know, so not all.
    assert!(
        refused * 2 > invalid.len(),
        "{refused} of {}",
        invalid.len()
    );
}

#[test]
fn every_variant_and_every_option_comes_up() {
    let (valid, _) = values(&schema_of_arguments());
    let mut kinds = std::collections::BTreeSet::new();
    let mut maybe = [false; 2];
    for value in &valid {
        kinds.insert(match &value["kind"] {
            Value::String(name) => name.clone(),
            other => other
                .as_object()
                .expect("a variant")
                .keys()
                .next()
                .expect("one")
                .clone(),
        });
        maybe[usize::from(value["maybe"].is_u64())] = true;
    }
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    assert_eq!(maybe, [true; 2]);
}

#[test]
fn bounds_are_kept_and_reached() {
    let (valid, invalid) = values(&json!({ "type": "integer", "minimum": 3, "maximum": 5 }));
    for end in [3, 4, 5] {
        assert!(valid.iter().any(|value| *value == end), "{end}");
    }
    assert!(
        invalid.iter().any(Value::is_number),
        "too large or too small"
    );
    assert!(
        invalid.iter().any(|value| !value.is_number()),
        "of another type"
    );
    let (valid, _) = values(&json!({ "type": "string", "minLength": 2, "maxLength": 3 }));
    assert_eq!(valid.len() as u64, ROUNDS);
    let (valid, _) = values(&json!({
        "type": "array", "items": { "type": "boolean" }, "minItems": 1, "maxItems": 2,
    }));
    assert_eq!(valid.len() as u64, ROUNDS);
    let (valid, _) =
        values(&json!({ "type": "integer", "multipleOf": 7, "minimum": 10, "maximum": 60 }));
    assert!(valid.len() as u64 > ROUNDS / 2, "{}", valid.len());
    let (valid, _) = values(&json!({ "type": "integer", "format": "uint64", "minimum": 0 }));
    assert!(valid.iter().any(|value| *value == u64::MAX));
}

#[test]
fn formats_that_are_known_are_followed() {
    for format in [
        "date",
        "date-time",
        "uuid",
        "ipv4",
        "ipv6",
        "email",
        "uri",
        "hostname",
    ] {
        let (valid, _) = values(&json!({ "type": "string", "format": format }));
        assert_eq!(valid.len() as u64, ROUNDS, "{format}");
    }
}

#[test]
fn choices_combine_with_what_stands_beside_them() {
    let (valid, invalid) = values(&json!({
        "type": "object",
        "properties": { "id": { "type": "string" } },
        "required": ["id"],
        "oneOf": [
            { "type": "object", "properties": { "t": { "const": "a" }, "n": { "type": "integer" } },
              "required": ["t", "n"] },
            { "type": "object", "properties": { "t": { "const": "b" } }, "required": ["t"] },
        ],
    }));
    assert_eq!(valid.len() as u64, ROUNDS);
    for tag in ["a", "b"] {
        assert!(valid.iter().any(|value| value["t"] == tag), "{tag}");
    }
    assert_eq!(invalid.len() as u64, ROUNDS);
}

#[test]
fn a_schema_without_words_allows_everything_and_one_that_is_false_nothing() {
    let (valid, invalid) = values(&json!(true));
    assert_eq!((valid.len() as u64, invalid.len()), (ROUNDS, 0));
    let (valid, invalid) = values(&json!(false));
    assert_eq!((valid.len(), invalid.len() as u64), (0, ROUNDS));
}

#[test]
fn a_pattern_that_nobody_hits_by_chance_has_no_values_rather_than_wrong_ones() {
    let (valid, _) = values(&json!({ "type": "string", "pattern": "^[A-Z]{9}-[0-9]{9}$" }));
    assert!(valid.is_empty());
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let (valid, _) = values(&json!({
        "$ref": "#/$defs/list",
        "$defs": { "list": { "anyOf": [
            { "type": "null" },
            { "type": "object", "properties": { "next": { "$ref": "#/$defs/list" } },
              "required": ["next"] },
        ] } },
    }));
    assert_eq!(valid.len() as u64, ROUNDS);
}

#[test]
fn the_same_case_has_the_same_value() {
    let schema = Schema::new(schema_of_arguments()).expect("a schema");
    let value = || schema.valid(&mut Random::of(3, "tool-input", 17));
    assert_eq!(value(), value());
    assert_ne!(value(), schema.valid(&mut Random::of(3, "tool-input", 18)));
}
