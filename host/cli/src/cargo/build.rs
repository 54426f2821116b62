//! `cargo build` of one plugin, whose messages tell which file it made.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde::Deserialize;

use super::{PluginCrate, command, not_started};
use crate::args::Color;
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::terminal::Terminal;

/// A message of cargo's, as far as it is about a file that was made.
#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

/// Builds the library of a crate. What cargo and the compiler say goes to stderr, as they say it.
pub(crate) fn build(
    plugin: &PluginCrate,
    release: bool,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Outcome<PathBuf> {
    let (done, outcome) = channel();
    let interrupted = done.clone();
    // The receiver is gone once nobody waits any more.
    interrupt.then(move || drop(interrupted.send(Err(Ending::Interrupted))));
    let running = Build::start(plugin, release, terminal, move |built| {
        drop(done.send(built));
    })?;
    let outcome = outcome.recv().unwrap_or(Err(Ending::Interrupted));
    drop(running);
    if matches!(outcome, Err(Ending::Interrupted)) {
        terminal.clear_progress();
    }
    outcome
}

/// A cargo that runs. When this is dropped, it is ended, and so is all that it has started.
///
/// It has a process group of its own, so that a signal can reach the compilers too: cargo alone
/// would leave them behind. Ctrl-C in a terminal does not reach it therefore; whoever owns this
/// passes it on.
#[derive(Debug)]
pub(crate) struct Build {
    cargo: Arc<Mutex<Child>>,
    /// Taken by drop.
    reader: Option<JoinHandle<()>>,
}

impl Build {
    /// Starts to build the library of a crate; `done` is told what came of it, on another thread.
    pub(crate) fn start(
        plugin: &PluginCrate,
        release: bool,
        terminal: &Terminal,
        done: impl FnOnce(Outcome<PathBuf>) + Send + 'static,
    ) -> Outcome<Build> {
        let mut command = command_of(plugin, release, terminal)?;
        let mut cargo = command.spawn().map_err(|error| not_started(&error))?;
        let messages = cargo.stdout.take();
        let cargo = Arc::new(Mutex::new(cargo));
        let mut build = Build {
            cargo: Arc::clone(&cargo),
            reader: None,
        };
        let plugin = plugin.clone();
        let reader = std::thread::Builder::new()
            .name("keyway-cargo".to_owned())
            .spawn(move || done(follow(&plugin, messages, &cargo)))
            .map_err(|error| {
                let message = format!("cannot start a thread: {error}");
                Failure::new(exit::HOST, "thread", message)
            })?;
        build.reader = Some(reader);
        Ok(build)
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        let mut cargo = lock(&self.cargo);
        // Until it was waited for, its number is nobody else's.
        if matches!(cargo.try_wait(), Ok(None)) {
            end(&mut cargo);
        }
        drop(cargo);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Asks a cargo and its compilers to end.
#[cfg(unix)]
pub(super) fn end(cargo: &mut Child) {
    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;
    if let Ok(group) = i32::try_from(cargo.id()) {
        // It fails when all of them have just ended.
        let _ = killpg(Pid::from_raw(group), Signal::SIGTERM);
    }
}

/// Ends a cargo; compilers that it has started come to their end by themselves.
#[cfg(not(unix))]
pub(super) fn end(cargo: &mut Child) {
    // It fails when it has just ended.
    let _ = cargo.kill();
}

fn lock(cargo: &Mutex<Child>) -> MutexGuard<'_, Child> {
    cargo.lock().unwrap_or_else(PoisonError::into_inner)
}

fn command_of(plugin: &PluginCrate, release: bool, terminal: &Terminal) -> Outcome<Command> {
    let mut cargo = command::cargo(&plugin.dir)?;
    cargo.args(["build", "--lib", "--message-format=json-render-diagnostics"]);
    add_options(&mut cargo, release, terminal);
    cargo.stdout(Stdio::piped());
    Ok(cargo)
}

/// What every cargo is told that is started here; it gets a process group of its own.
pub(super) fn add_options(cargo: &mut Command, release: bool, terminal: &Terminal) {
    if release {
        cargo.arg("--release");
    }
    if terminal.is_quiet() {
        cargo.arg("--quiet");
    }
    match terminal.color() {
        Color::Auto => {}
        Color::Always => drop(cargo.arg("--color=always")),
        Color::Never => drop(cargo.arg("--color=never")),
    }
    cargo.stdin(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(cargo, 0);
}

/// Reads what cargo tells, to its end.
fn follow(
    plugin: &PluginCrate,
    messages: Option<ChildStdout>,
    cargo: &Mutex<Child>,
) -> Outcome<PathBuf> {
    let messages = messages.into_iter().map(BufReader::new);
    let lines = messages.flat_map(|messages| messages.lines().map_while(Result::ok));
    let library = lines.filter_map(|line| plugin.library_in(&line)).last();
    // It has closed its stdout, so this does not take long.
    let status = lock(cargo).wait().map_err(|error| not_started(&error))?;
    if !status.success() {
        return Err(not_built(plugin, status).into());
    }
    Ok(library.ok_or_else(|| {
        Failure::new(
            exit::BUILD,
            "build",
            format!(
                "cargo built package `{}` and reported no dynamic library of it",
                plugin.package
            ),
        )
        .at(&plugin.dir)
    })?)
}

impl PluginCrate {
    /// The library that a message of cargo's reports, if it is this crate's.
    fn library_in(&self, line: &str) -> Option<PathBuf> {
        let message: Message = serde_json::from_str(line).ok()?;
        let is_own = message.reason == "compiler-artifact" && message.package_id == self.id;
        let is_cdylib = |target: &Target| target.crate_types.iter().any(|kind| kind == "cdylib");
        if !is_own || !message.target.as_ref().is_some_and(is_cdylib) {
            return None;
        }
        message.filenames.into_iter().find(|file| {
            file.extension()
                .is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION)
        })
    }
}

fn not_built(plugin: &PluginCrate, status: ExitStatus) -> Failure {
    /// What cargo ends with when it has said what is wrong.
    const TOLD: i32 = 101;
    let mut message = format!("cargo could not build package `{}`", plugin.package);
    if status.code() != Some(TOLD) {
        message = format!("{message}: it ended with {status}");
    }
    Failure::new(exit::BUILD, "build", message)
}
