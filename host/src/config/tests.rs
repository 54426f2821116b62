mod changes;
mod from_file;
mod properties;
mod schema;

use serde_json::json;

use super::*;

fn schema() -> BTreeMap<String, ConfigField> {
    manifest().config
}

/// A manifest with one setting of each type, and one for each source of a value.
fn manifest() -> keyway_manifest::Manifest {
    let config = json!({
        "stop_words": { "type": "array", "items": "string", "env": "STOP_WORDS" },
        "weights": { "type": "array", "items": "number" },
        "ports": { "type": "array", "items": "integer" },
        "port": { "type": "integer", "min": 1, "max": 65535, "default": 8080, "env": "PORT" },
        "count": { "type": "integer", "env": "COUNT" },
        "ratio": { "type": "number", "min": 0.0, "default": 1.0, "env": "RATIO" },
        "verbose": { "type": "boolean", "default": false, "env": "VERBOSE" },
        "level": {
            "type": "enum", "values": ["low", "high"], "default": "low", "env": "LEVEL",
        },
        "token": { "type": "secret", "env": "TOKEN" },
        "title": { "type": "string", "env": "TITLE" },
        "names": { "type": "array", "items": "string", "default": ["a"] },
    });
    let manifest = json!({
        "plugin": {
            "id": "configured",
            "version": "1.0.0",
            "min_host_version": "1.0.0",
            "config": config,
        },
    });
    keyway_manifest::Manifest::from_json(&manifest.to_string(), "plugin.json")
        .expect("a good manifest")
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn resolve_in(
    variables: &[(&str, &str)],
    given: Value,
) -> Result<(Map<String, Value>, Vec<String>), HostError> {
    let given = object(given);
    let env = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, text)| OsString::from(text))
    };
    resolve_from(&schema(), &given, &env)
}

fn resolve_from(
    schema: &BTreeMap<String, ConfigField>,
    given: &Map<String, Value>,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<(Map<String, Value>, Vec<String>), HostError> {
    let resolved = resolve(schema, &Sources::new(env).given(given))?;
    Ok((resolved.values().clone(), resolved.warnings().to_vec()))
}

#[track_caller]
fn accepted(variables: &[(&str, &str)], given: Value) -> Map<String, Value> {
    let (config, warnings) = resolve_in(variables, given).expect("it fits");
    assert_eq!(warnings, Vec::<String>::new());
    config
}

#[track_caller]
fn refused(variables: &[(&str, &str)], given: Value) -> HostError {
    let error = resolve_in(variables, given).expect_err("it does not fit");
    assert_eq!(error.kind(), HostErrorKind::Config);
    assert_eq!(error.code(), "config");
    error
}

#[test]
fn defaults_fill_up_and_what_is_optional_without_one_is_left_out() {
    let expected = json!({
        "port": 8080, "ratio": 1.0, "verbose": false, "level": "low", "names": ["a"],
    });
    assert_eq!(accepted(&[], json!({})), object(expected));
}

#[test]
fn a_given_value_comes_before_the_environment_and_that_before_the_default() {
    let variables = [("PORT", "2"), ("LEVEL", "high")];
    let config = accepted(&variables, json!({ "port": 1 }));
    assert_eq!(config["port"], 1);
    assert_eq!(config["level"], "high");
    assert_eq!(config["ratio"], 1.0);
}

#[test]
fn a_variable_that_is_not_needed_may_hold_anything() {
    assert_eq!(
        accepted(&[("PORT", "none")], json!({ "port": 1 }))["port"],
        1
    );
}

#[test]
fn the_text_of_a_variable_becomes_a_value_of_the_settings_type() {
    let variables = [
        ("STOP_WORDS", r#"["the", "a"]"#),
        ("PORT", " 443\n"),
        ("COUNT", "-9223372036854775808"),
        ("RATIO", "0.5"),
        ("VERBOSE", "true"),
        ("LEVEL", "high"),
        ("TOKEN", "12345"),
        ("TITLE", ""),
    ];
    let config = accepted(&variables, json!({}));
    let expected = json!({
        "stop_words": ["the", "a"], "port": 443, "count": i64::MIN, "ratio": 0.5, "verbose": true,
        "level": "high", "token": "12345", "title": "", "names": ["a"],
    });
    assert_eq!(config, object(expected));
}

#[test]
fn every_value_of_another_type_or_out_of_bounds_is_told_with_what_fits() {
    let cases = [
        (
            json!({ "stop_words": "the" }),
            r#"setting `stop_words`: expected an array of strings, found the string "the""#,
        ),
        (
            json!({ "stop_words": ["a", 7] }),
            "setting `stop_words`: expected an array of strings, found the number 7 at index 1",
        ),
        (
            json!({ "ports": [1.5] }),
            "setting `ports`: expected an array of whole numbers, found the number 1.5 at index 0",
        ),
        (
            json!({ "weights": [1, null] }),
            "setting `weights`: expected an array of numbers, found null at index 1",
        ),
        (
            json!({ "port": 0 }),
            "setting `port`: expected a whole number from 1 to 65535, found the number 0",
        ),
        (
            json!({ "port": 65536 }),
            "setting `port`: expected a whole number from 1 to 65535, found the number 65536",
        ),
        (
            json!({ "count": 1.0 }),
            "setting `count`: expected a whole number, found the number 1.0",
        ),
        (
            json!({ "count": u64::MAX }),
            "setting `count`: expected a whole number, found the number 18446744073709551615, \
             which is above 9223372036854775807",
        ),
        (
            json!({ "ratio": -0.5 }),
            "setting `ratio`: expected a number of at least 0, found the number -0.5",
        ),
        (
            json!({ "verbose": "true" }),
            r#"setting `verbose`: expected true or false, found the string "true""#,
        ),
        (
            json!({ "level": "hgih" }),
            r#"setting `level`: expected one of "low", "high", found the string "hgih""#,
        ),
        (
            json!({ "level": "lw" }),
            r#"setting `level`: expected one of "low", "high", found the string "lw", did you mean "low"?"#,
        ),
        (
            json!({ "title": {} }),
            "setting `title`: expected a string, found an object",
        ),
        (
            json!({ "title": null }),
            "setting `title`: expected a string, found null",
        ),
    ];
    for (given, message) in cases {
        assert_eq!(refused(&[], given).message(), message);
    }
}

#[test]
fn numbers_at_their_bounds_fit_and_a_whole_one_is_a_number() {
    accepted(&[], json!({ "port": 1, "ratio": 0, "weights": [1, -2.5] }));
    accepted(&[], json!({ "port": 65535, "count": i64::MAX }));
}

#[test]
fn a_variable_that_does_not_read_is_named() {
    let cases = [
        (
            ("PORT", "http"),
            r#"setting `port`: environment variable PORT: expected a whole number from 1 to 65535, found the string "http""#,
        ),
        (
            ("PORT", ""),
            r#"setting `port`: environment variable PORT: expected a whole number from 1 to 65535, found the string """#,
        ),
        (
            ("VERBOSE", "1"),
            "setting `verbose`: environment variable VERBOSE: expected true or false, found the \
             number 1",
        ),
        (
            ("STOP_WORDS", "the,a"),
            r#"setting `stop_words`: environment variable STOP_WORDS, read as JSON: expected an array of strings, found the string "the,a""#,
        ),
        (
            ("LEVEL", "7"),
            r#"setting `level`: environment variable LEVEL: expected one of "low", "high", found the string "7""#,
        ),
    ];
    for (variable, message) in cases {
        assert_eq!(refused(&[variable], json!({})).message(), message);
    }
}

#[test]
fn all_problems_are_in_one_error_with_every_way_to_set_them() {
    let given = json!({ "stop_words": "the", "ports": 1, "level": "low" });
    let error = refused(&[("PORT", "x")], given);
    expect_parts(error.message(), &["`port`", "`ports`", "`stop_words`"]);
    assert_eq!(
        error.advice(),
        Some(
            "set them with `LoadOptions::config`, or with `--config KEY=JSON` of the keyway \
             command; `port` with the environment variable PORT, `stop_words` with the \
             environment variable STOP_WORDS"
        )
    );
    let error = refused(&[], json!({ "ports": 1 }));
    assert_eq!(
        error.advice(),
        Some(
            "set it with `LoadOptions::config`, or with `--config ports=JSON` of the keyway \
             command"
        )
    );
}

/// As many problems as these, each with its words.
#[track_caller]
fn expect_parts(message: &str, words: &[&str]) {
    let parts: Vec<&str> = message.split("; ").collect();
    assert_eq!(parts.len(), words.len(), "{message}");
    for (part, word) in parts.iter().zip(words) {
        assert!(part.contains(word), "{part}");
    }
}

#[test]
fn a_required_setting_without_a_value_is_an_error_and_an_empty_text_is_a_value() {
    let mut schema = schema();
    schema.retain(|name, _| name == "token");
    schema.get_mut("token").expect("it is there").required = true;
    let error = resolve_from(&schema, &Map::new(), &|_| None).expect_err("it has no value");
    assert_eq!(
        error.message(),
        "setting `token`: required, expected a secret string, found no value"
    );
    assert!(error.advice().expect("a hint").contains("variable TOKEN"));
    let misspelt = object(json!({ "tokn": "hush" }));
    let error = resolve_from(&schema, &misspelt, &|_| None).expect_err("it has no value");
    let hint = error.advice().expect("a hint");
    assert!(hint.ends_with("did you mean `token`?"), "{hint}");
    assert!(!hint.contains("hush"), "{hint}");
    resolve_from(&schema, &Map::new(), &|_| Some(OsString::new())).expect("it has a value");
    resolve_from(&schema, &object(json!({ "token": "x" })), &|_| None).expect("it has a value");
}

#[test]
fn no_message_shows_a_secret() {
    for secret in [json!(271828), json!(["271828"]), json!({ "271828": 1 })] {
        let text = refused(&[], json!({ "token": secret, "port": 0 })).to_string();
        assert!(text.contains("`token`: expected a secret string"), "{text}");
        assert!(!text.contains("271828"), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf_8_is_an_error_that_does_not_show_it() {
    use std::os::unix::ffi::OsStringExt;

    let env = |name: &str| (name == "TOKEN").then(|| OsString::from_vec(b"hush\xff".to_vec()));
    let error = resolve_from(&schema(), &Map::new(), &env).expect_err("it is no text");
    assert_eq!(
        error.message(),
        "setting `token`: environment variable TOKEN: expected a secret string, found text that \
         is not UTF-8"
    );
}

#[test]
fn what_is_not_declared_is_passed_on_with_a_warning_and_the_nearest_free_name() {
    let given = json!({ "stop_word": { "a": 1 }, "prt": 1, "port": 2, "other": null });
    let (config, warnings) = resolve_in(&[], given).expect("it fits");
    assert_eq!(config["stop_word"], json!({ "a": 1 }));
    assert_eq!(config["prt"], 1);
    assert_eq!(config["other"], Value::Null);
    let unchecked = "whose value is passed on unchecked";
    let mut expected = vec![
        format!("its manifest declares no setting `other`, {unchecked}"),
        // `port` has a value, so it is `ports` that is nearest among the others, and not near.
        format!("its manifest declares no setting `prt`, {unchecked}"),
        format!(
            "its manifest declares no setting `stop_word`, {unchecked}; did you mean `stop_words`?"
        ),
    ];
    let mut warnings = warnings;
    warnings.sort();
    expected.sort();
    assert_eq!(warnings, expected);
}

#[test]
fn without_a_schema_everything_is_passed_on_with_a_warning_each() {
    let given = object(json!({ "a": 1, "b": [true] }));
    let (config, warnings) =
        resolve_from(&BTreeMap::new(), &given, &|_| unreachable!("no variable")).expect("it fits");
    assert_eq!(config, given);
    assert_eq!(warnings.len(), 2);
}

#[test]
fn a_long_text_is_told_by_its_start() {
    let text = refused(&[], json!({ "port": "é".repeat(61) })).to_string();
    assert!(text.contains(&format!("\"{}\"…", "é".repeat(60))), "{text}");
}
