//! Programs by way of the host.

use std::time::Duration;

use bytes::Bytes;

use super::Asked;
use super::http::whole_millis;
use crate::abi::pass::Json;
use crate::host::wire::ProgramStart;
use crate::host::{HostServices, HostServicesHandle};

/// A program that was not started yet; the plugin may start it by `subprocess` under
/// `[plugin.permissions]`.
///
/// Unless something else is said, it has no arguments, an empty input, nothing but `PATH` in its
/// environment, and runs in the root directory. No shell reads anything of it.
#[derive(Clone, Debug)]
#[must_use = "it is not started before `run`"]
pub struct Program {
    host: HostServicesHandle,
    start: ProgramStart,
    input: Bytes,
}

impl Program {
    pub(super) fn new(host: HostServicesHandle, program: String) -> Self {
        Program {
            host,
            start: ProgramStart {
                program,
                ..ProgramStart::default()
            },
            input: Bytes::new(),
        }
    }

    /// One more argument, which the program gets as it is.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.start.args.push(arg.into());
        self
    }

    /// More arguments.
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.start.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// A variable of its environment. Those that no plugin may read it cannot set either.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.start.env.push((name.into(), value.into()));
        self
    }

    /// The directory where it runs, which the plugin must be allowed to read or to write.
    pub fn dir(mut self, dir: impl Into<String>) -> Self {
        self.start.dir = Some(dir.into());
        self
    }

    /// What it gets as its input.
    pub fn stdin(mut self, input: impl Into<Bytes>) -> Self {
        self.input = input.into();
        self
    }

    /// How long it may run, where that is less than the host allows.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.start.timeout_ms = Some(whole_millis(timeout));
        self
    }

    /// Runs it to its end. One that fails is no error: see [`Output::code`]. Dropping the answer kills the
    /// program, and all of what it has started that stayed in its process group.
    ///
    /// # Errors
    ///
    /// `subprocess-not-granted`, `program-missing`, `read-not-granted` and `leads-outside` for the
    /// directory, `size-limit` and `time-limit`, after which it was killed, `too-many-at-once`,
    /// `rate-limited`, `run-failed`, `bad-request`; `unsupported-here` where the system is no Unix.
    pub fn run(self) -> Asked<Output> {
        let Program { host, start, input } = self;
        Asked::cancellable(host, move |host, ticket| {
            let (end, stdout, stderr) = host.run_program(ticket, Json(start), &input)?;
            Ok(Output {
                code: end.code,
                signal: end.signal,
                stdout,
                stderr,
            })
        })
    }
}

/// What a program has left.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// What it ended with; none if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it wrote to its standard output.
    pub stdout: Bytes,
    /// What it wrote to its standard error.
    pub stderr: Bytes,
}

impl Output {
    /// Whether it ended by itself with the code 0.
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    /// What it wrote to its standard output, as text; what is not UTF-8 is replaced.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What it wrote to its standard error, as text; what is not UTF-8 is replaced.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}
