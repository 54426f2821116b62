//! `keyway list`: the plugins that there are, whether they are to run, and why not.

mod report;
mod table;

use crate::args::List;
use crate::ending::Outcome;
use crate::failure::SCHEMA_VERSION;
use crate::installation::Installation;
use crate::terminal::{Form, Terminal};
pub(crate) use report::Said;
use report::{Report, Row, is_listed};

pub(crate) fn run(command: &List, terminal: &Terminal) -> Outcome {
    let installation = Installation::open(command.place.config.as_deref())?;
    let survey = installation.survey(&command.place.application)?;
    if command.ids {
        let lines: String = survey.ids().iter().map(|id| format!("{id}\n")).collect();
        return terminal.text(&lines);
    }
    let rows = Row::all(&installation, &survey);
    let (rows, hidden): (Vec<Row>, Vec<Row>) = rows
        .into_iter()
        .partition(|row| command.all || is_listed(row));
    if command.place.json {
        let report = Report {
            schema_version: SCHEMA_VERSION,
            settings: &installation.settings_file,
            plugins: rows,
            findings: survey.findings.iter().map(Into::into).collect(),
        };
        return terminal.json(&report, Form::ForReader);
    }
    match rows.is_empty() {
        true => terminal.note("there are no plugins; keyway install SOURCE gets one"),
        false => terminal.text(&table::render(&rows, terminal.is_verbose()))?,
    }
    for finding in &survey.findings {
        terminal.finding(finding);
    }
    if !hidden.is_empty() {
        let files = match hidden.len() {
            1 => "1 more file is".to_owned(),
            more => format!("{more} more files are"),
        };
        terminal.note(&format!("{files} not used: keyway list --all"));
    }
    Ok(())
}
