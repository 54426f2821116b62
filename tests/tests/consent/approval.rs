//! Who decides, what they see, and what is remembered.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};

use keyway_host::permission::Approval;
use keyway_host::{
    ApprovalRequest, Approver, HostErrorKind, LoadOptions, ReloadOptions, ReloadOutcome,
    ReloadPhase,
};
use keyway_tests::host_builder;
use keyway_tests::scene::told;
use serde_json::json;

use crate::scene::{Home, PATIENCE, Scene, load, name};

/// Writes down what is new, and allows it unless it has a word in it.
#[derive(Clone, Default)]
struct Notes {
    seen: Arc<Mutex<Vec<String>>>,
    never: &'static str,
}

impl Notes {
    fn refusing(word: &'static str) -> Self {
        Notes {
            never: word,
            ..Notes::default()
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().expect("no panic"))
    }
}

impl Approver for Notes {
    fn decide(&self, request: &ApprovalRequest<'_>) -> Approval {
        let new = format!("{} v{}: {}", request.plugin, request.version, request.diff);
        let allowed = self.never.is_empty() || !new.contains(self.never);
        self.seen.lock().expect("no panic").push(new);
        match allowed {
            true => Approval::Allow,
            false => Approval::Deny {
                reason: "the operator said no".to_owned(),
            },
        }
    }
}

fn reads(paths: &[&str]) -> serde_json::Value {
    json!({ "filesystem": { "read": paths } })
}

#[test]
fn an_approver_sees_only_what_is_new_and_another_host_finds_what_was_approved() {
    let home = Home::new();
    home.file("data/a", "A");
    let (notes, state) = (Notes::default(), home.at("state"));
    let at = |path: &str| home.at(path).display().to_string();
    let (data, more) = (at("data"), at("more"));
    home.put("1.0.0", &reads(&["data"]));
    let host = || host_builder().state_dir(&state).approver(notes.clone());
    let scene = Scene::with(host(), home);
    assert_eq!(notes.take(), [format!("asks v1.0.0: + read {data}")]);
    assert_eq!(
        scene.ask("read", name("data/a")).expect("it is approved"),
        "A"
    );

    // Another content with the same wishes.
    scene.home.put("1.0.1", &reads(&["data"]));
    let report = scene.host.block_on(scene.host.reload("asks"));
    assert!(report.expect("it is loaded").outcome.is_committed());
    assert!(notes.take().is_empty());

    scene.home.put("1.1.0", &reads(&["data", "more"]));
    let report = scene.host.block_on(scene.host.reload("asks"));
    assert!(report.expect("it is loaded").outcome.is_committed());
    assert_eq!(notes.take(), [format!("asks v1.1.0: + read {more}")]);
    let status = scene.host.plugin("asks").expect("it is loaded");
    assert_eq!(
        status.permissions.to_string(),
        format!("read {data}, read {more}")
    );
    assert!(status.warnings.is_empty(), "{status:?}");
    scene.host.block_on(scene.host.shutdown());

    let Scene { host: old, home } = scene;
    drop(old);
    let scene = Scene::with(host(), home);
    assert!(notes.take().is_empty(), "it was approved for this content");
    // Back to the first content, which was approved for less and asks for no more.
    scene.home.put("1.0.0", &reads(&["data"]));
    let report = scene.host.block_on(scene.host.reload("asks"));
    assert!(report.expect("it is loaded").outcome.is_committed());
    assert!(notes.take().is_empty());
    scene.end();
}

#[test]
fn a_refusal_refuses_before_any_code_runs_and_in_a_reload_the_old_version_serves_on() {
    let home = Home::new();
    home.put("1.0.0", &json!({ "subprocess": ["sh"] }));
    let notes = Notes::refusing("start sh");
    let host = host_builder().approver(notes.clone());
    let host = host.build().expect("a host");
    let error = load(&host, &home.library()).expect_err("it is refused");
    assert_eq!(error.kind(), HostErrorKind::Refused);
    assert_eq!(error.code(), "permission-denied");
    let library = home.library();
    assert_eq!(
        error.to_string(),
        format!(
            "plugin 'asks' ({}): asks to: start sh; refused: the operator said no; hint: approve it, if \
             you trust the plugin with that",
            library.display()
        )
    );
    let counts = host.libraries();
    assert_eq!((counts.open, counts.unloaded), (0, 0), "it was not opened");

    home.put("1.0.0", &reads(&["data"]));
    load(&host, &home.library()).expect("that is allowed");
    home.put(
        "1.1.0",
        &json!({ "filesystem": { "read": ["data"] }, "subprocess": ["sh"] }),
    );
    notes.take();
    let report = host.block_on(host.reload("asks")).expect("it is loaded");
    assert_eq!(notes.take(), ["asks v1.1.0: + start sh"]);
    let ReloadOutcome::Refused { phase, reason } = &report.outcome else {
        panic!("it was not refused: {report:?}");
    };
    assert_eq!(
        (*phase, reason.code()),
        (ReloadPhase::Check, "permission-denied")
    );
    let text = reason.to_string();
    assert!(
        text.contains("asks beyond what was approved for v1.0.0 to: start sh;"),
        "{text}"
    );
    let status = host.plugin("asks").expect("it serves");
    assert_eq!(status.version.to_string(), "1.0.0");
    host.block_on(host.shutdown());
}

#[test]
fn what_the_hosts_file_grants_needs_no_approval() {
    let home = Home::new();
    home.put(
        "1.0.0",
        &json!({ "env": ["LANG", "TZ"], "subprocess": true }),
    );
    let notes = Notes::default();
    let file = home.grants("env = [\"LANG\"]\nsubprocess = [\"sh\"]");
    let builder = host_builder().config_file(file).approver(notes.clone());
    let scene = Scene::with(builder, home);
    assert_eq!(
        notes.take(),
        ["asks v1.0.0: + read the environment variable TZ\n+ start every program"]
    );
    scene.ask("variable", name("LANG")).expect("it is granted");
    scene.ask("variable", name("TZ")).expect("it is approved");
    scene.end();
}

#[test]
fn without_an_approver_a_plugin_runs_without_what_nobody_granted_and_that_is_told() {
    let home = Home::new();
    home.put("1.0.0", &json!({ "env": ["LANG", "TZ"], "network": true }));
    let builder =
        host_builder().config_file(home.grants("env = [\"LANG\"]\nnetwork = [\"a.example:1\"]"));
    let scene = Scene::with(builder, home);
    let status = scene.host.plugin("asks").expect("it is loaded");
    assert_eq!(
        told(&status.warnings),
        [
            "permission-not-granted: asks to: connect to every host of the internet, read the environment variable TZ; nobody has \
             granted that, so it is refused when the plugin asks; hint: grant it under \
             [plugin.asks.permissions] in the host's file, or give the host an approver"
        ]
    );
    assert_eq!(
        status.permissions.to_string(),
        "connect to a.example:1, read the environment variable LANG"
    );
    scene.ask("variable", name("LANG")).expect("it is granted");
    assert_eq!(scene.refused("variable", name("TZ")), "env-not-granted");
    scene.end();
}

#[test]
fn what_was_approved_counts_also_where_nobody_is_asked() {
    let home = Home::new();
    home.put("1.0.0", &json!({ "env": ["LANG"] }));
    let store = home.at("approved.json");
    let host = || host_builder().permission_store(&store);
    let scene = Scene::with(host().approver(Notes::default()), home);
    scene.end();
    let Scene { home, .. } = scene;
    home.put("1.1.0", &json!({ "env": ["LANG", "TZ"] }));
    let scene = Scene::with(host(), home);
    scene
        .ask("variable", name("LANG"))
        .expect("it was approved");
    assert_eq!(scene.refused("variable", name("TZ")), "env-not-granted");
    scene.end();
}

#[test]
fn a_store_that_cannot_be_read_refuses_those_who_would_need_it() {
    let home = Home::new();
    let store = home.file("approved.json", "{ this is no store");
    let notes = Notes::default();
    let builder = host_builder()
        .permission_store(&store)
        .approver(notes.clone());
    let host = builder.build().expect("a host");
    home.put("1.0.0", &json!({ "env": ["LANG"] }));
    let error = load(&host, &home.library()).expect_err("it is refused");
    assert_eq!(error.code(), "permission-store-corrupt");
    let text = error.to_string();
    let moved = format!("mv '{}'", store.display());
    assert!(text.contains(&moved), "{text}");
    assert!(notes.take().is_empty(), "nobody was asked");

    home.put("1.0.0", &json!({}));
    load(&host, &home.library()).expect("it asks for nothing");
    host.block_on(host.shutdown());
    let kept = std::fs::read_to_string(&store).expect("it is there");
    assert_eq!(kept, "{ this is no store");
}

#[test]
fn a_dry_run_asks_nobody_and_runs_nothing_that_was_not_approved() {
    let home = Home::new();
    home.put("1.0.0", &json!({}));
    let notes = Notes::default();
    let scene = Scene::with(host_builder().approver(notes.clone()), home);
    scene.home.put("1.1.0", &json!({ "subprocess": ["sh"] }));
    let tried = scene
        .host
        .block_on(scene.host.dry_run("asks", ReloadOptions::new()));
    let error = tried.expect_err("it would have to be approved");
    assert_eq!(error.code(), "permission-denied");
    assert!(error.to_string().contains("start sh"), "{error}");
    assert!(notes.take().is_empty());

    let report = scene.host.block_on(scene.host.reload("asks"));
    assert!(report.expect("it is loaded").outcome.is_committed());
    assert_eq!(notes.take(), ["asks v1.1.0: + start sh"]);
    // It was approved by now, so it can be tried.
    let tried = scene
        .host
        .block_on(scene.host.dry_run("asks", ReloadOptions::new()));
    assert!(tried.expect("it is what serves").unchanged);
    scene.host.block_on(scene.host.shutdown());
}

/// Says that it is asked, and waits for the answer.
struct Waits {
    asked: Mutex<Sender<()>>,
    answer: Mutex<Receiver<Approval>>,
}

impl Approver for Waits {
    fn decide(&self, _: &ApprovalRequest<'_>) -> Approval {
        self.asked
            .lock()
            .expect("no panic")
            .send(())
            .expect("the test waits");
        let answer = self.answer.lock().expect("no panic").recv_timeout(PATIENCE);
        answer.expect("the test answers")
    }
}

#[test]
fn an_approver_that_takes_its_time_keeps_no_other_plugin_waiting() {
    let (home, other) = (Home::new(), Home::new());
    home.put("1.0.0", &json!({ "env": ["LANG"] }));
    other.put("1.0.0", &json!({}));
    let (asked, is_asked) = mpsc::channel();
    let (answers, answer) = mpsc::channel();
    let approver = Waits {
        asked: Mutex::new(asked),
        answer: Mutex::new(answer),
    };
    let host = host_builder().approver(approver).build().expect("a host");
    let waiting = {
        let (host, library) = (host.clone(), home.library());
        std::thread::spawn(move || load(&host, &library))
    };
    is_asked.recv_timeout(PATIENCE).expect("it is asked");
    let options = LoadOptions::new().namespace("other");
    let loaded = host.block_on(host.load_with(other.library(), options));
    assert_eq!(loaded.expect("it loads").name, "other/asks");
    host.block_on(host.stop("other/asks")).expect("it stops");
    assert!(host.plugin("asks").is_err(), "it waits still");
    answers.send(Approval::Allow).expect("it waits");
    waiting.join().expect("no panic").expect("it loads");
    host.block_on(host.shutdown());
}
