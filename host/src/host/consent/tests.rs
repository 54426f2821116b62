use std::sync::Mutex;

use keyway_manifest::Manifest;
use serde_json::json;

use super::*;
use crate::inspect::hash_bytes;
use crate::permission::{Approval, ApprovalRequest, DenyAll};

const BASE: &str = if cfg!(windows) { "C:\\srv" } else { "/srv" };

fn manifest(env: &[&str]) -> Manifest {
    let text = json!({ "plugin": {
        "id": "asks",
        "version": "1.2.3",
        "min_host_version": "1.0.0",
        "capabilities": { "tools": ["a"] },
        "permissions": { "env": env },
    } });
    Manifest::from_json(&text.to_string(), "plugin.json").expect("it is well-formed")
}

/// What the host's file says.
fn in_file(env: &[&str]) -> Permissions {
    manifest(env).permissions
}

fn consent(approver: Option<Arc<dyn Approver>>) -> Consent {
    Consent {
        approver,
        store: PermissionStore::in_memory(),
        limits: Limits::default(),
        audit: Arc::default(),
        #[cfg(feature = "kv")]
        stores: None,
    }
}

fn decide(
    consent: &Consent,
    asked: &[&str],
    in_file: Option<&Permissions>,
    dry: bool,
) -> Result<(String, bool), Finding> {
    let answer = consent.decide(Question {
        manifest: &manifest(asked),
        hash: Some(&hash_bytes(&asked.join(" ").into_bytes())),
        base: Path::new(BASE),
        in_file,
        dry,
    })?;
    Ok((answer.grant.to_string(), answer.warning.is_some()))
}

#[derive(Default)]
struct Allows {
    new: Mutex<Vec<String>>,
}

impl Approver for Allows {
    fn decide(&self, request: &ApprovalRequest<'_>) -> Approval {
        let new = request.diff.added.to_string();
        self.new.lock().expect("no panic").push(new);
        Approval::Allow
    }
}

const A: &str = "read the environment variable A";
const AB: &str = "read the environment variable A, read the environment variable B";

#[test]
fn without_an_approver_it_is_what_the_file_grants_and_the_plugin_asks_for() {
    let consent = consent(None);
    let decide = |asked: &[&str], file| decide(&consent, asked, file, false).expect("no refusal");
    assert_eq!(decide(&["A"], None), ("nothing".to_owned(), true));
    let file = in_file(&["A", "C"]);
    assert_eq!(decide(&["A", "B"], Some(&file)), (A.to_owned(), true));
    assert_eq!(decide(&["A"], Some(&file)), (A.to_owned(), false));
    assert_eq!(decide(&[], Some(&file)), ("nothing".to_owned(), false));
}

#[test]
fn an_approver_is_asked_for_what_the_file_does_not_grant() {
    let approver = Arc::new(Allows::default());
    let consent = consent(Some(Arc::clone(&approver) as Arc<dyn Approver>));
    let file = in_file(&["A"]);
    let granted = decide(&consent, &["A", "B"], Some(&file), false);
    assert_eq!(granted, Ok((AB.to_owned(), false)));
    let asked = || std::mem::take(&mut *approver.new.lock().expect("no panic"));
    assert_eq!(asked(), ["read the environment variable B"]);
    // The file grants it no more.
    let granted = decide(&consent, &["A", "B"], None, false);
    assert_eq!(granted, Ok((AB.to_owned(), false)));
    assert_eq!(asked(), [A]);
}

#[test]
fn a_dry_run_asks_nobody_and_remembers_nothing() {
    let approver = Arc::new(Allows::default());
    let consent = consent(Some(Arc::clone(&approver) as Arc<dyn Approver>));
    let refused = decide(&consent, &["A"], None, true).expect_err("nobody approved it");
    assert_eq!(
        (refused.code.id, refused.to_string().as_str()),
        (
            "permission-denied",
            "plugin 'asks': asks to: read the environment variable A; a dry run asks nobody whether it \
             may; hint: reload it to have it approved"
        )
    );
    assert!(approver.new.lock().expect("no panic").is_empty());
    assert!(consent.store.list().expect("a store").is_empty());
    decide(&consent, &["A"], None, false).expect("it is allowed");
    let granted = decide(&consent, &["A"], None, true);
    assert_eq!(granted, Ok((A.to_owned(), false)));
}

#[test]
fn what_is_linked_into_the_application_has_what_it_asks_for_unless_the_file_says_less() {
    let consent = consent(Some(Arc::new(DenyAll)));
    let decide = |file: Option<&Permissions>| {
        let answer = consent.decide(Question {
            manifest: &manifest(&["A", "B"]),
            hash: None,
            base: Path::new(BASE),
            in_file: file,
            dry: false,
        });
        answer.expect("nobody refuses it").grant.to_string()
    };
    assert_eq!(decide(None), AB);
    assert_eq!(decide(Some(&in_file(&["A"]))), A);
    assert_eq!(decide(Some(&in_file(&[]))), "nothing");
}

#[test]
fn the_words_of_the_warning() {
    let consent = consent(None);
    let answer = consent.decide(Question {
        manifest: &manifest(&["A"]),
        hash: Some(&hash_bytes(b"a build")),
        base: Path::new(BASE),
        in_file: None,
        dry: false,
    });
    let warning = answer.expect("no refusal").warning.expect("it lacks one");
    assert_eq!(warning.code.id, "permission-not-granted");
    assert_eq!(
        warning.to_string(),
        "asks to: read the environment variable A; nobody has granted that, so it is refused when the \
         plugin asks; hint: grant it under [plugin.asks.permissions] in the host's file, or give the host \
         an approver"
    );
}

#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_named_matters_only_where_something_is_asked_for() {
    use std::os::unix::ffi::OsStrExt;
    let library = Path::new(std::ffi::OsStr::from_bytes(b"/srv/\xff/lib.so"));
    let base = base_of(library);
    let consent = consent(None);
    let decide = |env: &[&str]| {
        consent.decide(Question {
            manifest: &manifest(env),
            hash: Some(&hash_bytes(b"a build")),
            base: &base,
            in_file: None,
            dry: false,
        })
    };
    let refused = decide(&["A"]).expect_err("nothing can be relative to it");
    assert_eq!(refused.code.id, "permission-malformed");
    let grant = decide(&[]).expect("nothing is asked for").grant;
    let id = PluginId::new("asks").expect("an id");
    let mediator = consent.mediator(&id, grant, base, None);
    assert_eq!(mediator.expect("it can be made").base(), Path::new("/"));
}
