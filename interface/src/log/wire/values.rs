//! The values of an event or a span, as the host reads them.
//!
//! Each value is the position of its field (2 bytes), its type (1 byte) and its payload behind a
//! length (4 bytes). They stand one after the other until the bytes end.

use super::reader::{Malformed, Reader};

pub(super) const I64: u8 = 1;
pub(super) const U64: u8 = 2;
pub(super) const I128: u8 = 3;
pub(super) const U128: u8 = 4;
pub(super) const F64: u8 = 5;
pub(super) const BOOL: u8 = 6;
pub(super) const STR: u8 = 7;
pub(super) const DEBUG: u8 = 8;
pub(super) const BYTES: u8 = 9;
pub(super) const ERROR: u8 = 10;

/// The value of one field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A large signed integer.
    I128(i128),
    /// A large unsigned integer.
    U128(u128),
    /// A floating point number.
    F64(f64),
    /// A truth value.
    Bool(bool),
    /// A string.
    Str(&'a str),
    /// What a `Debug` or `Display` implementation wrote.
    Debug(&'a str),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// An error with its sources.
    Error(ErrorChain<'a>),
    /// Of a type that this build does not know.
    Unknown,
}

/// What an error says and what it comes from, outermost first. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorChain<'a>(pub Vec<&'a str>);

/// The values of a record, as pairs of field position and value. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    reader: Reader<'a>,
}

impl<'a> Values<'a> {
    /// Reads the values that a [`ValueWriter`](super::ValueWriter) wrote.
    pub fn new(bytes: &'a [u8]) -> Self {
        Values {
            reader: Reader::new(bytes),
        }
    }

    fn read(&mut self) -> Result<(usize, Value<'a>), Malformed> {
        let field = usize::from(self.reader.u16("the position of a field")?);
        let kind = self.reader.u8("the type of a value")?;
        let mut payload = Reader::new(self.reader.block("a value")?);
        let value = value(kind, &mut payload).map_err(|_| self.reader.malformed("a value"))?;
        Ok((field, value))
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<(usize, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.rest() == 0 {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(read)
    }
}

fn value<'a>(kind: u8, payload: &mut Reader<'a>) -> Result<Value<'a>, Malformed> {
    let what = "a value";
    Ok(match kind {
        I64 => Value::I64(i64::from_le_bytes(payload.array(what)?)),
        U64 => Value::U64(u64::from_le_bytes(payload.array(what)?)),
        I128 => Value::I128(i128::from_le_bytes(payload.array(what)?)),
        U128 => Value::U128(u128::from_le_bytes(payload.array(what)?)),
        F64 => Value::F64(f64::from_le_bytes(payload.array(what)?)),
        BOOL => Value::Bool(payload.u8(what)? != 0),
        STR => Value::Str(rest_as_text(payload)?),
        DEBUG => Value::Debug(rest_as_text(payload)?),
        BYTES => Value::Bytes(payload.take(payload.rest(), what)?),
        ERROR => {
            let mut chain = vec![payload.text(what)?];
            while payload.rest() > 0 {
                chain.push(payload.text(what)?);
            }
            Value::Error(ErrorChain(chain))
        }
        _ => Value::Unknown,
    })
}

fn rest_as_text<'a>(payload: &mut Reader<'a>) -> Result<&'a str, Malformed> {
    let bytes = payload.take(payload.rest(), "a text")?;
    std::str::from_utf8(bytes).map_err(|_| payload.malformed("a text"))
}
