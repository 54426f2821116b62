//! The process of one check: started with its task, read to its end, and ended when it takes too long.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::Stop;
use crate::error::ValidateError;
use crate::task::{Line, Task};
use crate::verdict::Verdict;

/// How many lines of what the process wrote to stderr a verdict shows.
const LINES: usize = 12;
/// How long a line may be that is read as a whole, in bytes. A plugin may print without an end.
const LONGEST: u64 = 4 << 20;
/// How often it is looked whether the process has ended.
const LOOK: Duration = Duration::from_millis(5);
/// How long the output of a process that has ended is waited for. Somebody whom it has started may keep it open.
const OUTPUT: Duration = Duration::from_secs(2);

pub(super) struct Process<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: &'a [OsString],
    pub(super) limit: Duration,
    pub(super) stop: &'a Stop,
}

/// What a process has written.
#[derive(Debug, Default)]
struct Written {
    doing: Option<(String, Option<String>)>,
    verdict: Option<Verdict>,
}

/// How a process came to its end.
enum End {
    Itself,
    TooLate,
    Stopped,
}

impl Process<'_> {
    pub(super) fn run(&self, task: &Task) -> Result<Verdict, ValidateError> {
        let mut child = self.start(task)?;
        let stdout = read_lines(child.stdout.take(), task.token.clone());
        let stderr = read_tail(child.stderr.take());
        let end = self.wait(&mut child);
        // Whatever it has started goes with it.
        end_group(&mut child);
        let status = child.wait();
        let written = stdout.recv_timeout(OUTPUT).unwrap_or_default();
        let errors = stderr.recv_timeout(OUTPUT).unwrap_or_default();
        match end {
            End::Stopped => Err(ValidateError::stopped()),
            End::TooLate => Ok(self.too_late(written, errors)),
            End::Itself => {
                let doing = "the end of a check's process is not told";
                let status = status.map_err(|error| ValidateError::io(doing, error))?;
                Ok(ended(status, written, errors, &task.home))
            }
        }
    }

    fn start(&self, task: &Task) -> Result<Child, ValidateError> {
        let mut command = Command::new(self.program);
        command
            .args(self.arguments)
            .current_dir(&task.home)
            .env("TMPDIR", &task.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let failed = |error| {
            let doing = format!("{} cannot be started for a check", self.program.display());
            ValidateError::io(&doing, error)
        };
        let mut child = command.spawn().map_err(failed)?;
        let json = serde_json::to_vec(task)
            .map_err(|error| ValidateError::new(format!("the task cannot be written: {error}")))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A process that ends before it has read is told by its end.
            let _ = stdin.write_all(&json);
        }
        Ok(child)
    }

    fn wait(&self, child: &mut Child) -> End {
        let end = Instant::now() + self.limit;
        loop {
            if has_ended(child) {
                return End::Itself;
            }
            if self.stop.is_stopped() {
                return End::Stopped;
            }
            if Instant::now() >= end {
                return End::TooLate;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn too_late(&self, written: Written, errors: Vec<String>) -> Verdict {
        let limit = self.limit;
        let doing = written.doing.as_ref().map_or("", |(what, _)| what);
        let failed = match doing {
            "" => Verdict::failed(format!("not done within the limit of {limit:?}")),
            doing => Verdict::failed(format!("not done within the limit of {limit:?}: {doing}")),
        };
        let failed = failed.timed_out().hint(
            "look for what blocks its thread or never ends; --time-limit gives a check more time",
        );
        case_of(failed, written.doing).details(errors)
    }
}

/// The verdict of a process that ended by itself.
fn ended(status: ExitStatus, written: Written, errors: Vec<String>, home: &Path) -> Verdict {
    // The private copy has another path in each run.
    let home = home.display().to_string();
    let errors = errors.into_iter().map(|line| line.replace(&home, "[home]"));
    let doing = match &written.doing {
        Some((what, _)) => format!(" while {what}"),
        None => String::new(),
    };
    if let Some(how) = killed_by(status) {
        let doing = match written.verdict {
            Some(_) => " at its end, after the check was done".to_owned(),
            None => doing,
        };
        let crashed = Verdict::crashed(format!(
            "the process of the check was ended by {how}{doing}; expected that the plugin leaves it alone"
        ));
        let crashed = match written.verdict {
            Some(verdict) => crashed.detail(format!("the check said: {}", verdict.message)),
            None => case_of(crashed, written.doing),
        };
        return crashed.details(errors);
    }
    match written.verdict {
        Some(mut verdict) => {
            let mend = |text: &mut String| *text = text.replace(&home, "[home]");
            mend(&mut verdict.message);
            verdict.details.iter_mut().for_each(mend);
            verdict
        }
        None => {
            let failed = Verdict::failed(format!(
                "the process of the check ended with {status}{doing}, without a result; expected that the plugin leaves \
                 it alone"
            ))
            .hint("look for std::process::exit in the plugin, and in what it calls");
            case_of(failed, written.doing).details(errors)
        }
    }
}

/// With the case that can be run again, if it was one.
fn case_of(verdict: Verdict, doing: Option<(String, Option<String>)>) -> Verdict {
    match doing.and_then(|(_, case)| case) {
        Some(case) => verdict.reproduce(case),
        None => verdict,
    }
}

/// Reads a line, or the next part of one that is longer than any of the check's own.
fn read_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<usize> {
    from.by_ref().take(LONGEST).read_until(b'\n', line)
}

/// Reads what the check says, on a thread of its own, so that no pipe fills up.
fn read_lines(stdout: Option<impl Read + Send + 'static>, token: String) -> Receiver<Written> {
    let (done, written) = channel();
    std::thread::spawn(move || {
        let mut written = Written::default();
        let mut lines = stdout.map(BufReader::new);
        let mut line = Vec::new();
        while let Some(stdout) = &mut lines {
            line.clear();
            if !matches!(read_line(stdout, &mut line), Ok(1..)) {
                break;
            }
            match Line::read(String::from_utf8_lossy(&line).trim_end(), &token) {
                Some(Line::Doing { what, reproduce }) => written.doing = Some((what, reproduce)),
                Some(Line::Verdict(verdict)) => written.verdict = Some(verdict),
                None => {}
            }
        }
        let _ = done.send(written);
    });
    written
}

/// The last lines of what the process writes to stderr.
fn read_tail(stderr: Option<impl Read + Send + 'static>) -> Receiver<Vec<String>> {
    let (done, lines) = channel();
    std::thread::spawn(move || {
        let mut tail = std::collections::VecDeque::new();
        let mut stderr = stderr.map(BufReader::new);
        let mut line = Vec::new();
        while let Some(stderr) = &mut stderr {
            line.clear();
            if !matches!(read_line(stderr, &mut line), Ok(1..)) {
                break;
            }
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if !text.is_empty() {
                tail.push_back(text);
            }
            if tail.len() > LINES {
                tail.pop_front();
            }
        }
        let _ = done.send(tail.into());
    });
    lines
}

/// Whether a process has ended. It is not waited for yet, so its number is nobody else's.
#[cfg(unix)]
fn has_ended(child: &mut Child) -> bool {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let own = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let status = own.map(|own| waitid(WaitId::Pid(own), look));
    // Nobody else waits for it, so an error is no reason to go on looking.
    !matches!(status, Some(Ok(None)))
}

#[cfg(not(unix))]
fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// Ends the process, and what it has started.
#[cfg(unix)]
fn end_group(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // It fails when all of them have ended.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(not(unix))]
fn end_group(child: &mut Child) {
    // It fails when it has ended.
    let _ = child.kill();
}

/// The name of what ended a process, if it did not end by itself.
#[cfg(unix)]
fn killed_by(status: ExitStatus) -> Option<String> {
    use rustix::process::Signal;
    use std::os::unix::process::ExitStatusExt;
    let signal = status.signal()?;
    let names = [
        (Signal::ABORT, "SIGABRT"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::BUS, "SIGBUS"),
        (Signal::ILL, "SIGILL"),
        (Signal::FPE, "SIGFPE"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::SYS, "SIGSYS"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::TERM, "SIGTERM"),
        (Signal::KILL, "SIGKILL"),
    ];
    let name = names.iter().find(|(known, _)| known.as_raw() == signal);
    Some(name.map_or_else(
        || format!("signal {signal}"),
        |(_, name)| (*name).to_owned(),
    ))
}

/// An exception of Windows: those have a code above all that programs end with.
#[cfg(windows)]
fn killed_by(status: ExitStatus) -> Option<String> {
    let code = status.code()?.cast_unsigned();
    (code >= 0xC000_0000).then(|| format!("exception {code:#010x}"))
}

#[cfg(not(any(unix, windows)))]
fn killed_by(_: ExitStatus) -> Option<String> {
    None
}
