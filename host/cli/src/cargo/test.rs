//! `cargo test` of one plugin.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::build::{add_options, end};
use super::{PluginCrate, command, not_started};
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::terminal::Terminal;

/// How often it is looked whether cargo has ended. Its output is the terminal's own, so there is nothing to
/// read to the end.
const LOOK: Duration = Duration::from_millis(10);

/// Builds the tests of a crate, then runs them. All that cargo and the tests print goes to stderr.
pub(crate) fn test(
    plugin: &PluginCrate,
    release: bool,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Outcome {
    let told = |code: u8, id: &str, what: &str| {
        let message = format!("{what} package `{}`", plugin.package);
        Failure::new(code, id, message)
    };
    if !run(plugin, &["test", "--no-run"], release, interrupt, terminal)?.success() {
        return Err(told(exit::BUILD, "build", "cargo could not build the tests of").into());
    }
    if !run(plugin, &["test"], release, interrupt, terminal)?.success() {
        let failure = told(exit::FAILED, "tests", "a test failed of");
        let dir = plugin.dir.display();
        return Err(failure
            .hint(format!(
                "mend it, and run them alone with `cargo test` in {dir}"
            ))
            .into());
    }
    Ok(())
}

fn run(
    plugin: &PluginCrate,
    arguments: &[&str],
    release: bool,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Outcome<ExitStatus> {
    let mut cargo = command::cargo(&plugin.dir)?;
    cargo.args(arguments);
    add_options(&mut cargo, release, terminal);
    cargo.stdout(Stdio::from(std::io::stderr()));
    let interrupted = Arc::new(AtomicBool::new(false));
    let mut cargo = cargo.spawn().map_err(|error| not_started(&error))?;
    let told = Arc::clone(&interrupted);
    interrupt.then(move || told.store(true, Ordering::Release));
    loop {
        let ended = cargo.try_wait().map_err(|error| not_started(&error))?;
        if let Some(status) = ended {
            return Ok(status);
        }
        if interrupted.load(Ordering::Acquire) {
            end(&mut cargo);
            let _ = cargo.wait();
            terminal.clear_progress();
            return Err(Ending::Interrupted);
        }
        std::thread::sleep(LOOK);
    }
}
