//! What is said of plugins that run, and of those that do not.

use keyway_host::{Enablement, Origin, Severity};
use keyway_tests::many::Part;
use serde_json::json;

use crate::scene::{Scene, done, remove, start};

#[test]
fn every_candidate_has_a_record_with_its_reasons() {
    let scene = Scene::new();
    scene
        .add(Part::new("good").version("1.1.0"))
        .add(Part::new("lonely").needs("god", json!("^1")))
        .add(Part::new("old").with("min_host_version", json!("9.0.0")))
        .add(Part::new("off"))
        .add_to("user", Part::new("good"));
    std::fs::write(scene.path("builtin/libbroken.so"), b"\x7fELF").expect("a file");
    let host = scene.host_with("[plugin.off]\nenabled = false\n");
    let report = start(&host);
    assert_eq!(done(&report), ["good"]);
    let said: Vec<String> = host
        .records()
        .iter()
        .map(|record| scene.told(&record.to_string()))
        .collect();
    assert_eq!(said.len(), 6);
    assert_eq!(
        said[0],
        "good v1.1.0 (workspace): enabled, active\n  from HOME/workspace/libgood.so"
    );
    assert!(
        said[1].starts_with(
            "lonely v1.0.0 (workspace): blocked\n  from HOME/workspace/liblonely.so\n  error \
             [dependency-missing]: "
        ),
        "{}",
        said[1]
    );
    assert!(
        said[1].contains("hint: there is 'good'; is that what is meant?"),
        "{}",
        said[1]
    );
    assert_eq!(
        said[2],
        "off v1.0.0 (workspace): disabled: `plugin.off.enabled` is false in the host's file\n  from \
         HOME/workspace/liboff.so"
    );
    assert!(said[3].contains("error [host-version]: "), "{}", said[3]);
    assert!(
        said[4]
            .starts_with("good v1.0.0 (user): shadowed by HOME/workspace/libgood.so (workspace)"),
        "{}",
        said[4]
    );
    assert!(said[5].contains("(builtin): blocked"), "{}", said[5]);
    let broken = &host.records()[5];
    assert_eq!((broken.origin, broken.id.clone()), (Origin::Builtin, None));
    let codes: Vec<Severity> = broken.findings.iter().map(|one| one.severity()).collect();
    assert_eq!(codes, [Severity::Error]);
}

#[test]
fn an_exclusive_slot_goes_to_whom_the_file_names_or_to_the_first_with_a_warning() {
    let scene = Scene::new();
    let memory = |id: &str| {
        let offers = json!({ "tools": [id], "memory_backends": [id] });
        Part::new(id).with("capabilities", offers)
    };
    scene.add(memory("files")).add(memory("sqlite"));
    let host = scene.host();
    host.block_on(host.discover()).expect("the host lives");
    let sqlite = host.record("sqlite").expect("it is there");
    assert_eq!(
        sqlite.enablement.to_string(),
        "slot-loser: 'files' has keyway.memory-backend"
    );
    let said: Vec<String> = host.findings().iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "files, sqlite offer keyway.memory-backend, which one plugin at a time may: 'files' does, since \
          it was found first; hint: say which one is wanted: `memory = \"files\"` under [slots]"
        ]
    );

    let host = scene.host_with("[slots]\nmemory = \"sqlite\"\n");
    host.block_on(host.discover()).expect("the host lives");
    assert!(
        host.record("sqlite")
            .expect("it is there")
            .enablement
            .is_enabled()
    );
    let files = host.record("files").expect("it is there");
    assert!(matches!(files.enablement, Enablement::SlotLoser { .. }));
    assert!(host.findings().is_empty());

    let host = scene.host_with("[slots]\nmemroy = \"sqlite\"\n");
    host.block_on(host.discover()).expect("the host lives");
    let said: Vec<String> = host.findings().iter().map(ToString::to_string).collect();
    assert!(
        said.contains(
            &"there is no slot `memroy`: expected memory; hint: did you mean `memory`?".to_owned()
        ),
        "{said:?}"
    );
}

#[test]
fn only_what_is_on_the_list_runs_and_a_pin_means_one_build() {
    let scene = Scene::new();
    scene
        .add(Part::new("a"))
        .add(Part::new("b"))
        .add(Part::new("c"));
    let hash = keyway_host::inspect::hash_file(scene.path("workspace/liba.so")).expect("a file");
    let settings = format!("[plugins]\nallow = [{{ id = \"a\", hash = \"{hash}\" }}, \"b\"]\n");
    let host = scene.host_with(&settings);
    assert_eq!(done(&start(&host)), ["a", "b"]);
    let c = host.record("c").expect("it is there");
    assert_eq!(c.findings[0].code.id, "plugin-not-allowed");

    // A build that comes into place while the host runs is not taken over either.
    scene.add(Part::new("a").version("1.0.2"));
    let report = host.block_on(host.reload("a")).expect("it is loaded");
    let reason = report.outcome.reason().expect("it is refused");
    assert_eq!(reason.code(), "plugin-not-pinned");
    assert_eq!(
        host.plugin("a").expect("it serves on").version.to_string(),
        "1.0.0"
    );

    // Another build under the same id.
    remove(&scene.path("workspace"), "a");
    scene.add(Part::new("a").version("1.0.1"));
    let host = scene.host_with(&settings);
    assert_eq!(done(&start(&host)), ["b"]);
    let a = host.record("a").expect("it is there");
    assert_eq!(a.findings[0].code.id, "plugin-not-pinned");
}

#[test]
fn settings_reach_the_plugin_and_a_file_that_is_not_there_is_an_error() {
    let scene = Scene::new();
    scene.add(Part::new("a"));
    let host = scene.host_with("[plugin.a.config]\nname = \"${NOBODY_SETS_THIS:-a}\"\n");
    assert_eq!(done(&start(&host)), ["a"]);
    let missing = scene.builder().config_file(scene.path("no.toml")).build();
    let error = missing.expect_err("it is not there");
    assert_eq!(error.code(), "settings");
    let text = scene.told(&error.to_string());
    assert!(text.starts_with("HOME/no.toml: cannot be read"), "{text}");
}

#[test]
fn what_crosses_in_a_tool_call_is_limited_by_the_plugin_and_by_the_host() {
    let scene = Scene::new();
    let limited = |id: &str, bytes: u64| {
        Part::new(id).with("resources", json!({ "max_payload_bytes": bytes }))
    };
    scene
        .add(limited("small", 60))
        .add(limited("large", 1 << 30))
        .add(Part::new("plain"));
    let host = scene.builder().max_payload(100).build().expect("a host");
    start(&host);
    let call = |name: &str, bytes: usize| {
        let tool = host.tool(name).expect("it is offered");
        // `{"a":""}` around it; the answer repeats it in some forty bytes more.
        host.block_on(tool.call(json!({ "a": "x".repeat(bytes - 8) })))
    };
    let told =
        |error: keyway::PluginError| (error.error_code().to_owned(), error.message().to_owned());
    assert!(call("small", 20).is_ok());
    let (code, message) = told(call("small", 61).expect_err("it is too large"));
    assert_eq!(code, "payload-too-large");
    assert_eq!(
        message,
        "what goes into a call of tool `small` is too large: expected at most 60 bytes of JSON, found 61"
    );
    for name in ["large", "plain"] {
        let (_, message) = told(call(name, 101).expect_err("the host has a limit too"));
        assert!(message.contains("at most 100 bytes"), "{message}");
    }
    let (code, message) = told(call("plain", 100).expect_err("the answer is too large"));
    assert_eq!(code, "payload-too-large");
    assert!(
        message.starts_with("the answer of tool `plain`"),
        "{message}"
    );
}

#[test]
fn the_status_tells_the_memory_that_a_library_takes() {
    let scene = Scene::new();
    scene.add(Part::new("a"));
    let host = scene.host();
    start(&host);
    let status = host.plugin("a").expect("it runs");
    let file = std::fs::metadata(status.path.expect("it has a file")).expect("it is there");
    let mapped = status.mapped_bytes.expect("an ELF file tells");
    // Debug information is in the file and not in memory.
    assert!((10_000..file.len() * 2).contains(&mapped), "{mapped}");
}
