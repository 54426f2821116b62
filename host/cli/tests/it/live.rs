//! A `keyway` that runs while a test does something to it. What it prints is waited for, line by
//! line.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::run::Run;

/// Longer than any build here takes, on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// A process that is killed when the test is over.
pub(crate) struct Live {
    child: Child,
    lines: Receiver<(Stream, String)>,
    /// All that has come so far, by stream: what comes between the lines of two is not known.
    stdout: Seen,
    stderr: Seen,
    temporary: TempDir,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

#[derive(Debug, Default)]
struct Seen {
    lines: Vec<String>,
    /// Up to where the test has looked.
    looked: usize,
}

impl Seen {
    fn find(&mut self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let after = &self.lines[self.looked..];
        let at = after.iter().position(|line| wanted(line))?;
        self.looked += at + 1;
        Some(self.lines[self.looked - 1].clone())
    }
}

impl Live {
    /// Starts it, with logging as a user has it, and a directory for private copies of its own.
    pub(crate) fn start(run: Run) -> Self {
        let temporary = tempfile::tempdir().expect("a directory");
        let mut child = run
            .env("RUST_LOG", "")
            .env("TMPDIR", temporary.path())
            .into_command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("keyway starts");
        let (sender, lines) = channel();
        read(child.stdout.take(), sender.clone(), Stream::Out);
        read(child.stderr.take(), sender, Stream::Err);
        Live {
            child,
            lines,
            stdout: Seen::default(),
            stderr: Seen::default(),
            temporary,
        }
    }

    /// The next line on stderr that has this text.
    #[track_caller]
    pub(crate) fn tells(&mut self, text: &str) -> String {
        self.wait(text, Stream::Err, |line| line.contains(text))
    }

    /// The next line on stdout, which must be this.
    #[track_caller]
    pub(crate) fn answers(&mut self, text: &str) {
        let found = self.wait(text, Stream::Out, |_| true);
        assert_eq!(found, text, "{:#?}", self.stderr);
    }

    #[track_caller]
    fn wait(&mut self, what: &str, stream: Stream, wanted: impl Fn(&str) -> bool) -> String {
        let latest = Instant::now() + PATIENCE;
        loop {
            let seen = match stream {
                Stream::Out => &mut self.stdout,
                Stream::Err => &mut self.stderr,
            };
            if let Some(line) = seen.find(&wanted) {
                return line;
            }
            let left = latest.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok((Stream::Out, line)) => self.stdout.lines.push(line),
                Ok((Stream::Err, line)) => self.stderr.lines.push(line),
                Err(error) => panic!(
                    "no `{what}` came ({error}): {:#?} {:#?}",
                    self.stdout, self.stderr
                ),
            }
        }
    }

    /// All lines on stderr so far that have this text.
    pub(crate) fn told(&self, text: &str) -> Vec<&str> {
        let lines = self.stderr.lines.iter().filter(|line| line.contains(text));
        lines.map(|line| line.trim()).collect()
    }

    /// Sends SIGINT to the process alone; answers its exit code once it has ended. No private copy
    /// is left.
    #[track_caller]
    pub(crate) fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let kill = std::process::Command::new("kill")
            .args(["-INT", &id])
            .status();
        assert!(kill.expect("kill is there").success());
        // Both readers end with the process.
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        let status = self.child.wait().expect("it ends");
        assert!(!has_stage(self.temporary.path()), "a private copy is left");
        status.code()
    }

    /// Whether there is a private copy.
    pub(crate) fn has_stage(&self) -> bool {
        has_stage(self.temporary.path())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // It fails where the test has ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn has_stage(dir: &Path) -> bool {
    let entries = std::fs::read_dir(dir).expect("the directory");
    entries
        .filter_map(Result::ok)
        .any(|entry| entry.file_name().to_string_lossy().starts_with("keyway-"))
}

fn read(
    stream: Option<impl Read + Send + 'static>,
    lines: Sender<(Stream, String)>,
    which: Stream,
) {
    let stream = BufReader::new(stream.expect("it is piped"));
    std::thread::spawn(move || {
        for line in stream.lines().map_while(Result::ok) {
            if lines.send((which, line)).is_err() {
                return;
            }
        }
    });
}
