//! Every kind of mistake in a TOML manifest, with the exact lines that it is answered with.
//!
//! The cases are in `messages/*.txt`. A case starts with `==== plugin` when its lines are added to a
//! valid `[plugin]` table of four lines, or with `==== file` when they are the whole file; after
//! `----` come the problems.

use crate::base::BASE_TOML;
use keyway_manifest::Manifest;

#[track_caller]
fn check(cases: &str) {
    let mut count = 0;
    for case in cases.split("==== ").skip(1) {
        let (input, expected) = case.split_once("----\n").expect("a case has two parts");
        let text = match input.split_once('\n').expect("a case has a first line") {
            ("plugin", lines) => format!("{BASE_TOML}{lines}"),
            ("file", lines) => lines.to_owned(),
            (other, _) => panic!("a case starts with `plugin` or `file`, not {other:?}"),
        };
        let error = Manifest::from_toml(&text, "plugin.toml").expect_err(input);
        assert_eq!(format!("{error}\n"), expected, "for {input}");
        count += 1;
    }
    assert!(count > 0, "there are cases");
}

#[test]
fn ids_versions_and_isolation() {
    check(include_str!("messages/identity.txt"));
}

#[test]
fn descriptive_fields() {
    check(include_str!("messages/descriptive_fields.txt"));
}

#[test]
fn unknown_and_misplaced_keys() {
    check(include_str!("messages/unknown_and_misplaced_keys.txt"));
}

#[test]
fn duplicates() {
    check(include_str!("messages/duplicates.txt"));
}

#[test]
fn capabilities() {
    check(include_str!("messages/capabilities.txt"));
}

#[test]
fn dependencies() {
    check(include_str!("messages/dependencies.txt"));
}

#[test]
fn requires() {
    check(include_str!("messages/requires.txt"));
}

#[test]
fn activation() {
    check(include_str!("messages/activation.txt"));
}

#[test]
fn commands() {
    check(include_str!("messages/commands.txt"));
}

#[test]
fn content() {
    check(include_str!("messages/content.txt"));
}

#[test]
fn permissions() {
    check(include_str!("messages/permissions.txt"));
}

#[test]
fn config() {
    check(include_str!("messages/config.txt"));
}

#[test]
fn resources() {
    check(include_str!("messages/resources.txt"));
}

#[test]
fn reload() {
    check(include_str!("messages/reload.txt"));
}

#[test]
fn toml_syntax() {
    check(include_str!("messages/toml_syntax.txt"));
}

#[test]
fn all_problems_of_a_file_are_listed_from_top_to_bottom() {
    let text = "[plugin]\nid = \"demo\"\nversion = \"1\"\nisolation = \"jail\"\ncolour = 1\n";
    let error = Manifest::from_toml(text, "plugin.toml").unwrap_err();
    let found: Vec<_> = error
        .diagnostics()
        .iter()
        .map(|problem| (problem.line, problem.column, problem.path.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (1, 1, "plugin.min_host_version"),
            (3, 11, "plugin.version"),
            (4, 13, "plugin.isolation"),
            (5, 1, "plugin.colour"),
        ]
    );
}

#[test]
fn the_long_form_shows_the_line_and_a_caret() {
    let text = format!("{BASE_TOML}[plugin.config.key]\n\ttype = \"secre\" # ключ\n");
    let error = Manifest::from_toml(&text, "plugin.toml").unwrap_err();
    assert_eq!(
        error.rendered().to_string(),
        "\
error: `plugin.config.key.type` has an unknown value
 --> plugin.toml:6:9
  |
6 |  type = \"secre\" # ключ
  |         ^^^^^^^
  = expected: one of \"string\", \"integer\", \"number\", \"boolean\", \"array\", \"enum\", \"secret\"
  = found: the string \"secre\"
  = help: did you mean `secret`?"
    );
    assert_eq!(
        error.rendered().to_string(),
        error.diagnostics()[0].rendered().to_string()
    );
}

#[test]
fn columns_count_characters_not_bytes() {
    let text = "plugin = { \"ключ\" = 1, id = 2 }";
    let error = Manifest::from_toml(text, "plugin.toml").unwrap_err();
    let columns: Vec<_> = error
        .diagnostics()
        .iter()
        .map(|problem| (problem.path.as_str(), problem.column))
        .collect();
    assert!(columns.contains(&("plugin.\"ключ\"", 12)), "{columns:?}");
    assert!(columns.contains(&("plugin.id", 29)), "{columns:?}");
}
