//! What holds for any values.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::from_file::{env, file};
use super::*;

/// Names of settings that the schema has, and that are near to some of it.
fn name() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "stop_words",
        "weights",
        "ports",
        "port",
        "count",
        "ratio",
        "verbose",
        "level",
        "token",
        "title",
        "names",
        "tokn",
        "Token",
        "other",
    ];
    select(NAMES).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(["low", "high", "${KEY}", "$${", "1"].as_slice()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z]{0,3}", inner, 0..3).prop_map(|entries| json!(entries)),
        ]
    })
}

/// All that is said of a configuration, or of the error in place of one.
fn told(resolved: &Result<Resolved, HostError>) -> String {
    match resolved {
        Ok(resolved) => format!(
            "{resolved} {resolved:?} {resolved:#?} {} {:?} {:?}",
            resolved.to_json_redacted(),
            resolved.warnings(),
            resolved.secrets(),
        ),
        Err(error) => format!(
            "{error} {error:?} {:?} {:?}",
            error.advice(),
            error.details()
        ),
    }
}

/// Something that no message of the host has in it by itself.
fn secret() -> impl Strategy<Value = String> {
    "[Q-Z]{4}[0-9\"'\\\\ü]{2,40}[Q-Z]{4}"
}

/// Where somebody may put a secret so that it is to be kept.
#[derive(Debug, Clone)]
enum Spot {
    Given(&'static str, fn(&str) -> Value),
    Written(&'static str),
    Variable,
}

fn spot() -> impl Strategy<Value = Spot> {
    let forms: &[fn(&str) -> Value] = &[
        |text| json!(text),
        |text| json!([text]),
        |text| json!({ "a": { text: 1 }, "b": [text] }),
    ];
    let names = || select(["token", "tokn", "api_key", "Token"].as_slice());
    let lines = select(
        [
            "token = @",
            "token = [@]",
            "token = { a = @ }",
            "tokn = @",
            "tokn = { a = [@] }",
            "title = \"${SECRET}\"",
            "title = \"a ${SECRET} b\"",
            "port = \"${SECRET}\"",
            "level = \"${SECRET}\"",
            "token = \"${SECRET} ${NOWHERE}\"",
            "stop_words = [\"${SECRET}\", 1]",
            "names = \"${SECRET}\"",
            "tokn = \"${SECRET}\"",
        ]
        .as_slice(),
    );
    prop_oneof![
        (names(), select(forms)).prop_map(|(name, form)| Spot::Given(name, form)),
        lines.prop_map(Spot::Written),
        Just(Spot::Variable),
    ]
}

proptest! {
    #[test]
    fn any_values_are_taken_or_refused(
        given in btree_map(name(), value(), 0..6),
        text in option::of(any::<String>()),
    ) {
        let given: Map<String, Value> = given.into_iter().collect();
        let env = |_: &str| text.clone().map(OsString::from);
        let resolved = resolve(&schema(), &Sources::new(&env).given(&given));
        told(&resolved);
    }

    /// The schema takes whatever the host takes, and nothing else but `1.0` for an integer.
    #[test]
    fn the_json_schema_takes_what_the_host_takes(
        given in btree_map(name(), value(), 0..4),
    ) {
        let fields = schema();
        let manifest = manifest();
        let given: Map<String, Value> = given.into_iter().collect();
        let taken = resolve(&fields, &Sources::new(&|_| None).given(&given)).is_ok();
        let as_schema = config_schema(&manifest);
        let valid = jsonschema::is_valid(&as_schema, &Value::Object(given.clone()));
        if taken {
            prop_assert!(valid, "{given:?}");
        } else if valid {
            let whole = |value: &Value| value.is_f64() && value.as_f64().is_some_and(|n| n.fract() == 0.0);
            let has_whole = given.values().any(|value| {
                whole(value) || value.as_array().is_some_and(|items| items.iter().any(whole))
            });
            prop_assert!(has_whole, "{given:?}");
        }
    }

    #[test]
    fn a_secret_is_in_nothing_that_is_said(
        secret in secret(),
        spot in spot(),
        given in btree_map(name(), value(), 0..3),
    ) {
        let mut given: Map<String, Value> = given.into_iter().collect();
        let mut lines = String::new();
        let mut is_in_variable = false;
        match spot {
            Spot::Given(name, form) => {
                given.insert(name.to_owned(), form(&secret));
            }
            Spot::Written(line) => {
                // A JSON string without control characters is a TOML string.
                lines = line.replace('@', &Value::from(secret.as_str()).to_string());
                given.remove(line.split(' ').next().expect("a name"));
            }
            Spot::Variable => {
                is_in_variable = true;
                given.remove("token");
            }
        }
        let env = |name: &str| match name {
            "SECRET" => Some(OsString::from(&secret)),
            "TOKEN" if is_in_variable => Some(OsString::from(&secret)),
            _ => env(name).filter(|_| name == "KEY"),
        };
        let host = file(&lines);
        let sources = Sources::new(&env).given(&given).host(&host);
        let resolved = resolve(&schema(), &sources);
        let told = told(&resolved);
        let quoted = format!("{secret:?}");
        for form in [&*secret, &quoted[1..quoted.len() - 1]] {
            prop_assert!(!told.contains(form), "{} in {}", form, told);
        }
        if let Ok(resolved) = resolved {
            let debug = format!("{sources:?}");
            prop_assert!(!debug.contains(&secret), "{}", debug);
            let own = format!("cannot log in with {secret} nor {secret:?}: {secret}");
            let scrubbed = resolved.secrets().scrub(&own);
            let passed_on = Value::Object(resolved.values().clone()).to_string();
            if passed_on.contains(&Value::from(secret.as_str()).to_string()) {
                prop_assert!(!scrubbed.contains(&secret), "{}", scrubbed);
            }
        }
    }
}
