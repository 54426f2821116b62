//! The pipeline: order, what ends it, and those who only look.

use keyway::ErrorKind;
use keyway::pipeline::StagePhase;
use keyway_host::Host;
use keyway_tests::plugin;
use keyway_tests::scripted::Scripted;
use serde_json::{Value, json};

use crate::scene::{SHORT, Scene, fault, start};

/// A plugin with stages: name, phase, priority, and what it does.
fn stages(id: &str, stages: &[(&str, &str, i32, &str)]) -> Scripted {
    let plugin = Scripted::new(id);
    stages.iter().fold(plugin, |plugin, stage| {
        let (name, phase, priority, does) = stage;
        let script = json!({ "phase": phase, "priority": priority, "does": does });
        plugin.offers("stage", name, script)
    })
}

fn trail(host: &Host) -> Value {
    let message = host.block_on(host.pipeline().run(json!({ "trail": [] })));
    message.expect("it comes through")["trail"].take()
}

#[test]
fn stages_run_by_phase_then_priority_then_name_whichever_plugin_they_are_of() {
    let scene = Scene::new();
    scene
        .add(stages(
            "one",
            &[
                ("late", "post", -9, ""),
                ("b", "process", 0, ""),
                ("second", "pre", 2, ""),
                ("watch", "observer", -9, ""),
            ],
        ))
        .add(stages(
            "two",
            &[
                ("a", "process", 0, ""),
                ("c", "process", -1, ""),
                ("first", "pre", 1, ""),
            ],
        ));
    let host = scene.started();
    assert_eq!(
        trail(&host),
        json!(["first", "second", "c", "a", "b", "late"])
    );
    assert_eq!(
        scene.log().last().expect("they ran"),
        r#"watch sees ["first","second","c","a","b","late"]"#,
        "an observer sees the message as it comes out, and adds nothing"
    );
    let stages = host.pipeline().stages();
    let names: Vec<&str> = stages.iter().map(|stage| &*stage.name).collect();
    let order = ["first", "second", "c", "a", "b", "late", "watch"];
    assert_eq!(names, order);
    let (first, last) = (&stages[0], &stages[6]);
    assert_eq!((&*first.plugin, first.phase), ("two", StagePhase::Pre));
    assert_eq!((first.priority, last.phase), (1, StagePhase::Observer));

    host.block_on(host.stop("one")).expect("it stops");
    assert_eq!(
        trail(&host),
        json!(["first", "c", "a"]),
        "the others run on"
    );
}

#[test]
fn a_stage_that_fails_ends_the_chain_and_the_error_names_it_and_its_plugin() {
    for (phase, does, kind, says) in [
        ("pre", "fail", ErrorKind::Failed, "bad fails"),
        ("process", "refuse", ErrorKind::InvalidInput, "bad refuses"),
        ("post", "panic", ErrorKind::Panicked, "bad panics"),
    ] {
        let scene = Scene::new();
        scene.add(stages(
            "chain",
            &[("bad", phase, 0, does), ("after", phase, 1, "")],
        ));
        let host = scene.started();
        let error = host.block_on(host.pipeline().run(json!({ "trail": [] })));
        let error = error.expect_err("one of them fails");
        assert_eq!(error.error.kind(), kind);
        assert_eq!(error.error.message(), says);
        assert_eq!((&*error.stage.name, error.code()), ("bad", "stage-failed"));
        let told = error.to_string();
        assert!(
            told.starts_with("stage `bad` of plugin 'chain' failed: "),
            "{told}"
        );
        assert_eq!(scene.log(), ["bad sees []"], "nobody comes after it");
    }
}

#[test]
fn an_observer_that_fails_hangs_or_blocks_is_told_of_and_changes_nothing() {
    let scene = Scene::new();
    scene.add(stages(
        "chain",
        &[
            ("work", "process", 0, ""),
            ("1-fails", "observer", 0, "fail"),
            ("2-panics", "observer", 0, "panic"),
            ("3-hangs", "observer", 0, "hang"),
            ("4-blocks", "observer", 0, "block"),
            ("5-looks", "observer", 0, ""),
        ],
    ));
    let host = start(scene.builder().listener_deadline(SHORT));
    let mut events = host.events();
    assert_eq!(trail(&host), json!(["work"]));
    let log = scene.log();
    assert_eq!(log.len(), 6, "{log:?}");
    assert_eq!(log[5], r#"5-looks sees ["work"]"#);
    for (name, kind) in [
        ("1-fails", ErrorKind::Failed),
        ("2-panics", ErrorKind::Panicked),
        ("3-hangs", ErrorKind::DeadlineExceeded),
        ("4-blocks", ErrorKind::DeadlineExceeded),
    ] {
        let (faulted, reason) = fault(&host, &mut events);
        assert_eq!((&*faulted, reason.kind()), (name, kind), "{reason}");
    }
}

#[test]
fn a_stage_gets_as_long_as_the_caller_says() {
    let scene = Scene::new();
    scene.add(stages("chain", &[("slow", "pre", 0, "hang")]));
    let host = scene.started();
    let pipeline = host.pipeline().with_deadline(SHORT);
    let error = host.block_on(pipeline.run(json!({ "trail": [] })));
    let error = error.expect_err("it takes for ever").error;
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
}

#[test]
fn a_lazy_plugin_is_started_for_the_first_message_and_one_that_fails_only_once() {
    let scene = Scene::new();
    scene
        .add(stages("eager", &[("b", "process", 0, "")]))
        .add(stages("lazy", &[("a", "process", 0, "")]).lazy())
        .add(stages("other", &[]).lazy())
        .add(stages("broken", &[("c", "no such phase", 0, "")]).lazy());
    let host = scene.started();
    assert!(
        !host
            .record("lazy")
            .expect("it is there")
            .runtime
            .is_active()
    );
    assert_eq!(scene.whole_log(), ["activate"]);
    assert_eq!(trail(&host), json!(["a", "b"]));
    let broken = host.record("broken").expect("it is there").runtime;
    assert_eq!(broken.name(), "failed", "{broken}");
    let told = broken.to_string();
    let expected = "describing pipeline stage `c` failed: no such phase: `no such phase`";
    assert!(told.contains(expected), "{told}");
    let other = host.record("other").expect("it is there").runtime;
    assert_eq!(other.name(), "resolved", "it has no stage");
    scene.whole_log();
    assert_eq!(trail(&host), json!(["a", "b"]));
    let log = scene.whole_log();
    assert!(!log.contains(&"activate".to_owned()), "{log:?}");

    // All stop and start again: the lazy one waits again.
    host.block_on(host.stop_all()).expect("the host lives");
    host.block_on(host.start_all()).expect("the host lives");
    let lazy = host.record("lazy").expect("it is there").runtime;
    assert_eq!(lazy.name(), "resolved");
    assert_eq!(trail(&host), json!(["a", "b"]));
}

#[test]
fn a_message_goes_through_the_stages_of_ordinary_plugins() {
    let host = keyway_tests::host();
    host.block_on(async {
        for package in ["every-kind", "text-filter"] {
            host.load(plugin(package)).await.expect("it loads");
        }
        let message = json!({ "text": "  write to ada@example.com " });
        let message = host
            .pipeline()
            .run(message)
            .await
            .expect("it comes through");
        assert_eq!(message["text"], "write to [email]");
        let stages = host.pipeline().stages();
        let names: Vec<&str> = stages.iter().map(|stage| &*stage.name).collect();
        assert_eq!(names, ["trim", "redact"]);
    });
}
