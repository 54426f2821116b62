//! What ended a process while it was loaded is refused, and nothing else is.

use std::net::TcpListener;
use std::path::Path;

use keyway_host::inspect::hash_file;
use keyway_host::{HostErrorKind, LoadOptions, Occasion, Phase};
use keyway_tests::scene::{assert_says, object};
use keyway_tests::{child, plugin};
use serde_json::json;

use super::{ABORT_AT_LOAD, Stuck, dies, host_in, load, state_in};

/// The next host refuses the plugin for what happened in this phase; once released it loads and
/// serves.
#[track_caller]
fn assert_quarantined_until_released(home: &Path, plugin: &Path, id: &str, phase: Phase) {
    let hash = hash_file(plugin).expect("it is there");
    let host = host_in(home);
    let error = load(&host, plugin, json!({})).expect_err("a process died of it");
    let in_phase = format!("a process died while it loaded this very build, in phase {phase}");
    assert_says(
        &error,
        HostErrorKind::Quarantined,
        &[
            &format!(
                "plugin '{id}' v0.1.0 ({}): quarantined: on ",
                plugin.display()
            ),
            &in_phase,
            &format!(
                "hint: mend it and build it anew, since another build is another plugin; to load this one again, release {hash}"
            ),
        ],
    );
    assert_eq!(error.code(), "quarantined");

    let quarantined = host.quarantined();
    let [found] = &*quarantined else {
        panic!("there is one: {quarantined:?}")
    };
    assert_eq!((found.hash, &*found.plugin, found.phase), (hash, id, phase));
    assert_eq!(found.occasion, Occasion::Load);
    assert_eq!(found.version.to_string(), "0.1.0");
    assert_eq!(found.path, plugin);

    assert!(host.release(&hash).expect("it is writable"));
    load(&host, plugin, json!({})).expect("it is released, and does no harm now");
    assert!(host.quarantined().is_empty());
    assert!(host.block_on(host.shutdown()).is_empty());
    let next = host_in(home);
    load(&next, plugin, json!({})).expect("a load to a good end is no crash");
}

#[test]
fn what_ends_the_process_is_quarantined_with_the_phase_in_which_it_did() {
    let misbehaves = plugin("misbehaves");
    for (at, how, phase) in [
        ("activate", "abort", Phase::Activate),
        ("activate", "exit", Phase::Activate),
        ("prepare", "segfault", Phase::Prepare),
    ] {
        let home = tempfile::tempdir().expect("a directory");
        dies(
            home.path(),
            &misbehaves,
            &json!({ "at": at, "how": how }),
            &[],
        );
        assert_quarantined_until_released(home.path(), &misbehaves, "misbehaves", phase);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_dies_in_a_constructor_is_quarantined_before_it_is_opened_again() {
    let home = tempfile::tempdir().expect("a directory");
    let runs_at_load = plugin("runs-at-load");
    // Any file that is there.
    let told = (ABORT_AT_LOAD, runs_at_load.as_os_str());
    dies(home.path(), &runs_at_load, &json!({}), &[told]);
    // The child dies of the refusal's panic, and not of the library: its mark is missing.
    let mark = home.path().join("mark");
    let mut environment = super::environment(home.path(), &runs_at_load, "{}").to_vec();
    environment.push(("KEYWAY_TESTS_MARK", mark.as_os_str()));
    let output = child::run("loads_what_it_is_told", &environment);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("kind: Quarantined"), "{errors}");
    assert!(!mark.exists(), "the host opened the library");
    assert_quarantined_until_released(home.path(), &runs_at_load, "runs-at-load", Phase::Open);
}

#[test]
fn another_build_of_what_is_in_quarantine_loads() {
    let home = tempfile::tempdir().expect("a directory");
    let misbehaves = plugin("misbehaves");
    let config = json!({ "at": "activate", "how": "abort" });
    dies(home.path(), &misbehaves, &config, &[]);
    let mut other = std::fs::read(&misbehaves).expect("the fixture");
    other.extend(b"another build");
    let path = home.path().join("libother.so");
    std::fs::write(&path, other).expect("a file");
    let host = host_in(home.path());
    load(&host, &path, json!({})).expect("its content is another one");
    assert_eq!(host.quarantined().len(), 1);
}

#[test]
fn a_process_in_the_middle_of_a_load_is_not_taken_for_dead_until_it_is() {
    let home = tempfile::tempdir().expect("a directory");
    let misbehaves = plugin("misbehaves");
    let finishes = Stuck::at("prepare", home.path(), &misbehaves);
    let hangs = Stuck::at("activate", home.path(), &misbehaves);
    let host = host_in(home.path());
    load(&host, &misbehaves, json!({})).expect("nobody died of it");
    assert!(host.quarantined().is_empty());

    child::assert_passed("loads_what_it_is_told", &finishes.finish());
    assert!(host_in(home.path()).quarantined().is_empty());

    // Somebody loses patience with a plugin that hangs.
    hangs.kill();
    let quarantined = host.quarantined();
    let phases: Vec<Phase> = quarantined.iter().map(|found| found.phase).collect();
    assert_eq!(phases, [Phase::Activate], "hosts that run learn of it too");
}

#[test]
fn two_hosts_in_a_process_share_a_directory() {
    let home = tempfile::tempdir().expect("a directory");
    let misbehaves = plugin("misbehaves");
    let (one, two) = (host_in(home.path()), host_in(home.path()));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| {
            let config = json!({ "at": "prepare", "how": "block", "port": port });
            load(&one, &misbehaves, config)
        });
        let held = listener.accept().expect("the plugin connects").0;
        load(&two, &misbehaves, json!({})).expect("nobody died of it");
        let three = host_in(home.path());
        assert!(three.quarantined().is_empty());
        drop(held);
        slow.join().expect("no load panics").expect("it loads");
    });
    drop((one, two));
    assert!(host_in(home.path()).quarantined().is_empty());
}

#[test]
fn a_contained_panic_a_failure_and_a_deadline_are_no_crash() {
    let home = tempfile::tempdir().expect("a directory");
    let misbehaves = plugin("misbehaves");
    {
        let host = host_in(home.path());
        for config in [
            json!({ "at": "prepare", "how": "panic" }),
            json!({ "at": "activate", "how": "fail" }),
            json!({ "offer": "undeclared" }),
        ] {
            load(&host, &misbehaves, config).expect_err("it goes wrong");
        }
    }
    let host = host_in(home.path());
    assert!(host.quarantined().is_empty());
    load(&host, &misbehaves, json!({})).expect("nobody died of it");
}

#[test]
fn one_plugin_under_two_names_is_guarded_for_each() {
    let home = tempfile::tempdir().expect("a directory");
    let misbehaves = plugin("misbehaves");
    let host = host_in(home.path());
    for namespace in ["one", "two"] {
        let options = LoadOptions::new()
            .namespace(namespace)
            .config(object(json!({})));
        host.block_on(host.load_with(&misbehaves, options))
            .expect("it loads");
    }
    let hangs = Stuck::at("prepare", home.path(), &misbehaves);
    hangs.kill();
    assert_eq!(host.quarantined().len(), 1);
    let options = LoadOptions::new().namespace("three");
    let error = host
        .block_on(host.load_with(&misbehaves, options))
        .expect_err("a process died of it");
    assert_eq!(error.kind(), HostErrorKind::Quarantined);
    assert_eq!(host.plugins().len(), 2, "what serves goes on serving");
}

#[test]
fn a_host_works_where_its_state_directory_cannot_be_used() {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::write(state_in(home.path()), "no directory").expect("a file");
    let host = host_in(home.path());
    load(&host, &plugin("misbehaves"), json!({})).expect("the guard is off");
    assert!(host.quarantined().is_empty());
}
