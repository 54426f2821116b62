//! The example plugin as an application uses it: a real cdylib, real input.

use keyway::pipeline::{PipelineStage, PipelineStageHandle, StagePhase};
use keyway::{ErrorKind, Json};
use keyway_host::{Host, HostErrorKind, LibraryCounts, LoadOptions, Signal};
use keyway_tests::binary::with_note;
use keyway_tests::scene::Scene;
use keyway_tests::{host, plugin};
use serde_json::{Value, json};

async fn loaded(config: Value) -> Host {
    let host = host();
    let Value::Object(config) = config else {
        panic!("a configuration is an object")
    };
    host.load_with(plugin("text-filter"), LoadOptions::new().config(config))
        .await
        .expect("it loads");
    host
}

fn run<F: Future>(test: F) -> F::Output {
    // Not the host's own runtime: a host is awaited wherever the application runs.
    let runtime = host();
    runtime.block_on(test)
}

#[test]
fn the_tool_redacts_and_tells_kind_and_byte_range_of_each_finding() {
    run(async {
        let tool = loaded(json!({}))
            .await
            .tool("redact")
            .expect("it is offered");
        let text = "Grüße an bob@example.com, Schlüssel AKIAIOSFODNN7EXAMPLE";
        let answer = tool.call(json!({ "text": text })).await.expect("it works");
        assert_eq!(answer["text"], "Grüße an [email], Schlüssel [aws-key]");
        let findings = answer["findings"].as_array().expect("a list");
        let ranges: Vec<&str> = findings
            .iter()
            .map(|finding| {
                let index = |key: &str| finding[key].as_u64().expect("a number") as usize;
                &text[index("start")..index("end")]
            })
            .collect();
        assert_eq!(ranges, ["bob@example.com", "AKIAIOSFODNN7EXAMPLE"]);
    });
}

#[test]
fn kinds_and_replacement_can_be_chosen_per_call() {
    run(async {
        let tool = loaded(json!({}))
            .await
            .tool("redact")
            .expect("it is offered");
        let arguments = json!({
            "text": "bob@example.com from 192.0.2.7",
            "kinds": ["ip"],
            "replacement": "<{kind}>",
        });
        let answer = tool.call(arguments).await.expect("it works");
        assert_eq!(answer["text"], "bob@example.com from <ip>");
    });
}

#[test]
fn custom_patterns_come_from_the_configuration() {
    run(async {
        let config = json!({ "custom_patterns": ["ticket=ACME-[0-9]+"] });
        let tool = loaded(config).await.tool("redact").expect("it is offered");
        let answer = tool
            .call(json!({ "text": "see ACME-123" }))
            .await
            .expect("it works");
        assert_eq!(answer["text"], "see [ticket]");
    });
}

#[test]
fn a_setting_that_is_not_given_has_the_default_of_the_manifest() {
    // The plugin's own code falls back to the same text as its manifest, so the manifest of this
    // copy says another one.
    let scene = Scene::new();
    let library = std::fs::read(plugin("text-filter")).expect("the plugin");
    let library = with_note(&library, |note| {
        note.change_manifest(|plugin| {
            let default = &mut plugin["config"]["replacement"]["default"];
            assert_eq!(*default, "[{kind}]");
            *default = "<{kind}>".into();
        });
    });
    let path = scene.file("libother_default.so", library);
    let options = LoadOptions::new().namespace("other");
    let load = scene.host.load_with(path, options);
    let status = scene.host.block_on(load).expect("it loads");
    assert!(status.warnings.is_empty(), "{:?}", status.warnings);
    assert_eq!(status.signal(), Signal::Ok);
    let tool = scene.host.tool("other/redact").expect("it is offered");
    let answer = tool.call(json!({ "text": "bob@example.com" }));
    let answer = scene.host.block_on(answer).expect("it works");
    assert_eq!(answer["text"], "<email>");
}

#[test]
fn settings_that_do_not_fit_the_manifest_are_refused_before_the_library_is_opened() {
    run(async {
        let host = host();
        let Value::Object(config) = json!({ "replacement": 7, "custom_patterns": "a=b" }) else {
            panic!("a configuration is an object")
        };
        let error = host
            .load_with(plugin("text-filter"), LoadOptions::new().config(config))
            .await
            .expect_err("they are of other types");
        assert_eq!(error.kind(), HostErrorKind::Config, "{error}");
        assert_eq!(
            error.message(),
            "setting `custom_patterns`: expected an array of strings, found the string \"a=b\"; \
             setting `replacement`: expected a string, found the number 7"
        );
        assert!(
            error.to_string().contains("'text-filter' v0.1.0"),
            "{error}"
        );
        assert!(host.plugins().is_empty());
        assert_eq!(host.libraries(), LibraryCounts::default());
    });
}

#[test]
fn a_setting_that_is_not_declared_is_a_warning_with_the_nearest_one() {
    run(async {
        let host = loaded(json!({ "replacment": "*" })).await;
        let warnings = host.plugin("text-filter").expect("it is loaded").warnings;
        assert!(
            matches!(&*warnings, [one] if one.message.contains("`replacment`")
                && one.message.ends_with("did you mean `replacement`?")),
            "{warnings:?}"
        );
    });
}

#[test]
fn a_pattern_that_does_not_parse_keeps_the_plugin_from_loading_and_is_named() {
    run(async {
        let host = host();
        let Value::Object(config) = json!({ "custom_patterns": ["broken=["] }) else {
            panic!()
        };
        let error = host
            .load_with(plugin("text-filter"), LoadOptions::new().config(config))
            .await
            .expect_err("`[` is no pattern");
        assert_eq!(error.kind(), HostErrorKind::Prepare);
        let text = error.to_string();
        assert!(text.contains("'text-filter' v0.1.0"), "{text}");
        assert!(
            text.contains("custom_patterns") && text.contains("\"broken\""),
            "{text}"
        );
        assert!(host.plugins().is_empty());
    });
}

#[test]
fn arguments_that_do_not_fit_the_schema_are_refused_by_the_host() {
    run(async {
        let tool = loaded(json!({}))
            .await
            .tool("redact")
            .expect("it is offered");
        let spec = tool.spec().expect("it describes itself");
        assert!(
            spec.description
                .starts_with("Replaces secrets and personal data"),
            "{spec:?}"
        );
        assert_eq!(spec.input_schema["required"], json!(["text"]));
        for arguments in [
            json!({}),
            json!({ "text": 7 }),
            json!({ "text": "x", "kind": [] }),
        ] {
            let error = tool
                .call(arguments.clone())
                .await
                .expect_err("it does not fit");
            assert_eq!(
                error.kind(),
                ErrorKind::InvalidInput,
                "{arguments}: {error}"
            );
            assert_eq!(error.error_code(), "invalid-arguments");
        }
        let error = tool
            .call(json!({ "text": "x", "kinds": ["emial"] }))
            .await
            .expect_err("there is no such kind");
        assert_eq!(error.error_code(), "unknown-kind");
        assert!(
            error.message().contains("did you mean \"email\"?"),
            "{error}"
        );
    });
}

#[test]
fn the_stage_redacts_every_text_of_a_message() {
    run(async {
        let host = loaded(json!({})).await;
        let stage = host
            .capability::<PipelineStageHandle>("redact")
            .expect("it is offered");
        assert_eq!(stage.phase().expect("it works").0, StagePhase::Pre);
        assert_eq!(stage.priority().expect("the default runs"), 0);
        let message = json!({ "from": "bob@example.com", "parts": [1, "192.0.2.7"], "n": null });
        let Json(redacted) = stage.process(Json(message)).await.expect("it works");
        assert_eq!(
            redacted,
            json!({ "from": "[email]", "parts": [1, "[ip]"], "n": null })
        );
    });
}

#[test]
fn ten_megabytes_come_through() {
    run(async {
        let tool = loaded(json!({}))
            .await
            .tool("redact")
            .expect("it is offered");
        let line = "The quick brown fox asks bob@example.com for the way.\n";
        let lines = (10 << 20) / line.len();
        let answer = tool
            .call(json!({ "text": line.repeat(lines) }))
            .await
            .expect("it works");
        let text = answer["text"].as_str().expect("a text");
        assert_eq!(
            text,
            line.replace("bob@example.com", "[email]").repeat(lines)
        );
        assert_eq!(answer["findings"].as_array().expect("a list").len(), lines);
    });
}
