//! `keyway call`: one tool, once.

use std::path::Path;

use keyway_host::keyway::capability::Capability;
use keyway_host::keyway::tool::ToolHandle;
use keyway_host::plan::Trigger;
use keyway_host::{Finding, HostError, PluginRecord, Severity, ToolClient};

use crate::args::{Call, StandIn, Target};
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;
use crate::installation::Installation;
use crate::interrupt::Interrupt;
use crate::session::{Session, host_builder, read_arguments, refused};
use crate::subject;
use crate::terminal::{Form, Terminal};

pub(crate) fn run(command: &Call, terminal: &Terminal) -> Outcome {
    let (target, name, arguments) = command.target();
    let form = match command.json {
        true => Form::Compact,
        false => Form::ForReader,
    };
    let answer = match target {
        Target::File(subject) => of_file(command, subject, (name, arguments), terminal)?,
        Target::Installed => of_installed(command, (name, arguments), terminal)?,
    };
    terminal.json(&answer, form)
}

fn of_file(
    command: &Call,
    subject: &Path,
    (name, arguments): (&str, &str),
    terminal: &Terminal,
) -> Outcome<serde_json::Value> {
    let library = subject::library(subject)?;
    let arguments = read_arguments(name, arguments)?;
    // Only from here on is there something to end in order.
    let interrupt = Interrupt::listen();
    let builder = host_builder(&command.application);
    Session::run(builder, &interrupt, terminal, |session| {
        let plugin = session.load(&library, command.settings.to_map())?;
        for warning in &plugin.warnings {
            terminal.warning(&warning.to_string());
        }
        let tool = session.tool(name, &plugin)?;
        session.call(&tool, name, arguments, command.deadline)
    })
}

/// Starts the plugins that the tool needs, and no others.
fn of_installed(
    command: &Call,
    (name, arguments): (&str, &str),
    terminal: &Terminal,
) -> Outcome<serde_json::Value> {
    let installation = Installation::open(command.settings_file.as_deref())?;
    let builder = installation.host(&StandIn::default())?;
    let arguments = read_arguments(name, arguments)?;
    let interrupt = Interrupt::listen();
    Session::run(builder, &interrupt, terminal, |session| {
        let host = &session.host;
        let found = session.until_interrupted(host.discover())?;
        found.map_err(Failure::from)?;
        let tool = Trigger::Tool(name);
        let activated = session.until_interrupted(host.activate(tool))?;
        session.remember_stage();
        activated.map_err(|error| unavailable(name, &error, &host.records()))?;
        for plugin in host.plugins() {
            for warning in &plugin.warnings {
                terminal.warning(&warning.to_string());
            }
        }
        let tool: ToolClient = host.tool(name).map_err(Failure::from)?;
        session.call(&tool, name, arguments, command.deadline)
    })
}

/// Why the plugins of a tool do not run.
fn unavailable(tool: &str, error: &HostError, records: &[PluginRecord]) -> Failure {
    if error.code() != "nothing-to-activate" {
        return refused(error);
    }
    let with = |failure: Failure, hint: Option<String>| match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    };
    let declares = |record: &&PluginRecord| {
        let manifest = record.manifest.as_ref();
        manifest.is_some_and(|manifest| manifest.capabilities.declares(ToolHandle::ID, tool))
    };
    let Some(record) = records.iter().find(declares) else {
        let message = format!("no plugin offers tool `{tool}`");
        let failure = Failure::new(exit::NOT_FOUND, "unknown-tool", message);
        return with(failure, error.advice().map(str::to_owned));
    };
    let label = record.label();
    let is_error = |finding: &&Finding| finding.severity() == Severity::Error;
    let (reason, hint) = match record.findings.iter().find(is_error) {
        Some(finding) => (
            format!("blocked: {}", finding.message),
            finding.hint.clone(),
        ),
        None => (
            record.enablement.to_string(),
            Some(format!("keyway enable {label}")),
        ),
    };
    let message = format!("tool `{tool}` is that of plugin '{label}', which is {reason}");
    with(
        Failure::new(exit::REFUSED, "unavailable-tool", message),
        hint,
    )
}
