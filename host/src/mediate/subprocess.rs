//! Programs that a plugin has started by the host.
//!
//! What runs is a granted program, found when the plugin got its permissions, with a list of arguments
//! and an environment of its own: no shell reads it, and nothing of the host's environment is in it. It
//! is the first of a process group, and whatever is left of that group is killed when the program ends, when
//! its time is up, and when nobody waits for it any more. A process that leaves the group on purpose
//! is not reached, and if the host itself is killed nobody is there to kill. A granted program can do what it
//! can do, with any arguments: grant `git` and you grant what its hooks and pagers start.

#[cfg(unix)]
mod group;
mod programs;
#[cfg(unix)]
mod pump;
mod request;
#[cfg(unix)]
mod running;

#[cfg(not(unix))]
mod nowhere;

use keyway::Result;

#[cfg(not(unix))]
use nowhere as system;
pub(super) use programs::Programs;
pub use request::{RunOutput, RunRequest};
#[cfg(unix)]
use running as system;
pub use system::Running;

use super::Mediator;
use super::cancel::Cancel;

impl Mediator {
    /// Runs a program to its end, and answers what it wrote. A program that fails is no error: see
    /// [`RunOutput::code`].
    ///
    /// # Errors
    ///
    /// `subprocess-not-granted`, `program-missing`, `read-not-granted` and `leads-outside` for the
    /// directory, `size-limit` and `time-limit` (then it was killed), `too-many-at-once`, `run-failed`,
    /// `bad-request`; `unsupported-here` where the system is no Unix.
    pub fn run(&self, request: RunRequest) -> Result<RunOutput> {
        self.run_unless(request, &Cancel::default())
    }

    /// Runs a program until it ends or is cancelled, which is `ask-cancelled`.
    pub(crate) fn run_unless(&self, request: RunRequest, cancel: &Cancel) -> Result<RunOutput> {
        system::run(self, request, cancel)
    }

    /// Starts a program, and answers a future of what it will have written. It does not block, but for
    /// starting the program. Dropping the future kills the program, and what it has started.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), also of the future.
    pub fn start(&self, request: RunRequest) -> Result<Running> {
        system::start(self, request)
    }
}

#[cfg(all(test, unix))]
mod tests;
