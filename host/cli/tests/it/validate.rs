//! `keyway validate`: examples pass, and each plugin that misbehaves fails the check that is about it.

mod misbehaving;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use expect_test::expect;
use keyway_tests::{variant, workspace};
use serde_json::Value;
use tempfile::TempDir;

use crate::run::{Run, keyway};

/// What is validated here.
const PLUGINS: [&str; 10] = [
    "accounts",
    "geo",
    "greeter",
    "lives-in-threads",
    "misbehaves",
    "not-a-plugin",
    "quota",
    "runs-at-load",
    "text-filter",
    "two-plugins",
];

/// The directory with copies of them, since `keyway dev` builds anew while other tests run; and with the list of
/// accounts, which that plugin looks for beside its library.
fn libraries() -> &'static Path {
    static COPIES: OnceLock<TempDir> = OnceLock::new();
    let copies = COPIES.get_or_init(|| {
        let copies = tempfile::tempdir().expect("a directory");
        for plugin in PLUGINS {
            std::fs::copy(keyway_tests::plugin(plugin), copy(copies.path(), plugin))
                .expect("a copy");
        }
        let list = workspace().join("examples/gateway/plugins/accounts/accounts.txt");
        std::fs::copy(list, copies.path().join("accounts.txt")).expect("a copy");
        copies
    });
    copies.path()
}

fn library(plugin: &str) -> PathBuf {
    copy(libraries(), plugin)
}

fn copy(dir: &Path, plugin: &str) -> PathBuf {
    dir.join(format!("{plugin}.{}", std::env::consts::DLL_EXTENSION))
}

/// `keyway validate` of a library, with settings, each as `key=JSON`.
fn validate(library: &Path, settings: &[&str]) -> Run {
    let run = keyway("validate -q").arg(library);
    let run = run.name(libraries(), "[LIBS]");
    settings
        .iter()
        .fold(run, |run, setting| run.arg("--config").arg(setting))
}

/// The answer as JSON, with the exit code.
fn report(run: Run) -> (Option<i32>, Value) {
    let output = run.args("--json").output();
    let errors = String::from_utf8_lossy(&output.stderr);
    let answer = serde_json::from_slice(&output.stdout);
    let answer = answer.unwrap_or_else(|error| panic!("{error}: {errors}"));
    (output.status.code(), answer)
}

/// What came of a check in the first library of an answer.
#[track_caller]
fn check<'a>(answer: &'a Value, id: &str) -> &'a Value {
    let checks = answer["libraries"][0]["checks"].as_array();
    let mut checks = checks.into_iter().flatten();
    let found = checks.find(|check| check["id"] == id);
    found.unwrap_or_else(|| panic!("no {id}: {answer}"))
}

#[test]
fn every_example_passes_every_check_that_applies_to_it() {
    let examples = [
        (library("text-filter"), 14),
        (library("accounts"), 11),
        (library("greeter"), 14),
        (library("quota"), 12),
    ];
    for (example, in_order) in examples {
        let (code, answer) = report(validate(&example, &[]));
        assert_eq!(code, Some(0), "{answer:#}");
        assert_eq!(answer["outcome"], "success", "{answer:#}");
        let checks = answer["libraries"][0]["checks"].as_array().expect("a list");
        assert_eq!(checks.len(), 17);
        let good = checks.iter().filter(|check| check["outcome"] == "success");
        assert_eq!(good.count(), in_order, "{answer:#}");
        let others = checks.iter().filter(|check| check["outcome"] != "success");
        for other in others {
            assert_eq!(other["outcome"], "skipped", "{answer:#}");
        }
    }
}

#[test]
fn an_older_host_really_has_less_to_offer() {
    let (code, answer) = report(validate(&library("accounts"), &[]).args("--only older-host"));
    assert_eq!(code, Some(0));
    let message = check(&answer, "older-host")["message"].as_str();
    let message = message.expect("a text");
    // It reads a file by way of its host, and cannot do without.
    let expected = "this host was built before hosts offered files to plugins";
    assert!(message.contains(expected), "{message}");
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn the_table_has_a_line_for_each_check() {
    validate(&library("text-filter"), &[]).check(&expect![[r#"
        exit 0
        --- stdout
        text-filter 0.1.0

        success  inspects            text-filter v0.1.0, for host 0.1.0 and newer
        success  loads               it speaks interface 1.0
        success  contract            all of 2 registrations that it declares
        success  unloads             gone from memory each of 8 times
        success  reloads             taken over 8 times
        skipped  state-round-trip    it hands over no state
        skipped  unknown-capability  it offers nothing but extension points of Keyway
        success  older-host          it starts there, and 3 answers came
        success  newer-host          it starts there, and 3 answers came
        skipped  denied-services     it asks for no permissions
        success  config              9 configurations taken, 10 refused by the plugin, 4
                                     refused by the host
        success  tool-input          57 inputs answered, 14 refused by the tool, 29 by
                                     the host
        success  tool-garbage        99 texts refused, 1 answered
        success  panic-containment   nothing panicked, and it is as well as before
        success  cancel-mid-poll     1 call dropped on the way, 7 ended before
        success  drop-elsewhere      1 call dropped on the way, 7 ended before
        success  leaks               no more memory, threads or files than before

        17 checks: 3 skipped, 14 in order (seed 1)
    "#]]);
}

#[test]
fn what_is_no_plugin_is_refused_and_the_rest_skipped() {
    validate(&library("not-a-plugin"), &[])
        .args("--only inspects --only loads --only leaks")
        .check(&expect![[r#"
            exit 3
            --- stdout
            not-a-plugin.so

            failed   inspects
                     not a Keyway plugin: expected a note in section .note.keyway, found
                     none
                     hint: if this is your plugin: call keyway::export_plugin! in its crate
            skipped  loads               it is no plugin; see inspects
            skipped  leaks               it is no plugin; see inspects

            3 checks: 1 failed, 2 skipped (seed 1)
        "#]]);
}

#[cfg(unix)]
#[test]
fn a_tool_that_ends_the_process_is_told_with_the_input_and_the_others_go_on() {
    validate(
        &library("misbehaves"),
        &["at=\"call-tool\"", "how=\"abort\""],
    )
    .args("--only tool-input --only tool-garbage --only unloads")
    .check(&expect![[r#"
        exit 1
        --- stdout
        misbehaves 0.1.0

        success  unloads             gone from memory each of 8 times
        crashed  tool-input
                 the process of the check was ended by SIGABRT while calling tool
                 `double` with {"number":-9223372036854775808}; expected that the plugin
                 leaves it alone
                 reproduce: keyway validate [LIBS]/misbehaves.so --config 'at="call-tool"' --config 'how="abort"' --reproduce tool-input:1:0
        skipped  tool-garbage        its tools fail; see tool-input

        3 checks: 1 crashed, 1 skipped, 1 in order (seed 1)
    "#]]);
}

#[test]
fn a_case_is_run_alone_and_finds_the_same() {
    validate(&library("misbehaves"), &["at=\"call-tool\""])
        .args("--reproduce tool-input:1:3")
        .check(&expect![[r#"
            exit 1
            --- stdout
            misbehaves 0.1.0

            failed   tool-input
                     tool `double` panicked: asked to panic at CallTool (at
                     tests/fixtures/misbehaves/src/settings.rs:[LINE]); expected an answer
                     or an error
                     | input: {"number":3747282623947177545}
                     hint: answer an error instead, such as PluginError::invalid_input
                     reproduce: keyway validate [LIBS]/misbehaves.so --config 'at="call-tool"' --reproduce tool-input:1:3

            1 check: 1 failed (seed 1)
        "#]]);
    let (code, answer) = report(
        validate(&library("misbehaves"), &["at=\"call-tool\"", "after=1"])
            .args("--reproduce tool-input:1:3"),
    );
    assert_eq!(code, Some(0), "there was one call: {answer:#}");
}

#[test]
fn other_seeds_make_other_input_and_the_same_seed_the_same() {
    let input = |seed: &str| {
        let run = validate(&library("misbehaves"), &["at=\"call-tool\""]);
        let (_, answer) = report(run.args("--only tool-input --seed").arg(seed));
        assert_eq!(answer["libraries"][0]["seed"].to_string(), seed);
        check(&answer, "tool-input")["details"][0].clone()
    };
    assert_eq!(input("7"), input("7"));
    assert_ne!(input("7"), input("8"));
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn memory_that_is_kept_in_each_round_is_found() {
    let run = validate(
        &library("misbehaves"),
        &["at=\"call-tool\"", "how=\"leak\""],
    );
    let (code, answer) = report(run.args("--only leaks"));
    assert_eq!(code, Some(1));
    let message = check(&answer, "leaks")["message"].as_str().expect("a text");
    assert!(
        message.starts_with("the resident memory grew in each of 3 times 40 rounds"),
        "{message}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_thread_local_that_nobody_may_destroy_keeps_the_library_and_is_told() {
    let good = std::fs::read(library("lives-in-threads")).expect("the fixture");
    let retains =
        keyway_tests::binary::with_reload(&good, serde_json::json!({ "thread_locals": "retain" }));
    let dir = tempfile::tempdir().expect("a directory");
    let retaining = dir.path().join("libretains.so");
    std::fs::write(&retaining, retains).expect("a file");
    let run = validate(&retaining, &["leave=\"thread-local\""]);
    let (code, answer) = report(run.args("--only unloads"));
    assert_eq!(code, Some(1), "{answer:#}");
    let found = check(&answer, "unloads");
    assert_eq!(found["outcome"], "failed");
    let message = found["message"].as_str().expect("a text");
    assert!(
        message.starts_with("the library stays in memory after the plugin was stopped"),
        "{answer:#}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_library_that_runs_code_when_it_is_opened_is_inspected_without() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mark, abort) = (dir.path().join("mark"), dir.path().join("abort"));
    let run = |only: &str| {
        let run = validate(&library("runs-at-load"), &[])
            .args("--only")
            .arg(only);
        run.env("KEYWAY_TESTS_MARK", &mark)
            .env("KEYWAY_TESTS_ABORT_AT_LOAD", &abort)
    };
    let (code, _) = report(run("inspects"));
    assert_eq!((code, mark.exists()), (Some(0), false), "it was not opened");
    let (code, _) = report(run("loads"));
    assert_eq!((code, mark.exists()), (Some(0), true), "it was opened");
    std::fs::write(&abort, "").expect("a file");
    let (code, answer) = report(run("loads"));
    assert_eq!(code, Some(1));
    let found = check(&answer, "loads");
    assert_eq!(found["outcome"], "crashed");
    let message = found["message"].as_str().expect("a text");
    assert!(
        message.contains("ended by SIGABRT while loading the plugin"),
        "{message}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_not_granted_must_be_an_error_for_the_plugin() {
    let good = std::fs::read(library("misbehaves")).expect("the fixture");
    let asks = keyway_tests::binary::with_note(&good, |note| {
        note.change_manifest(|plugin| {
            let read = serde_json::json!({ "filesystem": { "read": ["list.txt"] } });
            plugin.insert("permissions".to_owned(), read);
        });
    });
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("list.txt"), "one\n").expect("a file");
    let asking = dir.path().join("libasks.so");
    std::fs::write(&asking, asks).expect("a file");
    let run =
        |settings: &[&str]| validate(&asking, settings).args("--only loads --only denied-services");
    let (code, answer) = report(run(&["relies-on=\"list.txt\""]));
    assert_eq!(code, Some(1), "{answer:#}");
    assert_eq!(
        check(&answer, "loads")["outcome"],
        "success",
        "what it reads is granted: {answer:#}"
    );
    let denied = check(&answer, "denied-services");
    assert_eq!(denied["outcome"], "failed");
    let message = denied["message"].as_str().expect("a text");
    assert!(
        message.contains("panicked: there is always list.txt"),
        "{message}"
    );
    let (code, answer) = report(run(&[]));
    assert_eq!(code, Some(0), "{answer:#}");
    let (_, answer) = report(run(&["relies-on=\"list.txt\""]).args("--grant none"));
    assert_eq!(check(&answer, "loads")["outcome"], "failed");
}

#[test]
fn a_state_that_does_not_come_through_is_told() {
    let v1 = variant("keeps-state", "v1");
    let state = |settings: &[&str]| {
        let (code, answer) = report(validate(&v1, settings).args("--only state-round-trip"));
        (
            code,
            check(&answer, "state-round-trip")["message"].to_string(),
        )
    };
    let (code, message) = state(&[]);
    assert_eq!(code, Some(0), "{message}");
    assert!(message.contains("came through"), "{message}");
    let (code, message) = state(&["import=\"fail\""]);
    assert_eq!(code, Some(1));
    assert!(
        message.contains("refused in phase state: import_state failed: asked to fail"),
        "{message}"
    );
    let (code, message) = state(&["export=\"panic\""]);
    assert_eq!(code, Some(1));
    assert!(
        message.contains("the plugin panicked: asked to panic in export"),
        "{message}"
    );
}

#[cfg(unix)]
#[test]
fn settings_that_end_the_process_are_found_with_the_case() {
    // Some of its settings are there to do so.
    let (code, answer) = report(validate(&variant("keeps-state", "v1"), &[]).args("--only config"));
    assert_eq!(code, Some(1));
    let found = check(&answer, "config");
    assert_eq!(found["outcome"], "crashed");
    let message = found["message"].as_str().expect("a text");
    assert!(
        message.contains("giving it the settings {") && message.contains("\"dies_at\""),
        "{message}"
    );
    let case = found["reproduce"].as_str().expect("a case");
    let (_, again) = report(
        validate(&variant("keeps-state", "v1"), &[])
            .args("--reproduce")
            .arg(case),
    );
    assert_eq!(check(&again, "config")["message"], found["message"]);
}

#[test]
fn a_check_that_takes_too_long_is_ended_and_names_the_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let port = format!("port={port}");
    let temporary = tempfile::tempdir().expect("a directory");
    let settings = ["at=\"call-tool\"", "how=\"block\"", port.as_str()];
    let run = validate(&library("misbehaves"), &settings).env("TMPDIR", temporary.path());
    // The tool keeps its thread, which no deadline of a call can end.
    let (code, answer) = report(run.args("--only tool-input --time-limit 5s"));
    assert_eq!(code, Some(6), "{answer:#}");
    let found = check(&answer, "tool-input");
    assert_eq!(found["outcome"], "failed");
    let message = found["message"].as_str().expect("a text");
    assert!(
        message.starts_with("not done within the limit of 5s: calling tool `double` with"),
        "{message}"
    );
    assert_eq!(found["timed_out"], true);
    let left = std::fs::read_dir(temporary.path()).expect("the directory");
    assert_eq!(left.count(), 0, "nothing of it is left behind");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_checks_that_run() {
    use std::process::{Command, Stdio};

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = format!("port={}", listener.local_addr().expect("an address").port());
    let temporary = tempfile::tempdir().expect("a directory");
    let settings = ["at=\"call-tool\"", "how=\"block\"", port.as_str()];
    let child = validate(&library("misbehaves"), &settings)
        .args("--only tool-input")
        .env("TMPDIR", temporary.path())
        .into_command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("keyway starts");
    let (mut plugin, _) = listener.accept().expect("the plugin connects");
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.expect("kill is there").success());
    let output = child.wait_with_output().expect("keyway ends");
    assert_eq!(output.status.code(), Some(130));
    assert!(output.stdout.is_empty());
    // The process of the check is gone, and so is its end of the connection.
    let read = std::io::Read::read(&mut plugin, &mut [0]);
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    let left = std::fs::read_dir(temporary.path()).expect("the directory");
    assert_eq!(left.count(), 0, "nothing of it is left behind");
}

#[test]
fn results_are_written_for_continuous_integration() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("results.xml");
    let output = validate(&library("misbehaves"), &["offer=\"nothing\""])
        .args("--only inspects --only contract --only tool-input --junit")
        .arg(&file)
        .output();
    assert_eq!(output.status.code(), Some(1));
    let xml = std::fs::read_to_string(file).expect("it is written");
    for part in [
        "<testsuites name=\"keyway validate\" tests=\"3\" failures=\"1\" errors=\"0\">",
        "<testcase classname=\"misbehaves\" name=\"inspects\" time=\"",
        "<failure message=\"registered is not what plugin.toml declares under [plugin.capabilities]\">",
        "<skipped message=\"it offers no tools\"></skipped>",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
}

#[test]
fn a_directory_is_validated_library_by_library() {
    let dir = tempfile::tempdir().expect("a directory");
    for fixture in ["greeter", "not-a-plugin"] {
        let name = format!("{fixture}.{}", std::env::consts::DLL_EXTENSION);
        std::fs::copy(library(fixture), dir.path().join(name)).expect("a copy");
    }
    let (code, answer) = report(validate(dir.path(), &[]).args("--only inspects"));
    assert_eq!(code, Some(3), "the worst counts");
    let libraries = answer["libraries"].as_array().expect("a list");
    let outcomes: Vec<&Value> = libraries
        .iter()
        .map(|library| &library["checks"][0]["outcome"])
        .collect();
    assert_eq!(outcomes, ["success", "failed"]);
    assert_eq!(answer["outcome"], "failed");
}

#[test]
fn the_answer_for_programs_has_these_keys() {
    let mut run = validate(&library("greeter"), &[]).args("--only loads --json");
    let output = run.output();
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let time = regex_lite::Regex::new("\"milliseconds\":[0-9]+").expect("a pattern");
    let text = time.replace(&text, "\"milliseconds\":0");
    let text = text.replace(&*library("greeter").to_string_lossy(), "[LIBRARY]");
    expect![[r#"
        {"schema_version":1,"outcome":"success","libraries":[{"library":"[LIBRARY]","plugin":"greeter","version":"1.0.0","seed":1,"cases":100,"checks":[{"id":"loads","outcome":"success","message":"it speaks interface 1.0","hint":null,"details":[],"reproduce":null,"timed_out":false,"milliseconds":0}]}]}
    "#]].assert_eq(&text);
}

#[test]
fn the_checks_are_listed() {
    keyway("validate --list").check(&expect![[r#"
        exit 0
        --- stdout
        inspects            The file is a complete library with one note and a manifest
                            that reads
        loads               It loads, says that it is well, and ends in order
        contract            The manifest, the note and what it registers say the same
        unloads             Nothing of it stays in memory when it was stopped
        reloads             A new version takes over each time, and the old one goes
        state-round-trip    The next version takes the state that it hands over, and has
                            the same state then
        unknown-capability  A host that does not know its extension points loads it all
                            the same
        older-host          It works in a host that offers fewer methods
        newer-host          It works in a host that offers more methods
        denied-services     What it is not granted is an error for it, and no disaster
        config              Every configuration is taken, or refused with an error
        tool-input          Tools answer what their schema allows, or refuse it with an
                            error
        tool-garbage        Tools refuse what is no JSON, or no sensible JSON
        panic-containment   Nothing in it panics, from its start to its end, on
                            whichever thread
        cancel-mid-poll     A call may be dropped at any moment
        drop-elsewhere      A call may be dropped on another thread than the one that
                            polled it
        leaks               Loading, calling and unloading it again and again needs no
                            more memory, threads or files
    "#]]);
    let output = keyway("validate --list --json").output();
    let list: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(list["checks"].as_array().expect("a list").len(), 17);
}

#[test]
fn what_cannot_be_followed_is_told_before_anything_runs() {
    keyway("validate lib.so --only tool-inptu").check(&expect![[r#"
        exit 2
        --- stderr
        error: invalid value 'tool-inptu' for '--only <CHECK>'
          [possible values: inspects, loads, contract, unloads, reloads, state-round-trip, unknown-capability, older-host, newer-host, denied-services, config, tool-input, tool-garbage, panic-containment, cancel-mid-poll, drop-elsewhere, leaks]

          tip: a similar value exists: 'tool-input'

        For more information, try '--help'.
    "#]]);
    keyway("validate lib.so --reproduce tool-input:1").check(&expect![[r#"
        exit 2
        --- stderr
        error: invalid value 'tool-input:1' for '--reproduce <CHECK:SEED:CASE>': expected CHECK:SEED:CASE such as tool-input:1:17, found `tool-input:1`

        For more information, try '--help'.
    "#]]);
    keyway("validate missing.so").check(&expect![[r#"
        exit 5
        --- stderr
        error: missing.so: expected a library, found no file
    "#]]);
    keyway("validate").check(&expect![[r#"
        exit 2
        --- stderr
        error: the following required arguments were not provided:
          <FILE|DIR>

        Usage: keyway validate <FILE|DIR>

        For more information, try '--help'.
    "#]]);
}
