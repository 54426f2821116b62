//! What holds for any text, and for any manifest that can be written.

use keyway_manifest::{Manifest, ManifestError, Severity};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

const FULL_TOML: &str = include_str!("model/full.toml");
const FULL_JSON: &str = include_str!("model/full.json");

/// Whatever is refused is refused with positions that exist in the text.
fn check_positions(text: &str, error: &ManifestError) -> Result<(), TestCaseError> {
    prop_assert!(!error.diagnostics().is_empty());
    prop_assert!(
        error
            .diagnostics()
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    );
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in error.diagnostics() {
        prop_assert!((1..=lines.len()).contains(&problem.line), "{problem}");
        let columns = lines[problem.line - 1].chars().count() + 1;
        prop_assert!(
            (1..=columns).contains(&problem.column),
            "{problem} in {columns} columns"
        );
        prop_assert!(
            text.get(problem.span.clone()).is_some(),
            "{problem} at {:?}",
            problem.span
        );
        let one_line = problem.to_string();
        prop_assert!(!one_line.contains('\n'), "{one_line}");
        let caret = problem.rendered().to_string();
        let caret = caret.lines().nth(4).unwrap_or_default();
        prop_assert!(caret.ends_with('^'), "{caret:?}");
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), TestCaseError> {
    for read in [Manifest::from_toml, Manifest::from_json] {
        if let Err(error) = read(text, "f") {
            check_positions(text, &error)?;
        }
    }
    match (
        Manifest::from_embedded(text),
        Manifest::from_json(text, "f"),
    ) {
        (Ok((lenient, _)), Ok(strict)) => prop_assert_eq!(lenient, strict),
        (Err(_), Ok(_)) => prop_assert!(false, "the lenient reading is the stricter one"),
        _ => {}
    }
    Ok(())
}

/// Replaces up to `length` characters of `text` somewhere.
fn mutated(text: &str, at: Index, length: usize, insert: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = at.index(chars.len() + 1);
    let rest = chars[at..].iter().skip(length);
    chars[..at]
        .iter()
        .copied()
        .chain(insert.chars())
        .chain(rest.copied())
        .collect()
}

fn insertion() -> impl Strategy<Value = String> {
    const TOKENS: &[&str] = &[
        "",
        "\"",
        "'",
        "\"\"\"",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        "=",
        ":",
        "\\",
        "\\u",
        "\n",
        "\r\n",
        "\t",
        "#",
        "-",
        "0",
        "1e9",
        "nan",
        "null",
        "true",
        "\u{0}",
        "\u{1b}",
        "\u{feff}",
        "é",
        "\u{1f511}",
        "[[",
        "]]",
        "a.b",
        "plugin",
    ];
    prop_oneof![select(TOKENS).prop_map(str::to_owned), any::<String>()]
}

fn id() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9-]{0,20}"
}

fn version() -> impl Strategy<Value = String> {
    let suffix = select(["", "-rc.1", "-alpha.0-x", "+build.5"].as_slice());
    (0..20_u64, any::<u64>(), 0..9_u64, suffix)
        .prop_map(|(major, minor, patch, suffix)| format!("{major}.{minor}.{patch}{suffix}"))
}

fn requirement() -> impl Strategy<Value = String> {
    let operator = select(["", "^", "~", "=", ">", ">=", "<", "<="].as_slice());
    let one = (operator, version()).prop_map(|(operator, version)| format!("{operator}{version}"));
    let several = vec(one, 1..4).prop_map(|all| all.join(" , "));
    prop_oneof![
        several,
        select(["*", "1.*", "^0", ">=1, <2"].as_slice()).prop_map(str::to_owned)
    ]
}

fn line() -> impl Strategy<Value = String> {
    "[!-~äß\u{1f511}]([ -~é\u{2028}]{0,20}[!-~])?"
}

fn prose() -> impl Strategy<Value = String> {
    "[ -~\\n\\t\"\\\\ü]{0,40}[!-~]"
}

fn strings(element: impl Strategy<Value = String>) -> impl Strategy<Value = Value> {
    btree_set(element, 0..4).prop_map(|all| json!(all))
}

fn access(pattern: impl Strategy<Value = String>) -> impl Strategy<Value = Value> {
    prop_oneof![any::<bool>().prop_map(Value::from), strings(pattern)]
}

/// An object with some of the given keys.
fn object(
    fields: impl Strategy<Value = Vec<(&'static str, Option<Value>)>>,
) -> impl Strategy<Value = Value> {
    fields.prop_map(|fields| {
        let present = fields
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Value::Object(present.collect::<Map<_, _>>())
    })
}

fn capabilities() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        select(["tools", "channels", "event_hooks", "services"].as_slice()).prop_map(str::to_owned),
        "[a-j][a-z0-9-]{0,5}(\\.[a-z][a-z0-9-]{0,5}){1,3}",
    ];
    btree_map(key, strings("[!-~]{1,12}"), 0..4).prop_map(|all| json!(all))
}

fn dependencies() -> impl Strategy<Value = Value> {
    let detailed = (requirement(), option::of(any::<bool>())).prop_map(|(version, optional)| {
        optional.map_or_else(
            || json!({ "version": version }),
            |optional| json!({ "version": version, "optional": optional }),
        )
    });
    let dependency = prop_oneof![requirement().prop_map(Value::from), detailed];
    // The prefix keeps a plugin from depending on itself.
    btree_map(id().prop_map(|id| format!("dep-{id}")), dependency, 0..4).prop_map(|all| json!(all))
}

fn requires() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        select(["tools", "memory_backends"].as_slice()).prop_map(str::to_owned),
        "[a-j][a-z0-9-]{0,5}(\\.[a-z][a-z0-9-]{0,5}){1,3}",
    ];
    let needed = (
        1..=u32::MAX,
        option::of("[!-~]{1,12}"),
        option::of(any::<bool>()),
    );
    let needed = needed.prop_map(|(version, name, optional)| {
        let fields = [
            ("version", Some(json!(version))),
            ("name", name.map(Value::from)),
            ("optional", optional.map(Value::from)),
        ];
        let present = fields
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Value::Object(present.collect())
    });
    let needed = prop_oneof![(1..=u32::MAX).prop_map(Value::from), needed];
    btree_map(key, needed, 0..4).prop_map(|all| json!(all))
}

fn activation() -> impl Strategy<Value = Value> {
    let kind = select(["tool", "command", "channel", "provider", "event"].as_slice());
    let trigger = prop_oneof![
        (kind, "[!-~]{1,12}").prop_map(|(kind, name)| format!("{kind}:{name}")),
        Just("capability:acme.image-filter".to_owned()),
    ];
    object(
        (option::of(any::<bool>()), option::of(strings(trigger)))
            .prop_map(|(startup, on)| vec![("startup", startup.map(Value::from)), ("on", on)]),
    )
}

/// What a plugin offers: commands with their help, and whatever else needs code; or only files.
fn offers() -> impl Strategy<Value = Vec<(&'static str, Option<Value>)>> {
    // An alias has a `-`, which no name has, after the name of its command.
    let text = (option::of(prose()), option::of(line()), 0..3_usize);
    let commands = btree_map("[a-z]{1,6}", text, 0..4);
    let with_code = (option::of(capabilities()), commands).prop_map(|(capabilities, commands)| {
        let mut capabilities = capabilities.unwrap_or_else(|| json!({}));
        capabilities["commands"] = json!(commands.keys().collect::<Vec<_>>());
        let texts = commands
            .into_iter()
            .map(|(name, (description, usage, aliases))| {
                let aliases: Vec<_> = (0..aliases).map(|n| format!("{name}-{n}")).collect();
                let mut text = json!({ "aliases": aliases });
                if let Some(description) = description {
                    text["description"] = description.into();
                }
                if let Some(usage) = usage {
                    text["usage"] = usage.into();
                }
                (name, text)
            });
        let texts: Map<_, _> = texts.collect();
        vec![
            ("capabilities", Some(capabilities)),
            ("commands", Some(Value::Object(texts))),
        ]
    });
    // Distinct directories, each with one skill, and one resource so that there is always a file.
    let content = btree_set("[a-z]{1,6}", 0..4).prop_map(|skills| {
        let skills: Vec<_> = skills
            .iter()
            .map(|name| format!("{name}/SKILL.md"))
            .collect();
        let content = json!({ "skills": skills, "resources": ["a b/c.txt"] });
        vec![("content", Some(content))]
    });
    prop_oneof![3 => with_code, 1 => content]
}

fn permissions() -> impl Strategy<Value = Value> {
    let host = "(\\*\\.)?[a-z0-9]{1,8}\\.[a-z]{2,3}(:[1-9][0-9]{0,3})?";
    let path = "(/|\\./|\\.\\./)?[\\w.-]{1,8}(/[\\w. -]{1,8}){0,2}/";
    let program = "[a-z][a-z0-9_.+-]{0,8}|(/|\\./)[\\w.-]{1,8}";
    let paths = object(
        (option::of(access(path)), option::of(access(path)))
            .prop_map(|(read, write)| vec![("read", read), ("write", write)]),
    );
    let filesystem = prop_oneof![any::<bool>().prop_map(Value::from), paths];
    object(
        (
            option::of(access(host)),
            option::of(filesystem),
            option::of(strings("[A-Z_][A-Z0-9_]{0,8}")),
            option::of(access(program)),
        )
            .prop_map(|(network, filesystem, env, subprocess)| {
                vec![
                    ("network", network),
                    ("filesystem", filesystem),
                    ("env", env),
                    ("subprocess", subprocess),
                ]
            }),
    )
}

/// A type with its constraints and, perhaps, a default that satisfies it.
fn typed() -> impl Strategy<Value = Value> {
    let number = || prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL;
    prop_oneof![
        prose().prop_map(|default| json!({ "type": "string", "default": default })),
        Just(json!({ "type": "boolean", "default": true })),
        Just(json!({ "type": "secret", "required": true })),
        any::<[i64; 3]>().prop_map(|mut all| {
            all.sort_unstable();
            json!({ "type": "integer", "min": all[0], "default": all[1], "max": all[2] })
        }),
        [number(), number(), number()].prop_map(|mut all| {
            all.sort_by(f64::total_cmp);
            json!({ "type": "number", "min": all[0], "default": all[1], "max": all[2] })
        }),
        vec(any::<i64>(), 0..5)
            .prop_map(|default| json!({ "type": "array", "items": "integer", "default": default })),
        vec(number(), 0..5)
            .prop_map(|default| json!({ "type": "array", "items": "number", "default": default })),
        btree_set(line(), 1..5)
            .prop_map(|all| json!({ "type": "enum", "default": all.first(), "values": all })),
    ]
}

fn config() -> impl Strategy<Value = Value> {
    let field = (
        typed(),
        option::of(prose()),
        option::of(select(["hot", "restart"].as_slice())),
    )
        .prop_map(|(mut field, description, reload)| {
            if let Some(description) = description {
                field["description"] = description.into();
            }
            if let Some(reload) = reload {
                field["reload"] = reload.into();
            }
            field
        });
    btree_map("[a-zA-Z_][a-zA-Z0-9_-]{0,8}", field, 0..4).prop_map(|all| json!(all))
}

fn resources() -> impl Strategy<Value = Value> {
    let limit = || option::of((1..=keyway_manifest::limits::MAX_RESOURCE).prop_map(Value::from));
    object(
        (limit(), limit(), limit()).prop_map(|(memory, calls, deadline)| {
            vec![
                ("max_memory_mb", memory),
                ("max_concurrency", calls),
                ("call_deadline_ms", deadline),
            ]
        }),
    )
}

fn reload() -> impl Strategy<Value = Value> {
    let word = |words: &'static [&'static str]| option::of(select(words).prop_map(Value::from));
    let bytes = (1..=keyway_manifest::limits::MAX_RESOURCE).prop_map(Value::from);
    object(
        (
            word(&["snapshot", "exclusive"]),
            word(&["require", "prefer", "reset"]),
            option::of(prop_oneof![bytes, Just(json!(67_108_864))]),
            word(&["run", "leak", "retain"]),
        )
            .prop_map(|(mode, state, max_state_bytes, thread_locals)| {
                vec![
                    ("mode", mode),
                    ("state", state),
                    ("max_state_bytes", max_state_bytes),
                    ("thread_locals", thread_locals),
                ]
            }),
    )
}

/// A valid manifest as a JSON document.
fn document() -> impl Strategy<Value = Value> {
    let text = |value: String| Value::from(value);
    let head = (
        id(),
        version(),
        version(),
        option::of(prose().prop_map(text)),
        option::of(strings(line())),
        option::of(line().prop_map(text)),
        option::of(select(["native", "process", "wasm"].as_slice()).prop_map(Value::from)),
    );
    let body = (
        offers(),
        option::of(requires()),
        option::of(activation()),
        option::of(dependencies()),
        option::of(permissions()),
        option::of(config()),
        option::of(resources()),
        option::of(reload()),
    );
    let plugin = object((head, body).prop_map(|(head, body)| {
        let (id, version, min_host_version, description, authors, license, isolation) = head;
        let (offers, requires, activation, dependencies, permissions, config, resources, reload) =
            body;
        let mut fields = vec![
            ("id", Some(id.into())),
            ("version", Some(version.into())),
            ("min_host_version", Some(min_host_version.into())),
            ("description", description),
            ("authors", authors),
            ("license", license),
            ("isolation", isolation),
            ("requires", requires),
            ("activation", activation),
            ("dependencies", dependencies),
            ("permissions", permissions),
            ("config", config),
            ("resources", resources),
            ("reload", reload),
        ];
        fields.extend(offers);
        fields
    }));
    plugin.prop_map(|plugin| json!({ "plugin": plugin }))
}

/// Writes a JSON value as TOML. Strings and numbers are the same in both.
fn inline_toml(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| {
                format!("{} = {}", Value::from(key.as_str()), inline_toml(value))
            });
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(elements) => {
            format!(
                "[{}]",
                elements
                    .iter()
                    .map(inline_toml)
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
        scalar => scalar.to_string(),
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_positions_in_it(text in any::<String>()) {
        check_text(&text)?;
    }

    #[test]
    fn any_heap_of_tokens_is_read_or_refused_with_positions_in_it(
        tokens in vec(insertion(), 0..60),
    ) {
        check_text(&tokens.concat())?;
    }

    #[test]
    fn a_damaged_file_is_read_or_refused_with_positions_in_it(
        source in select([FULL_TOML, FULL_JSON].as_slice()),
        at in any::<Index>(),
        length in 0_usize..40,
        insert in insertion(),
    ) {
        check_text(&mutated(source, at, length, &insert))?;
    }

    #[test]
    fn a_cut_off_file_is_refused_with_positions_in_it(at in any::<Index>()) {
        for source in [FULL_TOML, FULL_JSON] {
            check_text(&mutated(source, at, usize::MAX, ""))?;
        }
    }

    #[test]
    fn exactly_what_is_json_gets_past_the_syntax(
        source in document(),
        at in any::<Index>(),
        length in 0_usize..4,
        insert in insertion(),
    ) {
        let text = mutated(&source.to_string(), at, length, &insert);
        let mistakes = Manifest::from_json(&text, "f").err().map(|error| error.to_string());
        let is_taken = mistakes.is_none_or(|mistakes| !mistakes.contains("invalid JSON"));
        match serde_json::from_str::<Value>(&text) {
            Ok(_) => prop_assert!(is_taken, "refused {text}"),
            // It refuses numbers that are too large as it reads them; here the checks do.
            Err(error) if error.to_string().contains("number out of range") => {}
            Err(error) => prop_assert!(!is_taken, "took {text}, although {error}"),
        }
    }

    #[test]
    fn the_canonical_json_means_the_same_and_is_its_own_canonical_form(source in document()) {
        let text = source.to_string();
        let manifest = Manifest::from_json(&text, "f")
            .map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let canonical = manifest.to_json();
        prop_assert_eq!(Manifest::from_json(&canonical, "f").unwrap(), manifest.clone());
        prop_assert_eq!(Manifest::from_embedded(&canonical).unwrap(), (manifest.clone(), vec![]));
        prop_assert_eq!(Manifest::from_json(&canonical, "f").unwrap().to_json(), canonical.clone());
        prop_assert!(serde_json::from_str::<Value>(&canonical).is_ok());
    }

    #[test]
    fn toml_and_json_of_the_same_manifest_are_equal(source in document()) {
        let toml = format!("plugin = {}\n", inline_toml(&source["plugin"]));
        let from_toml = Manifest::from_toml(&toml, "f")
            .map_err(|error| TestCaseError::fail(format!("{error}\n{toml}")))?;
        let from_json = Manifest::from_json(&source.to_string(), "f").unwrap();
        prop_assert_eq!(from_toml, from_json);
    }
}
