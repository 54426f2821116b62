//! Crafted libraries for targets other than the host's.

use super::super::*;
use super::fixture::{PARTS, both};
use super::{craft, fixture};

/// The note, which must be the sample's with this target.
fn assert_is_sample(facts: &Inspection, target: &str) {
    let note = facts.require_note().expect("a note");
    assert_eq!(note.target, target);
    assert_eq!(note.symbol, PARTS.symbol);
    assert_eq!(note.manifest, PARTS.manifest);
    assert!(note.symbol_exported, "{target}");
    assert_eq!(facts.target_mismatch(target), None);
}

#[test]
fn elf_libraries_of_foreign_targets_tell_all_their_facts() {
    for (target, machine, arch, bits, endian) in [
        (
            "x86_64-unknown-linux-gnu",
            62,
            Arch::X86_64,
            64,
            Endian::Little,
        ),
        (
            "aarch64-unknown-linux-gnu",
            183,
            Arch::Aarch64,
            64,
            Endian::Little,
        ),
        ("i686-unknown-linux-gnu", 3, Arch::X86, 32, Endian::Little),
        (
            "powerpc-unknown-linux-gnu",
            20,
            Arch::PowerPc,
            32,
            Endian::Big,
        ),
        ("s390x-unknown-linux-gnu", 22, Arch::S390, 64, Endian::Big),
    ] {
        let bytes = craft::elf(machine, bits, endian, &craft::note(endian, target));
        let facts = both(&bytes).expect("a library");
        assert_eq!(facts.format, ObjectFormat::Elf);
        assert_eq!((facts.arch, facts.bits, facts.endian), (arch, bits, endian));
        assert_eq!(facts.os, Os::Unspecified);
        assert_eq!(facts.needed, ["libneeded.so"]);
        assert_eq!(facts.soname.as_deref(), Some("libself.so"));
        assert_is_sample(&facts, target);
    }
}

#[test]
fn a_foreign_library_is_no_error_but_a_mismatch() {
    let target = "aarch64-unknown-linux-gnu";
    let bytes = craft::elf(
        183,
        64,
        Endian::Little,
        &craft::note(Endian::Little, target),
    );
    let facts = both(&bytes).expect("a library");
    let mismatch = facts
        .target_mismatch("x86_64-unknown-linux-gnu")
        .expect("a mismatch");
    assert_eq!(
        (mismatch.what, mismatch.found.as_str()),
        ("architecture", "aarch64")
    );
    // The note is read in the byte order of the file, so the wrong one is found out.
    let bytes = craft::elf(22, 64, Endian::Big, &craft::note(Endian::Little, target));
    let error = both(&bytes)
        .expect("a library")
        .require_note()
        .expect_err("a bad note");
    assert_eq!(error.kind(), InspectErrorKind::BadNote);
}

#[test]
fn mach_o_libraries_tell_all_their_facts() {
    let target = "aarch64-apple-darwin";
    for with_trie in [true, false] {
        let bytes = craft::macho(&craft::note(Endian::Little, target), with_trie);
        let facts = both(&bytes).expect("a library");
        assert_eq!(facts.format, ObjectFormat::MachO);
        assert_eq!(
            (facts.arch, facts.bits, facts.endian),
            (Arch::Aarch64, 64, Endian::Little)
        );
        assert_eq!(facts.os, Os::MacOs);
        assert_eq!(facts.needed, ["/usr/lib/libSystem.B.dylib"]);
        assert_eq!(facts.soname.as_deref(), Some("@rpath/self.dylib"));
        assert_is_sample(&facts, target);
    }
}

#[test]
fn pe_libraries_tell_all_their_facts() {
    for (target, machine, arch, bits) in [
        ("x86_64-pc-windows-msvc", 0x8664, Arch::X86_64, 64),
        ("aarch64-pc-windows-msvc", 0xAA64, Arch::Aarch64, 64),
        ("i686-pc-windows-gnu", 0x014C, Arch::X86, 32),
    ] {
        let bytes = craft::pe(machine, bits == 64, &craft::note(Endian::Little, target));
        let facts = both(&bytes).expect("a library");
        assert_eq!(facts.format, ObjectFormat::Pe);
        assert_eq!(
            (facts.arch, facts.bits, facts.endian),
            (arch, bits, Endian::Little)
        );
        assert_eq!(facts.os, Os::Windows);
        assert_eq!(facts.needed, ["KERNEL32.dll"]);
        assert_eq!(facts.soname.as_deref(), Some("self.dll"));
        assert_is_sample(&facts, target);
    }
}

/// One crafted library of each format, around the content of its note section.
fn each_format(notes: &[u8]) -> [Vec<u8>; 4] {
    [
        craft::elf(62, 64, Endian::Little, notes),
        craft::macho(notes, true),
        craft::macho(notes, false),
        craft::pe(0x8664, true, notes),
    ]
}

#[test]
fn two_notes_in_a_section_are_refused_by_name_in_every_format() {
    let first = craft::note(Endian::Little, "first");
    let parts = keyway::abi::note::NoteParts {
        symbol: "KEYWAY_OTHER",
        ..fixture::PARTS
    };
    let second = keyway::abi::note::to_vec(&parts, keyway::abi::note::Endian::Little);
    for bytes in each_format(&[first, second].concat()) {
        let facts = both(&bytes).expect("a library");
        let error = facts.require_note().expect_err("two notes");
        assert_eq!(error.kind(), InspectErrorKind::SeveralNotes);
        let text = error.to_string();
        let names = format!(
            "expected one note in section {}, found 2",
            facts.format.note_section()
        );
        assert!(text.contains(&names), "{text}");
        assert!(
            text.contains("(KEYWAY_SAMPLE, KEYWAY_OTHER); hint: "),
            "{text}"
        );
    }
}

#[test]
fn a_bad_note_is_an_error_only_where_a_plugin_is_required() {
    let mut note = craft::note(Endian::Little, "target");
    note[60] ^= 1;
    for bytes in each_format(&note) {
        let facts = both(&bytes).expect("a library");
        assert!(!facts.needed.is_empty());
        let error = facts.require_note().expect_err("a bad note");
        assert_eq!(error.kind(), InspectErrorKind::BadNote);
        let text = error.to_string();
        let section = facts.format.note_section();
        let start = format!("bad Keyway note in section {section}: wrong checksum at offset 52: ");
        assert!(text.contains(&start), "{text}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[test]
fn an_empty_note_section_is_no_note() {
    for bytes in each_format(&[]) {
        assert_eq!(both(&bytes).expect("a library").note, NoteState::Absent);
    }
}

#[test]
fn a_symbol_that_is_not_exported_is_told_in_every_format() {
    let parts = keyway::abi::note::NoteParts {
        symbol: "KEYWAY_SAMPL",
        ..fixture::PARTS
    };
    let note = keyway::abi::note::to_vec(&parts, keyway::abi::note::Endian::Little);
    for bytes in each_format(&note) {
        let facts = both(&bytes).expect("a library");
        assert!(!facts.require_note().expect("a note").symbol_exported);
    }
}

#[test]
fn every_cut_of_every_format_is_seen_as_truncation() {
    for bytes in each_format(&craft::note(Endian::Little, "target")) {
        for cut in 0..bytes.len() {
            let error = inspect_bytes(&bytes[..cut]).expect_err("a cut library");
            // The first bytes do not tell yet what it will be, unless they are those of ELF.
            let told = match error.kind() {
                InspectErrorKind::Truncated { found, .. } => found == cut as u64,
                _ => false,
            };
            assert!(told || (1..4).contains(&cut), "cut at {cut}: {error}");
        }
    }
}
