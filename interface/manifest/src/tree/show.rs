//! How pieces of a manifest appear in messages: short, on one line, and harmless on a terminal.

use super::{Node, Syntax, Value};
use crate::diagnostic::is_direction_mark;

/// The most characters that a message repeats of a text.
const MAX_SHOWN: usize = 48;

/// The text without line breaks, control characters or excess length.
#[must_use]
pub fn text(text: &str) -> String {
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == MAX_SHOWN {
            shown.push_str("...");
            break;
        }
        if c.is_control() || is_direction_mark(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The text in double quotes, for strings.
#[must_use]
pub fn quoted(string: &str) -> String {
    format!("\"{}\"", text(string))
}

/// The path of a key below `parent`.
#[must_use]
pub fn path(parent: &str, key: &str) -> String {
    let is_bare = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let key = if is_bare { text(key) } else { quoted(key) };
    if parent.is_empty() {
        key
    } else {
        format!("{parent}.{key}")
    }
}

/// Where the keys of a table are, in the words of the syntax.
pub(crate) fn in_table(path: &str, syntax: Syntax) -> String {
    match syntax {
        _ if path.is_empty() => "at the top level".to_owned(),
        Syntax::Toml => format!("in [{path}]"),
        Syntax::Json => format!("in `{path}`"),
    }
}

/// The value itself where it is short, else its type.
pub(crate) fn value(node: &Node, syntax: Syntax) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => format!("the boolean {value}"),
        Value::Integer(value) => format!("the integer {value}"),
        Value::Number(value) => format!("the number {value:?}"),
        Value::Unrepresentable(digits) => format!("the number {}", text(digits)),
        Value::String(value) => format!("the string {}", quoted(value)),
        Value::DateTime => "a date or time".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Table(_) => table(syntax).to_owned(),
    }
}

/// A table in the words of the syntax.
pub(crate) fn table(syntax: Syntax) -> &'static str {
    match syntax {
        Syntax::Toml => "a table",
        Syntax::Json => "an object",
    }
}
