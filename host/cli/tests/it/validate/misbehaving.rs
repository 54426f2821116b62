//! Plugins that misbehave, each in its own way, and the check that is about it.

use super::{check, library, report, validate};

/// A plugin, the settings with which it misbehaves, the check that is about that, how this ends, and what it says.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static [&'static str],
);

const MISBEHAVING: [Case; 18] = [
    (
        "not-a-plugin",
        &[],
        "inspects",
        "failed",
        &["not a Keyway plugin: expected a note"],
    ),
    (
        "two-plugins",
        &[],
        "inspects",
        "failed",
        &["several plugins in one file"],
    ),
    (
        "geo",
        &[],
        "loads",
        "failed",
        &[
            "prepare failed: the plugin panicked: the table of countries is empty (at ",
            "lib.rs:",
        ],
    ),
    (
        "misbehaves",
        &["at=\"activate\"", "how=\"never-ready\""],
        "loads",
        "failed",
        &["activate failed: it did not finish within 10s"],
    ),
    (
        "misbehaves",
        &["at=\"activate\"", "how=\"segfault\""],
        "loads",
        "crashed",
        &["ended by SIGSEGV while loading the plugin"],
    ),
    (
        "misbehaves",
        &["at=\"prepare\"", "how=\"exit\""],
        "loads",
        "failed",
        &["ended with exit status: 0 while loading the plugin, without a result"],
    ),
    (
        "misbehaves",
        &["at=\"drop-plugin\""],
        "loads",
        "failed",
        &["stop failed: the plugin panicked: asked to panic at DropPlugin"],
    ),
    (
        "misbehaves",
        &["offer=\"undeclared\""],
        "loads",
        "failed",
        &["registered tests.trouble `trouble-too`, which its manifest does not declare"],
    ),
    (
        "misbehaves",
        &["offer=\"nothing\""],
        "contract",
        "failed",
        &[
            "registered is not what plugin.toml declares",
            "keyway.tool `double`",
        ],
    ),
    (
        "misbehaves",
        &["offer=\"other-name\""],
        "contract",
        "failed",
        &["registered as `double` calls itself `twice`"],
    ),
    (
        "lives-in-threads",
        &["leave=\"thread\""],
        "unloads",
        "failed",
        &[
            "the library is still open",
            "threads that hold it: long-runner",
        ],
    ),
    (
        "misbehaves",
        &["at=\"call-tool\"", "how=\"never-ready\""],
        "tool-input",
        "failed",
        &["tool `double` did not answer within 5s"],
    ),
    (
        "misbehaves",
        &["offer=\"no-json\""],
        "tool-input",
        "failed",
        &["tool `double` answered what is not JSON"],
    ),
    (
        "misbehaves",
        &["at=\"call-tool\"", "how=\"panic-on-thread\""],
        "panic-containment",
        "failed",
        &["plugin 'misbehaves' panicked: asked to panic on a thread"],
    ),
    (
        "misbehaves",
        &["at=\"call-tool\"", "how=\"segfault\""],
        "tool-garbage",
        "crashed",
        &["ended by SIGSEGV while calling tool `double` with "],
    ),
    (
        "misbehaves",
        &["at=\"health-check\""],
        "loads",
        "failed",
        &["the health check failed: the plugin panicked"],
    ),
    (
        "misbehaves",
        &["at=\"drop-call\""],
        "cancel-mid-poll",
        "failed",
        &["asked to panic when a call is dropped", "tool.rs:"],
    ),
    (
        "misbehaves",
        &["at=\"drop-call-elsewhere\""],
        "drop-elsewhere",
        "failed",
        &["asked to panic when a call is dropped", "tool.rs:"],
    ),
];

#[cfg(unix)]
#[test]
fn each_plugin_that_misbehaves_fails_the_check_that_is_about_it() {
    for (fixture, settings, id, outcome, words) in MISBEHAVING {
        let run = validate(&library(fixture), settings).args("--only").arg(id);
        let (code, answer) = report(run);
        let found = check(&answer, id);
        assert_eq!(
            found["outcome"], outcome,
            "{fixture} {settings:?}: {answer:#}"
        );
        let text = format!("{} {}", found["message"], found["details"]);
        let text = text.replace("\\\"", "\"");
        for word in words {
            assert!(
                text.contains(word),
                "{fixture} {settings:?}: {word}: {answer:#}"
            );
        }
        let expected = if id == "inspects" { 3 } else { 1 };
        assert_eq!(code, Some(expected), "{fixture} {settings:?}");
    }
}
