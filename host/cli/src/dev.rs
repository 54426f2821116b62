//! `keyway dev`: from a crate's directory to a plugin that runs, and again after each edit.

mod cycle;
mod round;
mod show;
mod watch;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use keyway_host::{HostBuilder, Probation};
use serde_json::Value;

use crate::args::Dev;
use crate::cargo::{self, PluginCrate};
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::session::{Session, host_builder, read_arguments};
use crate::subject::{plugin_crate, shorten};
use crate::terminal::{Form, Terminal};

use cycle::Cycle;
use show::{show_called, show_loaded};

/// A call to be made after each load and reload.
#[derive(Clone, Debug)]
struct Call {
    tool: String,
    arguments: Value,
}

/// How long a new version is on probation, which the user is told of; the host's own default.
const PROBATION: Duration = Duration::from_secs(5);
/// The number of panics in that time that brings the version before back.
const PANICS: u64 = 3;

pub(crate) fn run(command: &Dev, terminal: &Terminal) -> Outcome {
    // Mistakes on the command line are told before anything takes time.
    let read = |(tool, json): (&str, &str)| -> Outcome<Call> {
        Ok(Call {
            arguments: read_arguments(tool, json)?,
            tool: tool.to_owned(),
        })
    };
    let calls = command.calls().map(read).collect::<Outcome<Vec<_>>>()?;
    let plugin = plugin_crate(&command.dir)?;
    let interrupt = Interrupt::listen();
    if command.once {
        return run_once(command, &calls, &plugin, &interrupt, terminal);
    }
    let library = match command.no_build {
        true => Some(built_already(&plugin, command)?),
        false => None,
    };
    Session::run(
        builder(command).hot_reload(true),
        &interrupt,
        terminal,
        |session| Cycle::new(command, &calls, plugin, session, terminal).run(&interrupt, library),
    )
}

fn run_once(
    command: &Dev,
    calls: &[Call],
    plugin: &PluginCrate,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Outcome {
    let library = match command.no_build {
        true => built_already(plugin, command)?,
        false => shorten(&cargo::build(plugin, command.release, interrupt, terminal)?),
    };
    Session::run(builder(command), interrupt, terminal, |session| {
        let status = session.load(&library, command.settings.to_map())?;
        show_loaded(&status, &library, session, terminal);
        let find = |call: &Call| session.tool(&call.tool, &status);
        // A tool that is not there is told before the first call is made.
        let tools = calls.iter().map(find).collect::<Outcome<Vec<_>>>()?;
        for (Call { tool, arguments }, client) in calls.iter().zip(tools) {
            let clock = Instant::now();
            let answer = session.call(&client, tool, arguments.clone(), None)?;
            show_called(tool, clock.elapsed(), "", terminal);
            terminal.json(&answer, Form::ForReader)?;
        }
        Ok(())
    })
}

fn builder(command: &Dev) -> HostBuilder {
    let probation = Probation::of(PROBATION).max_panics(PANICS - 1);
    host_builder(&command.application).probation(probation)
}

/// The library that somebody else builds.
fn built_already(plugin: &PluginCrate, command: &Dev) -> Outcome<PathBuf> {
    let (profile, option) = match command.release {
        true => ("release", " --release"),
        false => ("debug", ""),
    };
    let library = plugin.built_as(command.release).ok_or_else(|| {
        let message = format!(
            "no library of package `{}` was built yet: expected one under target/{profile}",
            plugin.package
        );
        Failure::new(exit::NOT_FOUND, "not-built", message)
            .at(&plugin.dir)
            .hint(format!(
                "run `cargo build{option}` there first, or leave --no-build out"
            ))
    })?;
    Ok(shorten(&library))
}

fn no_thread(error: &std::io::Error) -> Failure {
    let message = format!("cannot start a thread: {error}");
    Failure::new(exit::HOST, "thread", message)
}
