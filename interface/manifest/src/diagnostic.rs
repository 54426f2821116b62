//! What is wrong with a manifest, and where.
//!
//! A diagnostic carries its parts separately, for tools, and prints itself in two ways: as one line
//! that starts with `file:line:column`, and with the source line and a caret below it.

mod excerpt;
pub(crate) mod position;
mod render;
pub(crate) mod report;

use std::fmt;
use std::ops::Range;

use self::excerpt::Excerpt;
pub(crate) use self::excerpt::is_direction_mark;
pub use self::render::Rendered;

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// The manifest is refused.
    Error,
    /// The manifest is accepted, but something in it was passed over.
    Warning,
}

/// One problem of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// Whether the manifest is refused because of it.
    pub severity: Severity,
    /// The name of the file, as the caller gave it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The byte range in the text that is meant.
    pub span: Range<usize>,
    /// The place in the model, such as `plugin.config.api_key.type`; empty for the file as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What should be there.
    pub expected: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// How it may be put right.
    pub hint: Option<String>,
    excerpt: Excerpt,
}

impl Diagnostic {
    /// Prints the problem over several lines, with the source line and a caret.
    #[must_use]
    pub fn rendered(&self) -> Rendered<'_> {
        Rendered::new(std::slice::from_ref(self), 0)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        f.write_str(&self.message)?;
        match (&self.expected, &self.found) {
            (Some(expected), Some(found)) => write!(f, "; expected {expected}, found {found}")?,
            (Some(expected), None) => write!(f, "; expected {expected}")?,
            (None, Some(found)) => write!(f, "; found {found}")?,
            (None, None) => {}
        }
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

/// Why a manifest was refused: all of its problems, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    diagnostics: Vec<Diagnostic>,
    omitted: usize,
}

impl ManifestError {
    /// The problems; at least one is an error.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The problems, by value.
    #[must_use]
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// How many more problems there were than
    /// [`limits::MAX_DIAGNOSTICS`](crate::limits::MAX_DIAGNOSTICS).
    #[must_use]
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Prints the problems over several lines each, with source lines and carets.
    #[must_use]
    pub fn rendered(&self) -> Rendered<'_> {
        Rendered::new(&self.diagnostics, self.omitted)
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        render::omitted(f, self.omitted)
    }
}

impl std::error::Error for ManifestError {}
