//! Other ways to get new code into a process, over the same files.
#![expect(
    unsafe_code,
    reason = "opens libraries without any check, for comparison"
)]

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use libloading::Library;

use crate::build::Crate;
use crate::files::{Builds, Template};

/// The least that one can do: close, copy, open, call.
pub(crate) struct Plain<'a> {
    builds: Builds<'a>,
    dir: PathBuf,
    opened: Option<(Library, PathBuf)>,
}

impl<'a> Plain<'a> {
    pub(crate) fn start(template: &'a Template, dir: &Path) -> Result<Self, Box<dyn Error>> {
        let mut plain = Plain {
            builds: Builds::begin(template, dir)?,
            dir: dir.to_owned(),
            opened: None,
        };
        plain.reopen()?;
        Ok(plain)
    }

    /// Replaces the file, and opens it as somebody would who knows that it is complete.
    pub(crate) fn reload(&mut self) -> Result<Duration, Box<dyn Error>> {
        self.builds.link_next()?;
        let complete = self.builds.publish()?;
        let number = self.reopen()?;
        let taken = complete.elapsed();
        if number != self.builds.number {
            return Err("dlopen answered an old build".into());
        }
        Ok(taken)
    }

    /// Opens a new copy of the file in place of the old one; answers which build it is.
    pub(crate) fn reopen(&mut self) -> Result<u64, Box<dyn Error>> {
        let next = match self.opened.take() {
            Some((library, copy)) => {
                library.close()?;
                std::fs::remove_file(&copy)?;
                // Two names in turn: none is that of an open library.
                self.dir.join(if copy.ends_with("copy1") {
                    "copy2"
                } else {
                    "copy1"
                })
            }
            None => self.dir.join("copy1"),
        };
        std::fs::copy(self.builds.library(), &next)?;
        // SAFETY: the library was built from this workspace a moment ago, and nothing of it is used
        // after this function.
        let library = unsafe { Library::new(&next) }?;
        // SAFETY: the plugin exports a function of this type under this name.
        let build = unsafe { library.get::<extern "C" fn() -> u64>(b"keyway_bench_build\0") }?;
        let number = build();
        self.opened = Some((library, next));
        Ok(number)
    }
}

/// hot-lib-reloader, in a process of its own.
pub(crate) struct HotLibReloader<'a> {
    builds: Builds<'a>,
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

/// The time of its debouncer that compares with what Keyway waits after a hard link.
pub(crate) const SHORT_DEBOUNCE: u64 = 3;

/// The time of its debouncer if none is given.
pub(crate) const DEFAULT_DEBOUNCE: u64 = 500;

impl<'a> HotLibReloader<'a> {
    /// Builds the program that has it.
    pub(crate) fn build() -> Result<PathBuf, String> {
        let program = Crate {
            package: "bench-hot-lib-reloader",
            what: "--bins",
            features: "peer",
            strip: "debuginfo",
            env: &[],
        };
        program.build(std::env::consts::EXE_EXTENSION)
    }

    pub(crate) fn start(
        program: &Path,
        debounce: u64,
        template: &'a Template,
        dir: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let builds = Builds::begin(template, dir)?;
        let mut child = Command::new(program)
            .arg(dir)
            .arg(debounce.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let from = from.ok_or("the child has no stdout")?;
        let mut started = HotLibReloader {
            builds,
            child,
            to,
            from: BufReader::new(from),
        };
        started.line()?;
        Ok(started)
    }

    pub(crate) fn reload(&mut self) -> Result<Duration, Box<dyn Error>> {
        self.builds.link_next()?;
        if let Some(to) = &mut self.to {
            writeln!(to, "{}", self.builds.number)?;
        }
        Ok(Duration::from_nanos(self.line()?.trim().parse()?))
    }

    fn line(&mut self) -> Result<String, Box<dyn Error>> {
        let mut line = String::new();
        match self.from.read_line(&mut line)? {
            0 => Err("the process with hot-lib-reloader has ended".into()),
            _ => Ok(line),
        }
    }
}

impl Drop for HotLibReloader<'_> {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.to.take());
        let _ = self.child.wait();
    }
}
