//! The JSON form: RFC 8259 to the letter, the model of the TOML form, and exact messages.

use crate::base::BASE_JSON;
use keyway_manifest::Manifest;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let error = Manifest::from_json(text, "plugin.json").expect_err(text);
    let lines: Vec<String> = error
        .diagnostics()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(lines, expected, "for {text:?}");
}

#[test]
fn text_that_is_not_json_is_refused_at_the_first_mistake() {
    let cases = [
        (
            "",
            "1:1: invalid JSON: unexpected text; expected a value, found the end of the file",
        ),
        (
            "{",
            "1:2: invalid JSON: unexpected text; expected a key in double quotes, found the end of the file",
        ),
        (
            r#"{"plugin""#,
            "1:10: invalid JSON: unexpected text; expected `:`, found the end of the file",
        ),
        (
            r#"{"plugin":"#,
            "1:11: invalid JSON: unexpected text; expected a value, found the end of the file",
        ),
        (
            r#"{"plugin": {}"#,
            "1:14: invalid JSON: unexpected text; expected `,` or `}`, found the end of the file",
        ),
        (
            r#"{"plugin": {}} x"#,
            "1:16: invalid JSON: unexpected text; expected the end of the file, found `x`",
        ),
        (
            r#"{"plugin": {},}"#,
            "1:15: invalid JSON: unexpected text; expected a key in double quotes, found `}`; remove the comma before it",
        ),
        (
            "[1,]",
            "1:4: invalid JSON: unexpected text; expected a value, found `]`; remove the comma before it",
        ),
        (
            "{plugin: 1}",
            "1:2: invalid JSON: unexpected text; expected a key in double quotes, found `p`",
        ),
        (
            "{'plugin': 1}",
            "1:2: invalid JSON: unexpected text; expected a key in double quotes, found `'`; strings are written in double quotes",
        ),
        (
            "// c\n{}",
            "1:1: invalid JSON: unexpected text; expected a value, found `/`; JSON has no comments",
        ),
        (
            r#"{"a": 1 "b": 2}"#,
            r#"1:9: invalid JSON: unexpected text; expected `,` or `}`, found `"`"#,
        ),
        (
            "[1 2]",
            "1:4: invalid JSON: unexpected text; expected `,` or `]`, found `2`",
        ),
        (
            r#"{"a": tru}"#,
            "1:7: invalid JSON: unknown word; expected a value, found `tru`; strings are written in double quotes",
        ),
        (
            r#"{"a": 01}"#,
            "1:7: invalid JSON: a number has a leading zero; found `01`",
        ),
        (
            r#"{"a": 1.}"#,
            "1:9: invalid JSON: unexpected text; expected a digit, found `}`",
        ),
        (
            r#"{"a": .5}"#,
            "1:7: invalid JSON: unexpected text; expected a value, found `.`",
        ),
        (
            r#"{"a": -}"#,
            "1:8: invalid JSON: unexpected text; expected a digit, found `}`",
        ),
        (
            r#"{"a": 1e}"#,
            "1:9: invalid JSON: unexpected text; expected a digit, found `}`",
        ),
        (
            r#"{"a": "x"#,
            r#"1:7: invalid JSON: this string has no end; expected a closing `"` in the same line"#,
        ),
        (
            "{\"a\": \"x\ny\"}",
            r#"1:7: invalid JSON: this string has no end; expected a closing `"` in the same line"#,
        ),
        (
            "{\"a\": \"\t\"}",
            r"1:8: invalid JSON: a control character has to be escaped; expected `\u0009`",
        ),
        (
            r#"{"a": "\q"}"#,
            r#"1:8: invalid JSON: unknown escape sequence; expected one of \" \\ \/ \b \f \n \r \t \uXXXX, found `\q`"#,
        ),
        (
            r#"{"a": "\u12"}"#,
            r"1:8: invalid JSON: incomplete escape sequence; expected four hexadecimal digits after `\u`",
        ),
        (
            r#"{"a": "\ud800"}"#,
            r"1:8: invalid JSON: half of a surrogate pair is no character; found `\ud800`",
        ),
        (
            r#"{"a": "\ud800\u0041"}"#,
            r"1:8: invalid JSON: half of a surrogate pair is no character; found `\ud800\u0041`",
        ),
        (
            "\u{feff}{}",
            r"1:1: invalid JSON: unexpected text; expected a value, found `\u{feff}`; save the file without a byte order mark",
        ),
    ];
    for (text, expected) in cases {
        check(text, &[&format!("plugin.json:{expected}")]);
    }
}

#[test]
fn json_is_held_to_the_same_model() {
    check(
        "[]",
        &["plugin.json:1:1: the manifest has the wrong type; expected an object, found an array"],
    );
    check(
        "null",
        &["plugin.json:1:1: the manifest has the wrong type; expected an object, found null"],
    );
    check(
        "{}",
        &[
            "plugin.json:1:1: missing key `plugin` at the top level; expected the plugin's id, versions and so on",
        ],
    );
    check(
        r#"{"plugin": []}"#,
        &["plugin.json:1:12: `plugin` has the wrong type; expected an object, found an array"],
    );
    check(
        r#"{"plugin": {}}"#,
        &[
            r#"plugin.json:1:12: missing key `id` in `plugin`; expected the plugin's id, such as "text-filter""#,
            r#"plugin.json:1:12: missing key `version` in `plugin`; expected a semantic version, such as "0.1.0""#,
            r#"plugin.json:1:12: missing key `min_host_version` in `plugin`; expected the oldest host version, such as "0.1.0""#,
        ],
    );
    check(
        &format!("{BASE_JSON},\n \"verison\": 1}}}}"),
        &[
            "plugin.json:2:2: unknown key `verison` in `plugin`; expected one of id, version, description, authors, license, homepage, min_host_version, max_host_version, isolation, capabilities, commands, requires, dependencies, activation, permissions, config, resources, reload, content; did you mean `version`?",
        ],
    );
    check(
        &format!("{BASE_JSON},\n \"id\": \"x\"}}}}"),
        &["plugin.json:2:2: duplicate key `id`; remove or rename one of the two"],
    );
    check(
        &format!("{BASE_JSON},\n \"license\": null}}}}"),
        &["plugin.json:2:13: `plugin.license` has the wrong type; expected a string, found null"],
    );
    check(
        &format!(
            "{BASE_JSON},\n \"config\": {{\"k\": {{\"type\": \"number\", \"default\": 1e999}}}}}}}}"
        ),
        &[
            "plugin.json:2:48: `plugin.config.k.default` is out of range; expected a number that is finite and exact, found the number 1e999",
        ],
    );
    check(
        &format!("{BASE_JSON},\n \"authors\": {{}}}}}}"),
        &[
            "plugin.json:2:13: `plugin.authors` has the wrong type; expected an array of strings, found an object",
        ],
    );
    check(
        &format!("{BASE_JSON},\n \"reload\": {{\"mode\": \"exlusive\"}}}}}}"),
        &[
            r#"plugin.json:2:21: `plugin.reload.mode` has an unknown value; expected one of "snapshot", "exclusive", found the string "exlusive"; did you mean `exclusive`?"#,
        ],
    );
    check(
        &format!("{BASE_JSON},\n \"dependencies\": {{\"x\": []}}}}}}"),
        &[
            "plugin.json:2:24: `plugin.dependencies.x` has the wrong type; expected a version requirement, or an object with one, found an array",
        ],
    );
}
