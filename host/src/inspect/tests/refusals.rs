//! What is not a library, each with its message; and the identity of content.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use super::super::*;
use super::fixture::{both, refusal, temp_dir};
use super::{craft, fixture};

#[test]
fn a_missing_file_is_told_by_name() {
    let dir = temp_dir();
    let path = dir.path().join("missing.so");
    for error in [
        inspect(&path).expect_err("no such file"),
        hash_file(&path).expect_err("no such file"),
    ] {
        assert_eq!(error.kind(), InspectErrorKind::NotFound);
        assert!(error.is_incomplete());
        assert!(
            error
                .to_string()
                .starts_with(&format!("{}: cannot ", path.display())),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[test]
fn a_directory_is_refused() {
    let dir = temp_dir();
    let error = inspect(dir.path()).expect_err("a directory");
    assert_eq!(error.kind(), InspectErrorKind::NotALibrary);
    assert_eq!(
        error.to_string(),
        format!(
            "{}: not a dynamic library: expected an ELF, Mach-O or PE library, found a directory; hint: \
             give the library inside of it, under target/debug or target/release",
            dir.path().display()
        )
    );
}

#[cfg(unix)]
#[test]
fn a_device_is_refused_without_reading_it() {
    let error = inspect("/dev/zero").expect_err("a device");
    assert_eq!(error.kind(), InspectErrorKind::NotALibrary);
}

#[test]
fn an_empty_file_is_incomplete() {
    assert_eq!(
        refusal(
            b"",
            InspectErrorKind::Truncated {
                expected: 16,
                found: 0
            }
        ),
        "truncated: expected at least 16 bytes (to the end of any header), found 0; hint: wait for the \
         build or the copy to finish, or do it again"
    );
}

#[test]
fn files_of_other_kinds_are_told_apart() {
    let not_a_library = "not a dynamic library: expected an ELF, Mach-O or PE library, found ";
    let unsupported = "unsupported format: expected an ELF, Mach-O or PE library, found ";
    for (bytes, start, found) in [
        (
            &b"hello\n"[..],
            not_a_library,
            r#"text that begins with "hello\n"; hint: give"#,
        ),
        (
            "grüße".as_bytes(),
            not_a_library,
            r#"text that begins with "gr\xc3\xbc"#,
        ),
        (b"#!/bin/sh\nexit 0\n", not_a_library, "a script"),
        (
            b"!<arch>\n",
            not_a_library,
            "a static archive (.a, .lib or .rlib); hint: build",
        ),
        (
            b"\0asm\x01\0\0\0",
            unsupported,
            "a WebAssembly module; hint: build for the host",
        ),
        (b"BC\xC0\xDE\x35\x14", unsupported, "LLVM bitcode"),
        (
            b"\x64\x86\x02\0\0\0\0\0",
            not_a_library,
            "what looks like a COFF object file; hint",
        ),
        (
            b"\0\x01\x02",
            not_a_library,
            "a file that begins with [00, 01, 02]",
        ),
        // A Java class begins like a Mach-O file for several architectures.
        (
            b"\xCA\xFE\xBA\xBE\0\0\0\x3D",
            not_a_library,
            "a file that begins with [ca, fe",
        ),
    ] {
        let kind = match start == unsupported {
            true => InspectErrorKind::UnsupportedFormat,
            false => InspectErrorKind::NotALibrary,
        };
        let text = refusal(bytes, kind);
        assert!(text.starts_with(&format!("{start}{found}")), "{text}");
    }
}

#[test]
fn a_mach_o_file_for_several_architectures_is_refused_with_a_way_out() {
    assert_eq!(
        refusal(
            b"\xCA\xFE\xBA\xBE\0\0\0\x02",
            InspectErrorKind::UnsupportedFormat
        ),
        "unsupported format: expected an ELF, Mach-O or PE library, found a Mach-O file for several \
         architectures; hint: take the part for one architecture out of it: lipo -thin ARCH FILE -output NEW"
    );
}

#[test]
fn executables_and_objects_of_foreign_systems_are_refused() {
    let note = craft::note(Endian::Little, "target");
    for (mut bytes, at, value, found) in [
        (
            craft::elf(183, 64, Endian::Little, &note),
            16,
            2,
            "an ELF executable",
        ),
        (
            craft::elf(183, 64, Endian::Little, &note),
            16,
            1,
            "an ELF object file",
        ),
        (
            craft::elf(183, 64, Endian::Little, &note),
            16,
            4,
            "an ELF core dump",
        ),
        (craft::macho(&note, true), 12, 1, "a Mach-O object file"),
        (craft::macho(&note, true), 12, 2, "a Mach-O executable"),
        (
            craft::macho(&note, true),
            12,
            10,
            "Mach-O debug information",
        ),
        (
            craft::pe(0x8664, true, &note),
            64 + 4 + 19,
            0,
            "a PE executable",
        ),
    ] {
        bytes[at] = value;
        let text = refusal(&bytes, InspectErrorKind::NotALibrary);
        assert!(text.contains(&format!("found {found}")), "{text}");
    }
}

#[test]
fn structures_that_contradict_themselves_are_malformed() {
    let note = craft::note(Endian::Little, "target");
    let elf = || craft::elf(62, 64, Endian::Little, &note);
    for (mut bytes, at, patch, expected) in [
        (elf(), 4, &[3][..], "expected ELF class 1 or 2, found 3"),
        (
            elf(),
            16,
            &[9],
            "expected ELF type 3 (shared object), found 9",
        ),
        (elf(), 0x36, &[0], "Invalid ELF program header entry size"),
        (
            elf(),
            0x20,
            &[0xFF; 8],
            "the program header table at offset 18446744073709551615",
        ),
        (
            elf(),
            0x3E,
            &[99],
            "expected the section names in section 99, found 4 sections",
        ),
        // The first segment, at the address that everything else is at.
        (
            elf(),
            64 + 16,
            &[0, 0, 1],
            "expected the dynamic string table at address",
        ),
        (
            craft::pe(0x8664, true, &note),
            64 + 24,
            &[7],
            "expected PE optional header magic",
        ),
    ] {
        bytes[at..at + patch.len()].copy_from_slice(patch);
        let text = refusal(&bytes, InspectErrorKind::Malformed);
        assert!(
            text.starts_with(&format!("malformed library: {expected}")),
            "{text}"
        );
    }
}

/// A reader that fails beyond an offset.
struct Failing(Cursor<Vec<u8>>, u64);

impl Read for Failing {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.0.position() >= self.1 {
            return Err(io::Error::other("the disk is gone"));
        }
        self.0.read(buf)
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn an_error_of_the_reader_is_not_taken_for_a_malformed_file() {
    let bytes = craft::elf(
        62,
        64,
        Endian::Little,
        &craft::note(Endian::Little, "target"),
    );
    let len = bytes.len() as u64;
    for fails_from in [0, 64, 300, 600] {
        let reader = Failing(Cursor::new(bytes.clone()), fails_from);
        let fault = inspect_reader(reader, len).expect_err("a failing reader");
        let error = InspectError::new(None, fault);
        assert_eq!(error.kind(), InspectErrorKind::Io);
        assert_eq!(error.to_string(), "cannot read the file: the disk is gone");
    }
    // A file that shrinks meanwhile.
    let reader = Cursor::new(bytes[..bytes.len() - 200].to_vec());
    let error = InspectError::new(None, inspect_reader(reader, len).expect_err("a short file"));
    assert_eq!(error.kind(), InspectErrorKind::Io);
}

#[test]
fn a_content_hash_prints_parses_and_is_that_of_blake3() {
    // From the test vectors of BLAKE3: no input.
    let empty = "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    assert_eq!(hash_bytes(b"").to_string(), empty);
    assert_eq!(empty.parse(), Ok(hash_bytes(b"")));
    for bad in [
        "",
        "blake3:",
        "af13",
        &empty[7..],
        &empty[..70],
        "blake3:zz",
        "sha256:00",
    ] {
        let error = bad.parse::<ContentHash>().expect_err("not a hash");
        assert_eq!(
            error.to_string(),
            format!("bad content hash: expected blake3: and 64 hexadecimal digits, found {bad:?}")
        );
    }
}

#[test]
fn a_file_is_hashed_like_its_bytes() {
    let dir = temp_dir();
    let path = dir.path().join("file");
    for len in [0, 1, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 300_000] {
        let bytes: Vec<u8> = (0..len).map(|index| (index % 251) as u8).collect();
        std::fs::write(&path, &bytes).expect("the file can be written");
        let hash = hash_file(&path).expect("a hash");
        assert_eq!(hash, hash_bytes(&bytes));
        let mut hasher = ContentHasher::new();
        io::copy(&mut bytes.as_slice(), &mut hasher).expect("a hasher takes everything");
        assert_eq!(hash, hasher.finish());
    }
    assert!(both(fixture::PARTS.manifest.as_bytes()).is_err());
}
