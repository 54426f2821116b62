//! Damaged and crafted files: whatever they hold, the answer is a result or an error, soon and in
//! bounded memory. That it is no panic is what each of these tests asserts by ending.

use super::super::*;
use super::craft;
use super::fixture::PARTS;

/// One library of each format and width.
fn libraries() -> Vec<Vec<u8>> {
    let little = craft::note(Endian::Little, "target");
    vec![
        craft::elf(62, 64, Endian::Little, &little),
        craft::elf(20, 32, Endian::Big, &craft::note(Endian::Big, "target")),
        craft::macho(&little, true),
        craft::macho(&little, false),
        craft::pe(0x8664, true, &little),
        craft::pe(0x014C, false, &little),
    ]
}

/// A fixed generator (xorshift64), so that a failure is reproducible.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Inspects a damaged library. A note that is still found must be whole, since it has a checksum.
fn survive(bytes: &[u8]) {
    match inspect_bytes(bytes) {
        Ok(facts) => {
            if let Ok(note) = facts.require_note() {
                assert_eq!(
                    (note.target.as_str(), note.symbol.as_str()),
                    ("target", PARTS.symbol)
                );
                assert_eq!(note.manifest, PARTS.manifest);
                assert_eq!((note.interface_major, note.required_minor), (1, 3));
            }
            let _ = facts.target_mismatch("x86_64-unknown-linux-gnu");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[test]
fn every_flipped_bit_is_survived() {
    for mut bytes in libraries() {
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            survive(&bytes);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn random_damage_is_survived() {
    let mut state = 0x9E37_79B9_7F4A_7C15;
    for original in libraries() {
        for _ in 0..5_000 {
            let mut bytes = original.clone();
            for _ in 0..=random(&mut state) % 6 {
                let at = random(&mut state) as usize % bytes.len();
                let len = (random(&mut state) as usize % 8 + 1).min(bytes.len() - at);
                let value = match random(&mut state) % 4 {
                    0 => 0,
                    1 => 0xFF,
                    _ => random(&mut state) as u8,
                };
                bytes[at..at + len].fill(value);
            }
            survive(&bytes);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn flipped_bits_in_the_headers_and_the_note_of_a_real_library_are_survived() {
    let sample = super::fixture::sample();
    let facts = inspect_bytes(sample).expect("a library");
    let expected = facts.require_note().expect("a note");
    let find = |needle: &[u8]| {
        let found = sample
            .windows(needle.len())
            .position(|window| window == needle);
        found.expect("the needle is in the library")
    };
    let note = find(b"KEYWAYL0");
    let sections = u64::from_le_bytes(sample[0x28..0x30].try_into().expect("eight bytes")) as usize;
    let desc_len = u32::from_le_bytes(sample[note - 16..note - 12].try_into().expect("four bytes"));

    let mut bytes = sample.to_vec();
    for at in (0..0x400)
        .chain(note - 20..note + 300)
        .chain(sections..sample.len())
    {
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            let in_note = (note..note + desc_len as usize).contains(&at);
            match inspect_bytes(&bytes).map(|facts| facts.note) {
                Ok(NoteState::One(note)) => assert!(!in_note && note.manifest == expected.manifest),
                Ok(_) => {}
                Err(error) => assert!(!in_note, "the note is no matter of the library: {error}"),
            }
            bytes[at] ^= 1 << bit;
        }
    }
}

#[test]
fn random_bytes_behind_every_magic_are_survived() {
    let mut state = 0x2545_F491_4F6C_DD1D;
    for magic in [
        &b"\x7FELF\x01\x01\x01"[..],
        b"\x7FELF\x02\x02\x01",
        b"\xCE\xFA\xED\xFE",
        b"\xFE\xED\xFA\xCF",
        b"MZ",
        b"",
    ] {
        for _ in 0..2_000 {
            let mut bytes = magic.to_vec();
            bytes.extend((0..random(&mut state) % 600).map(|_| random(&mut state) as u8));
            let _ = inspect_bytes(&bytes);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_sparse_giant_is_refused_in_bounded_memory() {
    let dir = super::fixture::temp_dir();
    let path = dir.path().join("giant.so");
    let mut bytes = craft::elf(
        62,
        64,
        Endian::Little,
        &craft::note(Endian::Little, "target"),
    );
    let giant = 1_u64 << 40;
    // The size of the note's section, the second of four: within the file, but beyond any memory.
    let sections = bytes.len() - 4 * 64;
    let size_at = sections + 64 + 0x20;
    bytes[size_at..size_at + 8].copy_from_slice(&(giant >> 1).to_le_bytes());
    std::fs::write(&path, &bytes).expect("the file can be written");
    let file = std::fs::File::options()
        .write(true)
        .open(&path)
        .expect("the file can be opened");
    if file.set_len(giant).is_err() {
        // Not every file system can hold such a file.
        return;
    }
    let error = inspect(&path).expect_err("a giant");
    assert_eq!(error.kind(), InspectErrorKind::TooLarge);
    assert!(
        error.to_string().ends_with(
            ": too large to inspect: expected tables of at most 67108864 bytes in all, found one of \
             549755813888 more"
        ),
        "{error}"
    );
}

#[test]
fn many_names_of_one_long_string_are_refused() {
    // Every dynamic entry names the same needed library, and its name has no end.
    let mut bytes = craft::elf(
        62,
        64,
        Endian::Little,
        &craft::note(Endian::Little, "target"),
    );
    let name = bytes
        .windows(12)
        .position(|window| window == b"libneeded.so")
        .expect("the name");
    bytes[name..name + 40].fill(b'x');
    let error = inspect_bytes(&bytes).expect_err("a name without end");
    assert_eq!(error.kind(), InspectErrorKind::Malformed);
    assert!(
        error
            .to_string()
            .contains("expected the name of a needed library of at most 4096 bytes")
    );
}
