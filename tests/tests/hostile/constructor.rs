//! A library that runs code as soon as it is opened: nobody opens what does not fit.

use keyway_host::inspect::{hash_file, inspect};
use keyway_host::{Host, HostErrorKind};
use keyway_tests::binary::{NoteText, with_note};
use keyway_tests::scene::{Scene, assert_says};
use keyway_tests::{child, host, plugin};

/// The variable by which the fixture is told where to leave its mark.
const MARK: &str = "KEYWAY_TESTS_MARK";

#[test]
fn what_does_not_fit_is_never_opened() {
    let scene = Scene::new();
    let mark = scene.path("mark");
    child::passes(
        "constructor::refusals_and_then_a_load",
        &[(MARK, mark.as_os_str())],
    );
}

#[test]
#[ignore = "runs as the child of what_does_not_fit_is_never_opened, which sets its environment"]
fn refusals_and_then_a_load() {
    type Change = fn(&mut NoteText);
    let mark = std::path::PathBuf::from(child::variable(MARK));
    let scene = Scene::new();
    let library = plugin("runs-at-load");
    inspect(&library).expect("it is sound");
    hash_file(&library).expect("it is readable");
    assert!(!mark.exists(), "the inspection opened the library");

    let good = std::fs::read(&library).expect("the fixture");
    let changes: [(HostErrorKind, Change); 5] = [
        (HostErrorKind::HostVersion, |note| {
            note.change_manifest(|plugin| plugin["min_host_version"] = "9.0.0".into());
        }),
        (HostErrorKind::Interface, |note| note.required_minor = 99),
        (HostErrorKind::PanicStrategy, |note| note.panic_abort = true),
        (HostErrorKind::Isolation, |note| {
            note.change_manifest(|plugin| {
                plugin.insert("isolation".to_owned(), "process".into());
            });
        }),
        (HostErrorKind::Descriptor, |note| {
            note.symbol = "keyway_plugin_runs_at_loaf".to_owned();
        }),
    ];
    for (kind, change) in changes {
        let file = scene.file("libunfit.so", with_note(&good, change));
        let error = scene.load(file).expect_err("it does not fit");
        assert_says(&error, kind, &[]);
        assert!(!mark.exists(), "{kind:?}: the host opened the library");
    }

    let old: Host = host();
    old.block_on(old.load(&library)).expect("it fits");
    assert!(mark.exists(), "or nothing of the above is proven");
    std::fs::remove_file(&mark).expect("it is there");

    // A name that is taken is seen before the library is opened, too.
    let error = old.block_on(old.load(&library)).expect_err("it is loaded");
    assert_says(&error, HostErrorKind::AlreadyLoaded, &["hint: stop it"]);
    assert!(!mark.exists(), "the host opened the library again");
}
