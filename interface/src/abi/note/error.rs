//! Why a note cannot be read.

use std::error::Error;
use std::fmt;

/// A malformed note. Every offset counts bytes from the start of the input: of the section for
/// [`split`](super::split) and [`RawNote::decode`](super::RawNote::decode), of the description for
/// [`decode_desc`](super::decode_desc).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteError {
    /// The input ends before the part does.
    Truncated {
        /// The part that is cut off.
        part: &'static str,
        /// Where the part begins.
        offset: usize,
        /// Bytes that the part needs.
        expected: u64,
        /// Bytes that are there.
        found: usize,
    },
    /// Where a note should begin are zeros, as a linker pads a section, but other bytes follow
    /// them.
    NotPadding {
        /// Where the first other byte is.
        offset: usize,
        /// That byte.
        found: u8,
    },
    /// The note has another name, so another program wrote it.
    WrongName {
        /// Where the name begins.
        offset: usize,
        /// The beginning of the name, escaped for printing.
        found: String,
    },
    /// The note has the right name but another type.
    WrongType {
        /// Where the type is.
        offset: usize,
        /// The type.
        found: u32,
    },
    /// The description does not begin with the magic bytes.
    WrongMagic {
        /// Where the magic bytes should be.
        offset: usize,
        /// What is there.
        found: [u8; 8],
    },
    /// The note is in a format that this version cannot read.
    UnsupportedFormat {
        /// Where the format version is.
        offset: usize,
        /// The format version.
        found: u16,
    },
    /// The lengths of the parts do not add up to the length of the description.
    WrongLength {
        /// Where the description begins.
        offset: usize,
        /// The sum of the parts, in bytes.
        expected: u64,
        /// The length of the description.
        found: usize,
    },
    /// The checksum does not match the content.
    WrongChecksum {
        /// Where the checksum is.
        offset: usize,
        /// The checksum in the note.
        expected: u32,
        /// The checksum of the content.
        found: u32,
    },
    /// A text is not UTF-8.
    NotUtf8 {
        /// The name of the text.
        part: &'static str,
        /// Where the first byte is that is not UTF-8.
        offset: usize,
    },
    /// The name of the descriptor symbol is empty, or has a NUL byte in it.
    BadSymbol {
        /// Where the empty name or the NUL byte is.
        offset: usize,
    },
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated {
                part,
                offset,
                expected,
                found,
            } => write!(
                f,
                "the {part} at offset {offset} is cut off: expected {expected} bytes, found {found}"
            ),
            Self::NotPadding { offset, found } => write!(
                f,
                "wrong padding at offset {offset}: expected zeros to the end of the \
                 section, found {found:#04x}"
            ),
            Self::WrongName { offset, found } => {
                write!(
                    f,
                    "wrong note name at offset {offset}: expected \"Keyway\\0\", found \"{found}\""
                )
            }
            Self::WrongType { offset, found } => write!(
                f,
                "wrong note type at offset {offset}: expected {}, found {found}",
                super::TYPE
            ),
            Self::WrongMagic { offset, found } => write!(
                f,
                "wrong magic bytes at offset {offset}: expected \"{}\", found \"{}\"",
                super::MAGIC.escape_ascii(),
                found.escape_ascii()
            ),
            Self::UnsupportedFormat { offset, found } => write!(
                f,
                "unsupported note format at offset {offset}: expected {}, found {found}",
                super::FORMAT
            ),
            Self::WrongLength {
                offset,
                expected,
                found,
            } => write!(
                f,
                "wrong length of the description at offset {offset}: its parts need \
                 {expected} bytes, found {found}"
            ),
            Self::WrongChecksum {
                offset,
                expected,
                found,
            } => write!(
                f,
                "wrong checksum at offset {offset}: expected {expected:#010x}, found {found:#010x}"
            ),
            Self::NotUtf8 { part, offset } => {
                write!(f, "the {part} is not UTF-8 at offset {offset}")
            }
            Self::BadSymbol { offset } => write!(
                f,
                "the name of the descriptor symbol is empty or has a NUL byte at offset {offset}"
            ),
        }
    }
}

impl Error for NoteError {}

impl NoteError {
    /// The same error, seen from `base` bytes further out.
    pub(super) fn moved(mut self, base: usize) -> Self {
        match &mut self {
            Self::Truncated { offset, .. }
            | Self::NotPadding { offset, .. }
            | Self::WrongName { offset, .. }
            | Self::WrongType { offset, .. }
            | Self::WrongMagic { offset, .. }
            | Self::UnsupportedFormat { offset, .. }
            | Self::WrongLength { offset, .. }
            | Self::WrongChecksum { offset, .. }
            | Self::NotUtf8 { offset, .. }
            | Self::BadSymbol { offset } => *offset += base,
        }
        self
    }
}
