//! Reads TOML into the tree.

use std::ops::Range;

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue, Error};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::{Entry, Node, Value, show};
use crate::diagnostic::report::{Problem, Report};
use crate::limits::{MAX_DEPTH, MAX_KEY_PARTS};

/// What the parser says of a key that is there twice. The value that came first stays in its table,
/// so unlike after other mistakes the checks can go on.
const DUPLICATE_KEY: &str = "duplicate key";

/// Reads a document; `None` after a problem that leaves nothing to check.
pub fn read(text: &str, report: &mut Report) -> Option<Node> {
    if let Some(span) = overlong_key(text) {
        report.push(
            Problem::new(&span, "", "this key is nested too deeply")
                .expected(format!("at most {MAX_KEY_PARTS} parts")),
        );
        return None;
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let (duplicates, mut mistakes): (Vec<_>, Vec<_>) = errors
        .into_iter()
        .partition(|error| error.message() == DUPLICATE_KEY);
    for duplicate in duplicates {
        let span = span_of(&duplicate, text);
        let key = show::text(
            text.get(span.clone())
                .unwrap_or_default()
                .trim_matches(['"', '\'']),
        );
        // After a mistake the parser may take for a key what is none.
        let message = match report.conceals() && !mistakes.is_empty() {
            true => "duplicate key".to_owned(),
            false => format!("duplicate key `{key}`"),
        };
        let problem = Problem::new(&span, "", message);
        report.push(problem.hint("remove or rename one of the two"));
    }
    if mistakes.is_empty() {
        return table(document.into_inner(), 0..0, 0, report);
    }
    // After its first mistake in a line the parser is often out of step until the next line.
    mistakes.sort_by_key(|mistake| span_of(mistake, text).start);
    let mut reported_until = 0;
    for mistake in mistakes {
        let span = span_of(&mistake, text);
        if span.start >= reported_until {
            reported_until = text[span.start..]
                .find('\n')
                .map_or(usize::MAX, |at| span.start + at + 1);
            let problem = syntax_problem(&mistake, span, text, report.conceals());
            report.push(problem);
        }
    }
    None
}

/// Finds a dotted key with so many parts that the tables it makes are a danger to the stack.
///
/// The parser bounds the parts of a key and the nesting of brackets each by itself. Together they
/// still allow tables that are nested 6,000 deep in a file of a few kilobytes, and dropping those
/// overflows the stack. With the keys bounded here, before the parser runs, 80 levels of brackets
/// make at most a few hundred tables. The lexer is the parser's own, so both see the same keys.
fn overlong_key(text: &str) -> Option<Range<usize>> {
    let mut start = 0;
    let mut dots = 0;
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => dots += 1,
            TokenKind::Atom
            | TokenKind::Whitespace
            | TokenKind::LiteralString
            | TokenKind::BasicString
            | TokenKind::MlLiteralString
            | TokenKind::MlBasicString => {}
            _ => (start, dots) = (token.span().end(), 0),
        }
        if dots >= MAX_KEY_PARTS {
            return Some(start..token.span().end());
        }
    }
    None
}

fn span_of(error: &Error, text: &str) -> Range<usize> {
    let span = error.span().unwrap_or(0..0);
    let start = floor_char_boundary(text, span.start);
    start..floor_char_boundary(text, span.end).max(start)
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

fn syntax_problem(mistake: &Error, span: Range<usize>, text: &str, conceals: bool) -> Problem {
    let (what, expected) = match mistake.message().split_once(", expected ") {
        Some((what, expected)) => (what, Some(expected)),
        None => (mistake.message(), None),
    };
    let found = match text[span.start..].chars().next() {
        _ if !span.is_empty() => format!("`{}`", show::text(text[span.clone()].trim_end())),
        None => "the end of the file".to_owned(),
        Some('\r' | '\n') => "the end of the line".to_owned(),
        Some(next) => format!("`{}`", show::text(next.encode_utf8(&mut [0; 4]))),
    };
    // What is neither quoted nor a number gets blamed for being a bad boolean or literal.
    let is_bare_word = ["invalid boolean", "string values must be quoted"].contains(&what);
    let hint = (is_bare_word && !span.is_empty())
        .then(|| "strings are written in double quotes".to_owned());
    let mut problem = Problem::new(&span, "", format!("invalid TOML: {what}")).maybe_hint(hint);
    if !conceals {
        problem = problem.found(found);
    }
    match expected {
        Some(expected) if !is_bare_word && expected != "nothing" => problem.expected(expected),
        _ => problem,
    }
}

fn table(
    table: DeTable<'_>,
    span: Range<usize>,
    depth: usize,
    report: &mut Report,
) -> Option<Node> {
    let mut entries = Vec::new();
    for (key, value) in table {
        let (key_span, key) = (key.span(), key.into_inner().into_owned());
        entries.push(Entry {
            key,
            key_span,
            node: node(value, depth + 1, report)?,
        });
    }
    // The parser's map is ordered by key; problems and lists read better in the order of the text.
    entries.sort_by_key(|entry| entry.key_span.start);
    Some(Node {
        span,
        value: Value::Table(entries),
    })
}

fn node(spanned: Spanned<DeValue<'_>>, depth: usize, report: &mut Report) -> Option<Node> {
    let span = spanned.span();
    if depth > MAX_DEPTH {
        report.push(
            Problem::new(&span, "", "this value is nested too deeply")
                .expected(format!("at most {MAX_DEPTH} levels")),
        );
        return None;
    }
    let value = match spanned.into_inner() {
        DeValue::String(string) => Value::String(string.into_owned()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or_else(
                |_| Value::Unrepresentable(integer.to_string()),
                Value::Integer,
            ),
        DeValue::Float(float) => match float.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Number(number),
            _ => Value::Unrepresentable(float.to_string()),
        },
        DeValue::Boolean(boolean) => Value::Boolean(boolean),
        DeValue::Datetime(_) => Value::DateTime,
        DeValue::Array(array) => {
            let nodes = array
                .into_iter()
                .map(|element| node(element, depth + 1, report));
            Value::Array(nodes.collect::<Option<_>>()?)
        }
        DeValue::Table(inner) => return table(inner, span, depth, report),
    };
    Some(Node { span, value })
}
