//! Commands: known from manifests, started when they are run, and each name with one owner.

use keyway::{ErrorKind, Scope};
use keyway_host::{Call, Decision, Host, LoadOptions};
use keyway_tests::scripted::Scripted;
use keyway_tests::{host_builder, plugin};
use serde_json::json;

use crate::scene::Scene;

/// A lazy plugin with commands of these names.
fn commands(id: &str, names: &[&str]) -> Scripted {
    let plugin = Scripted::new(id).lazy();
    let names = names.iter();
    names.fold(plugin, |plugin, name| {
        plugin.offers("command", name, json!({}))
    })
}

fn run(host: &Host, line: &str) -> keyway::Result<keyway::command::CommandOutput> {
    host.block_on(host.commands().run(line, Scope::new()))
}

/// The plugin that answers.
fn owner(host: &Host, name: &str) -> Option<String> {
    let mut list = host.commands().list().into_iter();
    list.find(|command| command.name == name)?.plugin
}

#[test]
fn commands_are_known_from_manifests_and_their_plugin_starts_when_one_is_run() {
    let scene = Scene::new();
    let help = json!({
        "roll": { "description": "Rolls a die.", "usage": "[SIDES]", "aliases": ["r", "dice"] },
    });
    scene
        .add(commands("games", &["roll", "flip"]).with("commands", help))
        .add(commands("other", &["other"]));
    let host = scene.started();
    assert_eq!(
        host.commands().help(),
        "/flip\n\
         /help [COMMAND]  Lists the commands, or explains one of them.\n\
         /other\n\
         /roll [SIDES]    Rolls a die.\n"
    );
    let explained = "/roll [SIDES]\nRolls a die.\nAlso: /r, /dice\nFrom plugin 'games'\n";
    for line in ["/help roll", "/help /dice"] {
        let output = run(&host, line).expect("it is there");
        assert_eq!(output.text.as_deref(), Some(explained));
    }
    let help = run(&host, "/help").expect("it is there").text;
    assert_eq!(help, Some(host.commands().help()));
    assert!(scene.whole_log().is_empty(), "nothing has run for all that");

    let output = run(&host, r#"/r  2 "x  y" "#).expect("it runs");
    assert_eq!(output.text.as_deref(), Some("roll"), "by its other name");
    let data = json!({ "text": r#"2 "x  y""#, "arguments": ["2", "x  y"], "user": null });
    assert_eq!(output.data, Some(data));
    assert_eq!(scene.whole_log(), ["activate", "roll runs"]);
    let list = host.commands().list();
    let serves: Vec<_> = list
        .iter()
        .filter(|one| one.serves)
        .map(|one| &*one.name)
        .collect();
    assert_eq!(serves, ["flip", "help", "roll"]);
    run(&host, "/flip").expect("it runs");
    assert_eq!(
        scene.whole_log(),
        ["flip runs"],
        "its plugin is there by now"
    );
}

#[test]
fn what_a_running_plugin_says_of_a_command_goes_before_its_manifest() {
    let scene = Scene::new();
    let help = json!({ "roll": { "description": "Rolls a die.", "usage": "SIDES" } });
    let games = Scripted::new("games").offers("command", "roll", json!({ "usage": "[SIDES]" }));
    scene.add(games.lazy().with("commands", help));
    let host = scene.started();
    let help = |host: &Host| host.commands().help_of("roll").expect("it is there");
    assert!(help(&host).starts_with("/roll SIDES\nRolls a die.\n"));
    run(&host, "/roll").expect("it runs");
    assert!(help(&host).starts_with("/roll [SIDES]\nRolls a die.\n"));
}

#[test]
fn a_command_that_is_not_there_suggests_the_one_that_was_meant() {
    let scene = Scene::new();
    let help = json!({ "status": { "aliases": ["uptime"] } });
    scene.add(commands("a", &["status"]).with("commands", help));
    let host = scene.started();
    for (line, says) in [
        (
            "/sttus now",
            "there is no command `/sttus`; did you mean `/status`?",
        ),
        (
            "/uptme",
            "there is no command `/uptme`; did you mean `/uptime`?",
        ),
        (
            "/help hlp",
            "there is no command `/hlp`; did you mean `/help`?",
        ),
        (
            "/x",
            "there is no command `/x`; `/help` lists all that there are",
        ),
    ] {
        let error = run(&host, line).expect_err("there is none");
        assert_eq!(error.message(), says);
        let found = (error.kind(), error.error_code());
        assert_eq!(found, (ErrorKind::NotFound, "unknown-command"));
    }
    for line in ["status", "/say 'it", "/help a b"] {
        let error = run(&host, line).expect_err("it is no command");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
}

#[test]
fn of_two_plugins_with_one_command_one_has_it_and_both_are_named() {
    let scene = Scene::new();
    scene
        .add(commands("first", &["status", "a"]))
        .add(commands("second", &["status", "b"]));
    let host = scene.started();
    let findings = host.commands().findings();
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "plugin 'second': has the command `/status`, which plugin 'first' has too, and gets; \
             hint: disable 'first' or 'second', or rename the command in one of the two"
        ]
    );
    assert_eq!(findings[0].code.id, "command-collision");
    assert_eq!(owner(&host, "status").as_deref(), Some("first"));
    run(&host, "/status").expect("it runs");
    let second = host.record("second").expect("it is there").runtime;
    assert_eq!(
        second.name(),
        "resolved",
        "the other one is not even started"
    );

    // Who runs already has it, and the other one cannot be started beside it.
    let host = scene.builder().build().expect("a host");
    host.block_on(async {
        host.discover().await.expect("the host lives");
        host.enable("second").await.expect("it starts");
    });
    assert_eq!(owner(&host, "status").as_deref(), Some("second"));
    let error = run(&host, "/a").expect_err("its plugin cannot start");
    let found = (error.kind(), error.error_code());
    assert_eq!(found, (ErrorKind::Unavailable, "not-started"));
    assert!(
        error.message().contains("plugin 'second' offers already"),
        "{error}"
    );
}

#[test]
fn in_a_namespace_a_command_and_its_other_names_are_apart() {
    let host = keyway_tests::host();
    host.block_on(async {
        let every_kind = plugin("every-kind");
        host.load(&every_kind).await.expect("it loads");
        let options = LoadOptions::new().namespace("b");
        host.load_with(&every_kind, options)
            .await
            .expect("it loads");
        assert!(host.commands().findings().is_empty());
        let seen = host.commands().help_of("b/seen").expect("it is there");
        assert!(
            seen.starts_with("/b/seen [TOPIC]\nSays which events were seen.\n"),
            "{seen}"
        );
        let output = host.commands().run("/b/seen", Scope::new()).await;
        assert_eq!(output.expect("it runs").text.as_deref(), Some("0 topics"));
    });
}

#[test]
fn a_policy_sees_what_a_command_is_called_with() {
    let policy = |call: &Call| {
        let arguments = call.arguments.as_deref();
        match arguments.map(|arguments| &arguments["arguments"]) {
            Some(words) if *words == json!(["secret"]) => Decision::Deny {
                reason: "it is secret".to_owned(),
            },
            _ => Decision::Allow,
        }
    };
    let host = host_builder().policy(policy).build().expect("a host");
    host.block_on(host.load(plugin("every-kind")))
        .expect("it loads");
    run(&host, "/seen").expect("it may run");
    let error = run(&host, "/seen secret").expect_err("it may not");
    assert_eq!(error.error_code(), "denied-by-policy");
    let error = run(&host, "/seen one two").expect_err("it takes one");
    assert_eq!(
        error.message(),
        "expected one topic, found 2",
        "its own words"
    );
}
