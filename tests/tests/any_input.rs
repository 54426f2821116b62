//! What reads what others wrote, over any bytes, over valid input that was damaged, and over all that the
//! fuzz targets begin with.

use std::path::PathBuf;

use keyway_tests::any_input::{TARGETS, Target};
use keyway_tests::workspace;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The inputs that a target begins with.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let dir = workspace().join("tests/fuzz/seeds").join(target);
    let entries = std::fs::read_dir(&dir).expect("each target has seeds");
    let mut seeds: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("a readable directory").path();
            let bytes = std::fs::read(&path).expect("a readable file");
            (path, bytes)
        })
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} is empty", dir.display());
    seeds
}

fn targets() -> impl Strategy<Value = Target> {
    select(TARGETS.as_slice())
}

/// A piece of text that means something to one of them, or bytes that mean nothing.
fn insertion() -> impl Strategy<Value = Vec<u8>> {
    const TOKENS: &[&str] = &[
        "",
        "\"",
        "'",
        "\"\"\"",
        "[",
        "]",
        "[[",
        "{",
        "}",
        ",",
        ".",
        "..",
        "=",
        ":",
        ":-",
        "-",
        "\\",
        "\\u",
        "\n",
        "\r\n",
        "\n---\n",
        "#",
        "${",
        "}",
        "$$",
        "*",
        "*.",
        "/",
        "//",
        "@",
        "?",
        "%2F",
        "[::1]",
        "0",
        "-1",
        "1e999",
        "nan",
        "null",
        "true",
        "9223372036854775808",
        "\u{0}",
        "\u{1b}",
        "\u{feff}",
        "\u{202e}",
        "é",
        "\u{1f511}",
        "plugin",
        "network ",
        "env ",
        "read ",
        "xn--",
        "KEYWAYL0",
    ];
    prop_oneof![
        3 => select(TOKENS).prop_map(|token| token.as_bytes().to_vec()),
        1 => any::<String>().prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..9),
    ]
}

/// One change of an input: at a place a number of bytes is left out, and others are put in.
type Change = (Index, usize, Vec<u8>);

fn change() -> impl Strategy<Value = Change> {
    let length = prop_oneof![4 => 0_usize..9, 1 => 0_usize..400];
    (any::<Index>(), length, insertion())
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for (at, length, insert) in changes {
        let at = at.index(bytes.len() + 1);
        let end = bytes.len().min(at + length);
        bytes.splice(at..end, insert.iter().copied());
    }
    bytes
}

/// Two lines of one input change places, so that tables get keys of others.
fn shuffled(bytes: &[u8], (one, other): (Index, Index)) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let (one, other) = (one.index(lines.len()), other.index(lines.len()));
    lines.swap(one, other);
    lines.concat()
}

#[test]
fn every_fuzz_target_takes_its_seeds() {
    for (name, target) in TARGETS {
        let declared = workspace().join(format!("tests/fuzz/fuzz_targets/{name}.rs"));
        assert!(declared.is_file(), "there is no fuzz target {name}");
        for (path, bytes) in seeds(name) {
            assert!(target(&bytes), "{} is not valid", path.display());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_anything_panic((_, target) in targets(), bytes in vec(any::<u8>(), 0..200)) {
        target(&bytes);
    }

    #[test]
    fn no_heap_of_tokens_makes_anything_panic(
        (_, target) in targets(),
        tokens in vec(insertion(), 0..40),
    ) {
        target(&tokens.concat());
    }

    #[test]
    fn no_damage_to_valid_input_makes_anything_panic(
        (name, target) in targets(),
        seed in any::<Index>(),
        lines in any::<(Index, Index)>(),
        shuffle in any::<bool>(),
        changes in vec(change(), 0..4),
    ) {
        let seeds = seeds(name);
        let (_, bytes) = seeds[seed.index(seeds.len())].clone();
        let bytes = if shuffle { shuffled(&bytes, lines) } else { bytes };
        target(&changed(bytes, &changes));
    }
}
