//! The versions of a plugin with state: what each of them is, before they are put in each other's
//! place.

use std::path::PathBuf;

use keeps_state::{Counter, CounterHandle};
use keyway_host::manifest::ReloadMode;
use keyway_host::{Host, HostError, HostErrorKind, LoadOptions, PluginStatus};
use keyway_tests::scene::told;
use keyway_tests::{host, variant};
use serde_json::{Value, json};

const VERSIONS: [(&str, &str); 4] = [
    ("v1", "0.1.0"),
    ("v2", "0.1.1"),
    ("other", "0.2.0"),
    ("stateless", "0.3.0"),
];

fn library(name: &str) -> PathBuf {
    variant("keeps-state", name)
}

fn load(host: &Host, name: &str, config: Value) -> Result<PluginStatus, HostError> {
    let Value::Object(config) = config else {
        panic!("a configuration is an object");
    };
    let options = LoadOptions::new().config(config);
    host.block_on(host.load_with(library(name), options))
}

#[test]
fn each_version_is_a_library_of_its_own_and_all_can_serve_at_once() {
    for exclusive in [false, true] {
        let host = host();
        for (name, version) in VERSIONS {
            let suffix = if exclusive { "_exclusive" } else { "" };
            let options = LoadOptions::new().namespace(name);
            let path = library(&format!("{name}{suffix}"));
            let status = host.block_on(host.load_with(path, options));
            let status = status.expect("it loads");
            assert_eq!(status.id, "keeps-state");
            assert_eq!(status.version.to_string(), version);
            assert_eq!(told(&status.warnings), [""; 0]);
            let is_exclusive = status.manifest.reload.mode == ReloadMode::Exclusive;
            assert_eq!(is_exclusive, exclusive);
        }
        for (name, version) in VERSIONS {
            let counter = host.capability::<CounterHandle>(&format!("{name}/counter"));
            let counter = counter.expect("it is offered");
            assert_eq!(counter.version().expect("it works"), version);
            assert_eq!(counter.add(2).expect("it works"), 2);
            assert_eq!(counter.add(3).expect("it works"), 5);
            assert_eq!(counter.calls().expect("it works"), 2);
        }
    }
}

#[test]
fn the_tools_count_in_the_same_total() {
    let host = host();
    load(&host, "v2", json!({})).expect("it loads");
    let (add, total) = (host.tool("add"), host.tool("total"));
    let answer = host.block_on(add.expect("it is offered").call(json!({ "n": 4 })));
    assert_eq!(answer.expect("it works"), 4);
    let answer = host.block_on(total.expect("it is offered").call(json!({})));
    assert_eq!(answer.expect("it works"), 4);
}

#[test]
fn only_one_version_has_the_lock_and_it_has_it_until_it_is_deactivated() {
    let home = tempfile::tempdir().expect("a directory");
    let lock = home.path().join("lock");
    let config = json!({ "lock": lock });
    let host = host();
    load(&host, "v1_exclusive", config.clone()).expect("it loads");
    assert!(lock.exists());
    let second = || {
        let Value::Object(config) = config.clone() else {
            unreachable!("it is an object");
        };
        let options = LoadOptions::new().namespace("second").config(config);
        host.block_on(host.load_with(library("v2_exclusive"), options))
    };
    let error = second().expect_err("the lock is taken");
    assert_eq!(error.kind(), HostErrorKind::Activate);
    assert!(
        error.to_string().contains("cannot take the lock"),
        "{error}"
    );
    assert!(lock.exists(), "who failed has not released it");
    host.block_on(host.stop("keeps-state")).expect("it ends");
    assert!(!lock.exists());
    second().expect("the lock is free");
}

#[cfg(target_os = "linux")]
#[test]
fn a_copy_can_have_any_table_of_how_it_is_reloaded() {
    use keyway_host::manifest::{StatePolicy, ThreadLocals};

    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("copy.so");
    let library = std::fs::read(library("v1_exclusive")).expect("it can be read");
    let copy = keyway_tests::binary::with_reload(
        &library,
        json!({
            "mode": "exclusive",
            "state": "prefer",
            "max_state_bytes": 1_099_511_627_776_u64,
            "thread_locals": "retain",
        }),
    );
    std::fs::write(&path, copy).expect("it can be written");
    let host = host();
    let status = host.block_on(host.load(&path)).expect("it loads");
    let reload = status.manifest.reload;
    assert_eq!(reload.mode, ReloadMode::Exclusive);
    assert_eq!(reload.state, StatePolicy::Prefer);
    assert_eq!(reload.max_state_bytes, 1 << 40);
    assert_eq!(reload.thread_locals, ThreadLocals::Retain);
    let counter = host.capability::<CounterHandle>("counter");
    assert_eq!(counter.expect("it is offered").add(1).expect("it works"), 1);
}
