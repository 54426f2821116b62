//! What is printed as JSON is what the published schemas say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keyway_tests::many::Part;
use serde_json::{Value, json};

use crate::libraries::library;
use crate::run::Run;
use crate::site::Site;

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

/// Holds answers against schemas, and knows which schemas it has used.
#[derive(Default)]
struct Shelf {
    used: BTreeSet<String>,
}

impl Shelf {
    /// Runs it, and holds what is on stdout against a schema.
    #[track_caller]
    fn answers(&mut self, schema: &str, mut run: Run) {
        let output = run.output();
        let errors = String::from_utf8_lossy(&output.stderr);
        let answer = serde_json::from_slice(&output.stdout);
        let answer: Value = answer.unwrap_or_else(|error| panic!("{error}: {errors}"));
        self.check(schema, &answer);
    }

    /// Runs it, and holds the last line of stderr against the schema of errors.
    #[track_caller]
    fn fails(&mut self, mut run: Run) {
        let output = run.output();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = errors.lines().last().unwrap_or_default();
        let answer = serde_json::from_str(last);
        let answer: Value = answer.unwrap_or_else(|error| panic!("{error}: {errors}"));
        self.check("error", &answer);
    }

    #[track_caller]
    fn check(&mut self, schema: &str, answer: &Value) {
        check(schema, answer);
        self.used.insert(schema.to_owned());
    }
}

/// Holds an answer against a schema.
#[track_caller]
pub(crate) fn check(schema: &str, answer: &Value) {
    let text = std::fs::read_to_string(schemas().join(format!("{schema}.json")));
    let read: Value = serde_json::from_str(&text.expect("a schema")).expect("JSON");
    let validator = jsonschema::validator_for(&read).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(answer)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{schema}: {errors:#?}\n{answer:#}");
}

#[test]
fn each_answer_is_what_its_schema_says() {
    let site = Site::new();
    let mut shelf = Shelf::default();
    let keyway = |arguments: &str| site.keyway(arguments);
    let permissions = json!({ "env": ["A", "B"] });
    site.plugin("geo", &Part::new("geo").with("permissions", permissions));
    site.plugin("maps", &Part::new("maps").needs("geo", json!("^1")));
    shelf.answers("plan", keyway("install ./maps --dry-run --json"));
    shelf.answers("plan", keyway("install ./geo --yes --json"));
    shelf.answers("plan", keyway("install ./maps --json"));
    shelf.answers("plan", keyway("pin maps --json"));
    shelf.answers("plan", keyway("update --json"));
    shelf.answers("plan", keyway("uninstall geo --dry-run --json"));
    shelf.answers("package", keyway("package geo --json"));
    shelf.answers("permissions", keyway("permissions --json"));
    shelf.answers("plan", keyway("permissions revoke geo --json"));
    shelf.answers("permissions", keyway("permissions --json"));
    site.plugin("roots/geo", &Part::new("geo").version("2.0.0"));
    site.plugin(
        "roots/lone",
        &Part::new("lone").needs("nobody", json!("^1")),
    );
    std::fs::write(site.path("roots/broken.so"), "no library").expect("a file");
    site.settings("[[host.roots]]\norigin = \"user\"\npath = \"[DIR]/roots\"\n");
    shelf.answers("enable", keyway("disable geo --force --json"));
    shelf.answers("list", keyway("list --all --json"));
    shelf.answers("doctor", keyway("doctor --json"));
    shelf.answers("config-set", keyway("config set maps.name x --json"));
    shelf.answers("config-set", keyway("config unset maps.name --json"));
    shelf.answers("config-show", keyway("config show --json"));
    shelf.answers("doctor", keyway("doctor --fix --json"));
    std::fs::remove_dir_all(site.package("maps")).expect("it is there");
    shelf.answers("list", keyway("list --json"));
    shelf.answers("doctor", keyway("doctor --json"));
    for file in ["text-filter", "misbehaves", "not-a-plugin"] {
        shelf.answers("inspect", keyway("inspect --json").arg(library(file)));
    }
    let validate = || keyway("validate --json --only loads").arg(library("text-filter"));
    shelf.answers("validate", validate());
    shelf.answers("validate-list", keyway("validate --list --json"));
    site.settings("[plugin\n");
    for wrong in ["list", "permissions", "config show", "enable maps"] {
        shelf.fails(keyway(wrong).args("--json"));
    }
    shelf.fails(keyway("inspect missing.so --json"));
    // That of `keyway test` is used where a crate is built for it.
    shelf.used.insert("test".to_owned());
    let published: BTreeSet<String> = std::fs::read_dir(schemas())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    assert_eq!(shelf.used, published);
}
