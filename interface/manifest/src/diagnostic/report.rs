//! The problems that come up while a manifest is read, before they have lines and columns.

use std::ops::Range;

use super::excerpt::Excerpt;
use super::position::LineIndex;
use super::{Diagnostic, ManifestError, Severity};
use crate::limits::MAX_DIAGNOSTICS;
use crate::tree::Syntax;

/// One problem at a byte range.
#[derive(Debug)]
pub struct Problem {
    severity: Severity,
    span: Range<usize>,
    path: String,
    message: String,
    expected: Option<String>,
    found: Option<String>,
    hint: Option<String>,
}

impl Problem {
    /// An error at this place of the text and of the model.
    pub fn new(span: &Range<usize>, path: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            span: span.clone(),
            path: path.to_owned(),
            message: message.into(),
            expected: None,
            found: None,
            hint: None,
        }
    }

    /// Says what should be there.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Says what is there.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    /// Says how it may be put right.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        self.maybe_hint(Some(hint.into()))
    }

    /// Says how it may be put right, if that is known.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// Collects problems, and decides what an unknown key is worth.
#[derive(Debug)]
pub struct Report {
    syntax: Syntax,
    unknown_keys: Severity,
    /// Whether mistakes of syntax are told without the text that has them.
    conceals: bool,
    problems: Vec<Problem>,
    omitted: usize,
    refused: bool,
}

impl Report {
    /// A report that takes an unknown key for an error.
    #[must_use]
    pub fn new(syntax: Syntax) -> Self {
        Self {
            syntax,
            unknown_keys: Severity::Error,
            conceals: false,
            problems: Vec::new(),
            omitted: 0,
            refused: false,
        }
    }

    /// Takes an unknown key for a warning.
    #[must_use]
    pub fn with_unknown_keys_as_warnings(mut self) -> Self {
        self.unknown_keys = Severity::Warning;
        self
    }

    /// Tells mistakes of syntax without the text that has them: it may be a secret.
    #[must_use]
    pub fn without_source(mut self) -> Self {
        self.conceals = true;
        self
    }

    /// Takes unknown keys for errors in one check.
    pub fn strictly<T>(&mut self, check: impl FnOnce(&mut Self) -> T) -> T {
        let outside = std::mem::replace(&mut self.unknown_keys, Severity::Error);
        let checked = check(self);
        self.unknown_keys = outside;
        checked
    }

    /// Whether the text itself may not appear in messages.
    pub(crate) fn conceals(&self) -> bool {
        self.conceals
    }

    /// The syntax of the text, for the words of messages.
    #[must_use]
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// Whether an unknown key is as bad as any other mistake.
    pub(crate) fn refuses_unknown_keys(&self) -> bool {
        self.unknown_keys == Severity::Error
    }

    /// Whether the text is short enough to be read at all.
    pub(crate) fn admits(&mut self, text: &str, max_bytes: usize) -> bool {
        let admitted = text.len() <= max_bytes;
        if !admitted {
            self.push(
                Problem::new(&(0..0), "", "the manifest is too long")
                    .expected(format!("at most {max_bytes} bytes"))
                    .found(format!("{} bytes", text.len())),
            );
        }
        admitted
    }

    pub(crate) fn push_unknown_key(&mut self, mut problem: Problem) {
        problem.severity = self.unknown_keys;
        self.push(problem);
    }

    /// Adds a problem; beyond [`MAX_DIAGNOSTICS`] they are counted only.
    pub fn push(&mut self, problem: Problem) {
        // An error is never crowded out by warnings: the caller relies on finding one in the list.
        let first_error = problem.severity == Severity::Error && !self.refused;
        self.refused |= problem.severity == Severity::Error;
        if self.problems.len() < MAX_DIAGNOSTICS || first_error {
            self.problems.push(problem);
        } else {
            self.omitted += 1;
        }
    }

    /// Gives what was read and the warnings, or all problems, with lines and columns.
    ///
    /// # Errors
    ///
    /// When an error was pushed. Without one there has to be something to give.
    pub fn finish<T>(
        mut self,
        read: Option<T>,
        text: &str,
        file_name: &str,
    ) -> Result<(T, Vec<Diagnostic>), ManifestError> {
        // The checks go by topic; people read from the top of the file.
        self.problems.sort_by_key(|problem| problem.span.start);
        let lines = LineIndex::new(text);
        let diagnostics = self
            .problems
            .into_iter()
            .map(|problem| locate(problem, &lines, text, file_name));
        let diagnostics: Vec<_> = diagnostics.collect();
        match read {
            Some(read) if !self.refused => Ok((read, diagnostics)),
            _ => {
                debug_assert!(self.refused, "what was read is only missing after an error");
                Err(ManifestError {
                    diagnostics,
                    omitted: self.omitted,
                })
            }
        }
    }
}

fn locate(problem: Problem, lines: &LineIndex<'_>, text: &str, file_name: &str) -> Diagnostic {
    let position = lines.position(problem.span.start);
    let length = text
        .get(problem.span.clone())
        .map_or(1, |covered| covered.chars().count());
    Diagnostic {
        severity: problem.severity,
        file: file_name.to_owned(),
        line: position.line,
        column: position.column,
        span: problem.span,
        path: problem.path,
        message: problem.message,
        expected: problem.expected,
        found: problem.found,
        hint: problem.hint,
        excerpt: Excerpt::new(&position, length),
    }
}
