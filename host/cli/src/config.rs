//! `keyway config`: the settings of plugins, shown with their origins and changed in the settings file.

mod change;
mod show;

use keyway_host::{PluginRecord, config_schema};

use crate::args::{Config, ConfigCommand, ConfigSchema};
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;
use crate::installation::Installation;
use crate::terminal::{Form, Terminal};

pub(crate) fn run(command: &Config, terminal: &Terminal) -> Outcome {
    match &command.command {
        ConfigCommand::Show(command) => show::run(command, terminal),
        ConfigCommand::Set(command) => change::set(command, terminal),
        ConfigCommand::Unset(command) => change::unset(command, terminal),
        ConfigCommand::Schema(command) => schema(command, terminal),
    }
}

fn schema(command: &ConfigSchema, terminal: &Terminal) -> Outcome {
    let installation = Installation::open(command.place.config.as_deref())?;
    let survey = installation.survey(&command.place.application)?;
    let record = survey.find(&command.plugin)?;
    terminal.json(&config_schema(manifest(record)?), Form::ForReader)
}

/// The manifest of a plugin that was found by its id, and so has one.
fn manifest(record: &PluginRecord) -> Outcome<&keyway_host::manifest::Manifest> {
    Ok(record.manifest.as_deref().ok_or_else(|| {
        let message = format!("the manifest of {} does not read", record.label());
        Failure::new(exit::UNFIT, "manifest-invalid", message)
    })?)
}
