//! All pairs of an older and a newer host and plugin.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::build::{next_minor, requires_next_minor, this_minor};

/// What a host makes of a plugin.
fn run(host: &Path, plugin: &Path) -> Value {
    let output = Command::new(host)
        .arg(plugin)
        .output()
        .expect("the host starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}:\n{errors}", host.display());
    serde_json::from_slice(&output.stdout).expect("the host writes JSON")
}

#[test]
fn host_and_plugin_of_one_minor_call_everything_for_real() {
    let (old, new) = (this_minor(), next_minor());
    assert_eq!(
        run(&old.host, &old.plugin),
        json!({
            "speaks_minor": 0,
            "root_appended": null,
            "plugin": { "built": "1.0", "speaks_minor": 0, "host_appended": null },
            "encode": "Uryyb",
            "measure": 7,
            "decode": "Hello",
            "shout": null,
            "round_trip": null,
        })
    );
    assert_eq!(
        run(&new.host, &new.plugin),
        json!({
            "speaks_minor": 1,
            "root_appended": "the own method of plugin codec",
            "plugin": {
                "built": "1.1",
                "speaks_minor": 1,
                "host_appended": "the own method of host tests",
            },
            "encode": "Uryyb",
            "measure": 7,
            "decode": "Hello",
            "shout": "own URYYB",
            "round_trip": "own Hello",
        })
    );
}

#[test]
fn an_older_plugin_answers_a_newer_host_with_the_default_bodies() {
    assert_eq!(
        run(&next_minor().host, &this_minor().plugin),
        json!({
            "speaks_minor": 0,
            "root_appended": "the default of the root table",
            "plugin": { "built": "1.0", "speaks_minor": 0, "host_appended": null },
            "encode": "Uryyb",
            "measure": 7,
            "decode": "Hello",
            // The defaults call the methods that the plugin does have.
            "shout": "default URYYB",
            "round_trip": "default Hello",
        })
    );
}

#[test]
fn a_newer_plugin_works_in_an_older_host_with_the_default_bodies() {
    assert_eq!(
        run(&this_minor().host, &next_minor().plugin),
        json!({
            "speaks_minor": 0,
            "root_appended": null,
            "plugin": {
                "built": "1.1",
                "speaks_minor": 0,
                "host_appended": "the default of the host table",
            },
            "encode": "Uryyb",
            "measure": 7,
            "decode": "Hello",
            "shout": null,
            "round_trip": null,
        })
    );
}

#[test]
fn a_plugin_that_requires_the_newer_minor_is_refused_by_an_older_host_only() {
    let plugin = requires_next_minor();
    assert_eq!(
        run(&this_minor().host, &plugin),
        json!({ "refused": {
            "code": "interface",
            "message": "requires a newer interface: expected at most 1.0, found 1.1",
            "advice": "update the application, or build the plugin with an older keyway, or lower \
                       `required_minor` in export_plugin! if it needs less",
        } })
    );
    assert_eq!(
        run(&next_minor().host, &plugin),
        json!({ "speaks_minor": 1 })
    );
}
