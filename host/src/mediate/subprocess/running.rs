//! Starts programs, and sees to their end.

use std::io::{self, PipeReader};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use keyway::{ErrorKind, Result};
use tokio::sync::oneshot;

use super::super::audit::Action;
use super::super::cancel::Cancel;
use super::super::rate::Place;
use super::super::{Begun, Mediator, Shared, codes, refusal};
use super::group::Group;
use super::pump::{Stop, Written, pump};
use super::request::{RunOutput, RunRequest};
use crate::library::host_thread;
use crate::permission::{Ask, Program, is_denied_env};

/// A program that runs. It is a future of what the program will have left; dropping it kills the program
/// and all that it has started and that has stayed in its process group.
#[derive(Debug)]
#[must_use = "dropping it kills the program"]
pub struct Running {
    answer: oneshot::Receiver<Result<RunOutput>>,
    group: Group,
}

impl Future for Running {
    type Output = Result<RunOutput>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let gone = || {
            refusal::error(
                ErrorKind::Failed,
                &codes::RUN_FAILED,
                "the thread that waited for it ended",
            )
        };
        Pin::new(&mut self.answer)
            .poll(cx)
            .map(|answer| answer.unwrap_or_else(|_| Err(gone())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Who waits for it sees its end then, and cleans up.
        self.group.kill();
    }
}

/// A program that was started, with what is needed to see it through.
struct Started {
    child: Child,
    group: Group,
    /// Killed, if nobody has seen it through.
    seen_through: bool,
    ended: PipeReader,
    name: String,
    input: Vec<u8>,
    most: u64,
    timeout: Duration,
    since: Instant,
    _place: Place,
}

pub(super) fn run(mediator: &Mediator, request: RunRequest, cancel: &Cancel) -> Result<RunOutput> {
    let shared = &mediator.shared;
    shared.attempt(Action::Run, &request.shown(), || {
        cancel.check()?;
        let started = shared.spawn(request)?;
        let group = started.group.clone();
        let outcome = cancel.during(move || group.kill(), || started.see_through());
        // What a program has left that was killed is not what it had to say.
        cancel.check()?;
        outcome
    })
}

pub(super) fn start(mediator: &Mediator, request: RunRequest) -> Result<Running> {
    let shared = &mediator.shared;
    let begun = shared.begin(Action::Run, &request.shown());
    match shared
        .take(Action::Run)
        .and_then(|()| shared.spawn(request))
    {
        Ok(started) => Ok(started.in_background(Arc::clone(shared), begun)?),
        Err(error) => {
            begun.end(shared, Some(&error));
            Err(error)
        }
    }
}

impl Shared {
    fn spawn(&self, request: RunRequest) -> Result<Started> {
        let limits = self.limits();
        let program = Program::parse(&request.program, &self.base).map_err(|fault| {
            refusal::malformed(format!("the program {:?} {fault}", request.program))
        })?;
        self.require(Ask::Run(&program))?;
        check(&request, limits.max_input_bytes)?;
        let all = self.grant.subprocess.is_all();
        let path = self.programs.path(&program, all).ok_or_else(|| {
            refusal::error(
                ErrorKind::NotFound,
                &codes::PROGRAM_MISSING,
                format!("{program} was not found in the host's search path"),
            )
        })?;
        let dir = request
            .dir
            .as_deref()
            .map(|dir| self.dir(dir))
            .transpose()?;
        let place = self.quota.programs.take().ok_or_else(|| {
            refusal::busy(
                &codes::TOO_MANY_AT_ONCE,
                format!("{} programs of the plugin run already", limits.max_programs),
            )
        })?;
        let mut command = Command::new(&path);
        command
            .args(&request.args)
            .env_clear()
            .env("PATH", self.programs.search_path())
            .envs(request.env.iter().map(|(name, value)| (name, value)))
            .current_dir(dir.as_ref().map_or(Path::new("/"), Dir::path))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            let code = match error.kind() {
                io::ErrorKind::NotFound => &codes::PROGRAM_MISSING,
                _ => &codes::RUN_FAILED,
            };
            refusal::io(code, &format!("start {}", path.display()), &error)
        })?;
        let group = Group::of(&child);
        let ended = group.when_ended().map_err(|error| {
            let _ = group.end(&mut child);
            refusal::io(&codes::RUN_FAILED, &format!("wait for {program}"), &error)
        })?;
        Ok(Started {
            child,
            group,
            seen_through: false,
            ended,
            name: program.to_string(),
            input: request.stdin,
            most: limits.max_output_bytes,
            timeout: request
                .timeout
                .map_or(limits.run_timeout, |asked| asked.min(limits.run_timeout)),
            since: Instant::now(),
            _place: place,
        })
    }

    fn dir(&self, dir: &str) -> Result<Dir> {
        let path = self.normal(dir)?;
        Ok(Dir::new(self.open_dir(&path)?, path))
    }
}

/// A directory that is open, and a path that leads to it.
struct Dir {
    path: PathBuf,
    _open: OwnedFd,
}

impl Dir {
    /// On Linux the path is one by which the system knows the open directory, so it is the same one,
    /// whatever becomes of its name before the program runs.
    fn new(open: OwnedFd, path: PathBuf) -> Self {
        let path = if cfg!(target_os = "linux") {
            format!("/proc/{}/fd/{}", std::process::id(), open.as_raw_fd()).into()
        } else {
            path
        };
        Dir { path, _open: open }
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// What the system would refuse with words that nobody understands, and what could be turned against the
/// program.
fn check(request: &RunRequest, max_input: u64) -> Result<()> {
    let texts = request.args.iter();
    let values = request.env.iter().flat_map(|(name, value)| [name, value]);
    if texts.chain(values).any(|text| text.contains('\0')) {
        return Err(refusal::malformed(
            "an argument or a variable has a zero byte in it",
        ));
    }
    for (name, _) in &request.env {
        if name.is_empty() || name.contains('=') {
            return Err(refusal::malformed(format!(
                "{name:?} is no name of an environment variable"
            )));
        }
        if name == "PATH" || is_denied_env(name) {
            return Err(refusal::denied(
                &crate::permission::codes::ENV_NEVER,
                format!("the environment variable {name:?} of a program is not for plugins to set"),
            ));
        }
    }
    if request.stdin.len() as u64 > max_input {
        return Err(refusal::denied(
            &codes::SIZE_LIMIT,
            format!("the input is larger than Limits::max_input_bytes, {max_input} bytes"),
        ));
    }
    Ok(())
}

impl Started {
    /// Waits for its end.
    fn see_through(mut self) -> Result<RunOutput> {
        let deadline = self.since.checked_add(self.timeout);
        let input = std::mem::take(&mut self.input);
        let moved = pump(&mut self.child, &self.ended, &input, self.most, deadline);
        self.seen_through = true;
        let status = self.group.end(&mut self.child);
        let name = &self.name;
        let failed =
            |error: io::Error| refusal::io(&codes::RUN_FAILED, &format!("wait for {name}"), &error);
        let (Written { stdout, stderr }, stop) = moved.map_err(failed)?;
        let status = status.map_err(failed)?;
        match stop {
            Stop::Ended => Ok(RunOutput {
                code: status.code(),
                signal: status.signal(),
                stdout,
                stderr,
            }),
            Stop::TooMuch => Err(refusal::denied(
                &codes::SIZE_LIMIT,
                format!(
                    "{name} wrote more than Limits::max_output_bytes, {} bytes, and was killed",
                    self.most
                ),
            )),
            Stop::TooLong => Err(refusal::error(
                ErrorKind::DeadlineExceeded,
                &codes::TIME_LIMIT,
                format!("{name} ran longer than {:?}, and was killed", self.timeout),
            )),
        }
    }

    /// Waits for its end on a thread of its own.
    fn in_background(self, shared: Arc<Shared>, begun: Begun) -> Result<Running> {
        let (answer, receiver) = oneshot::channel();
        let group = self.group.clone();
        // What the thread would write down is gone if there is no thread.
        let (again, noted) = (begun.clone(), Arc::clone(&shared));
        let job = move || {
            // It wakes whoever polls the future, which may be a plugin.
            host_thread();
            let outcome = self.see_through();
            begun.end(&shared, outcome.as_ref().err());
            // Nobody waits for it any more, if this fails.
            let _ = answer.send(outcome);
        };
        std::thread::Builder::new()
            .name("keyway-run".to_owned())
            .spawn(job)
            .map_err(|error| {
                let error = refusal::io(&codes::RUN_FAILED, "start a thread", &error);
                again.end(&noted, Some(&error));
                error
            })?;
        Ok(Running {
            answer: receiver,
            group,
        })
    }
}

/// When its thread could not be started.
impl Drop for Started {
    fn drop(&mut self) {
        if !self.seen_through {
            let _: std::result::Result<_, io::Error> = self.group.end(&mut self.child);
        }
    }
}
