//! `keyway dev`: from a crate's directory to a plugin that runs.

use std::path::Path;
use std::time::{Duration, Instant};

use keyway_host::keyway::capability::Capability;
use keyway_host::keyway::tool::ToolHandle;
use keyway_host::{PluginStatus, ToolClient};
use serde_json::Value;

use crate::args::Dev;
use crate::cargo;
use crate::ending::{Ending, Outcome};
use crate::interrupt::Interrupt;
use crate::session::{Session, read_arguments};
use crate::subject::{plugin_crate, shorten};
use crate::terminal::{Form, Terminal};

pub(crate) fn run(command: &Dev, terminal: &Terminal) -> Outcome {
    // Mistakes on the command line are told before anything takes time.
    let calls = command
        .calls()
        .map(|(tool, json)| Ok((tool, read_arguments(tool, json)?)))
        .collect::<Outcome<Vec<_>>>()?;
    let plugin = plugin_crate(&command.dir)?;
    let interrupt = Interrupt::listen();
    let built = cargo::build(&plugin, command.release, terminal);
    if interrupt.is_raised() {
        // Ctrl-C reached cargo too, so it did not fail: it was ended.
        return Err(Ending::Interrupted);
    }
    let library = shorten(&built?);
    Session::run(&command.application, &interrupt, terminal, |session| {
        let status = session.load(&library, command.settings.to_map())?;
        show(&status, &library, session, terminal)?;
        run_calls(calls, &status, session, terminal)
    })?;
    if !command.once {
        terminal.note("ran once, since reloading on changes is not there yet");
    }
    Ok(())
}

/// Tells what was loaded and what it offers.
fn show(
    plugin: &PluginStatus,
    library: &Path,
    session: &Session<'_>,
    terminal: &Terminal,
) -> Outcome {
    terminal.status(
        "Loaded",
        format_args!(
            "{} v{} ({}) in {}",
            plugin.name,
            plugin.version,
            library.display(),
            show_time(plugin.times.total())
        ),
    );
    for offer in &plugin.capabilities {
        let mut line = format!("{}/{} {}", offer.id, offer.major, offer.name);
        if offer.id == ToolHandle::ID {
            let spec = session.tool(&offer.name, plugin)?.spec();
            let description = spec.map(|spec| spec.description).unwrap_or_default();
            if let Some(first) = description.trim().lines().next() {
                line = format!("{line}: {first}");
            }
        }
        terminal.status_in_a_line("Offers", &line);
    }
    for warning in &plugin.warnings {
        terminal.warning(warning);
    }
    Ok(())
}

fn run_calls(
    calls: Vec<(&str, Value)>,
    plugin: &PluginStatus,
    session: &Session<'_>,
    terminal: &Terminal,
) -> Outcome {
    let tools = calls
        .into_iter()
        .map(|(name, arguments)| Ok((name, session.tool(name, plugin)?, arguments)))
        .collect::<Outcome<Vec<(&str, ToolClient, Value)>>>()?;
    for (name, tool, arguments) in tools {
        let clock = Instant::now();
        let answer = session.call(&tool, name, arguments, None)?;
        terminal.status(
            "Called",
            format_args!("{name} in {}", show_time(clock.elapsed())),
        );
        terminal.json(&answer, Form::ForReader)?;
    }
    Ok(())
}

/// A time with three digits, in the unit that suits it.
fn show_time(time: Duration) -> String {
    let (number, unit) = match time.as_secs_f64() {
        seconds if seconds >= 1.0 => (seconds, "s"),
        seconds if seconds >= 0.001 => (seconds * 1e3, "ms"),
        seconds => (seconds * 1e6, "µs"),
    };
    let decimals = match number {
        n if n >= 99.95 => 0,
        n if n >= 9.995 => 1,
        _ => 2,
    };
    format!("{number:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        let cases = [
            (1_234_567, "1.23 s"),
            (99_960, "100 ms"),
            (12_340, "12.3 ms"),
            (1_230, "1.23 ms"),
            (45, "45.0 µs"),
        ];
        for (micros, expected) in cases {
            assert_eq!(show_time(Duration::from_micros(micros)), expected);
        }
    }
}
