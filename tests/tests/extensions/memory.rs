//! The memory of an application, whichever plugin has it.

use keyway::Json;
use keyway::memory::{MemoryBackend, MemoryEntry};
use keyway_host::{Host, HostErrorKind, LoadOptions};
use keyway_tests::plugin;
use keyway_tests::scripted::Scripted;
use serde_json::{Value, json};

use crate::scene::{Scene, start};

fn memory(id: &str, name: &str) -> Scripted {
    Scripted::new(id).offers("memory_backend", name, json!({}))
}

/// The name of the backend.
fn name(host: &Host) -> Value {
    host.block_on(async {
        let memory = host.memory().await.expect("there is one");
        let entry = memory.retrieve("", "x").await.expect("it answers").0;
        entry.expect("this one has whatever one asks for").value
    })
}

#[test]
fn the_one_that_has_the_slot_is_the_memory() {
    let scene = Scene::new();
    scene
        .add(memory("a", "first"))
        .add(memory("b", "second").lazy());
    let file = scene.path("keyway.toml");
    for (winner, backend) in [("a", "first"), ("b", "second")] {
        let text = format!("[slots]\nmemory = \"{winner}\"\n");
        std::fs::write(&file, text).expect("a file");
        let host = start(scene.builder().config_file(&file));
        assert_eq!(name(&host), backend, "also if it starts only now");
    }
}

#[test]
fn without_a_memory_or_with_several_of_one_plugin_the_error_says_so() {
    let scene = Scene::new();
    let host = scene.started();
    let error = host.block_on(host.memory()).expect_err("there is none");
    assert_eq!(error.kind(), HostErrorKind::NotFound);
    assert_eq!(error.message(), "no plugin that runs has a memory backend");

    let several = memory("a", "long").offers("memory_backend", "short", json!({}));
    scene.add(several);
    let host = scene.started();
    let error = host.block_on(host.memory()).expect_err("which one?");
    assert_eq!(
        error.to_string(),
        "there are several memory backends: `long` of 'a', `short` of 'a'; hint: ask for one of \
         them by its name, with `Host::capability`"
    );
}

#[test]
fn an_ordinary_memory_keeps_what_it_is_given_and_one_in_a_namespace_is_another_one() {
    let host = keyway_tests::host();
    host.block_on(async {
        let every_kind = plugin("every-kind");
        let apart = LoadOptions::new().namespace("apart");
        host.load_with(&every_kind, apart).await.expect("it loads");
        host.memory().await.expect_err("that is in a namespace");
        host.load(&every_kind).await.expect("it loads");
        let memory = host.memory().await.expect("there is one");
        let entry = Json(MemoryEntry::new("color", "red".into()));
        memory.store(entry).await.expect("it is kept");
        let found = memory.retrieve("", "color").await.expect("it works").0;
        assert_eq!(found.expect("it was stored").value, "red");
    });
}
