//! The plugins as a table for people: a line for each, and one more for each that is not to run.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::report::{Declared, Row, Said};
use crate::terminal::{COLUMNS, printable, start};
use crate::wrap::wrap;

const HEAD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const QUIET: Style = Style::new().dimmed();
const DOUBTFUL: Style = AnsiColor::BrightYellow.on_default();
const BAD: Style = AnsiColor::BrightRed.on_default().bold();

const TITLES: [&str; 4] = ["Name", "Version", "Status", "Capabilities"];
const GAP: usize = 2;
/// Where what there is to add begins.
const INDENT: usize = 2;

/// Renders all rows; ends with a line end.
pub(super) fn render(rows: &[Row], verbose: bool) -> String {
    let cells: Vec<[String; 4]> = rows.iter().map(cells).collect();
    let widths: Vec<usize> = (0..3)
        .map(|column| {
            let cells = cells.iter().map(|cells| cells[column].chars().count());
            cells.chain([TITLES[column].len()]).max().unwrap_or(0) + GAP
        })
        .collect();
    let mut text = String::new();
    for (title, width) in TITLES.iter().zip(widths.iter().chain([&0])) {
        let gap = width.saturating_sub(title.len());
        let _ = write!(text, "{HEAD}{title}{HEAD:#}{:gap$}", "");
    }
    text.push('\n');
    for (row, cells) in rows.iter().zip(&cells) {
        line(&mut text, row, cells, &widths, verbose);
        match verbose {
            true => details(&mut text, row),
            false => reason(&mut text, row),
        }
    }
    text
}

fn cells(row: &Row) -> [String; 4] {
    let id = match (&row.id, &row.path) {
        (Some(id), _) => id.clone(),
        (None, Some(path)) => {
            let name = path.file_name().unwrap_or_default();
            printable(&name.to_string_lossy())
        }
        (None, None) => "?".to_owned(),
    };
    let version = row
        .version
        .as_ref()
        .map_or("-".to_owned(), ToString::to_string);
    let status = match (row.status, row.lazy) {
        ("enabled", true) => "enabled, lazy",
        (status, _) => status,
    };
    [
        id,
        version,
        status.to_owned(),
        capabilities(&row.capabilities),
    ]
}

fn line(text: &mut String, row: &Row, cells: &[String; 4], widths: &[usize], verbose: bool) {
    let style = match row.status {
        "enabled" => GOOD,
        "disabled" | "shadowed" => QUIET,
        "slot-loser" => DOUBTFUL,
        _ => BAD,
    };
    let [id, version, status, capabilities] = cells;
    let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.chars().count()));
    let before = widths.iter().sum::<usize>();
    let room = COLUMNS.saturating_sub(before).max(20);
    let mut shown = match verbose {
        true => wrap(capabilities, room),
        false => vec![start(capabilities, room)],
    }
    .into_iter();
    let first = shown.next().unwrap_or_default();
    let line = format!(
        "{id}{}{version}{}{style}{status}{style:#}{}{first}",
        pad(id, widths[0]),
        pad(version, widths[1]),
        pad(status, widths[2]),
    );
    let _ = writeln!(text, "{}", line.trim_end());
    for more in shown {
        let _ = writeln!(text, "{:before$}{more}", "");
    }
}

/// Such as `tool redact, restore; command help`.
fn capabilities(declared: &[Declared]) -> String {
    let kinds = declared.iter().map(|Declared { id, names }| {
        let kind = id.strip_prefix("keyway.").unwrap_or(id);
        format!("{kind} {}", names.join(", "))
    });
    kinds.collect::<Vec<_>>().join("; ")
}

fn reason(text: &mut String, row: &Row) {
    if let Some(reason) = &row.reason {
        let reason = with_short_hashes(&printable(reason).replace('\n', " "));
        let _ = writeln!(text, "{:INDENT$}{}", "", start(&reason, COLUMNS - INDENT));
    }
}

/// Enough of each hash to tell it from others; `-v` and `--json` have all of it.
fn with_short_hashes(text: &str) -> String {
    const SHOWN: usize = "blake3:".len() + 12;
    let words = text.split(' ').map(|word| match word.get(..SHOWN) {
        Some(start) if word.starts_with("blake3:") => format!("{start}…"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn details(text: &mut String, row: &Row) {
    let mut say = |what: &str, value: &str| {
        // What may be copied stays in one line.
        if matches!(what, "path" | "source" | "shadowed by") {
            let _ = writeln!(text, "{:INDENT$}{what}: {}", "", printable(value));
            return;
        }
        for line in wrap(&format!("{what}: {}", printable(value)), COLUMNS - INDENT) {
            let _ = writeln!(text, "{:INDENT$}{line}", "");
        }
    };
    let pinned = if row.pinned { ", pinned" } else { "" };
    say("origin", &format!("{}{pinned}", row.origin));
    if let Some(source) = &row.source {
        say("source", source);
    }
    if let Some(path) = &row.path {
        say("path", &path.display().to_string());
    }
    if let Some(path) = &row.shadowed_by {
        say("shadowed by", &path.display().to_string());
    }
    for (what, ids) in [("needs", &row.needs), ("needed by", &row.needed_by)] {
        if !ids.is_empty() {
            say(what, &ids.join(", "));
        }
    }
    let is_said = |said: &Said| row.reason.as_ref() == Some(&said.message);
    if let Some(reason) = row
        .reason
        .as_ref()
        .filter(|_| !row.findings.iter().any(is_said))
    {
        say("reason", reason);
    }
    for finding in &row.findings {
        say(
            &format!("{} [{}]", finding.severity, finding.code),
            &finding.message,
        );
        if let Some(hint) = &finding.hint {
            say("  hint", hint);
        }
    }
}
