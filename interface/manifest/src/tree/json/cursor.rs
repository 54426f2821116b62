//! A place in JSON text, and what can be wrong at it.

use std::ops::Range;

use crate::diagnostic::report::Problem;
use crate::tree::show;

/// The reader's place in the text.
#[derive(Debug)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    offset: usize,
}

/// A mistake of syntax.
#[derive(Debug)]
pub(super) struct Mistake {
    span: Range<usize>,
    message: String,
    expected: Option<String>,
    found: Option<String>,
    hint: Option<&'static str>,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, offset: 0 }
    }

    /// The byte offset of the next character.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// The text that was not read yet.
    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.offset..]
    }

    /// The text between `start` and here.
    pub(super) fn since(&self, start: usize) -> &'t str {
        &self.text[start..self.offset]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Moves over one character and returns it.
    pub(super) fn advance(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.offset += next.len_utf8();
        Some(next)
    }

    /// Moves over `wanted` if it is next.
    pub(super) fn accept(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.advance();
        }
        is_next
    }

    /// Moves over all characters that satisfy `wanted`, and returns how many they were.
    pub(super) fn skip_while(&mut self, wanted: impl Fn(char) -> bool) -> usize {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.offset += length;
        rest[..length].chars().count()
    }

    pub(super) fn skip_whitespace(&mut self) {
        self.skip_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
    }

    /// A mistake that began at `start` and ends here.
    pub(super) fn mistake(&self, start: usize, message: impl Into<String>) -> Mistake {
        Mistake {
            span: start..self.offset.max(start),
            message: message.into(),
            expected: None,
            found: None,
            hint: None,
        }
    }

    /// The mistake that the next character is not what it has to be.
    pub(super) fn unexpected(&self, expected: &str) -> Mistake {
        let (length, found, hint) = match self.peek() {
            None => (0, "the end of the file".to_owned(), None),
            Some(next) => {
                let found = format!("`{}`", show::text(next.encode_utf8(&mut [0; 4])));
                let hint = match next {
                    '/' | '#' => Some("JSON has no comments"),
                    '\'' => Some("strings are written in double quotes"),
                    '\u{feff}' => Some("save the file without a byte order mark"),
                    _ => None,
                };
                (next.len_utf8(), found, hint)
            }
        };
        Mistake {
            span: self.offset..self.offset + length,
            message: "unexpected text".to_owned(),
            expected: Some(expected.to_owned()),
            found: Some(found),
            hint,
        }
    }
}

impl Mistake {
    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(super) fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    pub(super) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    pub(super) fn into_problem(self) -> Problem {
        let mut problem = Problem::new(&self.span, "", format!("invalid JSON: {}", self.message))
            .maybe_hint(self.hint.map(str::to_owned));
        if let Some(expected) = self.expected {
            problem = problem.expected(expected);
        }
        if let Some(found) = self.found {
            problem = problem.found(found);
        }
        problem
    }
}
