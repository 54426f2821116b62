//! What the doctor says: worst first, for people and for programs.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use keyway_host::{Finding, Severity};
use serde::Serialize;

use super::{Diagnosis, Fix, SCHEMA_VERSION};
use crate::list::Said;
use crate::terminal::{COLUMNS, printable};
use crate::wrap::wrap;

const BAD: Style = AnsiColor::BrightRed.on_default().bold();
const DOUBTFUL: Style = AnsiColor::BrightYellow.on_default().bold();
const QUIET: Style = AnsiColor::Cyan.on_default();
const GOOD: Style = AnsiColor::Green.on_default();

/// The longest severity and the gap behind it; what there is to say begins below the code.
const INDENT: usize = 9;

/// All that one run of `keyway doctor` prints.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema_version: u32,
    /// The worst severity; none if there is nothing to say.
    worst: Option<&'static str>,
    /// How many plugins there are.
    plugins: usize,
    /// What `--fix` has done.
    fixed: Vec<String>,
    findings: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    code: String,
    severity: &'static str,
    plugin: Option<String>,
    path: Option<std::path::PathBuf>,
    message: String,
    hint: Option<String>,
    /// What it means and where it comes from, in general.
    cause: &'static str,
    /// What to do about it, in general.
    cure: &'static str,
    /// Whether `--fix` mends it.
    fixable: bool,
}

impl Report {
    pub(super) fn of(found: &[Diagnosis], plugins: usize, fixed: Vec<String>) -> Self {
        let worst = found.iter().map(|one| one.finding.severity()).max();
        Report {
            schema_version: SCHEMA_VERSION,
            worst: worst.map(Severity::name),
            plugins,
            fixed,
            findings: found.iter().map(Line::of).collect(),
        }
    }

    pub(super) fn worst(&self) -> Option<&'static str> {
        self.worst
    }

    /// Ends with a line end.
    pub(super) fn render(&self, verbose: bool) -> String {
        let plugins = match self.plugins {
            1 => "1 plugin".to_owned(),
            more => format!("{more} plugins"),
        };
        if self.findings.is_empty() {
            return format!("{GOOD}everything is in order{GOOD:#}: {plugins}\n");
        }
        let mut text = String::new();
        for line in &self.findings {
            line.render(&mut text, verbose);
        }
        let counts = [
            ("error", "errors"),
            ("warning", "warnings"),
            ("note", "notes"),
        ];
        let counts = counts.into_iter().filter_map(|(one, many)| {
            let severity = |line: &&Line| line.severity == one;
            match self.findings.iter().filter(severity).count() {
                0 => None,
                1 => Some(format!("1 {one}")),
                more => Some(format!("{more} {many}")),
            }
        });
        let counts: Vec<String> = counts.collect();
        let _ = write!(text, "\n{plugins}: {}", counts.join(", "));
        text.push_str(match self.findings.iter().any(|line| line.fixable) {
            true => "; keyway doctor --fix mends some of it\n",
            false => "\n",
        });
        text
    }
}

impl Line {
    fn of(diagnosis: &Diagnosis) -> Self {
        let finding: &Finding = &diagnosis.finding;
        let Said {
            code,
            severity,
            plugin,
            path,
            message,
            hint,
        } = finding.into();
        Line {
            code,
            severity,
            plugin,
            path,
            message,
            hint,
            cause: finding.code.cause,
            cure: finding.code.cure,
            fixable: matches!(diagnosis.fix, Some(Fix::Close(_) | Fix::Collect)),
        }
    }

    fn render(&self, text: &mut String, verbose: bool) {
        let style = match self.severity {
            "error" => BAD,
            "warning" => DOUBTFUL,
            _ => QUIET,
        };
        let Line { severity, code, .. } = self;
        let gap = INDENT - severity.len();
        let about = match (&self.plugin, &self.path) {
            (Some(plugin), _) => format!("  {plugin}"),
            (None, Some(path)) => format!("  {}", printable(&path.display().to_string())),
            (None, None) => String::new(),
        };
        let _ = writeln!(text, "{style}{severity}{style:#}{:gap$}{code}{about}", "");
        let mut say = |label: &str, value: &str| {
            for line in wrap(&format!("{label}{}", printable(value)), COLUMNS - INDENT) {
                let _ = writeln!(text, "{:INDENT$}{line}", "");
            }
        };
        say("", &self.message);
        if let Some(hint) = &self.hint {
            say("hint: ", hint);
        }
        if verbose {
            if let Some(path) = self.path.as_ref().filter(|_| self.plugin.is_some()) {
                say("at: ", &path.display().to_string());
            }
            say("cause: ", self.cause);
            say("cure: ", self.cure);
        } else if self.hint.is_none() && self.severity != "note" {
            say("hint: ", self.cure);
        }
    }
}
