//! What to run, and what came of it.

use std::time::Duration;

/// A program to run, with what it gets.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RunRequest {
    pub(super) program: String,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) dir: Option<String>,
    pub(super) stdin: Vec<u8>,
    pub(super) timeout: Option<Duration>,
}

impl RunRequest {
    /// A program as the grant has it: by name, or by path; a relative path begins at the base of the
    /// plugin. It has no arguments, an empty input, and runs in the root directory.
    pub fn new(program: impl Into<String>) -> Self {
        RunRequest {
            program: program.into(),
            ..RunRequest::default()
        }
    }

    /// One more argument, which the program gets as it is.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// An environment variable for the program. It has `PATH` already, and nothing else of the host's.
    /// The variables that no plugin may read it cannot set either.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The directory where it runs; the plugin must be allowed to read it or to write it.
    pub fn dir(mut self, dir: impl Into<String>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// What it gets as its input.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// How long it may run, if that is less than [`Limits::run_timeout`](crate::Limits::run_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// For the record. Arguments may have secrets in them.
    pub(super) fn shown(&self) -> String {
        match self.args.len() {
            0 => self.program.clone(),
            1 => format!("{} with 1 argument", self.program),
            count => format!("{} with {count} arguments", self.program),
        }
    }
}

/// What a program has left.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunOutput {
    /// What it ended with; none if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error.
    pub stderr: Vec<u8>,
}

impl RunOutput {
    /// Whether it ended by itself with the code 0.
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }
}
