//! The JSON in a binary may come from a newer interface than the one that reads it.

use crate::base::BASE_JSON;
use keyway_manifest::{Manifest, Severity, limits};

#[track_caller]
fn warnings(json: &str) -> Vec<String> {
    let (_, warnings) = Manifest::from_embedded(json).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        warnings
            .iter()
            .all(|warning| warning.severity == Severity::Warning)
    );
    warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn unknown_keys_are_warnings_wherever_they_are() {
    let json = format!(
        r#"{BASE_JSON}, "since": 1, "capabilities": {{"schedulers": [{{}}], "tools": ["a"]}},
        "permissions": {{"gpu": true, "filesystem": {{"watch": []}}}},
        "config": {{"a": {{"type": "string", "pattern": "x"}}}},
        "commands": {{}}, "requires": {{"a.b": {{"version": 1, "minor": 2}}, "gadgets": 1}},
        "activation": {{"idle": 1}},
        "dependencies": {{"b": {{"version": "1", "features": []}}}},
        "resources": {{"max_gpu_mb": 1}}, "reload": {{"probation": 1}}}}, "signature": "x"}}"#
    );
    let paths: Vec<_> = Manifest::from_embedded(&json).unwrap().1;
    let paths: Vec<_> = paths.iter().map(|warning| warning.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "plugin.since",
            "plugin.capabilities.schedulers",
            "plugin.permissions.gpu",
            "plugin.permissions.filesystem.watch",
            "plugin.config.a.pattern",
            "plugin.requires.\"a.b\".minor",
            "plugin.requires.gadgets",
            "plugin.activation.idle",
            "plugin.dependencies.b.features",
            "plugin.resources.max_gpu_mb",
            "plugin.reload.probation",
            "signature",
        ]
    );
    assert!(Manifest::from_json(&json, "plugin.json").is_err());
    assert!(
        Manifest::from_embedded(&json)
            .unwrap()
            .0
            .capabilities
            .declares("keyway.tool", "a")
    );
}

#[test]
fn the_package_that_it_was_built_from_is_there_in_a_library_and_nowhere_else() {
    let (mut manifest, _) = Manifest::from_embedded(&format!("{BASE_JSON}}}}}")).unwrap();
    assert_eq!(manifest.package, None);
    manifest.package = Some("acme-demo".to_owned());
    let json = manifest.to_json();
    assert!(
        json.ends_with(r#""build":{"package":"acme-demo"}}"#),
        "{json}"
    );
    assert_eq!(Manifest::from_embedded(&json).unwrap(), (manifest, vec![]));
    let error = Manifest::from_json(&json, "plugin.json").unwrap_err();
    assert!(error.to_string().contains("unknown key `build`"), "{error}");
    let newer = json.replace(r#""package""#, r#""profile":"release","package""#);
    assert_eq!(
        warnings(&newer).len(),
        1,
        "what a newer macro adds is passed over"
    );
}

#[test]
fn a_warning_says_that_it_is_one() {
    assert_eq!(
        warnings(&format!("{BASE_JSON}}}, \"x\": 1}}")),
        ["embedded manifest:1:77: warning: unknown key `x` at the top level; expected only plugin"]
    );
}

#[test]
fn everything_else_is_refused_and_unknown_keys_are_listed_with_it() {
    let json = format!("{BASE_JSON}, \"since\": 1, \"isolation\": \"jail\"}}}}");
    let error = Manifest::from_embedded(&json).unwrap_err();
    let severities: Vec<_> = error
        .diagnostics()
        .iter()
        .map(|problem| problem.severity)
        .collect();
    assert_eq!(severities, [Severity::Warning, Severity::Error]);

    let duplicate = format!("{BASE_JSON}, \"id\": \"demo\"}}}}");
    assert!(Manifest::from_embedded(&duplicate).is_err());
}

#[test]
fn a_key_that_looks_like_a_required_one_does_not_stand_for_it() {
    let json = r#"{"plugin": {"id": "a", "verison": "1.0.0", "min_host_version": "1.0.0"}}"#;
    let error = Manifest::from_embedded(json).unwrap_err().to_string();
    assert!(
        error.contains("missing key `version` in `plugin`"),
        "{error}"
    );
}

#[test]
fn an_error_is_listed_even_after_a_flood_of_warnings() {
    let flood: String = (0..1000).map(|n| format!("\"k{n}\": 1, ")).collect();
    let json = format!("{{\"plugin\": {{{flood}\"id\": \"a\"}}}}");
    let error = Manifest::from_embedded(&json).unwrap_err();
    assert!(
        error
            .diagnostics()
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    );
    assert!(error.diagnostics().len() <= limits::MAX_DIAGNOSTICS + 1);
    assert_eq!(error.diagnostics().len() + error.omitted(), 1002);
    assert!(error.to_string().ends_with("more problems"));
}
