//! Plugins that register what they may not, or describe it wrongly.

use keyway::ErrorKind;
use keyway_host::{HostErrorKind, LoadOptions, Signal};
use keyway_tests::plugin;
use keyway_tests::scene::{Scene, assert_says, told};
use misbehaves::TroubleHandle;
use serde_json::json;

#[test]
fn an_undeclared_registration_is_refused_with_the_line_that_is_missing() {
    let scene = Scene::new();
    let error = scene
        .misbehave(json!({ "offer": "undeclared" }))
        .expect_err("it is not declared");
    assert_says(
        &error,
        HostErrorKind::Registration,
        &[
            "registered tests.trouble `trouble-too`, which its manifest does not declare",
            "expected trouble, found `trouble-too`",
            "hint: add \"trouble-too\" to `tests.trouble` under [plugin.capabilities]",
        ],
    );
    let none = scene.host.capability::<TroubleHandle>("trouble");
    none.expect_err("nothing of a refused plugin serves");
    scene.assert_unharmed();
}

#[test]
fn a_registration_under_a_taken_name_fails_in_activate() {
    let scene = Scene::new();
    let error = scene
        .misbehave(json!({ "offer": "twice" }))
        .expect_err("it is registered already");
    assert_says(
        &error,
        HostErrorKind::Activate,
        &["`trouble` is registered twice as tests.trouble/1; hint: give one of them another name"],
    );
    let own = error.plugin_error().expect("the plugin's error");
    assert_eq!(own.error_code(), "duplicate-registration");
    scene.assert_unharmed();
}

#[test]
fn what_is_declared_and_not_registered_is_a_warning() {
    let scene = Scene::new();
    let status = scene
        .misbehave(json!({ "offer": "nothing" }))
        .expect("it loads");
    let undeclared = "its manifest declares no setting `offer`, whose value is passed on unchecked";
    let undeclared = format!("config-undeclared: {undeclared}");
    assert_eq!(
        told(&status.warnings),
        [
            undeclared.as_str(),
            "capability-unregistered: its manifest declares keyway.tool `double`, which it did not register; hint: register \
             it in activate, or take it out of plugin.toml",
            "capability-unregistered: its manifest declares tests.trouble `trouble`, which it did not register; hint: register \
             it in activate, or take it out of plugin.toml",
        ]
    );
    assert_eq!(status.signal(), Signal::Advisory);
    assert!(status.capabilities.is_empty());
    scene.assert_unharmed();
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_another_plugin_offers_is_refused_naming_both() {
    let scene = Scene::new();
    scene.misbehave(json!({})).expect("it loads");
    let good = std::fs::read(plugin("misbehaves")).expect("the fixture");
    let other = keyway_tests::binary::with_note(&good, |note| {
        note.change_manifest(|plugin| plugin["id"] = "rival".into());
    });
    let other = scene.file("librival.so", other);
    let error = scene.refused(&other);
    assert_says(
        &error,
        HostErrorKind::Registration,
        &[
            "plugin 'rival' v0.1.0",
            "offers tests.trouble/1 `trouble`, which plugin 'misbehaves' offers already",
            "hint: stop one of the two plugins, or load one under a namespace",
        ],
    );
    let load = scene
        .host
        .load_with(&other, LoadOptions::new().namespace("second"));
    let status = scene.host.block_on(load).expect("the hint helps");
    assert_eq!(status.name, "second/rival");
    let stop = scene.host.stop("misbehaves");
    scene.host.block_on(stop).expect("it ends");
    scene.load(&other).expect("and so does the other hint");
}

#[test]
fn what_is_not_offered_is_answered_with_what_is() {
    let scene = Scene::new();
    let hint_for = |name: &str| {
        let error = scene.host.tool(name).expect_err("there is no such tool");
        assert_eq!(error.kind(), HostErrorKind::NotFound);
        assert_eq!(
            error.message(),
            format!("no plugin offers keyway.tool/1 `{name}`")
        );
        error.advice().expect("a hint").to_owned()
    };
    assert_eq!(hint_for("double"), "offered are: redact");
    let none = scene.host.capability::<TroubleHandle>("trouble");
    assert_eq!(
        none.expect_err("it is not loaded yet").advice(),
        Some("no loaded plugin offers this capability under any name")
    );
    scene.misbehave(json!({})).expect("it loads");
    assert_eq!(hint_for("halve"), "offered are: double, redact");
    assert_eq!(hint_for("doubles"), "did you mean `double`?");
    assert_eq!(
        hint_for("trouble"),
        "`trouble` is offered as tests.trouble/1, which is no keyway.tool/1"
    );
    let stop = scene.host.stop("misbehaves");
    scene.host.block_on(stop).expect("it ends");
    assert_eq!(hint_for("double"), "the plugin that offered it was stopped");
    assert_eq!(hint_for("trouble"), "offered are: redact");
}

#[test]
fn a_plugin_is_loaded_once_under_one_name() {
    let scene = Scene::new();
    scene.misbehave(json!({})).expect("it loads");
    let error = scene.misbehave(json!({})).expect_err("it is loaded");
    assert_says(
        &error,
        HostErrorKind::AlreadyLoaded,
        &[
            "a plugin 'misbehaves' is loaded already",
            "hint: stop it first, or load this one under a namespace",
        ],
    );
    scene.assert_unharmed();
}

#[test]
fn a_tool_whose_schema_is_none_is_refused() {
    let scene = Scene::new();
    let error = scene
        .misbehave(json!({ "offer": "bad-schema" }))
        .expect_err("there is no such type");
    assert_says(
        &error,
        HostErrorKind::Registration,
        &[
            "the input schema of tool `double` is not a valid JSON Schema",
            "no-such-type",
        ],
    );
    scene.assert_unharmed();
}

#[test]
fn a_panic_in_the_description_of_a_tool_is_contained() {
    let scene = Scene::new();
    let error = scene
        .misbehave(json!({ "at": "describe-tool" }))
        .expect_err("it panics");
    assert_says(
        &error,
        HostErrorKind::Registration,
        &[
            "describing tool `double` failed: the plugin panicked: asked to panic at DescribeTool",
            "settings.rs:",
        ],
    );
    scene.assert_unharmed();
}

#[test]
fn arguments_that_do_not_fit_never_reach_the_plugin() {
    let scene = Scene::new();
    scene.misbehave(json!({})).expect("it loads");
    let double = scene.host.tool("double").expect("it is offered");
    for (arguments, words) in [
        (json!({}), "\"number\" is a required property"),
        (
            json!({ "number": "two" }),
            "/number: \"two\" is not of type \"integer\"",
        ),
        (json!({ "number": 2, "more": 3 }), "'more' was unexpected"),
        (json!("two"), "\"two\" is not of type \"object\""),
    ] {
        let call = double.call(arguments.clone());
        let error = scene.host.block_on(call).expect_err("it does not fit");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.error_code(), "invalid-arguments");
        let start = "the arguments of tool `double` do not fit: ";
        assert!(error.message().starts_with(start), "{error}");
        assert!(error.message().contains(words), "{arguments}: {error}");
    }
    let answer = scene.host.block_on(double.call(json!({ "number": 2 })));
    let answer = answer.expect("it fits");
    assert_eq!(
        (&answer["calls"], &answer["double"]),
        (&json!(1), &json!(4))
    );
    scene.assert_unharmed();
}

#[test]
fn a_refused_plugin_can_be_loaded_again_with_another_configuration() {
    let scene = Scene::new();
    scene
        .misbehave(json!({ "offer": "undeclared" }))
        .expect_err("it is not declared");
    let status = scene.misbehave(json!({})).expect("this one is good");
    assert_eq!(status.capabilities.len(), 2);
}
