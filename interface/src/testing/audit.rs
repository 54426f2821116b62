//! What a plugin has asked for in a test.

use std::fmt;

/// A service of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Service {
    /// A file was read.
    ReadFile,
    /// A file was written.
    WriteFile,
    /// An environment variable was read.
    Env,
    /// A web request was sent.
    Request,
    /// A program was run.
    Program,
    /// A key of the store was read, written or deleted, or keys were listed.
    Store,
    /// A named text was read.
    Text,
}

/// One thing that a plugin asked its host for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditRecord {
    /// Which service was asked.
    pub service: Service,
    /// The path, the name, the method and URL, the program with its arguments, or the key.
    pub target: String,
    /// The code of the error that it was answered with, if it was.
    pub refused: Option<String>,
}

/// `read-file words.txt`, with `: read-not-granted` behind it where that was the answer.
impl fmt::Display for AuditRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = match self.service {
            Service::ReadFile => "read-file",
            Service::WriteFile => "write-file",
            Service::Env => "env",
            Service::Request => "request",
            Service::Program => "program",
            Service::Store => "store",
            Service::Text => "text",
        };
        write!(f, "{service} {}", self.target)?;
        match &self.refused {
            Some(code) => write!(f, ": {code}"),
            None => Ok(()),
        }
    }
}
