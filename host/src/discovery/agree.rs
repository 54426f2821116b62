//! Whether the manifest beside a library says what the one inside of it says.

use std::collections::BTreeSet;

use keyway_manifest::Manifest;
use serde_json::Value;

/// Where two manifests differ first: what decides about a plugin comes before the rest, and that in
/// the order of names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// In full, as `plugin.config.api_key.type`.
    pub(super) key: String,
    pub(super) beside: String,
    pub(super) inside: String,
}

const FIRST: [&str; 2] = ["id", "version"];

/// So much of a value is shown.
const SHOWN: usize = 60;

/// None if they are the same in their canonical form.
pub(super) fn first_difference(beside: &Manifest, inside: &Manifest) -> Option<Difference> {
    if beside == inside {
        return None;
    }
    let read = |manifest: &Manifest| -> Option<Value> {
        let mut root: Value = serde_json::from_str(&manifest.to_json()).ok()?;
        Some(root["plugin"].take())
    };
    differ("plugin", Some(&read(beside)?), Some(&read(inside)?))
}

fn differ(key: &str, beside: Option<&Value>, inside: Option<&Value>) -> Option<Difference> {
    if beside == inside {
        return None;
    }
    if let (Some(Value::Object(beside)), Some(Value::Object(inside))) = (beside, inside) {
        let names: BTreeSet<&String> = beside.keys().chain(inside.keys()).collect();
        let (first, rest): (Vec<&String>, Vec<&String>) = names
            .into_iter()
            .partition(|name| FIRST.contains(&name.as_str()));
        return first.into_iter().chain(rest).find_map(|name| {
            let key = match is_bare(name) {
                true => format!("{key}.{name}"),
                false => format!("{key}.{name:?}"),
            };
            differ(&key, beside.get(name), inside.get(name))
        });
    }
    Some(Difference {
        key: key.to_owned(),
        beside: shown(beside),
        inside: shown(inside),
    })
}

/// Whether TOML takes the key without quotes.
fn is_bare(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !name.is_empty() && name.chars().all(is_plain)
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "nothing".to_owned();
    };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(rest: &str) -> Manifest {
        let text = format!("[plugin]\nid = \"x\"\nmin_host_version = \"1.0.0\"\n{rest}");
        Manifest::from_toml(&text, "plugin.toml").expect("a manifest")
    }

    #[track_caller]
    fn check(beside: &str, inside: &str, expected: Option<(&str, &str, &str)>) {
        let found = first_difference(&manifest(beside), &manifest(inside));
        let expected = expected.map(|(key, beside, inside)| Difference {
            key: key.to_owned(),
            beside: beside.to_owned(),
            inside: inside.to_owned(),
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn how_it_is_written_makes_no_difference() {
        check(
            "version = \"1.0.0\"\n[plugin.config.a]\ntype = \"string\"\nreload = \"restart\"",
            "version = '1.0.0'\nconfig = { a = { reload = 'restart', type = 'string' } }",
            None,
        );
    }

    #[test]
    fn the_version_comes_before_all_else() {
        check(
            "version = \"1.0.0\"\ndescription = \"one\"",
            "version = \"2.0.0\"\ndescription = \"two\"",
            Some(("plugin.version", "\"1.0.0\"", "\"2.0.0\"")),
        );
    }

    #[test]
    fn a_key_is_named_in_full() {
        check(
            "version = \"1.0.0\"\n[plugin.config.a]\ntype = \"string\"",
            "version = \"1.0.0\"\n[plugin.config.a]\ntype = \"secret\"",
            Some(("plugin.config.a.type", "\"string\"", "\"secret\"")),
        );
        check(
            "version = \"1.0.0\"\n[plugin.capabilities]\n\"acme.x\" = [\"a\"]\n\"acme.y\" = [\"a\"]",
            "version = \"1.0.0\"\n[plugin.capabilities]\n\"acme.x\" = [\"b\"]\n\"acme.y\" = [\"a\"]",
            Some(("plugin.capabilities.\"acme.x\"", "[\"a\"]", "[\"b\"]")),
        );
    }

    #[test]
    fn what_is_only_in_one_of_them_is_said_to_be_nothing_in_the_other() {
        check(
            "version = \"1.0.0\"",
            "version = \"1.0.0\"\n[plugin.permissions]\nenv = [\"HOME\"]",
            Some(("plugin.permissions", "nothing", "{\"env\":[\"HOME\"]}")),
        );
    }

    #[test]
    fn a_long_value_is_cut() {
        let long = "é".repeat(100);
        let cut = format!("\"{}..", "é".repeat(59));
        check(
            &format!("version = \"1.0.0\"\ndescription = \"{long}\""),
            "version = \"1.0.0\"",
            Some(("plugin.description", &cut, "nothing")),
        );
    }
}
