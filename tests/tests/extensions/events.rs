//! Events: who is told, in which order, and that nobody keeps the others from it.

use keyway::ErrorKind;
use keyway::event::{Event, MESSAGE_RECEIVED, RESPONSE_SENT};
use keyway_host::{DispatchReport, Host, Shape, Signal};
use keyway_tests::scripted::Scripted;
use serde_json::{Value, json};

use crate::scene::{SHORT, Scene, fault, start};

/// A plugin with hooks: name, topics, priority, and what they do.
fn hooks(id: &str, hooks: &[(&str, &[&str], i32, &str)]) -> Scripted {
    let plugin = Scripted::new(id);
    hooks.iter().fold(plugin, |plugin, hook| {
        let (name, topics, priority, does) = hook;
        let script = json!({ "topics": topics, "priority": priority, "does": does });
        plugin.offers("hook", name, script)
    })
}

fn dispatch(host: &Host, topic: &str) -> DispatchReport {
    host.block_on(host.dispatch(topic, Value::Null))
}

fn told(report: &DispatchReport) -> Vec<&str> {
    let hooks = report.hooks.iter();
    hooks.map(|outcome| &*outcome.hook).collect()
}

#[test]
fn hooks_that_listen_are_told_by_priority_then_name_whichever_plugin_they_are_of() {
    let scene = Scene::new();
    scene
        .add(hooks(
            "one",
            &[
                ("b", &["message.*"], 0, ""),
                ("d", &["message.received", "*"], -1, ""),
                ("e", &["response.sent"], -9, ""),
            ],
        ))
        .add(hooks(
            "two",
            &[("a", &["*.received"], 0, ""), ("c", &["*"], 5, "")],
        ));
    let host = scene.started();
    let report = dispatch(&host, MESSAGE_RECEIVED);
    assert!(report.is_ok() && report.started.is_none(), "{report:?}");
    assert_eq!(told(&report), ["d", "a", "b", "c"]);
    assert_eq!(report.hooks[1].plugin, "two");
    let log = scene.log();
    assert_eq!(log.len(), 4, "each is told once: {log:?}");
    assert_eq!(log[0], "d hears message.received");
    assert_eq!(told(&dispatch(&host, RESPONSE_SENT)), ["e", "d", "c"]);
    assert_eq!(told(&dispatch(&host, "message")), ["d", "c"]);
    let hooks = host.event_hooks();
    assert_eq!(hooks[0].name, "e");
    assert_eq!(hooks[1].topics, ["message.received", "*"]);
}

#[test]
fn a_plugin_that_only_has_hooks_is_served_and_said_to_be_one() {
    let scene = Scene::new();
    scene.add(hooks("listens", &[("a", &["*"], 0, "")]));
    let host = scene.started();
    let status = host.plugin("listens").expect("it runs");
    assert_eq!(status.shape, Shape::HookOnly);
    let codes: Vec<_> = status.warnings.iter().map(|one| one.code.id).collect();
    assert_eq!(codes, ["hook-only"]);
    assert_eq!(status.signal(), Signal::Advisory);
    let record = host.record("listens").expect("it is there");
    assert_eq!(record.signal(), Signal::Advisory, "{record}");
    assert!(dispatch(&host, MESSAGE_RECEIVED).is_ok());
}

#[test]
fn a_hook_that_fails_panics_hangs_or_blocks_stops_nobody() {
    let scene = Scene::new();
    let all = &["*"][..];
    scene.add(hooks(
        "bad",
        &[
            ("1-fails", all, 0, "fail"),
            ("2-panics", all, 0, "panic"),
            ("3-hangs", all, 0, "hang"),
            ("4-blocks", all, 0, "block"),
            ("5-listens", all, 0, ""),
        ],
    ));
    let host = start(scene.builder().listener_deadline(SHORT));
    let mut events = host.events();
    let report = dispatch(&host, "x");
    assert!(!report.is_ok());
    let failed = report.hooks.iter();
    let failed: Vec<_> = failed
        .map(|outcome| outcome.result.as_ref().map_err(|error| error.kind()))
        .collect();
    assert_eq!(
        failed,
        [
            Err(ErrorKind::Failed),
            Err(ErrorKind::Panicked),
            Err(ErrorKind::DeadlineExceeded),
            Err(ErrorKind::DeadlineExceeded),
            Ok(&()),
        ]
    );
    assert_eq!(
        scene.log().last().expect("all are told"),
        "5-listens hears x"
    );
    for outcome in &report.hooks[..4] {
        let (name, reason) = fault(&host, &mut events);
        assert_eq!(name, outcome.hook);
        assert_eq!(Err(reason), outcome.result);
    }
    assert!(report.hooks[2].took >= SHORT, "it has all of its time");
}

#[test]
fn a_lazy_plugin_is_started_for_the_topics_that_its_manifest_names_and_for_no_others() {
    let scene = Scene::new();
    let on = |topics: &[&str]| json!({ "startup": false, "on": topics });
    scene
        .add(
            hooks("listed", &[("listed", &["*"], 0, "")])
                .with("activation", on(&["event:message.*"])),
        )
        .add(hooks("unlisted", &[("unlisted", &["other"], 0, "")]).lazy())
        .add(Scripted::new("friend").with("activation", on(&["event:friendly"])));
    let host = scene.started();
    let report = dispatch(&host, "other");
    assert_eq!(told(&report), ["unlisted"]);
    let started = report.started.expect("it was not there before");
    assert_eq!(started.done[0].as_str(), "unlisted", "{started}");
    let report = dispatch(&host, MESSAGE_RECEIVED);
    assert_eq!(told(&report), ["listed"]);
    assert_eq!(told(&dispatch(&host, "other")), ["listed", "unlisted"]);
    let report = dispatch(&host, "friendly");
    let started = report.started.expect("somebody wants to be there");
    assert_eq!(started.done[0].as_str(), "friend", "though it has no hook");
}

#[test]
fn a_lazy_plugin_that_does_not_start_is_in_the_report_and_is_left_alone_then() {
    let scene = Scene::new();
    scene.add(hooks("good", &[("good", &["*"], 0, "")])).add(
        Scripted::new("broken")
            .lazy()
            .offers("hook", "broken", json!({}))
            .offers("no-kind", "x", json!({}))
            .with("capabilities", json!({ "event_hooks": ["broken"] })),
    );
    let host = scene.started();
    let report = dispatch(&host, "x");
    assert_eq!(told(&report), ["good"], "the chain goes on");
    assert!(!report.is_ok());
    let started = report.started.expect("it was tried");
    let (id, error) = started.failed.iter().next().expect("it failed");
    assert_eq!(id.as_str(), "broken");
    assert_eq!(error.message(), "activate failed: no such kind: `no-kind`");
    assert!(dispatch(&host, "x").started.is_none(), "once is enough");
}

#[test]
fn a_hook_hears_what_happened_and_who_says_so() {
    let host = keyway_tests::host();
    host.block_on(async {
        let every_kind = keyway_tests::plugin("every-kind");
        host.load(every_kind).await.expect("it loads");
        let event = Event::new(MESSAGE_RECEIVED, json!({ "text": "hi" })).with_source("mail");
        let report = host.dispatch_event(event).await;
        assert!(report.is_ok(), "{report:?}");
        let report = host.dispatch(RESPONSE_SENT, Value::Null).await;
        let error = report.hooks[0]
            .result
            .as_ref()
            .expect_err("it wants a payload");
        assert_eq!(error.message(), "expected a payload, found none");
        let seen = host.commands().run("/seen", keyway::Scope::new()).await;
        let counted = json!({ "message.received": 1 });
        assert_eq!(seen.expect("it runs").data, Some(counted));
    });
}
