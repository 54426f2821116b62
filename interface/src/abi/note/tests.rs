use super::*;

const MANIFEST: &str = r#"{"plugin":{"id":"acme.sample","name":"Sämple","version":"1.2.3"}}"#;

const PARTS: NoteParts<'static> = NoteParts {
    interface_major: 1,
    built_minor: 7,
    required_minor: 3,
    panic_abort: false,
    target: "x86_64-unknown-linux-gnu",
    rustc: "rustc 1.95.0 (59807616e 2026-04-14)",
    symbol: "KEYWAY_DESCRIPTOR_acme_sample",
    manifest: MANIFEST,
};

/// What an expansion of `export_plugin!` holds.
static NOTE: Aligned<{ len(&PARTS) }> = Aligned(encode(&PARTS));

fn fields(note: &Note<'_>) -> (u16, u16, u16, bool, String, String, String, String) {
    (
        note.interface_major,
        note.built_minor,
        note.required_minor,
        note.panic_abort,
        note.target.to_owned(),
        note.rustc.to_owned(),
        note.symbol.to_owned(),
        note.manifest.to_owned(),
    )
}

fn only(section: &[u8], endian: Endian) -> Result<Note<'_>, NoteError> {
    let mut notes = split(section, endian);
    let note = notes.next().expect("a note")?.decode()?;
    assert_eq!(notes.next(), None);
    Ok(note)
}

/// Sets bytes of a description and mends its checksum.
fn patched(desc: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut desc = desc.to_vec();
    desc[at..at + bytes.len()].copy_from_slice(bytes);
    desc[at::CRC..at::TEXT].fill(0);
    let crc = crc32::finish(crc32::update(crc32::START, &desc));
    desc[at::CRC..at::TEXT].copy_from_slice(&crc.to_le_bytes());
    desc
}

fn sample_desc() -> &'static [u8] {
    &NOTE.0[DESC_AT..DESC_AT + PARTS_DESC_LEN]
}

const PARTS_DESC_LEN: usize =
    36 + PARTS.target.len() + PARTS.rustc.len() + PARTS.symbol.len() + PARTS.manifest.len();

#[test]
fn a_note_from_const_context_decodes_to_its_parts() {
    let note = only(&NOTE.0, Endian::NATIVE).expect("a good note");
    assert_eq!(
        fields(&note),
        (
            1,
            7,
            3,
            false,
            PARTS.target.into(),
            PARTS.rustc.into(),
            PARTS.symbol.into(),
            MANIFEST.into()
        )
    );
    assert_eq!(NOTE.0.len() % 4, 0);
    assert_eq!(align_of_val(&NOTE), 4);
}

#[test]
fn the_bytes_are_those_of_the_documented_format() {
    let parts = NoteParts {
        interface_major: 0x0102,
        built_minor: 0x0304,
        required_minor: 0x0506,
        panic_abort: true,
        target: "t",
        rustc: "rr",
        symbol: "sss",
        manifest: "{}",
    };
    let mut expected = Vec::new();
    expected.extend(7_u32.to_le_bytes());
    expected.extend(44_u32.to_le_bytes());
    expected.extend(1_u32.to_le_bytes());
    expected.extend(b"Keyway\0\0");
    let mut desc =
        b"KEYWAYL0\x01\0\x01\0\x02\x01\x04\x03\x06\x05\0\0\x01\0\x02\0\x03\0\0\0".to_vec();
    desc.extend(b"\x02\0\0\0\0\0\0\0trrsss{}");
    let crc = crc32::finish(crc32::update(crc32::START, &desc));
    desc[32..36].copy_from_slice(&crc.to_le_bytes());
    expected.extend(desc);
    assert_eq!(to_vec(&parts, Endian::Little), expected);

    expected[..12].copy_from_slice(&[0, 0, 0, 7, 0, 0, 0, 44, 0, 0, 0, 1]);
    let big = to_vec(&parts, Endian::Big);
    assert_eq!(big, expected);
    assert!(only(&big, Endian::Big).expect("a good note").panic_abort);
}

#[test]
fn a_32_kb_and_a_64_kb_manifest_encode_in_const_context() {
    const fn text<const N: usize>(bytes: &'static [u8; N]) -> &'static str {
        match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(_) => panic!("ASCII"),
        }
    }
    const LONG: NoteParts<'static> = NoteParts {
        manifest: text(&[b'x'; 32 << 10]),
        ..PARTS
    };
    const LONGER: NoteParts<'static> = NoteParts {
        manifest: text(&[b'y'; 64 << 10]),
        ..PARTS
    };
    // `long_running_const_eval` is an error by default, so these two lines are the test.
    static LONG_NOTE: [u8; len(&LONG)] = encode(&LONG);
    static LONGER_NOTE: [u8; len(&LONGER)] = encode(&LONGER);
    let long = only(&LONG_NOTE, Endian::NATIVE).expect("a good note");
    assert_eq!(long.manifest, LONG.manifest);
    let longer = only(&LONGER_NOTE, Endian::NATIVE).expect("a good note");
    assert_eq!(longer.manifest, LONGER.manifest);
}

#[test]
fn every_padding_of_the_description_round_trips() {
    for extra in 0..9 {
        let manifest = "m".repeat(extra);
        let parts = NoteParts {
            manifest: &manifest,
            rustc: "",
            ..PARTS
        };
        let note = to_vec(&parts, Endian::Big);
        assert_eq!(note.len(), len(&parts));
        assert_eq!(
            only(&note, Endian::Big).expect("a good note").manifest,
            manifest
        );
    }
}

#[test]
fn every_truncation_is_an_error_or_the_same_note() {
    let whole = only(&NOTE.0, Endian::NATIVE).expect("a good note");
    let end = DESC_AT + PARTS_DESC_LEN;
    for cut in 1..NOTE.0.len() {
        match only(&NOTE.0[..cut], Endian::NATIVE) {
            Ok(note) => assert!(cut >= end && note == whole, "cut at {cut}"),
            Err(NoteError::Truncated {
                offset,
                expected,
                found,
                ..
            }) => {
                assert!(
                    cut < end && (found as u64) < expected && offset <= cut + 1,
                    "cut at {cut}"
                );
            }
            Err(error) => panic!("cut at {cut}: {error}"),
        }
    }
    for cut in 0..PARTS_DESC_LEN {
        let error = decode_desc(&sample_desc()[..cut]).expect_err("a cut description");
        assert!(matches!(
            error,
            NoteError::Truncated { .. } | NoteError::WrongLength { .. }
        ));
    }
}

#[test]
fn every_flipped_bit_is_an_error_or_outside_of_the_content() {
    let whole = only(&NOTE.0, Endian::NATIVE).expect("a good note");
    let name_padding = FRAME_LEN + NAME.len()..DESC_AT;
    let end = DESC_AT + PARTS_DESC_LEN;
    for bit in 0..NOTE.0.len() * 8 {
        let mut flipped = NOTE.0;
        flipped[bit / 8] ^= 1 << (bit % 8);
        let ignored = name_padding.contains(&(bit / 8)) || bit / 8 >= end;
        let note = split(&flipped, Endian::NATIVE).next().expect("a note");
        match note.and_then(|note| note.decode()) {
            Ok(note) => assert!(ignored && note == whole, "bit {bit}"),
            Err(_) => assert!(!ignored, "bit {bit}"),
        }
    }
}

#[test]
fn random_bytes_never_panic() {
    // A fixed generator (xorshift64) keeps a failure reproducible.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..4_000 {
        let mut bytes: Vec<u8> = (0..random() % 200).map(|_| random() as u8).collect();
        // Half of them are good notes with a few bytes overwritten, which get further into the
        // decoder.
        if round % 2 == 0 {
            bytes = NOTE.0.to_vec();
            for _ in 0..=random() % 4 {
                let at = random() as usize % 64;
                bytes[at] = random() as u8;
            }
        }
        for endian in [Endian::Little, Endian::Big] {
            for note in split(&bytes, endian).flatten() {
                let _ = note.decode();
            }
        }
        if let Some(desc) = bytes.get(DESC_AT..) {
            let _ = decode_desc(desc);
        }
    }
}

#[test]
fn two_notes_in_a_section_are_both_found_and_padding_is_not_a_note() {
    let second = NoteParts {
        symbol: "KEYWAY_DESCRIPTOR_other",
        ..PARTS
    };
    let mut section = to_vec(&PARTS, Endian::Little);
    section.extend(to_vec(&second, Endian::Little));
    for padding in [0, 1, 11, 12, 500] {
        let mut section = section.clone();
        section.resize(section.len() + padding, 0);
        let symbols: Vec<_> = split(&section, Endian::Little)
            .map(|note| {
                note.and_then(|note| note.decode())
                    .expect("a good note")
                    .symbol
            })
            .collect();
        assert_eq!(symbols, [PARTS.symbol, second.symbol]);
    }
    assert_eq!(split(&[], Endian::Little).next(), None);
}

#[test]
fn offsets_of_a_second_note_count_from_the_section() {
    let mut section = to_vec(&PARTS, Endian::Little);
    let second = section.len();
    section.extend(to_vec(&PARTS, Endian::Little));
    section[second + DESC_AT] = b'X';
    let notes: Vec<_> = split(&section, Endian::Little)
        .collect::<Result<_, _>>()
        .expect("frames");
    assert_eq!(notes[1].offset, second);
    assert_eq!(
        notes[1].decode(),
        Err(NoteError::WrongMagic {
            offset: second + DESC_AT,
            found: *b"XEYWAYL0"
        })
    );
    section[second + 4..second + 8].copy_from_slice(&[0xFF; 4]);
    assert_eq!(
        split(&section, Endian::Little).nth(1),
        Some(Err(NoteError::Truncated {
            part: "note description",
            offset: second + DESC_AT,
            expected: 0xFFFF_FFFF,
            found: section.len() - second - DESC_AT,
        }))
    );
}

#[test]
fn a_reader_ignores_unknown_flags_and_reserved_fields() {
    let expected = decode_desc(sample_desc()).expect("a good description");
    for (at, bytes) in [
        (at::FLAGS, [0xFE, 0xFF]),
        (18, [0xFF, 0xFF]),
        (26, [0xFF, 0xFF]),
    ] {
        assert_eq!(
            decode_desc(&patched(sample_desc(), at, &bytes)),
            Ok(expected)
        );
    }
    let abort = patched(sample_desc(), at::FLAGS, &[0xFF, 0xFF]);
    assert!(decode_desc(&abort).expect("a good description").panic_abort);
}

/// The message for a note whose bytes at `at` were overwritten.
fn message(at: usize, bytes: &[u8]) -> String {
    let mut section = to_vec(&PARTS, Endian::Little);
    section[at..at + bytes.len()].copy_from_slice(bytes);
    only(&section, Endian::Little)
        .expect_err("a bad note")
        .to_string()
}

#[test]
fn messages_say_what_where_expected_and_found() {
    for (at, bytes, expected) in [
        (
            0,
            &[0; 12][..],
            "wrong padding at offset 12: expected zeros to the end of the section, found 0x4b",
        ),
        (
            0,
            &[0xFF; 4],
            &format!(
                "the note name at offset 12 is cut off: expected 4294967295 bytes, found {}",
                NOTE.0.len() - FRAME_LEN
            ),
        ),
        (
            12,
            b"Gnu",
            r#"wrong note name at offset 12: expected "Keyway\0", found "Gnuway\x00""#,
        ),
        (8, &[2], "wrong note type at offset 8: expected 1, found 2"),
        (
            20,
            b"ELF",
            r#"wrong magic bytes at offset 20: expected "KEYWAYL0", found "ELFWAYL0""#,
        ),
        (
            28,
            &[9],
            "unsupported note format at offset 28: expected 1, found 9",
        ),
        (
            40,
            &[25],
            &format!(
                "wrong length of the description at offset 20: its parts need {} bytes, found {}",
                PARTS_DESC_LEN + 1,
                PARTS_DESC_LEN
            ),
        ),
    ] {
        assert_eq!(message(at, bytes), expected);
    }
    assert!(message(56, b"X").starts_with("wrong checksum at offset 52: expected 0x"));

    let text_at = |text: &str| {
        let found = sample_desc()
            .windows(text.len())
            .position(|window| window == text.as_bytes());
        found.expect("the text is in the description")
    };
    let symbol_at = text_at(PARTS.symbol);
    for (at, bytes, expected) in [
        (
            at::TEXT + 1,
            b"\xFF",
            "the target triple is not UTF-8 at offset 37".to_owned(),
        ),
        (
            text_at(MANIFEST),
            b"\xC0",
            format!("the manifest is not UTF-8 at offset {}", text_at(MANIFEST)),
        ),
        (
            symbol_at + 3,
            b"\0",
            format!(
                "the name of the descriptor symbol is empty or has a NUL byte at offset {}",
                symbol_at + 3
            ),
        ),
    ] {
        let error = decode_desc(&patched(sample_desc(), at, bytes)).expect_err("a bad description");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn an_empty_symbol_is_refused() {
    let mut desc = sample_desc().to_vec();
    // The symbol's bytes become the front of the manifest.
    let symbol_len = PARTS.symbol.len() as u16;
    desc = patched(&desc, at::SYMBOL_LEN, &0_u16.to_le_bytes());
    let manifest_len = (MANIFEST.len() + usize::from(symbol_len)) as u32;
    desc = patched(&desc, at::MANIFEST_LEN, &manifest_len.to_le_bytes());
    assert!(matches!(
        decode_desc(&desc),
        Err(NoteError::BadSymbol { .. })
    ));
}

#[test]
#[should_panic = "the length that note::len() gives"]
fn an_array_of_the_wrong_length_is_refused() {
    let _: [u8; 8] = encode(&PARTS);
}

#[test]
#[should_panic = "the target triple is longer than 65535 bytes"]
fn a_part_that_does_not_fit_its_length_field_is_refused() {
    let target = "t".repeat(0x1_0000);
    let _ = to_vec(
        &NoteParts {
            target: &target,
            ..PARTS
        },
        Endian::Little,
    );
}
