//! Reads the parts of a record; whatever the bytes are, it answers a value or an error.

use std::fmt;

use crate::error::{ErrorKind, PluginError};

/// Bytes that do not read as what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    what: &'static str,
    offset: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a log record does not read: {} at byte {}",
            self.what, self.offset
        )
    }
}

impl std::error::Error for Malformed {}

impl From<Malformed> for PluginError {
    fn from(malformed: Malformed) -> Self {
        PluginError::of(ErrorKind::Malformed, malformed.to_string())
    }
}

/// A position in the bytes of a record.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, offset: 0 }
    }

    /// How many bytes are left.
    pub(super) fn rest(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// Something at the present place is not what it should be.
    pub(super) fn malformed(&self, what: &'static str) -> Malformed {
        Malformed {
            what,
            offset: self.offset,
        }
    }

    pub(super) fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let end = self
            .offset
            .checked_add(count)
            .filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| self.malformed(what))?;
        let taken = &self.bytes[self.offset..end];
        self.offset = end;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], Malformed> {
        let taken = self.take(N, what)?;
        taken.try_into().map_err(|_| self.malformed(what))
    }

    pub(super) fn u8(&mut self, what: &'static str) -> Result<u8, Malformed> {
        self.array(what).map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self, what: &'static str) -> Result<u16, Malformed> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, Malformed> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// Bytes behind their length.
    pub(super) fn block(&mut self, what: &'static str) -> Result<&'a [u8], Malformed> {
        let length = self.u32(what)?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX), what)
    }

    /// Text behind its length.
    pub(super) fn text(&mut self, what: &'static str) -> Result<&'a str, Malformed> {
        let block = self.block(what)?;
        std::str::from_utf8(block).map_err(|_| self.malformed(what))
    }

    /// A part behind a byte that says whether it is there.
    pub(super) fn optional<T>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        match self.u8(what)? {
            0 => Ok(None),
            1 => read(self, what).map(Some),
            _ => Err(self.malformed(what)),
        }
    }
}
