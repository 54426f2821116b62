//! What a plugin asks of its host, in the form in which it crosses: JSON beside bytes.
//!
//! Fields may be added, with a default; a host that was built before one ignores it.

use serde::{Deserialize, Serialize};

/// A web request, without its body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestHead {
    /// The method, in capitals.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// Whether there is a body, which may be empty.
    pub has_body: bool,
    /// The time that it may take, in milliseconds.
    pub timeout_ms: Option<u64>,
}

/// The answer to a web request, without its body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResponseHead {
    /// The status, such as 200.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The URL that answered.
    pub url: String,
}

/// A program to be run, without its input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProgramStart {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables of its environment.
    pub env: Vec<(String, String)>,
    /// Where it runs.
    pub dir: Option<String>,
    /// The time that it may take, in milliseconds.
    pub timeout_ms: Option<u64>,
}

/// How a program ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProgramEnd {
    /// What it ended with.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}
