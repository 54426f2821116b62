//! Bits that flipped on the way to this machine.
//!
//! What a flip in the code of a library does once it is loaded, nobody can say. The header, the
//! table of sections and the note are what is read before that, and what is read must be seen to
//! be damaged, or be as before.

use keyway_host::inspect::{InspectErrorKind, NoteState, inspect_bytes};
use keyway_host::{HostErrorKind, LoadOptions};
use keyway_tests::binary::{note_range, section_headers, with_bit_flipped};
use keyway_tests::scene::{Scene, assert_says};
use keyway_tests::{child, host, rustc_cdylib};

/// The length of the header of a 64-bit ELF file.
const HEADER: usize = 64;

/// A small plugin, since it is copied some hundred times.
fn good(scene: &Scene) -> Vec<u8> {
    let library = scene.path("libgood.so");
    rustc_cdylib("image-filter", &["-Cstrip=symbols"], &library);
    std::fs::read(library).expect("the library was just built")
}

#[test]
fn every_flip_in_the_note_is_seen_in_the_file() {
    let scene = Scene::new();
    let good = good(&scene);
    let whole = inspect_bytes(&good).expect("it is sound");
    let range = note_range(&good);
    // The name has seven bytes and one of padding, which nobody reads.
    let padding = range.start + 12 + 7;
    for byte in range.clone().filter(|byte| *byte != padding) {
        let damaged = with_bit_flipped(&good, byte, byte);
        let found = inspect_bytes(&damaged).expect("the library around it is sound");
        let error = match found.require_note() {
            Ok(_) => {
                // Padding behind the description is not read either.
                assert!(byte >= range.end - 3, "a flip at {byte} was not seen");
                assert_eq!(found.note, whole.note);
                continue;
            }
            Err(error) => error,
        };
        // A length that shrank leaves a rest that looks like a second note.
        let told = match error.kind() {
            InspectErrorKind::BadNote => true,
            InspectErrorKind::SeveralNotes => error.to_string().contains("(<wrong length"),
            _ => false,
        };
        assert!(told, "a flip at {byte}: {error}");
    }
    // And the host says the same of a file.
    let damaged = with_bit_flipped(&good, range.end - 40, 3);
    let error = scene.refused(scene.file("libdamaged.so", damaged));
    assert_says(
        &error,
        HostErrorKind::Inspect,
        &[
            "bad Keyway note in section .note.keyway: wrong checksum at offset",
            "expected 0x",
            "hint: build the plugin again",
        ],
    );
}

#[test]
fn no_flip_in_the_headers_makes_up_another_plugin() {
    let scene = Scene::new();
    let good = good(&scene);
    let whole = inspect_bytes(&good).expect("it is sound");
    let header = (0..HEADER).flat_map(|byte| (0..8).map(move |bit| (byte, bit)));
    let sections = section_headers(&good).map(|byte| (byte, byte));
    for (byte, bit) in header.chain(sections) {
        let damaged = with_bit_flipped(&good, byte, bit);
        // An error is as good as the same facts; it has a text, and getting it took no harm.
        match inspect_bytes(&damaged) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(found) => match (&found.note, &whole.note) {
                (NoteState::One(found), NoteState::One(whole)) => {
                    assert_eq!(found.manifest, whole.manifest, "a flip at {byte}");
                }
                (NoteState::One(_), _) => panic!("the fixture has a note"),
                _ => {}
            },
        }
    }
}

#[test]
fn no_flip_in_the_header_or_the_note_ends_the_process_that_loads_it() {
    child::passes("damaged::loads_of_damaged_copies", &[]);
}

#[test]
#[ignore = "runs as the child of no_flip_in_the_header_or_the_note_ends_the_process_that_loads_it"]
#[expect(
    clippy::print_stdout,
    reason = "the parent shows it when this process dies"
)]
fn loads_of_damaged_copies() {
    let scene = Scene::new();
    let good = good(&scene);
    let note = note_range(&good);
    let header = (0..HEADER).flat_map(|byte| (0..8).map(move |bit| (byte, bit)));
    let mut loaded = 0;
    for (byte, bit) in header.chain(note.step_by(16).map(|byte| (byte, byte))) {
        let damaged = with_bit_flipped(&good, byte, bit);
        if inspect_bytes(&damaged).is_err() {
            continue;
        }
        println!("byte {byte}, bit {bit}");
        let file = scene.file("libdamaged.so", damaged);
        let host = host();
        let load = host.load_with(&file, LoadOptions::new());
        match host.block_on(load) {
            Ok(_) => loaded += 1,
            Err(error) => println!("  {error}"),
        }
    }
    println!("{loaded} loaded");
    scene.assert_unharmed();
}
