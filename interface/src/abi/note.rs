//! The L0 note: what a plugin file says about itself before any of its code may run.
//!
//! `export_plugin!` encodes the note at compile time into a section of the plugin's library; the
//! host finds it in the file and decodes it without loading the library. The format changes only
//! with [`FORMAT`], because every host must be able to say of every plugin why it does not fit.
//!
//! # Format
//!
//! The section is [`SECTION_ELF`], [`SECTION_MACHO`] or [`SECTION_PE`]. On every platform its
//! content is one well-formed ELF note, so that the usual tools (`readelf --notes`) show it and
//! linkers keep it. The four parts of the frame are in the byte order of the target:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `namesz` = 7 |
//! | 4 | 4 | `descsz`: length of the description, without its padding |
//! | 8 | 4 | `type` = 1 |
//! | 12 | 8 | name `"Keyway\0"` and one byte of padding |
//! | 20 | `descsz` | description, padded with zeros to a multiple of 4 |
//!
//! The description is little endian everywhere; offsets count from its start:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | magic `KEYWAYL0` |
//! | 8 | 2 | format = 1 |
//! | 10 | 2 | flags: bit 0 says `panic = "abort"`; a reader ignores the other bits |
//! | 12 | 2 | major version of the interface |
//! | 14 | 2 | minor version of the interface that the plugin was built against |
//! | 16 | 2 | newest minor version that the plugin requires |
//! | 18 | 2 | reserved: written as 0, ignored by a reader |
//! | 20 | 2 | length of the target triple, in bytes |
//! | 22 | 2 | length of the rustc version |
//! | 24 | 2 | length of the name of the exported descriptor symbol |
//! | 26 | 2 | reserved: written as 0, ignored by a reader |
//! | 28 | 4 | length of the manifest |
//! | 32 | 4 | CRC-32 (IEEE) of the whole description with this field as 0, without padding |
//! | 36 | | target triple, rustc version, symbol name, manifest as JSON: UTF-8, without gaps |
//!
//! Two plugin crates linked into one file leave two notes in the section. [`split`] yields both;
//! the host refuses such a file by name. A linker may pad the section: zeros that begin where a
//! note would begin, and reach to the end of the section, are not a note.
//!
//! # Example
//!
//! ```
//! use keyway::abi::note::{self, Aligned, NoteParts};
//!
//! const PARTS: NoteParts<'static> = NoteParts {
//!     interface_major: 1,
//!     built_minor: 0,
//!     required_minor: 0,
//!     panic_abort: cfg!(panic = "abort"),
//!     target: "x86_64-unknown-linux-gnu",
//!     rustc: "rustc 1.85.0",
//!     symbol: "KEYWAY_DESCRIPTOR_acme_sample",
//!     manifest: r#"{"plugin":{"id":"acme.sample"}}"#,
//! };
//!
//! #[used]
//! #[cfg_attr(windows, unsafe(link_section = ".keyway"))]
//! #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__keyway"))]
//! #[cfg_attr(
//!     not(any(windows, target_vendor = "apple")),
//!     unsafe(link_section = ".note.keyway")
//! )]
//! static NOTE: Aligned<{ note::len(&PARTS) }> = Aligned(note::encode(&PARTS));
//!
//! let raw = note::split(&NOTE.0, note::Endian::NATIVE).next().unwrap().unwrap();
//! assert_eq!(raw.decode().unwrap().symbol, PARTS.symbol);
//! ```

mod crc32;
mod decode;
mod encode;
mod error;

#[cfg(test)]
mod tests;

pub use decode::{Note, RawNote, Split, decode_desc, split};
pub use encode::{Aligned, NoteParts, encode, len, to_vec};
pub use error::NoteError;

/// Name of the section in an ELF file.
pub const SECTION_ELF: &str = ".note.keyway";

/// Segment and section in a Mach-O file, as `link_section` wants them.
pub const SECTION_MACHO: &str = "__DATA,__keyway";

/// Name of the section in a PE file.
pub const SECTION_PE: &str = ".keyway";

/// Name of the note, with its terminator.
pub const NAME: [u8; 7] = *b"Keyway\0";

/// Type of the note.
pub const TYPE: u32 = 1;

/// First bytes of the description.
pub const MAGIC: [u8; 8] = *b"KEYWAYL0";

/// Version of the format that this module writes, and the only one that it reads.
pub const FORMAT: u16 = 1;

/// Flag bit 0: the plugin was compiled with `panic = "abort"`.
pub const FLAG_PANIC_ABORT: u16 = 1;

/// Byte order of the frame around the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    /// Byte order of the target that this code is compiled for.
    pub const NATIVE: Self = if cfg!(target_endian = "big") {
        Self::Big
    } else {
        Self::Little
    };

    const fn u32_to_bytes(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    const fn u32_from_bytes(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }
}

/// Offsets of the fixed fields, from the start of the description.
mod at {
    pub(super) const FORMAT: usize = 8;
    pub(super) const FLAGS: usize = 10;
    pub(super) const INTERFACE_MAJOR: usize = 12;
    pub(super) const BUILT_MINOR: usize = 14;
    pub(super) const REQUIRED_MINOR: usize = 16;
    pub(super) const TARGET_LEN: usize = 20;
    pub(super) const RUSTC_LEN: usize = 22;
    pub(super) const SYMBOL_LEN: usize = 24;
    pub(super) const MANIFEST_LEN: usize = 28;
    pub(super) const CRC: usize = 32;
    pub(super) const TEXT: usize = 36;
}

/// Length of `namesz`, `descsz` and `type`.
const FRAME_LEN: usize = 12;

/// Offset of the description in a note whose name is [`NAME`].
const DESC_AT: usize = FRAME_LEN + padded(NAME.len());

/// The next multiple of 4; the caller makes sure that there is one.
const fn padded(len: usize) -> usize {
    len.next_multiple_of(4)
}
