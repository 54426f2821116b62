//! A process group, killed as a whole.
//!
//! The number of a group stands for it only as long as its first process was not waited for; after
//! that the system may give it to somebody else. So the end of the process is awaited without taking
//! its status, then the group is killed, and only then the status is taken, under the lock that every
//! kill takes.

use std::io::{self, PipeReader, PipeWriter};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Kills the group, as long as it is ours.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// None when its first process was waited for.
    leader: Arc<Mutex<Option<Pid>>>,
}

impl Group {
    /// The group of a child that was started as the first of one.
    pub(super) fn of(child: &Child) -> Self {
        let leader = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Group {
            leader: Arc::new(Mutex::new(leader)),
        }
    }

    /// Kills all that is left of it.
    pub(super) fn kill(&self) {
        let leader = self.leader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leader) = *leader {
            // There may be nobody left but the process that waits to be waited for.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }

    /// Kills all that is left of it, and waits for its first process.
    pub(super) fn end(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let mut leader = self.leader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leader) = *leader {
            let _ = kill_process_group(leader, Signal::KILL);
        }
        let status = child.wait();
        *leader = None;
        status
    }

    /// A pipe that ends when the first process has. A thread of its own waits for that.
    pub(super) fn when_ended(&self) -> io::Result<PipeReader> {
        let (reader, writer) = io::pipe()?;
        let leader = *self.leader.lock().unwrap_or_else(PoisonError::into_inner);
        std::thread::Builder::new()
            .name("keyway-wait".to_owned())
            .spawn(move || wait(leader, writer))?;
        Ok(reader)
    }
}

/// Returns, and ends the pipe, when the process has ended. Its status is left for whoever takes it.
fn wait(leader: Option<Pid>, end: PipeWriter) {
    let Some(leader) = leader else { return };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    // Other errors than an interruption mean that somebody else has waited for it.
    while waitid(WaitId::Pid(leader), options).err() == Some(rustix::io::Errno::INTR) {}
    drop(end);
}
