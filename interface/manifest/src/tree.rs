//! The one form that both syntaxes are read into: plain values with the byte ranges they came from.
//!
//! What TOML and JSON have in common is all that a manifest needs, so the checks never ask which of
//! the two a text was, except to speak its language in a message.

#[cfg(feature = "json")]
pub(crate) mod json;
pub(crate) mod show;
pub(crate) mod toml;

use std::ops::Range;

/// The language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// TOML 1.0.
    Toml,
    /// JSON, RFC 8259.
    Json,
}

/// A value and where it is written.
#[derive(Debug)]
pub struct Node {
    /// The bytes of the text.
    pub span: Range<usize>,
    /// What they say.
    pub value: Value,
}

/// A plain value.
#[derive(Debug)]
pub enum Value {
    /// What only JSON has.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A finite number with a fraction or an exponent.
    Number(f64),
    /// A number that neither an `i64` nor a finite `f64` holds, as it is written.
    Unrepresentable(String),
    /// A text.
    String(String),
    /// What only TOML has, and no manifest needs.
    DateTime,
    /// Values in their order.
    Array(Vec<Node>),
    /// Keys with their values, in the order of the text.
    Table(Vec<Entry>),
}

/// One key of a table with its value. The keys of a table are all different.
#[derive(Debug)]
pub struct Entry {
    /// The key, without quotes and escapes.
    pub key: String,
    /// The bytes of the key.
    pub key_span: Range<usize>,
    /// The value.
    pub node: Node,
}
