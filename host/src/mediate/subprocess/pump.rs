//! Moves bytes between a program and us, until it has ended or must not go on.

use std::io::{self, PipeReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::Child;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// Why it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The program has ended.
    Ended,
    /// It has written more than it may.
    TooMuch,
    /// Its time is up.
    TooLong,
}

/// What a program has written.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

const CHUNK: usize = 16 << 10;

/// Writes `input` to the child and reads what it writes, at most `most` bytes of each, until `ended`
/// ends or the deadline is there. When the child has ended, what it has written is read, and nobody is
/// waited for who has the other end of a pipe still open.
pub(super) fn pump(
    child: &mut Child,
    ended: &PipeReader,
    mut input: &[u8],
    most: u64,
    deadline: Option<Instant>,
) -> io::Result<(Written, Stop)> {
    let mut written = Written::default();
    let mut stdin = child.stdin.take();
    let mut stdout = child.stdout.take();
    let mut stderr = child.stderr.take();
    for fd in [
        stdin.as_ref().map(AsFd::as_fd),
        stdout.as_ref().map(AsFd::as_fd),
        stderr.as_ref().map(AsFd::as_fd),
    ] {
        fd.map_or(Ok(()), never_wait)?;
    }
    loop {
        if input.is_empty() {
            // That is its end of file.
            stdin = None;
        }
        let done = !wait(
            [
                (stdin.as_ref().map(AsFd::as_fd), PollFlags::OUT),
                (stdout.as_ref().map(AsFd::as_fd), PollFlags::IN),
                (stderr.as_ref().map(AsFd::as_fd), PollFlags::IN),
            ],
            ended,
            deadline,
        )?;
        if let Some(pipe) = &mut stdin {
            match pipe.write(input) {
                Ok(count) => input = &input[count..],
                Err(error) if is_later(&error) => {}
                // It reads no more, which is its own affair.
                Err(_) => input = &[],
            }
        }
        let more_out = drain(&mut stdout, &mut written.stdout, most)?;
        let more_err = drain(&mut stderr, &mut written.stderr, most)?;
        if more_out == Drained::TooMuch || more_err == Drained::TooMuch {
            return Ok((written, Stop::TooMuch));
        }
        if done {
            return Ok((written, Stop::Ended));
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Ok((written, Stop::TooLong));
        }
    }
}

/// Waits until something can be done, or the deadline is there; answers whether the child still runs.
fn wait(
    pipes: [(Option<BorrowedFd<'_>>, PollFlags); 3],
    ended: &PipeReader,
    deadline: Option<Instant>,
) -> io::Result<bool> {
    let mut polled = vec![PollFd::new(ended, PollFlags::IN)];
    for (pipe, flags) in &pipes {
        polled.extend(pipe.as_ref().map(|pipe| PollFd::new(pipe, *flags)));
    }
    loop {
        let timeout = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(Instant::now());
            Timespec::try_from(left).unwrap_or(Timespec {
                tv_sec: i64::from(i32::MAX),
                tv_nsec: 0,
            })
        });
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) => return Ok(polled[0].revents().is_empty()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drained {
    Enough,
    TooMuch,
}

/// Reads what is there. A pipe that has ended is closed.
fn drain(pipe: &mut Option<impl Read>, into: &mut Vec<u8>, most: u64) -> io::Result<Drained> {
    let mut chunk = [0; CHUNK];
    while let Some(open) = pipe {
        match open.read(&mut chunk) {
            Ok(0) => *pipe = None,
            Ok(count) => {
                into.extend_from_slice(&chunk[..count]);
                if into.len() as u64 > most {
                    return Ok(Drained::TooMuch);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if is_later(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(Drained::Enough)
}

fn is_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// Reading and writing never waits from now on. The other end is a file of its own, which stays as it
/// is.
fn never_wait(fd: BorrowedFd<'_>) -> io::Result<()> {
    Ok(fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)?)
}
