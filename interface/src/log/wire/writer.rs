//! The values of an event or a span, as the plugin writes them.
//!
//! Records are written into a buffer on the stack, and to the heap only when they are larger than
//! usual. A buffer per thread would save that, but its destructor would tie host threads to the
//! plugin's library.

use std::error::Error;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::values::{BOOL, BYTES, DEBUG, ERROR, F64, I64, I128, STR, U64, U128};

/// The longest text or byte string, in bytes; the rest of a longer one is cut off.
const TEXT_LIMIT: usize = 16 * 1024;

/// The size in bytes from which on a record takes no further value.
const RECORD_LIMIT: usize = 64 * 1024;

/// How many sources of an error are written.
const SOURCES_LIMIT: usize = 16;

const INLINE: usize = 512;

/// What stands at the end of a text that was cut off.
const CUT: &str = "…";

/// Writes the values of one record.
pub struct ValueWriter {
    inline: [u8; INLINE],
    /// How much of `inline` is filled, until `heap` takes over.
    filled: usize,
    heap: Vec<u8>,
}

impl Default for ValueWriter {
    fn default() -> Self {
        ValueWriter::new()
    }
}

impl fmt::Debug for ValueWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValueWriter({} bytes)", self.len())
    }
}

impl ValueWriter {
    /// A record without values.
    #[inline]
    pub fn new() -> Self {
        ValueWriter {
            inline: [0; INLINE],
            filled: 0,
            heap: Vec::new(),
        }
    }

    /// The record so far.
    pub fn bytes(&self) -> &[u8] {
        if self.heap.is_empty() {
            &self.inline[..self.filled]
        } else {
            &self.heap
        }
    }

    /// Adds a signed integer.
    pub fn i64(&mut self, field: usize, value: i64) {
        self.fixed(field, I64, &value.to_le_bytes());
    }

    /// Adds an unsigned integer.
    pub fn u64(&mut self, field: usize, value: u64) {
        self.fixed(field, U64, &value.to_le_bytes());
    }

    /// Adds a large signed integer.
    pub fn i128(&mut self, field: usize, value: i128) {
        self.fixed(field, I128, &value.to_le_bytes());
    }

    /// Adds a large unsigned integer.
    pub fn u128(&mut self, field: usize, value: u128) {
        self.fixed(field, U128, &value.to_le_bytes());
    }

    /// Adds a floating point number.
    pub fn f64(&mut self, field: usize, value: f64) {
        self.fixed(field, F64, &value.to_le_bytes());
    }

    /// Adds a truth value.
    pub fn bool(&mut self, field: usize, value: bool) {
        self.fixed(field, BOOL, &[u8::from(value)]);
    }

    /// Adds a string.
    pub fn str(&mut self, field: usize, value: &str) {
        self.value(field, STR, |writer| {
            writer.text(|text| text.write_str(value))
        });
    }

    /// Adds raw bytes.
    pub fn byte_string(&mut self, field: usize, value: &[u8]) {
        self.fixed(field, BYTES, &value[..value.len().min(TEXT_LIMIT)]);
    }

    /// Adds what a `Debug` implementation writes. Should it panic, the record says so, and
    /// neither the event nor the call that reports it is lost.
    pub fn debug(&mut self, field: usize, value: &dyn fmt::Debug) {
        self.value(field, DEBUG, |writer| {
            writer.text(|text| write!(text, "{value:?}"))
        });
    }

    /// Adds an error and what it comes from.
    pub fn error(&mut self, field: usize, error: &(dyn Error + 'static)) {
        self.value(field, ERROR, |writer| {
            let mut next = Some(error);
            for _ in 0..=SOURCES_LIMIT {
                let Some(error) = next else { break };
                writer.block(|writer| writer.text(|text| write!(text, "{error}")));
                next = source_of(error);
            }
        });
    }

    fn fixed(&mut self, field: usize, kind: u8, payload: &[u8]) {
        self.value(field, kind, |writer| writer.push(payload));
    }

    fn value(&mut self, field: usize, kind: u8, payload: impl FnOnce(&mut Self)) {
        let Ok(field) = u16::try_from(field) else {
            return;
        };
        if self.len() >= RECORD_LIMIT {
            return;
        }
        let [low, high] = field.to_le_bytes();
        self.push(&[low, high, kind]);
        self.block(payload);
    }

    /// Writes something and, before it, its length.
    fn block(&mut self, payload: impl FnOnce(&mut Self)) {
        let start = self.len();
        self.push(&[0; 4]);
        payload(self);
        let length = u32::try_from(self.len() - start - 4).expect("records are limited in size");
        self.bytes_mut()[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// Writes text up to the limit, and contains a panic of whatever writes it.
    fn text(&mut self, write: impl FnOnce(&mut Text<'_>) -> fmt::Result) {
        let mut text = Text {
            room: TEXT_LIMIT,
            cut: false,
            writer: self,
        };
        match catch_unwind(AssertUnwindSafe(|| write(&mut text))) {
            // What a failing implementation wrote before it failed may still help.
            Ok(_) => {}
            Err(payload) => {
                forget(payload);
                let _ = text.write_str("<panicked while it was formatted>");
            }
        }
    }

    fn len(&self) -> usize {
        self.bytes().len()
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        if self.heap.is_empty() {
            &mut self.inline[..self.filled]
        } else {
            &mut self.heap
        }
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        if self.heap.is_empty() {
            if let Some(room) = self.inline[self.filled..].get_mut(..bytes.len()) {
                room.copy_from_slice(bytes);
                self.filled += bytes.len();
                return;
            }
            self.heap.reserve(2 * INLINE + bytes.len());
            self.heap.extend_from_slice(&self.inline[..self.filled]);
        }
        self.heap.extend_from_slice(bytes);
    }
}

/// The source of an error; `source` is the plugin's code too, and may panic.
fn source_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match catch_unwind(AssertUnwindSafe(|| error.source())) {
        Ok(source) => source,
        Err(payload) => {
            forget(payload);
            None
        }
    }
}

/// The destructor of an unknown payload may panic in turn. It is small; let it be.
fn forget(payload: Box<dyn std::any::Any + Send>) {
    if !payload.is::<&'static str>() && !payload.is::<String>() {
        std::mem::forget(payload);
    }
}

/// Takes text until its limit, and then refuses.
struct Text<'a> {
    writer: &'a mut ValueWriter,
    room: usize,
    cut: bool,
}

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.room {
            self.room -= text.len();
            self.writer.push(text.as_bytes());
            return Ok(());
        }
        if !self.cut {
            let mut end = self.room;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            self.writer.push(&text.as_bytes()[..end]);
            self.writer.push(CUT.as_bytes());
            self.cut = true;
            self.room = 0;
        }
        // Ends the formatting of an endless value as well.
        Err(fmt::Error)
    }
}
