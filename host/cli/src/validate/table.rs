//! The outcomes of all checks as a table for people: one line for each that is in order, and what there is to
//! know of the others below theirs.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use keyway_validate::{Check, Outcome, Record, Report};

use crate::terminal::{COLUMNS, printable};
use crate::wrap::wrap;

const TITLE: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const QUIET: Style = Style::new().dimmed();
const DOUBTFUL: Style = AnsiColor::BrightYellow.on_default().bold();
const BAD: Style = AnsiColor::BrightRed.on_default().bold();

/// The longest outcome and the gap behind it.
const OUTCOME_COLUMNS: usize = 9;
/// The longest id of a check and the gap behind it.
const ID_COLUMNS: usize = 20;
/// Where the lines below an id begin.
const INDENT: usize = OUTCOME_COLUMNS;

/// Renders a report; ends with a line end.
/// `options` are those that a case needs to be the same again.
pub(super) fn render(report: &Report, options: &str, verbose: bool) -> String {
    let mut text = String::new();
    let title = match (&report.plugin, &report.version) {
        (Some(plugin), Some(version)) => format!("{plugin} {version}"),
        _ => {
            let name = report.library.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
    };
    let _ = writeln!(text, "{TITLE}{}{TITLE:#}\n", printable(&title));
    for record in &report.checks {
        row(&mut text, record, verbose);
        if let Some(case) = &record.verdict.reproduce {
            let library = report.library.display().to_string();
            let _ = writeln!(
                text,
                "{:INDENT$}reproduce: keyway validate {}{options} --reproduce {case}",
                "",
                printable(&library)
            );
        }
    }
    let _ = writeln!(text, "\n{}", summary(report));
    text
}

fn row(text: &mut String, record: &Record, verbose: bool) {
    let style = match record.outcome() {
        Outcome::Success => GOOD,
        Outcome::Skipped => QUIET,
        Outcome::Warning => DOUBTFUL,
        Outcome::Failed | Outcome::Crashed => BAD,
    };
    let outcome = record.outcome().name();
    let gap = OUTCOME_COLUMNS - outcome.len();
    let _ = write!(text, "{style}{outcome}{style:#}{:gap$}", "");
    let verdict = &record.verdict;
    let is_good = record.outcome() <= Outcome::Skipped;
    let message = printable(&verdict.message);
    if is_good {
        let columns = COLUMNS - OUTCOME_COLUMNS - ID_COLUMNS;
        let mut id = record.id;
        for line in wrap(&message, columns) {
            match id {
                "" => drop(writeln!(
                    text,
                    "{:1$}{line}",
                    "",
                    OUTCOME_COLUMNS + ID_COLUMNS
                )),
                id => drop(writeln!(text, "{id:ID_COLUMNS$}{line}")),
            }
            id = "";
        }
        if verbose {
            for detail in &verdict.details {
                let _ = writeln!(text, "{:INDENT$}{}", "", printable(detail));
            }
        }
        return;
    }
    let _ = writeln!(text, "{}", record.id);
    for line in wrap(&message, COLUMNS - INDENT) {
        let _ = writeln!(text, "{:INDENT$}{line}", "");
    }
    // As they are: what a tool was given is there to be copied.
    for detail in &verdict.details {
        let _ = writeln!(text, "{:INDENT$}| {}", "", printable(detail));
    }
    if let Some(hint) = &verdict.hint {
        for line in wrap(&format!("hint: {}", printable(hint)), COLUMNS - INDENT) {
            let _ = writeln!(text, "{:INDENT$}{line}", "");
        }
    }
}

fn summary(report: &Report) -> String {
    let checks = match report.checks.len() {
        1 => "1 check".to_owned(),
        checks => format!("{checks} checks"),
    };
    let parts: Vec<String> = [
        (Outcome::Crashed, "crashed"),
        (Outcome::Failed, "failed"),
        (Outcome::Warning, "with a warning"),
        (Outcome::Skipped, "skipped"),
        (Outcome::Success, "in order"),
    ]
    .into_iter()
    .filter_map(|(outcome, name)| match report.count(outcome) {
        0 => None,
        count => Some(format!("{count} {name}")),
    })
    .collect();
    format!("{checks}: {} (seed {})", parts.join(", "), report.seed)
}

/// The checks that there are.
pub(super) fn list(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let mut id = check.id;
        for line in wrap(check.expects, COLUMNS - ID_COLUMNS) {
            let _ = writeln!(text, "{id:ID_COLUMNS$}{line}");
            id = "";
        }
    }
    text
}
