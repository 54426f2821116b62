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
#[cfg_attr(
    not(feature = "json"),
    expect(dead_code, reason = "without the feature nothing reads the JSON form")
)]
pub(crate) enum Syntax {
    Toml,
    Json,
}

/// A value and where it is written.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
}

#[derive(Debug)]
#[cfg_attr(
    not(feature = "json"),
    expect(dead_code, reason = "only JSON has a null")
)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    /// A number that neither an `i64` nor a finite `f64` holds, as it is written.
    Unrepresentable(String),
    String(String),
    DateTime,
    Array(Vec<Node>),
    Table(Vec<Entry>),
}

/// One key of a table with its value. The keys of a table are all different.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) node: Node,
}
