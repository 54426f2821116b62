//! Values from the host's file: precedence, variables, and what is shown of them.

use std::path::Path;

use super::*;
use crate::settings::Settings;

/// What a file says of the plugin.
#[track_caller]
pub(super) fn file(config: &str) -> PluginSettings {
    let text = format!("[plugin.configured.config]\n{config}");
    let settings = Settings::from_toml(&text, Path::new("keyway.toml"), &|_| None);
    let settings = settings.expect("it reads");
    settings.plugin("configured").expect("it is there").clone()
}

pub(super) fn env(name: &str) -> Option<OsString> {
    match name {
        "TOKEN" => Some("env-token".into()),
        "PORT" => Some("443".into()),
        "WORDS" => Some(r#"["the", "a"]"#.into()),
        "KEY" => Some("sekret-key".into()),
        "LEVEL" => Some("high".into()),
        "INJECT" => Some("\"]\nother = \"${KEY}".into()),
        _ => None,
    }
}

fn of_file(config: &str) -> Result<Resolved, HostError> {
    resolve(&schema(), &Sources::new(&env).host(&file(config)))
}

#[track_caller]
fn refused(config: &str) -> HostError {
    of_file(config).expect_err("it does not fit")
}

#[test]
fn what_is_given_comes_before_the_file_and_that_before_the_environment() {
    let given = object(json!({ "count": 1 }));
    let host = file("count = 2\nlevel = \"low\"\n");
    let sources = Sources::new(&env).given(&given).host(&host);
    let resolved = resolve(&schema(), &sources).expect("it fits");
    let lines = resolved.to_string();
    let expected = "count = 1 (given by the application)\n\
                    level = \"low\" (keyway.toml:3:9)\n\
                    names = [\"a\"] (default)\n\
                    port = 443 (environment variable PORT)\n\
                    ratio = 1.0 (default)\n\
                    token = \"[redacted]\" (environment variable TOKEN)\n\
                    verbose = false (default)";
    assert_eq!(lines, expected);
    assert_eq!(resolved.values()["token"], "env-token");
    let origins: Vec<_> = resolved.shown().iter().map(|one| &one.origin).collect();
    let at = ConfigOrigin::HostConfig {
        file: Path::new("keyway.toml").into(),
        line: 3,
        column: 9,
    };
    assert_eq!(
        origins[..3],
        [&ConfigOrigin::Given, &at, &ConfigOrigin::Default]
    );
}

#[test]
fn a_value_of_the_file_that_is_not_needed_may_be_anything() {
    let given = object(json!({ "port": 1 }));
    let host = file("port = \"${NOWHERE}\"");
    let sources = Sources::new(&env).given(&given).host(&host);
    let resolved = resolve(&schema(), &sources).expect("it fits");
    assert_eq!(resolved.values()["port"], 1);
}

#[test]
fn variables_are_put_in_wherever_a_text_is_and_read_as_the_setting_wants_them() {
    let resolved = of_file(
        r#"
        title = "<${KEY}> $${KEY}"
        port = "${PORT}"
        ratio = "${RATIO:-0.5}"
        level = "${LEVEL}"
        stop_words = ["${KEY}", "b"]
        ports = ["${PORT}", 80]
        names = "${WORDS}"
        other = { deep = ["${KEY}", 1] }
        "#,
    );
    let resolved = resolved.expect("it fits");
    let values = resolved.values();
    assert_eq!(values["title"], "<sekret-key> ${KEY}");
    assert_eq!(values["port"], 443);
    assert_eq!(values["ratio"], 0.5);
    assert_eq!(values["level"], "high");
    assert_eq!(values["stop_words"], json!(["sekret-key", "b"]));
    assert_eq!(values["ports"], json!([443, 80]));
    assert_eq!(values["names"], json!(["the", "a"]));
    assert_eq!(values["other"], json!({ "deep": ["sekret-key", 1] }));
}

#[test]
fn what_a_variable_holds_is_never_looked_at_again() {
    let resolved = of_file("title = \"${INJECT}\"").expect("it fits");
    assert_eq!(resolved.values()["title"], "\"]\nother = \"${KEY}");
    assert!(!resolved.values().contains_key("other"));
}

#[test]
fn what_came_in_by_a_variable_is_shown_as_the_variable() {
    let resolved = of_file(
        r#"
        title = "key: ${KEY}"
        stop_words = ["${KEY:-none}", "b"]
        token = "Bearer ${KEY}"
        undeclared = "x ${KEY}"
        deep = ["${KEY}"]
        "#,
    );
    let resolved = resolved.expect("it fits");
    let shown = resolved.to_json_redacted();
    let value = |name: &str| (shown[name]["value"].clone(), shown[name]["secret"].clone());
    assert_eq!(value("title"), (json!("key: ${KEY}"), json!(true)));
    assert_eq!(value("stop_words"), (json!(["${KEY}", "b"]), json!(true)));
    assert_eq!(value("token"), (json!("…${KEY}"), json!(true)));
    assert_eq!(value("undeclared"), (json!("…${KEY}"), json!(true)));
    assert_eq!(value("deep"), (json!("[redacted]"), json!(true)));
    assert_eq!(value("level"), (json!("high"), json!(false)));
    assert_eq!(shown["title"]["origin"], "keyway.toml:3:17");
    for form in [
        resolved.to_string(),
        shown.to_string(),
        format!("{resolved:?}"),
        format!("{resolved:#?}"),
    ] {
        assert!(!form.contains("sekret-key"), "{form}");
        assert!(!form.contains("env-token"), "{form}");
    }
}

#[test]
fn what_does_not_fit_is_told_with_its_place() {
    let cases = [
        (
            "port = 0",
            "setting `port` (keyway.toml:2:8): expected a whole number from 1 to 65535, found the \
             number 0",
        ),
        (
            "level = \"lo\"",
            "setting `level` (keyway.toml:2:9): expected one of \"low\", \"high\", found the string \
             \"lo\", did you mean \"low\"?",
        ),
        (
            "level = \"${KEY}\"",
            "setting `level` (keyway.toml:2:9): `${KEY}`: expected one of \"low\", \"high\", found a \
             string",
        ),
        (
            "port = \"${KEY:-x}\"",
            "setting `port` (keyway.toml:2:8): `${KEY}`: expected a whole number from 1 to 65535, \
             found a string",
        ),
        (
            "stop_words = [\"a\", 7, \"${KEY}\"]",
            "setting `stop_words` (keyway.toml:2:14): expected an array of strings, found a number \
             at index 1",
        ),
        (
            "token = 271828",
            "setting `token` (keyway.toml:2:9): expected a secret string, found a number",
        ),
        (
            "token = \"${NOWHERE}\"",
            "setting `token` (keyway.toml:2:9): needs the environment variable NOWHERE, which is \
             not set",
        ),
        (
            "other = [{ a = \"${NOWHERE}\" }]",
            "setting `other` (keyway.toml:2:9): needs the environment variable NOWHERE, which is \
             not set",
        ),
    ];
    for (config, message) in cases {
        assert_eq!(refused(config).message(), message);
    }
}

#[test]
fn the_hint_is_for_the_file_and_names_the_variable() {
    assert_eq!(
        refused("port = 0").advice(),
        Some("correct it in the file, or set it with `LoadOptions::config`")
    );
    assert_eq!(
        refused("token = \"${NOWHERE}\"").advice(),
        Some(
            "correct it in the file, or set it with `LoadOptions::config`; set NOWHERE, or write a \
             default: `${NOWHERE:-default}`"
        )
    );
}

#[test]
fn what_is_not_declared_is_passed_on_with_a_warning_that_has_its_place() {
    let resolved = of_file("tokn = \"hush-hush\"\n").expect("it fits");
    assert_eq!(
        resolved.warnings(),
        [
            "its manifest declares no setting `tokn` (keyway.toml:2:8), whose value is passed on \
             unchecked; did you mean `token`?"
        ]
    );
    assert_eq!(resolved.values()["tokn"], "hush-hush");
    let shown = format!("{resolved} {resolved:?}");
    assert!(!shown.contains("hush-hush"), "{shown}");
    assert!(
        shown.contains("tokn = \"[redacted]\" (keyway.toml:2:8)"),
        "{shown}"
    );
}

#[test]
fn what_is_not_shown_goes_out_of_texts_that_others_write() {
    let given = object(json!({ "titel": { "a": ["private text"] }, "title": "public text" }));
    let host = file("token = \"Bearer ${KEY}\"\nstop_words = [\"${KEY}\", \"public\"]\n");
    let sources = Sources::new(&env).given(&given).host(&host);
    let resolved = resolve(&schema(), &sources).expect("it fits");
    let text = "Bearer sekret-key! 'sekret-key' private text, public text";
    assert_eq!(
        resolved.secrets().scrub(text),
        "[redacted token]! '${KEY}' [redacted titel], public text"
    );
}

#[test]
fn what_is_not_declared_stays_in_texts_of_plugins_that_have_no_secrets() {
    let given = object(json!({ "mode": "thoroughly" }));
    let sources = Sources::new(&env).given(&given);
    let resolved = resolve(&BTreeMap::new(), &sources).expect("it fits");
    let text = "cannot work thoroughly";
    assert_eq!(resolved.secrets().scrub(text), text);
    assert_eq!(resolved.shown()[0].value, "[redacted]");
}
