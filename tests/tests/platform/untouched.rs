//! Whatever an application asks before it starts its plugins, no code of theirs runs: not even the
//! constructors of their libraries.

use std::path::PathBuf;

use keyway_host::keyway::Scope;
use keyway_host::permission::DenyAll;
use keyway_host::plan::Trigger;
use keyway_host::{Adjustment, Host, HostErrorKind, Origin, config_schema};
use keyway_tests::binary::with_note;
use keyway_tests::{child, plugin};
use semver::Version;
use serde_json::{Value, json};

/// The variable by which the fixture is told where to leave its mark.
const MARK: &str = "KEYWAY_TESTS_MARK";

#[test]
fn nothing_runs_before_a_plugin_is_started() {
    let home = tempfile::tempdir().expect("a directory");
    let mark = home.path().join("mark");
    child::passes(
        "untouched::asks_everything_and_starts_one_in_the_end",
        &[(MARK, mark.as_os_str())],
    );
}

/// A copy of the library that leaves a mark when it is opened, with a manifest of its own.
fn marking(id: &str, more: &Value) -> Vec<u8> {
    let original = std::fs::read(plugin("runs-at-load")).expect("the fixture can be read");
    with_note(&original, |note| {
        note.change_manifest(|plugin| {
            plugin.insert("id".to_owned(), id.into());
            for (key, value) in more.as_object().expect("a table") {
                plugin.insert(key.clone(), value.clone());
            }
        });
    })
}

#[test]
#[ignore = "runs as the child of nothing_runs_before_a_plugin_is_started, which sets its environment"]
fn asks_everything_and_starts_one_in_the_end() {
    let mark = PathBuf::from(child::variable(MARK));
    let home = tempfile::tempdir().expect("a directory");
    let roots = ["workspace", "user"].map(|root| home.path().join(root));
    for root in &roots {
        std::fs::create_dir(root).expect("a directory");
    }
    let put = |root: usize, id: &str, more: Value| {
        let path = roots[root].join(format!("{id}.so"));
        std::fs::write(&path, marking(id, &more)).expect("a file");
        path
    };
    let lazy = json!({ "startup": false });
    put(
        0,
        "talks",
        json!({
            "capabilities": { "commands": ["status"], "tools": ["ask"], "event_hooks": ["on-start"] },
            "commands": { "status": { "description": "Says how it goes" } },
            "activation": lazy,
            "config": { "level": { "type": "integer", "default": 3, "reload": "hot" } },
        }),
    );
    put(0, "needs", json!({ "dependencies": { "talks": "^0.1" } }));
    put(1, "needs", json!({ "version": "0.0.9" }));
    put(0, "lonely", json!({ "dependencies": { "nobody": "1" } }));
    put(0, "newer", json!({ "min_host_version": "99.0.0" }));
    put(0, "off", json!({}));
    let asks = put(0, "asks", json!({ "permissions": { "env": ["TZ"] } }));

    let file = home.path().join("keyway.toml");
    std::fs::write(&file, "[plugin.off]\nenabled = false\n").expect("a file");
    let host = Host::builder("untouched", Version::new(1, 2, 0))
        .root(Origin::Workspace, &roots[0])
        .root(Origin::User, &roots[1])
        .config_file(&file)
        .approver(DenyAll)
        .build()
        .expect("a host");
    let untouched = |what: &str| assert!(!mark.exists(), "{what} opened a library");

    let records = host.block_on(host.discover()).expect("the host lives");
    assert_eq!(records.len(), 7);
    untouched("discovery");
    let texts: Vec<String> = records.iter().map(ToString::to_string).collect();
    let whole = texts.join("\n");
    for word in [
        "lonely",
        "blocked",
        "shadowed",
        "disabled",
        "needed by needs",
    ] {
        assert!(whole.contains(word), "no {word} in {whole}");
    }
    let _ = (host.findings(), host.epoch(), host.deprecations());
    untouched("validation");
    for trigger in [
        Trigger::Tool("ask"),
        Trigger::Command("status"),
        Trigger::Event("on-start"),
    ] {
        let plan = host.plan(trigger);
        assert!(plan.ids().all(|id| id == "talks"), "{plan:?}");
    }
    untouched("planning");
    let talks = host.record("talks").expect("it is there");
    let schema = config_schema(talks.manifest.as_deref().expect("it reads"));
    assert_eq!(schema["properties"]["level"]["default"], 3);
    untouched("the schema of the settings");
    let commands = host.commands();
    assert!(
        commands.help().contains("Says how it goes"),
        "{}",
        commands.help()
    );
    assert!(commands.help_of("status").is_ok());
    let unknown = host.block_on(commands.run("/statsu", Scope::default()));
    assert!(
        unknown
            .expect_err("nobody has it")
            .to_string()
            .contains("status")
    );
    untouched("help");
    let _ = (
        host.skills(),
        host.voice_handlers(),
        host.services(),
        host.event_hooks(),
    );
    let _ = (
        host.channels().list(),
        host.providers().list(),
        host.pipeline().stages(),
    );
    untouched("lists");
    let denied = host
        .block_on(host.load(&asks))
        .expect_err("nobody grants it");
    assert_eq!(denied.code(), "permission-denied");
    let blocked = host
        .block_on(host.enable("lonely"))
        .expect_err("it is blocked");
    assert_eq!(blocked.kind(), HostErrorKind::Refused);
    untouched("a refusal");
    std::fs::write(&file, "").expect("a file");
    let adjust = |adjusted: Result<std::sync::Arc<Adjustment>, _>| adjusted.expect("it is well");
    let adjustment = adjust(host.block_on(host.reload_settings()));
    assert!(adjustment.is_empty(), "nothing runs: {adjustment}");
    std::fs::remove_file(roots[0].join("needs.so")).expect("it is there");
    assert!(adjust(host.block_on(host.rescan())).is_empty());
    untouched("following files");

    host.block_on(host.enable("off")).expect("it starts");
    assert!(mark.exists(), "or nothing of the above is proven");
}
