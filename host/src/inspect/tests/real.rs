//! Real libraries, as the compiler and the linker of the host make them.
#![cfg(target_os = "linux")]

use std::process::Command;

use object::{Object, ObjectSymbol};

use super::super::*;
use super::fixture::{PARTS, both, build, refusal, sample, source, temp_dir};

fn library(source: &str, args: &[&str]) -> Inspection {
    let dir = temp_dir();
    let file = build(
        dir.path(),
        source,
        "library",
        &[&["--crate-type=cdylib"], args].concat(),
    );
    inspect(file).expect("a library")
}

fn assert_is_sample(note: &NoteFacts) {
    assert_eq!(note.interface_major, PARTS.interface_major);
    assert_eq!(note.built_minor, PARTS.built_minor);
    assert_eq!(note.required_minor, PARTS.required_minor);
    assert_eq!(note.panic, PanicStrategy::Unwind);
    assert_eq!(note.target, PARTS.target);
    assert_eq!(note.rustc, PARTS.rustc);
    assert_eq!(note.symbol, PARTS.symbol);
    assert_eq!(note.manifest, PARTS.manifest);
    assert!(note.symbol_exported);
}

#[test]
fn a_debug_build_tells_all_its_facts() {
    let facts = both(sample()).expect("a library");
    assert_eq!(facts.format, ObjectFormat::Elf);
    assert_eq!(facts.arch.to_string(), std::env::consts::ARCH);
    assert_eq!(u32::from(facts.bits), usize::BITS);
    assert_eq!(facts.size, sample().len() as u64);
    assert!(
        facts.needed.iter().any(|name| name.starts_with("libc.")),
        "{:?}",
        facts.needed
    );
    assert_eq!(facts.soname, None);
    assert!(!facts.may_pin());
    assert_is_sample(facts.require_note().expect("a note"));
}

#[test]
fn the_note_survives_release_lto_and_strip() {
    for args in [
        &["-O"][..],
        &["-O", "-Clto=fat"],
        &["-Cstrip=symbols"],
        &["-O", "-Clto=fat", "-Cstrip=symbols", "-Cpanic=abort"],
        &["-Clink-arg=-Wl,--gc-sections", "-Copt-level=z"],
    ] {
        let facts = library(&source(PARTS.symbol), args);
        assert_is_sample(facts.require_note().expect("a note"));
    }
}

#[test]
fn the_note_and_the_export_are_found_without_a_section_table() {
    let mut bytes = sample().to_vec();
    // e_shoff, e_shnum and e_shstrndx of a 64-bit header.
    bytes[0x28..0x30].fill(0);
    bytes[0x3C..0x40].fill(0);
    let facts = both(&bytes).expect("a library");
    assert_is_sample(facts.require_note().expect("a note"));
}

#[test]
fn inspecting_runs_no_constructor() {
    let dir = temp_dir();
    let mark = dir.path().join("mark");
    let constructor = format!(
        r#"
        #[used]
        #[unsafe(link_section = ".init_array")]
        static CONSTRUCTOR: extern "C" fn() = constructor;

        extern "C" fn constructor() {{
            let _ = std::fs::write({mark:?}, "constructed");
        }}
        "#
    );
    let source = source(PARTS.symbol) + &constructor;
    let file = build(
        dir.path(),
        &source,
        "constructor.so",
        &["--crate-type=cdylib"],
    );

    let facts = inspect(&file).expect("a library");
    assert_is_sample(facts.require_note().expect("a note"));
    hash_file(&file).expect("a hash");
    assert!(!mark.exists(), "the inspection ran the constructor");

    // The constructor does leave its mark once the library is loaded, or the test would prove
    // nothing.
    let status = Command::new("true")
        .env("LD_PRELOAD", &file)
        .status()
        .expect("a process");
    assert!(
        status.success() && mark.exists(),
        "the fixture's constructor does not run"
    );
}

#[test]
fn what_pins_a_library_is_seen() {
    let name = "-Clink-arg=-Wl,-soname,libnamed.so.1";
    let facts = library("", &["-Clink-arg=-Wl,-z,nodelete", name]);
    assert!(facts.nodelete && facts.may_pin());
    assert_eq!(facts.soname.as_deref(), Some("libnamed.so.1"));

    let mut bytes = sample().to_vec();
    let file =
        object::read::elf::ElfFile64::<object::Endianness>::parse(sample()).expect("an ELF file");
    let symbol = file
        .dynamic_symbols()
        .find(|symbol| symbol.name() == Ok(PARTS.symbol));
    let symbol = symbol.expect("the exported symbol").elf_symbol();
    let offset = std::ptr::from_ref(symbol).addr() - sample().as_ptr().addr();
    // The binding is the upper half of st_info, which follows the four bytes of st_name.
    assert_eq!(bytes[offset + 4] >> 4, elf::STB_GLOBAL.0);
    bytes[offset + 4] = elf::STB_GNU_UNIQUE.0 << 4 | bytes[offset + 4] & 0xF;
    let facts = both(&bytes).expect("a library");
    assert!(facts.may_pin());
    assert_eq!(facts.unique_symbols.count, 1);
    assert_eq!(facts.unique_symbols.names, [PARTS.symbol]);
    assert_is_sample(facts.require_note().expect("a note"));
}

#[test]
fn a_library_without_a_note_has_facts_but_is_no_plugin() {
    let facts = library("#[unsafe(no_mangle)] pub extern \"C\" fn f() {}", &[]);
    assert_eq!(facts.note, NoteState::Absent);
    let error = facts.require_note().expect_err("no note");
    assert_eq!(error.kind(), InspectErrorKind::NoNote);
    let path = facts.path.expect("a path");
    assert_eq!(
        error.to_string(),
        format!(
            "{}: not a Keyway plugin: expected a note in section .note.keyway, found none; hint: if \
             this is your plugin: call keyway::export_plugin! in its crate",
            path.display()
        )
    );
}

#[test]
fn two_plugins_in_one_file_are_refused_by_name() {
    let dir = temp_dir();
    let first = source("KEYWAY_FIRST");
    let rlib = build(dir.path(), &first, "libfirst.rlib", &["--crate-type=rlib"]);
    let second = source("KEYWAY_SECOND") + "\nextern crate first;\npub use first::KEYWAY_FIRST;";
    let rlib = format!("--extern=first={}", rlib.display());
    let file = build(
        dir.path(),
        &second,
        "both.so",
        &["--crate-type=cdylib", &rlib],
    );

    let facts = inspect(file).expect("a library");
    let error = facts.require_note().expect_err("two notes");
    assert_eq!(error.kind(), InspectErrorKind::SeveralNotes);
    let text = error.to_string();
    assert!(text.contains("found 2 ("), "{text}");
    assert!(
        text.contains("KEYWAY_FIRST") && text.contains("KEYWAY_SECOND"),
        "{text}"
    );
}

#[test]
fn a_symbol_that_is_not_exported_is_told() {
    let hidden = source("KEYWAY_HIDDEN").replace("#[unsafe(no_mangle)]", "");
    let facts = library(&hidden, &[]);
    assert!(!facts.require_note().expect("a note").symbol_exported);
}

#[test]
fn other_crate_types_are_refused_with_a_hint() {
    let dir = temp_dir();
    for (source, name, arg, found) in [
        (
            "fn main() {}",
            "pie",
            "--crate-type=bin",
            "a position independent ELF executable",
        ),
        (
            "fn main() {}",
            "exe",
            "-Crelocation-model=static",
            "an ELF executable",
        ),
        ("", "object.o", "--emit=obj", "an ELF object file"),
        (
            "",
            "archive.rlib",
            "--crate-type=rlib",
            "a static archive (.a, .lib or .rlib)",
        ),
        (
            "",
            "archive.a",
            "--crate-type=staticlib",
            "a static archive (.a, .lib or .rlib)",
        ),
    ] {
        let lib = ["--crate-type=lib"];
        let lib = if name == "object.o" { &lib[..] } else { &[] };
        let file = build(dir.path(), source, name, &[&[arg], lib].concat());
        let error = inspect(&file).expect_err("not a library");
        assert_eq!(error.kind(), InspectErrorKind::NotALibrary);
        assert_eq!(
            error.to_string(),
            format!(
                "{}: not a dynamic library: expected an ELF, Mach-O or PE library, found {found}; hint: \
                 build a dynamic library: set crate-type = [\"cdylib\"] under [lib] in Cargo.toml",
                file.display()
            )
        );
    }
}

#[test]
fn every_cut_is_seen_as_truncation() {
    let whole = sample();
    let tenths = (1..10).map(|tenth| whole.len() * tenth / 10);
    let front = 1..2048;
    let back = whole.len() - 300..whole.len();
    for cut in tenths.chain(front).chain(back) {
        let error = inspect_bytes(&whole[..cut]).expect_err("a cut library");
        let InspectErrorKind::Truncated { expected, found } = error.kind() else {
            panic!("cut at {cut}: {error}");
        };
        assert!(found == cut as u64 && expected > found && expected <= whole.len() as u64);
        assert!(error.is_incomplete());
    }
    let cut = whole.len() / 10 * 7;
    let truncated = InspectErrorKind::Truncated {
        expected: whole.len() as u64,
        found: cut as u64,
    };
    assert_eq!(
        refusal(&whole[..cut], truncated),
        format!(
            "truncated: expected at least {} bytes (to the end of the section header table), found {cut}; \
             hint: wait for the build or the copy to finish, or do it again",
            whole.len()
        )
    );
}
