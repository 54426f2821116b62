//! The long form of diagnostics: the source line, a caret, and notes below it.

use std::fmt;

use super::{Diagnostic, Severity};

/// Prints diagnostics over several lines each, the way rustc does, without colours.
#[derive(Debug, Clone, Copy)]
pub struct Rendered<'d> {
    diagnostics: &'d [Diagnostic],
    omitted: usize,
}

impl<'d> Rendered<'d> {
    pub(super) fn new(diagnostics: &'d [Diagnostic], omitted: usize) -> Self {
        Self {
            diagnostics,
            omitted,
        }
    }
}

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            render(f, diagnostic)?;
        }
        omitted(f, self.omitted)
    }
}

/// The closing line when problems were left out.
pub(super) fn omitted(f: &mut fmt::Formatter<'_>, omitted: usize) -> fmt::Result {
    match omitted {
        0 => Ok(()),
        1 => f.write_str("\nand 1 more problem"),
        more => write!(f, "\nand {more} more problems"),
    }
}

fn render(f: &mut fmt::Formatter<'_>, diagnostic: &Diagnostic) -> fmt::Result {
    let Diagnostic {
        severity,
        file,
        line,
        column,
        message,
        excerpt,
        ..
    } = diagnostic;
    let label = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    writeln!(f, "{label}: {message}")?;
    writeln!(f, "{gutter}--> {file}:{line}:{column}")?;
    writeln!(f, "{gutter} |")?;
    writeln!(f, "{}", format!("{number} | {}", excerpt.text).trim_end())?;
    write!(
        f,
        "{gutter} | {}{}",
        " ".repeat(excerpt.indent),
        "^".repeat(excerpt.carets)
    )?;
    let notes = [
        ("expected", &diagnostic.expected),
        ("found", &diagnostic.found),
        ("help", &diagnostic.hint),
    ];
    for (name, note) in notes {
        if let Some(note) = note {
            write!(f, "\n{gutter} = {name}: {note}")?;
        }
    }
    Ok(())
}
