//! Writing the note. It happens in const context in the plugin's crate, so there are only loops,
//! slices and arrays, and a mistake is a panic with a clear text, which the compiler reports as an
//! error.

use super::{DESC_AT, Endian, FLAG_PANIC_ABORT, FORMAT, MAGIC, NAME, TYPE, at, crc32, padded};

/// What a plugin says about itself; the input of [`encode`].
#[derive(Clone, Copy, Debug)]
pub struct NoteParts<'a> {
    /// Major version of the interface.
    pub interface_major: u16,
    /// Minor version of the interface that the plugin is built against.
    pub built_minor: u16,
    /// Newest minor version of the interface that the plugin requires.
    pub required_minor: u16,
    /// Whether the plugin is compiled with `panic = "abort"`.
    pub panic_abort: bool,
    /// Target triple; at most 65,535 bytes.
    pub target: &'a str,
    /// Version of the compiler, for people to read; at most 65,535 bytes.
    pub rustc: &'a str,
    /// Name of the exported descriptor symbol: 1 to 65,535 bytes, without NUL.
    pub symbol: &'a str,
    /// The manifest as JSON. From about 1.5 MB on, its encoding trips the compiler's lint against
    /// long evaluations.
    pub manifest: &'a str,
}

/// Bytes of an encoded note, aligned as the format of ELF wants notes to be.
///
/// A plain byte array has an alignment of 1. Tools that walk the notes of a segment expect each at
/// a multiple of 4.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(4))]
pub struct Aligned<const N: usize>(pub [u8; N]);

/// Length of the encoded note in bytes, a multiple of 4.
///
/// # Panics
///
/// If a part does not fit the format. In const context this is a compile error.
pub const fn len(parts: &NoteParts<'_>) -> usize {
    DESC_AT + padded(desc_len(parts))
}

/// Encodes the note for the target that this is compiled for, in its whole section form.
///
/// # Panics
///
/// If `N` is not [`len`] of the parts, or a part does not fit the format. In const context this is
/// a compile error.
pub const fn encode<const N: usize>(parts: &NoteParts<'_>) -> [u8; N] {
    assert!(
        N == len(parts),
        "the array for the note must have the length that note::len() gives"
    );
    let mut note = [0; N];
    write(&mut note, parts, Endian::NATIVE);
    note
}

/// Encodes the note at run time, for a target of the given byte order.
///
/// # Panics
///
/// If a part does not fit the format.
pub fn to_vec(parts: &NoteParts<'_>, endian: Endian) -> Vec<u8> {
    let mut note = vec![0; len(parts)];
    write(&mut note, parts, endian);
    note
}

const fn desc_len(parts: &NoteParts<'_>) -> usize {
    let max = u16::MAX as usize;
    assert!(
        parts.target.len() <= max,
        "the target triple is longer than 65535 bytes"
    );
    assert!(
        parts.rustc.len() <= max,
        "the rustc version is longer than 65535 bytes"
    );
    assert!(
        !parts.symbol.is_empty(),
        "the name of the descriptor symbol is empty"
    );
    assert!(
        parts.symbol.len() <= max,
        "the name of the descriptor symbol is longer than 65535 bytes"
    );
    // A `descsz` beyond 2 GiB would not fit the address space of a 32-bit target.
    assert!(
        parts.manifest.len() <= i32::MAX as usize / 2,
        "the manifest is longer than 1 GiB"
    );
    at::TEXT + parts.target.len() + parts.rustc.len() + parts.symbol.len() + parts.manifest.len()
}

/// Fills the zeroed `note`, which has the right length.
const fn write(note: &mut [u8], parts: &NoteParts<'_>, endian: Endian) {
    let desc_len = desc_len(parts);
    let (frame, desc) = note.split_at_mut(DESC_AT);
    put(frame, 0, &endian.u32_to_bytes(NAME.len() as u32));
    put(frame, 4, &endian.u32_to_bytes(desc_len as u32));
    put(frame, 8, &endian.u32_to_bytes(TYPE));
    put(frame, 12, &NAME);

    let flags = if parts.panic_abort {
        FLAG_PANIC_ABORT
    } else {
        0
    };
    put(desc, 0, &MAGIC);
    put(desc, at::FORMAT, &FORMAT.to_le_bytes());
    put(desc, at::FLAGS, &flags.to_le_bytes());
    put(
        desc,
        at::INTERFACE_MAJOR,
        &parts.interface_major.to_le_bytes(),
    );
    put(desc, at::BUILT_MINOR, &parts.built_minor.to_le_bytes());
    put(
        desc,
        at::REQUIRED_MINOR,
        &parts.required_minor.to_le_bytes(),
    );
    put(
        desc,
        at::TARGET_LEN,
        &(parts.target.len() as u16).to_le_bytes(),
    );
    put(
        desc,
        at::RUSTC_LEN,
        &(parts.rustc.len() as u16).to_le_bytes(),
    );
    put(
        desc,
        at::SYMBOL_LEN,
        &(parts.symbol.len() as u16).to_le_bytes(),
    );
    put(
        desc,
        at::MANIFEST_LEN,
        &(parts.manifest.len() as u32).to_le_bytes(),
    );

    let at = put(desc, at::TEXT, parts.target.as_bytes());
    let at = put(desc, at, parts.rustc.as_bytes());
    let at = put(desc, at, parts.symbol.as_bytes());
    put(desc, at, parts.manifest.as_bytes());

    let crc = crc32::finish(crc32::update(crc32::START, desc.split_at(desc_len).0));
    put(desc, at::CRC, &crc.to_le_bytes());
}

/// Copies `from` to `into[at..]` and returns where it ends; `copy_from_slice` is not const before
/// Rust 1.87.
const fn put(into: &mut [u8], at: usize, from: &[u8]) -> usize {
    let mut taken = 0;
    while taken < from.len() {
        into[at + taken] = from[taken];
        taken += 1;
    }
    at + taken
}
