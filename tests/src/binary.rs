//! Changes in built libraries: a plugin from another world is made by writing into a copy of a
//! good one.
//!
//! Only ELF of the tests' own machine is understood, which is what the hostile tests run on.

use std::ops::Range;

use keyway::abi::note::{self, Endian, NoteParts};
use keyway_manifest::Manifest;
use object::Object;
use object::endian::LittleEndian;
use object::read::elf::{ElfFile64, SectionHeader};
use serde_json::Value;

/// Where a section lies in the file.
fn section(library: &[u8], name: &str) -> Section {
    let file = ElfFile64::<LittleEndian>::parse(library).expect("an ELF library");
    let section = file.section_by_name(name).expect("the section is there");
    let header = section.elf_section_header();
    let start = header.sh_offset(LittleEndian) as usize;
    let size = header.sh_size(LittleEndian) as usize;
    Section {
        header: std::ptr::from_ref(header).addr() - library.as_ptr().addr(),
        content: start..start + size,
    }
}

struct Section {
    header: usize,
    content: Range<usize>,
}

/// The bytes of a library's note in the file.
pub fn note_range(library: &[u8]) -> Range<usize> {
    section(library, note::SECTION_ELF).content
}

/// The bytes of the table of sections in the file.
pub fn section_headers(library: &[u8]) -> Range<usize> {
    const E_SHOFF: usize = 0x28;
    const E_SHENTSIZE: usize = 0x3A;
    const E_SHNUM: usize = 0x3C;
    let start = u64::from_le_bytes(bytes_at(library, E_SHOFF)) as usize;
    let size = u16::from_le_bytes(bytes_at(library, E_SHENTSIZE)) as usize;
    let number = u16::from_le_bytes(bytes_at(library, E_SHNUM)) as usize;
    start..start + size * number
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("N bytes")
}

/// A copy of a library with one bit changed.
pub fn with_bit_flipped(library: &[u8], byte: usize, bit: usize) -> Vec<u8> {
    let mut copy = library.to_vec();
    copy[byte] ^= 1 << (bit % 8);
    copy
}

/// What a note says, to be changed.
#[derive(Clone, Debug)]
pub struct NoteText {
    /// Major version of the interface.
    pub interface_major: u16,
    /// Minor version that the plugin is built with.
    pub built_minor: u16,
    /// Newest minor version that it requires.
    pub required_minor: u16,
    /// Whether it says `panic = "abort"`.
    pub panic_abort: bool,
    /// The target triple.
    pub target: String,
    /// The name of the descriptor.
    pub symbol: String,
    /// The manifest as JSON.
    pub manifest: String,
}

impl NoteText {
    /// Changes the table `plugin` of the manifest, and makes room by leaving its description out.
    pub fn change_manifest(&mut self, change: impl FnOnce(&mut serde_json::Map<String, Value>)) {
        let mut manifest: Value = serde_json::from_str(&self.manifest).expect("JSON");
        // No package was built as what this becomes.
        let root = manifest.as_object_mut().expect("a table");
        root.remove("build");
        let plugin = manifest["plugin"].as_object_mut().expect("a table");
        plugin.remove("description");
        change(plugin);
        self.manifest = manifest.to_string();
        let (_, unknown) = Manifest::from_embedded(&self.manifest).expect("a valid manifest");
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

/// A copy of a library that is another plugin: its note is written anew in its place, so that the
/// file and the loaded library say the same. It gets the length that the old one had.
///
/// # Panics
///
/// When the new note is longer than the old one.
pub fn with_note(library: &[u8], change: impl FnOnce(&mut NoteText)) -> Vec<u8> {
    let range = note_range(library);
    let mut copy = library.to_vec();
    copy[range.clone()].copy_from_slice(&rewritten(&library[range], change));
    copy
}

/// A copy of a library whose manifest has this table `[plugin.reload]`, in place of its own.
///
/// # Panics
///
/// When the table is not valid, or there is no room for it in the note.
pub fn with_reload(library: &[u8], reload: Value) -> Vec<u8> {
    with_note(library, |note| {
        note.change_manifest(|plugin| {
            plugin.insert("reload".to_owned(), reload);
        });
    })
}

/// A copy of a library whose file says another thing than the loaded library will: the table of
/// sections leads to a changed note at the end of the file, and the segments to the old one.
pub fn with_note_in_file_only(library: &[u8], change: impl FnOnce(&mut NoteText)) -> Vec<u8> {
    const SH_OFFSET: usize = 0x18;
    let section = section(library, note::SECTION_ELF);
    let mut copy = library.to_vec();
    copy.resize(copy.len().next_multiple_of(8), 0);
    let end = copy.len() as u64;
    copy.extend(rewritten(&library[section.content], change));
    let offset = section.header + SH_OFFSET;
    copy[offset..offset + 8].copy_from_slice(&end.to_le_bytes());
    copy
}

fn rewritten(old: &[u8], change: impl FnOnce(&mut NoteText)) -> Vec<u8> {
    let raw = note::split(old, Endian::NATIVE).next();
    let decoded = raw.expect("one note").and_then(|raw| raw.decode());
    let decoded = decoded.expect("a sound note");
    let mut text = NoteText {
        interface_major: decoded.interface_major,
        built_minor: decoded.built_minor,
        required_minor: decoded.required_minor,
        panic_abort: decoded.panic_abort,
        target: decoded.target.to_owned(),
        symbol: decoded.symbol.to_owned(),
        manifest: decoded.manifest.to_owned(),
    };
    let whole = |text: &NoteText| text.target.len() + text.symbol.len() + text.manifest.len();
    let room = whole(&text);
    change(&mut text);
    // Blanks after the JSON change nothing but its length.
    let missing = room.checked_sub(whole(&text)).expect("a shorter note");
    text.manifest.extend(std::iter::repeat_n(' ', missing));
    let parts = NoteParts {
        interface_major: text.interface_major,
        built_minor: text.built_minor,
        required_minor: text.required_minor,
        panic_abort: text.panic_abort,
        target: &text.target,
        rustc: decoded.rustc,
        symbol: &text.symbol,
        manifest: &text.manifest,
    };
    let new = note::to_vec(&parts, Endian::NATIVE);
    assert_eq!(
        new.len(),
        old.len(),
        "the new note takes the old one's place"
    );
    new
}
