//! Sound plugins for another host than this one.

use keyway_host::HostErrorKind;
use keyway_tests::binary::{NoteText, with_note};
use keyway_tests::scene::{Scene, assert_says};
use keyway_tests::{plugin, rustc_cdylib};

#[track_caller]
fn refused(change: impl FnOnce(&mut NoteText), kind: HostErrorKind, words: &[&str]) {
    let scene = Scene::new();
    let good = std::fs::read(plugin("misbehaves")).expect("the fixture");
    let file = scene.file("libunfit.so", with_note(&good, change));
    let error = scene.refused(file);
    assert_says(&error, kind, words);
    assert_eq!(error.plugin(), Some("'misbehaves' v0.1.0"));
}

#[test]
fn another_machine_is_refused_by_name() {
    const E_MACHINE: usize = 0x12;
    const EM_S390: [u8; 2] = [22, 0];
    let scene = Scene::new();
    let mut library = std::fs::read(plugin("misbehaves")).expect("the fixture");
    library[E_MACHINE..E_MACHINE + 2].copy_from_slice(&EM_S390);
    let error = scene.refused(scene.file("libforeign.so", library));
    assert_says(
        &error,
        HostErrorKind::Target,
        &[
            "wrong architecture",
            "found s390",
            std::env::consts::ARCH,
            "hint: build the plugin with `cargo build --target",
        ],
    );
}

#[test]
fn another_target_in_the_note_is_refused_by_name() {
    refused(
        |note| {
            note.target = format!("{}-unknown-hurd", std::env::consts::ARCH);
            note.change_manifest(|_| {});
        },
        HostErrorKind::Target,
        &["-unknown-hurd", "hint: build the plugin with"],
    );
}

#[test]
fn another_major_of_the_interface_is_refused() {
    refused(
        |note| note.interface_major = 9,
        HostErrorKind::Interface,
        &[
            "wrong interface major: expected 1, found 9",
            "hint: rebuild the plugin",
        ],
    );
}

#[test]
fn an_interface_that_this_host_does_not_have_yet_is_refused() {
    refused(
        |note| (note.built_minor, note.required_minor) = (99, 99),
        HostErrorKind::Interface,
        &[
            "requires a newer interface: expected at most 1.",
            "found 1.99",
            "hint: update the application",
        ],
    );
}

#[test]
fn a_plugin_for_a_newer_application_is_refused() {
    refused(
        |note| note.change_manifest(|plugin| plugin["min_host_version"] = "1.0.1".into()),
        HostErrorKind::HostVersion,
        &[
            "wants another version of tests",
            "expected at least 1.0.1 (min_host_version), found 1.0.0",
            "hint: update the application",
        ],
    );
}

#[test]
fn a_plugin_for_an_older_application_is_refused() {
    refused(
        |note| {
            note.change_manifest(|plugin| {
                plugin["min_host_version"] = "0.1.0".into();
                plugin.insert("max_host_version".to_owned(), "0.9.9".into());
            });
        },
        HostErrorKind::HostVersion,
        &[
            "expected at most 0.9.9 (max_host_version), found 1.0.0",
            "hint: use a newer version of the plugin",
        ],
    );
}

#[test]
fn isolations_that_this_host_does_not_have_are_refused() {
    for isolation in ["wasm", "process"] {
        refused(
            |note| {
                note.change_manifest(|plugin| {
                    plugin.insert("isolation".to_owned(), isolation.into());
                });
            },
            HostErrorKind::Isolation,
            &[
                &format!("isolation = \"{isolation}\""),
                "expected \"native\"",
                "hint: set isolation = \"native\"",
            ],
        );
    }
}

#[test]
fn a_plugin_that_aborts_on_a_panic_is_refused() {
    let scene = Scene::new();
    let library = scene.path("libaborts.so");
    rustc_cdylib("image-filter", &["-Cpanic=abort"], &library);
    let error = scene.refused(library);
    assert_says(
        &error,
        HostErrorKind::PanicStrategy,
        &[
            "built with panic = \"abort\"",
            "expected \"unwind\", found \"abort\"",
            "hint: remove `panic = \"abort\"`",
        ],
    );
}
