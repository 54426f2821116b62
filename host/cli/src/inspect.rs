//! `keyway inspect`: what a file says of itself, and whether it would be loaded.

mod report;
mod table;

use crate::args::Inspect;
use crate::ending::{Ending, Outcome};
use crate::failure::{Failure, SCHEMA_VERSION};
use crate::session::host_builder;
use crate::subject;
use crate::terminal::{Form, Terminal};
use report::{Library, Report};

pub(crate) fn run(command: &Inspect, terminal: &Terminal) -> Outcome {
    let builder = host_builder(&command.application);
    let mut libraries = Vec::new();
    let mut failures = Vec::new();
    for path in subject::libraries(&command.subject)? {
        let (library, failure) = Library::read(&path, &builder);
        libraries.extend(library);
        failures.extend(failure);
    }
    if command.json {
        if !libraries.is_empty() {
            let report = Report {
                schema_version: SCHEMA_VERSION,
                libraries,
            };
            terminal.json(&report, Form::ForReader)?;
        }
    } else {
        let tables: Vec<String> = libraries
            .iter()
            .map(|library| table::render(library, &command.application, terminal.is_verbose()))
            .collect();
        terminal.text(&tables.join("\n"))?;
    }
    // All but the first are told here, and the first ends the run.
    let mut failures = failures.into_iter();
    let first = failures.next();
    for failure in failures {
        terminal.failure(&failure);
    }
    first.map_or(Ok(()), |failure: Failure| Err(Ending::from(failure)))
}
