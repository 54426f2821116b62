//! `keyway validate`: the checks of a plugin, each in a process of its own.

mod table;

use std::path::Path;

use keyway_validate::{
    CHECKS, Outcome as Found, Progress, Report, ValidateError, Validator, junit,
};
use serde::Serialize;

use crate::args::{Checks, RUN_CHECK, Validate};
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::failure::{Failure, SCHEMA_VERSION};
use crate::interrupt::Interrupt;
use crate::subject;
use crate::terminal::{Form, Terminal};

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    schema_version: u32,
    /// The worst of all.
    outcome: Found,
    libraries: &'a [Report],
}

pub(crate) fn run(command: &Validate, terminal: &Terminal) -> Outcome {
    let Some(subject) = command.subject.as_deref().filter(|_| !command.list) else {
        return list(command, terminal);
    };
    let libraries = subject::libraries(subject)?;
    let mut validator = validator(&command.checks)?;
    if let Some(case) = &command.reproduce {
        validator = validator.reproduce(case.clone());
    }
    let interrupt = Interrupt::listen();
    let mut reports = Vec::new();
    for library in &libraries {
        let report = validate(&validator, library, &interrupt, terminal)?;
        if !command.json {
            terminal.text(&table_of(&report, &command.checks, terminal))?;
        }
        reports.push(report);
    }
    if let Some(file) = &command.junit {
        write_junit(file, &reports)?;
    }
    if command.json {
        let answer = Answer {
            schema_version: SCHEMA_VERSION,
            outcome: worst(&reports),
            libraries: &reports,
        };
        terminal.json(&answer, Form::ForReader)?;
    }
    match exit_code(&reports) {
        exit::SUCCESS => Ok(()),
        code => Err(Ending::Told(code)),
    }
}

fn list(command: &Validate, terminal: &Terminal) -> Outcome {
    #[derive(Serialize)]
    struct Row {
        id: &'static str,
        expects: &'static str,
        how: &'static str,
    }
    #[derive(Serialize)]
    struct List {
        schema_version: u32,
        checks: Vec<Row>,
    }
    if !command.json {
        return terminal.text(&table::list(CHECKS));
    }
    let row = |check: &keyway_validate::Check| Row {
        id: check.id,
        expects: check.expects,
        how: check.how,
    };
    let list = List {
        schema_version: SCHEMA_VERSION,
        checks: CHECKS.iter().map(row).collect(),
    };
    terminal.json(&list, Form::ForReader)
}

/// What runs the checks: this very program.
pub(crate) fn validator(checks: &Checks) -> Outcome<Validator> {
    let program = std::env::current_exe().map_err(|error| {
        let message =
            format!("cannot tell where keyway itself is, to start it for a check: {error}");
        Failure::new(exit::HOST, "own-program", message)
    })?;
    let mut validator = Validator::new(program, [RUN_CHECK])
        .only(checks.only.iter().cloned())
        .skip(checks.skip.iter().cloned())
        .seed(checks.seed)
        .cases(checks.cases)
        .time_limit(checks.time_limit)
        .grant(checks.grant)
        .config(checks.settings.to_map());
    if let Some(jobs) = checks.jobs {
        validator = validator.jobs(jobs.into());
    }
    if let Some(version) = &checks.host_version {
        validator = validator.host_version(version.clone());
    }
    Ok(validator)
}

/// Runs the checks on one library.
pub(crate) fn validate(
    validator: &Validator,
    library: &Path,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Outcome<Report> {
    if !library.is_file() {
        let failure = Failure::new(
            exit::NOT_FOUND,
            "not-found",
            "expected a library, found no file",
        );
        return Err(failure.at(library).into());
    }
    terminal.status("Validating", library.display());
    let stop = validator.stop_handle();
    interrupt.then(move || stop.stop());
    let tell = |progress: Progress<'_>| {
        if let Progress::Ended(record) = progress
            && terminal.is_verbose()
        {
            terminal.status(record.outcome().name(), record.id);
        }
    };
    validator.run(library, &tell).map_err(not_validated)
}

fn not_validated(error: ValidateError) -> Ending {
    if error.is_stopped() {
        return Ending::Interrupted;
    }
    let code = if error.is_usage() {
        exit::USAGE
    } else {
        exit::HOST
    };
    let failure = Failure::new(code, "validate", error.message());
    match error.advice() {
        Some(advice) => failure.hint(advice),
        None => failure,
    }
    .into()
}

/// The exit code of the worst.
pub(crate) fn exit_code(reports: &[Report]) -> u8 {
    let records = reports.iter().flat_map(|report| &report.checks);
    let failed: Vec<_> = records
        .filter(|record| record.outcome() >= Found::Failed)
        .collect();
    if failed.is_empty() {
        return exit::SUCCESS;
    }
    if failed.iter().any(|record| record.id == "inspects") {
        return exit::UNFIT;
    }
    match failed.iter().all(|record| record.verdict.timed_out) {
        true => exit::TIMEOUT,
        false => exit::FAILED,
    }
}

fn worst(reports: &[Report]) -> Found {
    let worst = reports.iter().map(Report::outcome).max();
    worst.unwrap_or(Found::Success)
}

/// The table of a report.
pub(crate) fn table_of(report: &Report, checks: &Checks, terminal: &Terminal) -> String {
    table::render(report, &checks.again(), terminal.is_verbose())
}

fn write_junit(file: &Path, reports: &[Report]) -> Outcome {
    Ok(std::fs::write(file, junit(reports)).map_err(|error| {
        let message = format!("cannot write the results as JUnit XML: {error}");
        Failure::new(exit::HOST, "junit", message).at(file)
    })?)
}
