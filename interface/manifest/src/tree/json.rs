//! Reads JSON into the tree: RFC 8259, to the letter.
//!
//! The reader is written by hand because positions, duplicate keys and a bounded depth are what it
//! is for, and because the readers that offer them accept more than JSON or need a newer compiler
//! than plugins are promised.

mod cursor;
mod scalar;

use std::collections::BTreeSet;

use self::cursor::{Cursor, Mistake};
use super::{Entry, Node, Value, show};
use crate::diagnostic::report::{Problem, Report};
use crate::limits::MAX_DEPTH;

/// Reads a document; `None` after a mistake of syntax, which ends the reading.
pub(crate) fn read(text: &str, report: &mut Report) -> Option<Node> {
    let mut cursor = Cursor::new(text);
    match document(&mut cursor, report) {
        Ok(node) => Some(node),
        Err(mistake) => {
            report.push(mistake.into_problem());
            None
        }
    }
}

fn document(cursor: &mut Cursor<'_>, report: &mut Report) -> Result<Node, Mistake> {
    cursor.skip_whitespace();
    let node = value(cursor, 0, report)?;
    cursor.skip_whitespace();
    if cursor.peek().is_some() {
        return Err(cursor.unexpected("the end of the file"));
    }
    Ok(node)
}

/// Reads one value; the cursor is at its first character.
fn value(cursor: &mut Cursor<'_>, depth: usize, report: &mut Report) -> Result<Node, Mistake> {
    let start = cursor.offset();
    if depth > MAX_DEPTH {
        return Err(cursor
            .mistake(start, "this value is nested too deeply")
            .expected(format!("at most {MAX_DEPTH} levels")));
    }
    let value = match cursor.peek() {
        Some('{') => object(cursor, depth, report)?,
        Some('[') => array(cursor, depth, report)?,
        Some('"') => Value::String(scalar::string(cursor)?),
        Some('-' | '0'..='9') => scalar::number(cursor)?,
        Some('a'..='z') => scalar::word(cursor)?,
        _ => return Err(cursor.unexpected("a value")),
    };
    Ok(Node {
        span: start..cursor.offset(),
        value,
    })
}

fn array(cursor: &mut Cursor<'_>, depth: usize, report: &mut Report) -> Result<Value, Mistake> {
    cursor.advance();
    cursor.skip_whitespace();
    let mut nodes = Vec::new();
    if cursor.accept(']') {
        return Ok(Value::Array(nodes));
    }
    loop {
        nodes.push(value(cursor, depth + 1, report)?);
        cursor.skip_whitespace();
        if cursor.accept(']') {
            return Ok(Value::Array(nodes));
        }
        if !cursor.accept(',') {
            return Err(cursor.unexpected("`,` or `]`"));
        }
        cursor.skip_whitespace();
        if cursor.peek() == Some(']') {
            return Err(cursor
                .unexpected("a value")
                .hint("remove the comma before it"));
        }
    }
}

fn object(cursor: &mut Cursor<'_>, depth: usize, report: &mut Report) -> Result<Value, Mistake> {
    cursor.advance();
    cursor.skip_whitespace();
    let mut entries = Vec::new();
    let mut keys = BTreeSet::new();
    if cursor.accept('}') {
        return Ok(Value::Table(entries));
    }
    loop {
        let start = cursor.offset();
        if cursor.peek() != Some('"') {
            return Err(cursor.unexpected("a key in double quotes"));
        }
        let key = scalar::string(cursor)?;
        let key_span = start..cursor.offset();
        cursor.skip_whitespace();
        if !cursor.accept(':') {
            return Err(cursor.unexpected("`:`"));
        }
        cursor.skip_whitespace();
        let node = value(cursor, depth + 1, report)?;
        if keys.insert(key.clone()) {
            entries.push(Entry {
                key,
                key_span,
                node,
            });
        } else {
            let message = format!("duplicate key `{}`", show::text(&key));
            report
                .push(Problem::new(&key_span, "", message).hint("remove or rename one of the two"));
        }
        cursor.skip_whitespace();
        if cursor.accept('}') {
            return Ok(Value::Table(entries));
        }
        if !cursor.accept(',') {
            return Err(cursor.unexpected("`,` or `}`"));
        }
        cursor.skip_whitespace();
        if cursor.peek() == Some('}') {
            return Err(cursor
                .unexpected("a key in double quotes")
                .hint("remove the comma before it"));
        }
    }
}
