//! `keyway outdated`: what is newer in registries than what is installed.

use std::fmt::Write;

use keyway_install::{InstallError, Outdated};
use semver::Version;
use serde::Serialize;

use crate::args::{self, Fetching, Place};
use crate::ending::{Ending, Outcome};
use crate::failure::{Failure, SCHEMA_VERSION};
use crate::terminal::{Form, Terminal, printable};
use crate::transaction;

#[derive(Debug, Serialize)]
struct Report {
    schema_version: u32,
    plugins: Vec<Outdated>,
    failures: Vec<Failed>,
}

/// A plugin whose registry could not be asked.
#[derive(Debug, Serialize)]
struct Failed {
    plugin: String,
    code: String,
    message: String,
}

pub(crate) fn run(command: &args::Outdated, terminal: &Terminal) -> Outcome {
    let place = Place {
        config: command.config.clone(),
        dry_run: true,
        json: command.json,
    };
    let fetching = Fetching {
        offline: command.offline,
        host_version: command.host_version.clone(),
        registry: None,
    };
    let installer = transaction::installer(&place, Some(&fetching), terminal)?;
    let (mut plugins, failures) = installer.outdated()?;
    plugins.retain(Outdated::is_outdated);
    if command.json {
        let failures = failures.iter().map(|(id, error)| Failed {
            plugin: id.to_string(),
            code: error.code().to_owned(),
            message: error.message().to_owned(),
        });
        let report = Report {
            schema_version: SCHEMA_VERSION,
            plugins,
            failures: failures.collect(),
        };
        terminal.json(&report, Form::ForReader)?;
    } else if !plugins.is_empty() {
        terminal.text(&printable(&table(&plugins)))?;
    } else if failures.is_empty() {
        terminal.note("everything from registries is up to date");
    }
    let failure = |(id, error): (_, InstallError)| {
        let message = format!("cannot look plugin '{id}' up: {}", error.message());
        Failure::from(&error).with_message(message)
    };
    let mut failures = failures.into_iter().map(failure);
    let first = failures.next();
    for failure in failures {
        terminal.failure(&failure);
    }
    first.map_or(Ok(()), |failure| Err(Ending::from(failure)))
}

fn table(plugins: &[Outdated]) -> String {
    let shown =
        |version: &Option<Version>| version.as_ref().map_or("-".to_owned(), Version::to_string);
    let mut rows = vec![["Name", "Installed", "Compatible", "Latest", ""].map(str::to_owned)];
    rows.extend(plugins.iter().map(|one| {
        let remarks = [(one.pinned, "pinned"), (one.yanked, "yanked")];
        let remarks: Vec<&str> = remarks
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, remark)| *remark)
            .collect();
        [
            one.plugin.clone(),
            one.version.to_string(),
            shown(&one.compatible),
            shown(&one.latest),
            remarks.join(", "),
        ]
    }));
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [0, 1, 2, 3, 4].map(width);
    let mut table = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        let _ = writeln!(table, "{}", cells.join("  ").trim_end());
    }
    table
}
