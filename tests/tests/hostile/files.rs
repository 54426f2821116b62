//! Files that are no library, or not a whole one.

use keyway_host::HostErrorKind;
use keyway_tests::plugin;
use keyway_tests::scene::{Scene, assert_says};

#[test]
fn a_text_file_is_refused_as_no_library() {
    let scene = Scene::new();
    let error = scene.refused(scene.file("libtext.so", "fn main() { println!(\"hello\") }"));
    assert_says(
        &error,
        HostErrorKind::Inspect,
        &[
            "not a dynamic library: expected an ELF, Mach-O or PE library",
            "found text that begins with \"fn main()",
            "hint: give the file that cargo build reports",
        ],
    );
}

#[test]
fn a_linker_script_and_an_archive_are_refused_for_what_they_are() {
    let scene = Scene::new();
    let error = scene.refused(scene.file("libscript.so", "#!/bin/sh\nexit 0\n"));
    assert_says(&error, HostErrorKind::Inspect, &["found a script"]);
    let error = scene.refused(scene.file("libarchive.so", "!<arch>\nrest of it"));
    assert_says(
        &error,
        HostErrorKind::Inspect,
        &["a static archive", "crate-type = [\"cdylib\"]"],
    );
}

#[test]
fn an_empty_file_is_refused_as_truncated() {
    let scene = Scene::new();
    let error = scene.refused(scene.file("libempty.so", ""));
    assert_says(
        &error,
        HostErrorKind::Inspect,
        &["truncated", "found 0", "hint: wait for the build"],
    );
}

#[test]
fn a_directory_is_refused_with_where_the_library_would_be() {
    let scene = Scene::new();
    let directory = scene.path("target.so");
    std::fs::create_dir(&directory).expect("a directory");
    let error = scene.refused(&directory);
    assert_says(
        &error,
        HostErrorKind::Inspect,
        &["found a directory", "hint: give the library inside of it"],
    );
}

#[test]
fn a_missing_file_is_named() {
    let scene = Scene::new();
    let error = scene.refused(scene.path("libmissing.so"));
    assert_says(
        &error,
        HostErrorKind::Inspect,
        &["libmissing.so", "cannot open the file", "No such file"],
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_without_waiting_for_its_other_end() {
    let scene = Scene::new();
    let pipe = scene.path("libpipe.so");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo starts").success());
    let error = scene.refused(&pipe);
    assert_says(&error, HostErrorKind::Inspect, &["found a special file"]);
}

#[test]
fn a_library_that_was_cut_at_any_tenth_is_refused_as_truncated() {
    let scene = Scene::new();
    let whole = std::fs::read(plugin("misbehaves")).expect("the fixture");
    for tenth in 0..10 {
        let cut = whole.len() * tenth / 10;
        let file = scene.file(&format!("libcut-{tenth}.so"), &whole[..cut]);
        let error = scene.load(&file).expect_err("it is not whole");
        assert_says(
            &error,
            HostErrorKind::Inspect,
            &["truncated: expected at least", &format!("found {cut}")],
        );
    }
    let file = scene.file("libcut-by-one.so", &whole[..whole.len() - 1]);
    let error = scene.refused(&file);
    assert_says(&error, HostErrorKind::Inspect, &["truncated"]);
}
