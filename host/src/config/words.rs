//! The words of messages about settings: what a setting takes, and what was found.

use std::fmt::Display;

use keyway_manifest::{ConfigType, ItemType};
use serde_json::Value;

/// The longest text that a message quotes, in characters.
const LONGEST_QUOTE: usize = 60;

/// What values a setting takes.
pub(super) fn expectation(ty: &ConfigType) -> String {
    match ty {
        ConfigType::String => "a string".to_owned(),
        ConfigType::Secret => "a secret string".to_owned(),
        ConfigType::Boolean => "true or false".to_owned(),
        ConfigType::Integer { min, max } => bounded("a whole number", *min, *max),
        ConfigType::Number { min, max } => bounded("a number", *min, *max),
        ConfigType::Array { items } => match items {
            ItemType::Integer => "an array of whole numbers".to_owned(),
            other => format!("an array of {other}s"),
        },
        ConfigType::Enum { values } => {
            let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
            format!("one of {}", values.join(", "))
        }
        other => format!("a value of type `{}`", other.name()),
    }
}

fn bounded<T: Display>(what: &str, min: Option<T>, max: Option<T>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{what} from {min} to {max}"),
        (Some(min), None) => format!("{what} of at least {min}"),
        (None, Some(max)) => format!("{what} of at most {max}"),
        (None, None) => what.to_owned(),
    }
}

/// A value that is no secret, as a message tells it.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_u64() && !number.is_i64() => {
            format!("the number {number}, which is above {}", i64::MAX)
        }
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => {
            let quote: String = text.chars().take(LONGEST_QUOTE).collect();
            let more = if quote.len() < text.len() { "…" } else { "" };
            format!("the string {quote:?}{more}")
        }
        Value::Bool(truth) => format!("{truth}"),
        other => kind_of(other).to_owned(),
    }
}

/// What kind of value it is, which also of a secret may be told.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
