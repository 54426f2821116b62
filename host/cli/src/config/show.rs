//! `keyway config show`: the values that plugins get.

use std::fmt::Write;

use anstyle::Style;
use keyway_host::config::{self, Sources};
use keyway_host::{ConfigValue, PluginRecord};
use serde::Serialize;
use serde_json::Value;

use super::manifest;
use crate::args::ConfigShow;
use crate::ending::{Ending, Outcome};
use crate::failure::{Failure, SCHEMA_VERSION};
use crate::installation::Installation;
use crate::terminal::{Form, Terminal, printable};

const TITLE: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();

/// What is printed of a run.
#[derive(Debug, Serialize)]
struct Report {
    schema_version: u32,
    plugins: Vec<Plugin>,
}

#[derive(Debug, Serialize)]
struct Plugin {
    id: String,
    settings: Vec<Setting>,
    /// What is set and not declared.
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Setting {
    name: String,
    /// As far as it may be shown.
    value: Value,
    origin: String,
    secret: bool,
}

pub(super) fn run(command: &ConfigShow, terminal: &Terminal) -> Outcome {
    let installation = Installation::open(command.place.config.as_deref())?;
    let survey = installation.survey(&command.place.application)?;
    let records: Vec<&PluginRecord> = match &command.plugin {
        Some(id) => vec![survey.find(id)?],
        None => survey.used().collect(),
    };
    let mut plugins = Vec::new();
    let mut failures = Vec::new();
    for record in records {
        match plugin(record, &installation)? {
            Ok(plugin) if command.plugin.is_none() && plugin.settings.is_empty() => {}
            Ok(plugin) => plugins.push(plugin),
            Err(failure) => failures.push(failure),
        }
    }
    let report = Report {
        schema_version: SCHEMA_VERSION,
        plugins,
    };
    match command.place.json {
        true => terminal.json(&report, Form::ForReader)?,
        false => {
            terminal.text(&report.render(command.origin))?;
            for warning in report.plugins.iter().flat_map(|plugin| &plugin.warnings) {
                terminal.warning(warning);
            }
        }
    }
    // All but the first are told here, and the first ends the run.
    let mut failures = failures.into_iter();
    let first = failures.next();
    for failure in failures {
        terminal.failure(&failure);
    }
    first.map_or(Ok(()), |failure| Err(Ending::from(failure)))
}

/// The settings of one plugin; a failure where they do not fit.
fn plugin(record: &PluginRecord, installation: &Installation) -> Outcome<Result<Plugin, Failure>> {
    let manifest = manifest(record)?;
    let env = |name: &str| std::env::var_os(name);
    let sources = Sources::new(&env);
    let sources = match installation.settings.plugin(manifest.id.as_str()) {
        Some(settings) => sources.host(settings),
        None => sources,
    };
    let resolved = match config::resolve(&manifest.config, &sources) {
        Ok(resolved) => resolved,
        Err(error) => {
            let finding = error.finding().of_plugin(manifest.id.as_str());
            let failure = Failure::from(&error).with_message(finding.message);
            return Ok(Err(failure
                .of_plugin(manifest.id.as_str())
                .hint(format!("keyway config set {}.KEY VALUE", manifest.id))));
        }
    };
    let setting = |value: &ConfigValue| Setting {
        name: value.name.clone(),
        value: value.value.clone(),
        origin: value.origin.to_string(),
        secret: value.secret,
    };
    Ok(Ok(Plugin {
        id: manifest.id.to_string(),
        settings: resolved.shown().iter().map(setting).collect(),
        warnings: resolved.warnings().to_vec(),
    }))
}

impl Report {
    fn render(&self, with_origin: bool) -> String {
        let mut text = String::new();
        for (index, plugin) in self.plugins.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            let _ = writeln!(text, "{TITLE}[plugin.{}.config]{TITLE:#}", plugin.id);
            for Setting {
                name,
                value,
                origin,
                ..
            } in &plugin.settings
            {
                let _ = write!(
                    text,
                    "{} = {}",
                    printable(name),
                    printable(&value.to_string())
                );
                if with_origin {
                    let _ = write!(text, "  {QUIET}# {}{QUIET:#}", printable(origin));
                }
                text.push('\n');
            }
        }
        text
    }
}
