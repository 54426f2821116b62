//! Libraries whose note is missing, is not the only one, or says what is not so.

use keyway_host::HostErrorKind;
use keyway_tests::binary::{with_note, with_note_in_file_only};
use keyway_tests::plugin;
use keyway_tests::scene::{Scene, assert_says};

fn good() -> Vec<u8> {
    std::fs::read(plugin("misbehaves")).expect("the fixture")
}

#[test]
fn a_copy_with_its_note_written_anew_is_a_good_plugin() {
    // Or the refusals below would prove nothing.
    let scene = Scene::new();
    let same = with_note(&good(), |note| note.change_manifest(|_| {}));
    let status = scene.load(scene.file("libsame.so", same));
    assert_eq!(status.expect("it loads").name, "misbehaves");
}

#[test]
fn a_library_without_a_note_is_no_plugin() {
    let scene = Scene::new();
    let error = scene.refused(plugin("not-a-plugin"));
    assert_says(
        &error,
        HostErrorKind::Inspect,
        &[
            "not a Keyway plugin",
            "section .note.keyway, found none",
            "hint: if this is your plugin: call keyway::export_plugin!",
        ],
    );
}

#[test]
fn two_plugins_in_one_library_are_refused_by_their_names() {
    let scene = Scene::new();
    let error = scene.refused(plugin("two-plugins"));
    assert_says(
        &error,
        HostErrorKind::Inspect,
        &[
            "several plugins in one file: expected one note",
            "found 2 (",
            "keyway_plugin_two_plugins",
            "keyway_plugin_image_filter",
            "hint: a plugin crate must not link another",
        ],
    );
}

#[test]
fn a_descriptor_that_is_not_exported_is_missed_before_the_library_is_opened() {
    let scene = Scene::new();
    let file = with_note(&good(), |note| {
        note.symbol = "keyway_plugin_misbehavez".to_owned();
    });
    let error = scene.refused(scene.file("libnameless.so", file));
    assert_says(
        &error,
        HostErrorKind::Descriptor,
        &[
            "the note names the descriptor `keyway_plugin_misbehavez`",
            "does not export it",
            "hint: ",
            "rebuild the plugin",
        ],
    );
}

#[test]
fn a_descriptor_that_another_library_exports_is_missed_too() {
    let scene = Scene::new();
    // Every process has a `malloc`, and a look-up in this library finds it.
    let file = with_note(&good(), |note| note.symbol = "malloc".to_owned());
    let error = scene.refused(scene.file("libborrowed.so", file));
    assert_says(
        &error,
        HostErrorKind::Descriptor,
        &["the descriptor `malloc`", "does not export it"],
    );
}

#[test]
fn an_exported_symbol_that_is_no_descriptor_is_told_by_its_magic_bytes() {
    let scene = Scene::new();
    let file = with_note(&good(), |note| {
        note.symbol = "misbehaves_has_a_decoy".to_owned();
    });
    let error = scene.refused(scene.file("libdecoy.so", file));
    assert_says(
        &error,
        HostErrorKind::Descriptor,
        &["does not start with the magic bytes", "rebuild the plugin"],
    );
}

#[test]
fn a_note_and_a_descriptor_of_different_versions_disagree() {
    let scene = Scene::new();
    let file = with_note(&good(), |note| note.built_minor = 7);
    let error = scene.refused(scene.file("libversions.so", file));
    assert_says(
        &error,
        HostErrorKind::Descriptor,
        &[
            "note and descriptor disagree about the interface version",
            "the note in the file says 1.7",
            "the loaded library 1.",
            "rebuild the plugin",
        ],
    );
}

#[test]
fn a_file_that_shows_another_note_than_it_loads_is_refused() {
    let scene = Scene::new();
    let file = with_note_in_file_only(&good(), |note| {
        note.change_manifest(|plugin| plugin["version"] = "9.9.9".into());
    });
    let error = scene.refused(scene.file("libtwo-faced.so", file));
    assert_says(
        &error,
        HostErrorKind::Descriptor,
        &[
            "v9.9.9",
            "note and descriptor disagree about the manifest",
            "other bytes",
            "rebuild the plugin",
        ],
    );
}
