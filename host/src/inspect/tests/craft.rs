//! Small libraries of every format, written byte by byte, so that foreign targets need no foreign
//! linker. Each exports the symbol of the sample's note, and needs one library.

use keyway::abi::note::{self, NoteParts};

use super::super::Endian;
use super::fixture::PARTS;

/// Writes numbers in the byte order of a target.
struct Writer {
    bytes: Vec<u8>,
    endian: Endian,
    wide: bool,
}

impl Writer {
    fn new(endian: Endian, wide: bool) -> Self {
        Self {
            bytes: Vec::new(),
            endian,
            wide,
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn u16(&mut self, values: &[u16]) {
        for value in values {
            match self.endian {
                Endian::Little => self.put(&value.to_le_bytes()),
                Endian::Big => self.put(&value.to_be_bytes()),
            }
        }
    }

    fn u32(&mut self, values: &[u32]) {
        for value in values {
            match self.endian {
                Endian::Little => self.put(&value.to_le_bytes()),
                Endian::Big => self.put(&value.to_be_bytes()),
            }
        }
    }

    /// Numbers as wide as an address.
    fn words(&mut self, values: &[usize]) {
        for value in values {
            match (self.wide, self.endian) {
                (false, _) => self.u32(&[*value as u32]),
                (true, Endian::Little) => self.put(&(*value as u64).to_le_bytes()),
                (true, Endian::Big) => self.put(&(*value as u64).to_be_bytes()),
            }
        }
    }

    fn align(&mut self, align: usize) -> usize {
        self.bytes
            .resize(self.bytes.len().next_multiple_of(align), 0);
        self.bytes.len()
    }

    /// A name of 16 bytes, as Mach-O has them.
    fn name16(&mut self, name: &str) {
        let end = self.bytes.len() + 16;
        self.put(name.as_bytes());
        self.bytes.resize(end, 0);
    }
}

/// The sample's note for a target.
pub(super) fn note(endian: Endian, target: &str) -> Vec<u8> {
    note::to_vec(&NoteParts { target, ..PARTS }, endian.of_note())
}

/// An ELF library for x86-64 whose note has this manifest; none at all without one.
#[cfg(target_os = "linux")]
pub(crate) fn elf_with_manifest(manifest: Option<&str>) -> Vec<u8> {
    const X86_64: u16 = 62;
    let note = manifest.map(|manifest| {
        let parts = NoteParts { manifest, ..PARTS };
        note::to_vec(&parts, Endian::Little.of_note())
    });
    elf(X86_64, 64, Endian::Little, &note.unwrap_or_default())
}

/// An ELF library with a section table.
pub(super) fn elf(machine: u16, bits: u8, endian: Endian, notes: &[u8]) -> Vec<u8> {
    let wide = bits == 64;
    let (header, program, section) = if wide { (64, 56, 64) } else { (52, 32, 40) };
    let mut w = Writer::new(endian, wide);

    // The content first: the headers need its offsets. Addresses are equal to offsets.
    let base = header + 3 * program;
    w.bytes.resize(base, 0);
    let note_at = w.align(8);
    w.put(notes);
    let strings_at = w.align(8);
    let strings = format!("\0libneeded.so\0{}\0libself.so\0", PARTS.symbol);
    let symbol_name = strings.find(PARTS.symbol).unwrap_or_default();
    let self_name = strings.find("libself").unwrap_or_default();
    w.put(strings.as_bytes());
    let symbols_at = w.align(8);
    for (name, defined) in [(0, 0), (symbol_name, 1)] {
        // Global binding, type object.
        let other = [if defined == 1 { 0x11 } else { 0 }, 0];
        w.u32(&[name as u32]);
        if wide {
            w.put(&other);
            w.u16(&[defined]);
            w.words(&[0, 0]);
        } else {
            w.words(&[0, 0]);
            w.put(&other);
            w.u16(&[defined]);
        }
    }
    let symbols_len = w.bytes.len() - symbols_at;
    let hash_at = w.align(8);
    // One bucket with symbol 1, two chains.
    w.u32(&[1, 2, 1, 0, 0]);
    let dynamic_at = w.align(8);
    // DT_NEEDED, DT_SONAME, DT_STRTAB, DT_STRSZ, DT_SYMTAB, DT_HASH, DT_NULL.
    w.words(&[
        1,
        1,
        14,
        self_name,
        5,
        strings_at,
        10,
        strings.len(),
        6,
        symbols_at,
        4,
        hash_at,
        0,
        0,
    ]);
    let dynamic_len = w.bytes.len() - dynamic_at;
    let names_at = w.align(8);
    let names = "\0.note.keyway\0.shstrtab\0.dynsym\0";
    w.put(names.as_bytes());
    let sections_at = w.align(8);
    // Type, offset, size and name of each section.
    for (kind, offset, size, name) in [
        (0, 0, 0, 0),
        (7, note_at, notes.len(), 1),
        (3, names_at, names.len(), 14),
        (11, symbols_at, symbols_len, 24),
    ] {
        w.u32(&[name, kind]);
        w.words(&[0, offset, offset, size]);
        w.u32(&[0, 0]);
        w.words(&[1, 0]);
    }
    let len = w.bytes.len();
    let mut content = w.bytes.split_off(base);

    w.bytes.clear();
    let order = if endian == Endian::Little { 1 } else { 2 };
    w.put(&[
        0x7F,
        b'E',
        b'L',
        b'F',
        bits / 32,
        order,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ]);
    w.u16(&[3, machine]);
    w.u32(&[1]);
    w.words(&[0, header, sections_at]);
    w.u32(&[0]);
    w.u16(&[header as u16, program as u16, 3, section, 4, 2]);
    // PT_LOAD, PT_DYNAMIC and PT_NOTE: readable.
    for (kind, offset, size) in [
        (1, 0, len),
        (2, dynamic_at, dynamic_len),
        (4, note_at, notes.len()),
    ] {
        w.u32(&[kind]);
        if wide {
            w.u32(&[4]);
            w.words(&[offset, offset, offset, size, size, 4]);
        } else {
            w.words(&[offset, offset, offset, size, size]);
            w.u32(&[4, 4]);
        }
    }
    assert_eq!(w.bytes.len(), base);
    w.bytes.append(&mut content);
    w.bytes
}

/// A 64-bit Mach-O library for Apple silicon, whose exports are in a trie or only in the symbol
/// table.
pub(super) fn macho(notes: &[u8], with_trie: bool) -> Vec<u8> {
    let mut w = Writer::new(Endian::Little, true);
    let symbol = format!("_{}", PARTS.symbol);
    // One node with one edge, and a leaf: size 2, flags 0, address 0, no edges.
    let mut trie = vec![0, 1];
    trie.extend_from_slice(symbol.as_bytes());
    trie.extend([0, symbol.len() as u8 + 4, 2, 0, 0, 0]);

    let commands_len = 152 + 72 + 48 + 56 + 24 + 24 + 16;
    let note_at = (32 + commands_len as usize).next_multiple_of(8);
    let link_at = (note_at + notes.len()).next_multiple_of(8);
    let trie_at = link_at;
    let symbols_at = (trie_at + trie.len()).next_multiple_of(8);
    let strings_at = symbols_at + 16;
    let strings_len = symbol.len() + 2;
    let len = strings_at + strings_len;

    // Magic, ARM64, subtype, MH_DYLIB, number of commands, their size, flags.
    w.u32(&[0xFEED_FACF, 0x0100_000C, 0, 6, 7, commands_len, 0x85, 0]);
    w.u32(&[0x19, 152]);
    w.name16("__DATA");
    w.words(&[0, 0x4000, 0, link_at]);
    w.u32(&[3, 3, 1, 0]);
    w.name16("__keyway");
    w.name16("__DATA");
    w.words(&[note_at, notes.len()]);
    w.u32(&[note_at as u32, 2, 0, 0, 0, 0, 0, 0]);
    w.u32(&[0x19, 72]);
    w.name16("__LINKEDIT");
    w.words(&[0x4000, 0x4000, link_at, len - link_at]);
    w.u32(&[1, 1, 0, 0]);
    for (command, size, name) in [
        (0xD, 48, "@rpath/self.dylib"),
        (0xC, 56, "/usr/lib/libSystem.B.dylib"),
    ] {
        let end = w.bytes.len() + size as usize;
        w.u32(&[command, size, 24, 0, 0, 0]);
        w.put(name.as_bytes());
        w.bytes.resize(end, 0);
    }
    w.u32(&[0x32, 24, 1, 0, 0, 0]);
    w.u32(&[
        0x2,
        24,
        symbols_at as u32,
        1,
        strings_at as u32,
        strings_len as u32,
    ]);
    // Without a trie, a command that says nothing takes its place: LC_SOURCE_VERSION.
    let command = if with_trie { 0x8000_0033 } else { 0x2A };
    w.u32(&[command, 16, trie_at as u32, trie.len() as u32]);

    w.bytes.resize(note_at, 0);
    w.put(notes);
    w.bytes.resize(trie_at, 0);
    w.put(&trie);
    w.bytes.resize(symbols_at, 0);
    // Name at 1; external, in section 1.
    w.u32(&[1]);
    w.put(&[0x0F, 1, 0, 0]);
    w.words(&[0]);
    w.put(b"\0");
    w.put(symbol.as_bytes());
    w.put(b"\0");
    assert_eq!(w.bytes.len(), len);
    w.bytes
}

/// A 64-bit DLL, or a 32-bit one.
pub(super) fn pe(machine: u16, wide: bool, notes: &[u8]) -> Vec<u8> {
    let mut w = Writer::new(Endian::Little, wide);
    let optional: u16 = if wide { 240 } else { 224 };
    let notes_len = notes.len().next_multiple_of(0x200);
    let exports_at = 0x200 + notes_len;
    let exports_va = 0x1000 + notes.len().next_multiple_of(0x1000);

    w.put(b"MZ");
    w.bytes.resize(0x3C, 0);
    w.u32(&[64]);
    w.put(b"PE\0\0");
    w.u16(&[machine, 2]);
    w.u32(&[0, 0, 0]);
    // An executable image that is a DLL.
    w.u16(&[optional, 0x2002]);
    w.u16(&[if wide { 0x20B } else { 0x10B }, 0]);
    w.u32(&[0, 0, 0, 0, 0]);
    if !wide {
        w.u32(&[0]);
    }
    w.words(&[0x1000_0000]);
    w.u32(&[0x1000, 0x200]);
    w.u16(&[6, 0, 0, 0, 6, 0]);
    w.u32(&[0, exports_va as u32 + 0x1000, 0x200, 0]);
    // The Windows GUI subsystem, which DLLs are given.
    w.u16(&[2, 0]);
    w.words(&[0, 0, 0, 0]);
    w.u32(&[0, 16]);
    let (exports_size, imports) = (100 + PARTS.symbol.len(), exports_va + 160);
    w.u32(&[exports_va as u32, exports_size as u32, imports as u32, 40]);
    w.bytes.resize(w.bytes.len() + 14 * 8, 0);
    for (name, size, va, raw, at) in [
        (b".keyway\0", notes.len(), 0x1000, notes_len, 0x200),
        (b".edata\0\0", 0x200, exports_va, 0x200, exports_at),
    ] {
        w.put(name);
        w.u32(&[
            size as u32,
            va as u32,
            raw as u32,
            at as u32,
            0,
            0,
            0,
            0x4000_0040,
        ]);
    }
    w.bytes.resize(0x200, 0);
    w.put(notes);
    w.bytes.resize(exports_at, 0);

    // The directory, then addresses, name pointers and ordinals of two exports, then the names in
    // order.
    let va = |offset: usize| (exports_va + offset) as u32;
    let names = format!("ANOTHER\0{}\0self.dll\0", PARTS.symbol);
    let own_name = 60 + names.find("self.dll").unwrap_or_default();
    w.u32(&[0, 0, 0, va(own_name), 1, 2, 2, va(40), va(48), va(56)]);
    w.u32(&[va(0), va(0), va(60), va(68)]);
    w.u16(&[0, 1]);
    w.put(names.as_bytes());
    assert!(w.bytes.len() <= exports_at + 160);
    w.bytes.resize(exports_at + 160, 0);
    w.u32(&[0, 0, 0, va(200), 0, 0, 0, 0, 0, 0]);
    w.put(b"KERNEL32.dll\0");
    w.bytes.resize(exports_at + 0x200, 0);
    w.bytes
}
