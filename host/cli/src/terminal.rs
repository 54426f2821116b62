//! Printing: results to stdout, everything else to stderr.
//!
//! Text from files may be crafted, so control characters are made visible before a terminal sees
//! them.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use keyway_host::{Finding, Severity};
use serde::Serialize;

use crate::args::{Args, Color};
use crate::ending::{Ending, Outcome};
use crate::failure::Failure;

const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
const WARNING: Style = AnsiColor::BrightYellow.on_default().bold();
const HINT: Style = AnsiColor::BrightCyan.on_default().bold();
const VERB: Style = AnsiColor::BrightGreen.on_default().bold();

/// How many columns the verb of a status line takes; as cargo's.
pub(crate) const VERB_COLUMNS: usize = 12;
/// As wide as a terminal is at least.
pub(crate) const COLUMNS: usize = 80;

/// How this run prints.
#[derive(Debug)]
pub(crate) struct Terminal {
    json_errors: bool,
    quiet: bool,
    verbose: bool,
    color: Color,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// In one line.
    Compact,
    /// Indented, if a person reads it.
    ForReader,
}

impl Terminal {
    /// Decides on colours for the whole process.
    pub(crate) fn new(args: &Args) -> Self {
        match args.color {
            // Whether it is a terminal, NO_COLOR, CLICOLOR and TERM decide.
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
        .write_global();
        Terminal {
            json_errors: args.wants_json(),
            quiet: args.quiet > 0,
            verbose: args.verbose > 0,
            color: args.color,
        }
    }

    pub(crate) fn color(&self) -> Color {
        self.color
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    pub(crate) fn has_json_errors(&self) -> bool {
        self.json_errors
    }

    /// A result for people.
    pub(crate) fn text(&self, text: &str) -> Outcome {
        let mut stdout = anstream::stdout().lock();
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
            .map_err(|error| Ending::output(&error))
    }

    /// A result as JSON, with a line end.
    pub(crate) fn json(&self, value: &impl Serialize, form: Form) -> Outcome {
        let mut stdout = std::io::stdout().lock();
        let text = if form == Form::ForReader && stdout.is_terminal() {
            serde_json::to_string_pretty(value)
        } else {
            serde_json::to_string(value)
        };
        let mut text = text.map_err(|error| Ending::output(&error.into()))?;
        text.push('\n');
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
            .map_err(|error| Ending::output(&error))
    }

    /// Something that went wrong.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json_errors {
            // Not through the stream for colours: JSON has no raw escape in it.
            let _ = writeln!(std::io::stderr(), "{}", failure.to_json());
            return;
        }
        labelled(ERROR, "error", &printable(&failure.headline()));
        for (what, note) in failure.notes() {
            say(format_args!("  {what}: {}", printable(&note.to_string())));
        }
        match failure.details() {
            Some(details) if self.verbose => {
                for line in details.lines() {
                    say(format_args!("  | {}", printable(line)));
                }
            }
            Some(_) => say(format_args!("  the whole is shown with -v")),
            None => {}
        }
        if let Some(hint) = failure.advice() {
            labelled(HINT, "hint", &printable(hint));
        }
    }

    pub(crate) fn warning(&self, text: &str) {
        if !self.quiet {
            labelled(WARNING, "warning", &printable(text));
        }
    }

    /// Lines that belong to an error, whatever else is shown.
    pub(crate) fn lines(&self, text: &str) {
        if !self.json_errors {
            for line in text.lines() {
                say(format_args!("  {}", printable(line)));
            }
        }
    }

    /// What there is to say beside a result, with the label of how much it matters.
    pub(crate) fn finding(&self, finding: &Finding) {
        if self.quiet && finding.severity() != Severity::Error {
            return;
        }
        let (style, label) = match finding.severity() {
            Severity::Error => (ERROR, "error"),
            Severity::Warning => (WARNING, "warning"),
            _ => (HINT, "note"),
        };
        labelled(style, label, &printable(&finding.to_string()));
    }

    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            labelled(HINT, "note", text);
        }
    }

    /// Removes the line of progress that a cargo which was ended has left.
    pub(crate) fn clear_progress(&self) {
        let mut stderr = std::io::stderr();
        if cfg!(unix) && stderr.is_terminal() {
            // To the start of the line, and all after it away.
            let _ = stderr.write_all(b"\r\x1b[K");
        }
    }

    /// A line on what is being done, in the way of cargo.
    pub(crate) fn status(&self, verb: &str, text: impl Display) {
        if !self.quiet {
            let text = printable(&text.to_string());
            say(format_args!("{VERB}{verb:>VERB_COLUMNS$}{VERB:#} {text}"));
        }
    }

    /// The same, with no more than the start of a text that is too long for a line.
    pub(crate) fn status_in_a_line(&self, verb: &str, text: &str) {
        let columns = COLUMNS - VERB_COLUMNS - 1;
        if self.verbose {
            self.status(verb, text);
        } else {
            self.status(verb, start(text, columns));
        }
    }
}

/// The start of a text, up to a word that fits.
pub(crate) fn start(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let cut: String = text.chars().take(columns - 1).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{}…", cut[..end].trim_end_matches([',', ':', ' ']))
}

fn labelled(style: Style, label: &str, text: &str) {
    say(format_args!("{style}{label}{style:#}: {text}"));
}

fn say(line: impl Display) {
    // There is nobody to tell when stderr is closed.
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Asks a question that is answered with yes or no; no is the answer to everything else. None if there is
/// nobody to ask.
pub(crate) fn ask(question: &str) -> Option<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    let mut stderr = anstream::stderr();
    let _ = write!(stderr, "{HINT}{question}{HINT:#} [y/N] ");
    let _ = stderr.flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    let answer = answer.trim().to_lowercase();
    Some(read.is_ok() && (answer == "y" || answer == "yes"))
}

/// The text with control characters and marks that reorder text made visible, apart from line
/// ends.
pub(crate) fn printable(text: &str) -> String {
    let reorders = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let escape = |c: char| (c.is_control() && c != '\n') || reorders(c);
    if !text.contains(escape) {
        return text.to_owned();
    }
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if escape(c) {
            printable.extend(c.escape_default());
        } else {
            printable.push(c);
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::{printable, start};

    #[test]
    fn escapes_of_terminals_are_made_visible() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{9b}"), "a\\u{1b}[2Jb\nc\\u{9b}");
        assert_eq!(printable("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(printable("Grüße"), "Grüße");
    }

    #[test]
    fn a_long_text_is_cut_after_a_word() {
        assert_eq!(start("as it is", 8), "as it is");
        assert_eq!(start("one, two", 7), "one…");
        assert_eq!(start("Überlänge", 5), "Über…");
    }
}
