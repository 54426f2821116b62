//! What differs between two configurations, and what becomes of it.

use super::*;
use crate::settings::Strategy;

/// One setting that can change while the plugin runs, and one that cannot.
fn schema() -> BTreeMap<String, ConfigField> {
    let mut schema = super::schema();
    schema.retain(|name, _| ["level", "port"].contains(&name.as_str()));
    schema.get_mut("level").expect("it is there").reload = keyway_manifest::ReloadPolicy::Hot;
    schema
}

fn changes(old: Value, new: Value) -> Changes {
    let schema = schema();
    let [old, new] = [old, new].map(|given| {
        let given = object(given);
        let sources = Sources::new(&|_| None);
        resolve(&schema, &sources.given(&given)).expect("it fits")
    });
    diff(&old, &new, &schema)
}

#[test]
fn changes_are_sorted_by_what_they_need() {
    let old = json!({ "level": "low", "port": 1, "gone": 1, "same": [1] });
    let new = json!({ "level": "high", "port": 2, "came": 1, "same": [1] });
    let changes = changes(old, new);
    assert_eq!(changes.hot, ["level"]);
    assert_eq!(changes.restart, ["came", "gone", "port"]);
}

#[test]
fn a_default_that_is_written_out_is_no_change() {
    assert!(changes(json!({}), json!({ "port": 8080 })).is_empty());
}

#[test]
fn the_steps_follow_the_strategy_and_a_reload_takes_everything_with_it() {
    let both = Changes {
        hot: vec!["z".to_owned()],
        restart: vec!["a".to_owned()],
    };
    let hot = Changes {
        restart: Vec::new(),
        ..both.clone()
    };
    let lists = |apply: &[&str], reload: &[&str], needs_restart: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Steps {
            apply: owned(apply),
            reload: owned(reload),
            needs_restart: owned(needs_restart),
        }
    };
    let cases = [
        (&hot, Strategy::Hybrid, lists(&["z"], &[], &[])),
        (&hot, Strategy::Hot, lists(&["z"], &[], &[])),
        (&hot, Strategy::Restart, lists(&[], &["z"], &[])),
        (&both, Strategy::Hybrid, lists(&[], &["a", "z"], &[])),
        (&both, Strategy::Hot, lists(&["z"], &[], &["a"])),
        (&both, Strategy::Restart, lists(&[], &["a", "z"], &[])),
    ];
    for (changes, strategy, steps) in cases {
        assert_eq!(changes.steps(strategy), steps, "{strategy} {changes:?}");
    }
    assert_eq!(Changes::default().steps(Strategy::Hybrid), Steps::default());
}
