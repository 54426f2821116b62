//! The values of JSON that hold no others.

use super::cursor::{Cursor, Mistake};
use crate::tree::{Value, show};

/// Reads `true`, `false` or `null`.
pub(super) fn word(cursor: &mut Cursor<'_>) -> Result<Value, Mistake> {
    let start = cursor.offset();
    cursor.skip_while(|c| c.is_alphanumeric() || c == '_');
    match cursor.since(start) {
        "true" => Ok(Value::Boolean(true)),
        "false" => Ok(Value::Boolean(false)),
        "null" => Ok(Value::Null),
        other => Err(cursor
            .mistake(start, "unknown word")
            .expected("a value")
            .found(format!("`{}`", show::text(other)))
            .hint("strings are written in double quotes")),
    }
}

/// Reads a number. One without fraction and exponent is an integer.
pub(super) fn number(cursor: &mut Cursor<'_>) -> Result<Value, Mistake> {
    let start = cursor.offset();
    cursor.accept('-');
    let is_zero = cursor.peek() == Some('0');
    if digits(cursor)? > 1 && is_zero {
        return Err(cursor
            .mistake(start, "a number has a leading zero")
            .found(format!("`{}`", show::text(cursor.since(start)))));
    }
    let mut is_integer = true;
    if cursor.accept('.') {
        is_integer = false;
        digits(cursor)?;
    }
    if cursor.accept('e') || cursor.accept('E') {
        is_integer = false;
        let _signed = cursor.accept('+') || cursor.accept('-');
        digits(cursor)?;
    }
    let written = cursor.since(start);
    let value = if is_integer {
        written.parse().ok().map(Value::Integer)
    } else {
        written
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .map(Value::Number)
    };
    Ok(value.unwrap_or_else(|| Value::Unrepresentable(written.to_owned())))
}

fn digits(cursor: &mut Cursor<'_>) -> Result<usize, Mistake> {
    match cursor.skip_while(|c| c.is_ascii_digit()) {
        0 => Err(cursor.unexpected("a digit")),
        count => Ok(count),
    }
}

/// Reads a string; the cursor is at its opening quote.
pub(super) fn string(cursor: &mut Cursor<'_>) -> Result<String, Mistake> {
    let start = cursor.offset();
    cursor.advance();
    let mut string = String::new();
    loop {
        let plain = cursor.offset();
        cursor.skip_while(|c| c != '"' && c != '\\' && c >= ' ');
        string.push_str(cursor.since(plain));
        let at = cursor.offset();
        match cursor.advance() {
            Some('"') => return Ok(string),
            Some('\\') => string.push(escape(cursor, at)?),
            Some('\n' | '\r') | None => {
                return Err(cursor
                    .mistake(start, "this string has no end")
                    .expected("a closing `\"` in the same line"));
            }
            Some(control) => {
                return Err(cursor
                    .mistake(at, "a control character has to be escaped")
                    .expected(format!("`\\u{:04x}`", u32::from(control))));
            }
        }
    }
}

/// Reads the rest of an escape sequence whose `\` is at `start`.
fn escape(cursor: &mut Cursor<'_>, start: usize) -> Result<char, Mistake> {
    let plain = match cursor.advance() {
        Some(same @ ('"' | '\\' | '/')) => same,
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => return unicode_escape(cursor, start),
        _ => {
            return Err(cursor
                .mistake(start, "unknown escape sequence")
                .expected("one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX")
                .found(format!("`{}`", show::text(cursor.since(start)))));
        }
    };
    Ok(plain)
}

/// Reads the digits of a `\u` escape, and of the second half of a surrogate pair.
fn unicode_escape(cursor: &mut Cursor<'_>, start: usize) -> Result<char, Mistake> {
    let first = four_hex_digits(cursor, start)?;
    let code = if (0xd800..0xdc00).contains(&first) && cursor.rest().starts_with("\\u") {
        cursor.advance();
        cursor.advance();
        let second = four_hex_digits(cursor, start)?;
        second
            .checked_sub(0xdc00)
            .filter(|low| *low < 0x400)
            .map(|low| 0x10000 + ((first - 0xd800) << 10) + low)
    } else {
        Some(first)
    };
    code.and_then(char::from_u32).ok_or_else(|| {
        cursor
            .mistake(start, "half of a surrogate pair is no character")
            .found(format!("`{}`", cursor.since(start)))
    })
}

fn four_hex_digits(cursor: &mut Cursor<'_>, start: usize) -> Result<u32, Mistake> {
    let mut code = 0;
    for _ in 0..4 {
        let Some(digit) = cursor.peek().and_then(|c| c.to_digit(16)) else {
            return Err(cursor
                .mistake(start, "incomplete escape sequence")
                .expected("four hexadecimal digits after `\\u`"));
        };
        cursor.advance();
        code = code * 16 + digit;
    }
    Ok(code)
}
