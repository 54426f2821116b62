//! The problems that come up while a manifest is read, before they have lines and columns.

use std::ops::Range;

use super::excerpt::Excerpt;
use super::position::LineIndex;
use super::{Diagnostic, ManifestError, Severity};
use crate::Manifest;
use crate::limits::MAX_DIAGNOSTICS;
use crate::tree::Syntax;

/// One problem at a byte range.
#[derive(Debug)]
pub(crate) struct Problem {
    severity: Severity,
    span: Range<usize>,
    path: String,
    message: String,
    expected: Option<String>,
    found: Option<String>,
    hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(span: &Range<usize>, path: &str, message: impl Into<String>) -> Self {
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

    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(crate) fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.maybe_hint(Some(hint.into()))
    }

    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// Collects problems, and decides what an unknown key is worth.
#[derive(Debug)]
pub(crate) struct Report {
    syntax: Syntax,
    unknown_keys: Severity,
    problems: Vec<Problem>,
    omitted: usize,
    refused: bool,
}

impl Report {
    pub(crate) fn new(syntax: Syntax) -> Self {
        Self {
            syntax,
            unknown_keys: Severity::Error,
            problems: Vec::new(),
            omitted: 0,
            refused: false,
        }
    }

    #[cfg(feature = "json")]
    pub(crate) fn with_unknown_keys_as_warnings(mut self) -> Self {
        self.unknown_keys = Severity::Warning;
        self
    }

    /// The syntax of the text, for the words of messages.
    pub(crate) fn syntax(&self) -> Syntax {
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

    pub(crate) fn push(&mut self, problem: Problem) {
        // An error is never crowded out by warnings: the caller relies on finding one in the list.
        let first_error = problem.severity == Severity::Error && !self.refused;
        self.refused |= problem.severity == Severity::Error;
        if self.problems.len() < MAX_DIAGNOSTICS || first_error {
            self.problems.push(problem);
        } else {
            self.omitted += 1;
        }
    }

    /// Gives the manifest and the warnings, or all problems, with lines and columns.
    pub(crate) fn finish(
        mut self,
        manifest: Option<Manifest>,
        text: &str,
        file_name: &str,
    ) -> Result<(Manifest, Vec<Diagnostic>), ManifestError> {
        // The checks go by topic; people read from the top of the file.
        self.problems.sort_by_key(|problem| problem.span.start);
        let lines = LineIndex::new(text);
        let diagnostics = self
            .problems
            .into_iter()
            .map(|problem| locate(problem, &lines, text, file_name));
        let diagnostics: Vec<_> = diagnostics.collect();
        match manifest {
            Some(manifest) if !self.refused => Ok((manifest, diagnostics)),
            _ => {
                debug_assert!(self.refused, "a manifest is only missing after an error");
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
