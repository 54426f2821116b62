//! The host's file changes while the host runs.

use std::sync::Arc;

use keyway_host::{Adjustment, Configured, EventKind, Host, HostErrorKind};
use keyway_tests::many::Part;

use crate::scene::{Scene, Told, call, start};

/// Writes the host's file, and has the host read it again.
fn change(scene: &Scene, host: &Host, settings: &str) -> Arc<Adjustment> {
    std::fs::write(scene.path("keyway.toml"), settings).expect("a file");
    host.block_on(host.reload_settings()).expect("it is well")
}

/// What became of the settings of plugin `a`, in words.
fn configured(adjustment: &Adjustment) -> Vec<String> {
    let list = adjustment.configured.get("a");
    let list = list.map(|list| list.iter().map(ToString::to_string).collect());
    list.unwrap_or_default()
}

fn generation(host: &Host) -> u64 {
    host.plugin("a").expect("it runs").generation
}

fn hello(strategy: &str, greeting: &str, fail: &str) -> String {
    format!(
        "[host]\nstrategy = \"{strategy}\"\n[plugin.a.config]\ngreeting = \"{greeting}\"\nfail = \
         \"{fail}\"\n"
    )
}

#[test]
fn a_hot_setting_is_taken_by_the_plugin_that_runs_and_is_kept_over_reloads() {
    let scene = Scene::new();
    scene.add(Part::new("a"));
    let host = scene.host_with("");
    start(&host);
    let adjustment = change(&scene, &host, &hello("hybrid", "hello", ""));
    assert_eq!(configured(&adjustment), ["applied greeting"]);
    assert_eq!(call(&host, "a")["greeting"], "hello");
    assert_eq!(generation(&host), 1, "it is the same instance");
    let status = host.plugin("a").expect("it runs");
    let shown = status.config.iter().find(|value| value.name == "greeting");
    assert_eq!(shown.expect("it is shown").value, "hello");
    assert!(change(&scene, &host, &hello("hybrid", "hello", "")).is_empty());

    scene.add(Part::new("a").version("1.1.0"));
    let report = host.block_on(host.reload("a")).expect("it is loaded");
    assert!(report.outcome.is_committed(), "{report:?}");
    assert_eq!(call(&host, "a")["greeting"], "hello");
}

#[test]
fn what_a_setting_needs_and_the_strategy_decide_between_telling_reloading_and_waiting() {
    let scene = Scene::new();
    scene.add(Part::new("a"));
    let host = scene.host_with(&hello("hybrid", "", ""));
    start(&host);
    // `fail` has no `reload` in the manifest, and needs a new instance.
    let cases = [
        ("hybrid", "one", "nowhere", "reloaded for fail, greeting"),
        ("hybrid", "two", "nowhere", "applied greeting"),
        ("restart", "three", "nowhere", "reloaded for greeting"),
        ("hot", "three", "elsewhere", "needs a restart for fail"),
    ];
    for (strategy, greeting, fail, expected) in cases {
        let adjustment = change(&scene, &host, &hello(strategy, greeting, fail));
        assert_eq!(configured(&adjustment), [expected], "{strategy}");
        assert_eq!(call(&host, "a")["greeting"], *greeting);
    }
    let both = change(&scene, &host, &hello("hot", "four", "elsewhere"));
    assert_eq!(
        configured(&both),
        ["needs a restart for fail", "applied greeting"],
        "what waits is told until it was done"
    );
    host.block_on(host.restart("a")).expect("it runs");
    assert!(change(&scene, &host, &hello("hot", "four", "elsewhere")).is_empty());
}

#[test]
fn a_plugin_that_takes_no_settings_while_it_runs_is_reloaded_for_them_if_that_may_be() {
    let scene = Scene::new();
    scene.add(Part::new("a"));
    let host = scene.host_with(&hello("hybrid", "", "config-not-taken"));
    start(&host);
    let adjustment = change(&scene, &host, &hello("hybrid", "hi", "config-not-taken"));
    assert_eq!(configured(&adjustment), ["reloaded for greeting"]);
    assert_eq!(call(&host, "a")["greeting"], "hi");
    let adjustment = change(&scene, &host, &hello("hot", "ho", "config-not-taken"));
    let [Configured::Refused { reason }] = &adjustment.configured["a"][..] else {
        panic!("{adjustment:?}");
    };
    assert_eq!(reason.code(), "config-not-taken");
    assert_eq!(
        call(&host, "a")["greeting"],
        "hi",
        "it goes on with what it has"
    );
}

#[test]
fn settings_that_do_not_fit_leave_the_plugin_as_it_is() {
    let scene = Scene::new();
    scene.add(Part::new("a"));
    let host = scene.host_with(&hello("hybrid", "good", ""));
    start(&host);
    let wrong = "[plugin.a.config]\ngreeting = 7\n";
    let adjustment = change(&scene, &host, wrong);
    let [told] = &configured(&adjustment)[..] else {
        panic!("{adjustment:?}");
    };
    assert!(told.contains("setting `greeting`"), "{told}");
    assert!(told.contains("keyway.toml:2"), "{told}");
    assert_eq!(call(&host, "a")["greeting"], "good");
    // One whose change fails is asked in the next change again.
    let failing = hello("hybrid", "good", "config");
    assert_eq!(
        configured(&change(&scene, &host, &failing)),
        ["reloaded for fail"]
    );
    let adjustment = change(&scene, &host, &hello("hybrid", "better", "config"));
    let [told] = &configured(&adjustment)[..] else {
        panic!("{adjustment:?}");
    };
    assert!(told.contains("a fails in config"), "{told}");
    assert_eq!(call(&host, "a")["greeting"], "good");
}

#[test]
fn who_is_enabled_follows_the_file_and_so_does_who_could_not_start_for_its_settings() {
    let scene = Scene::new();
    scene.add(Part::new("a")).add(Part::new("b"));
    let broken = "[plugin.b.config]\nfail = 1\n";
    let host = scene.host_with(broken);
    let report = start(&host);
    assert!(report.failed.contains_key("b"), "{report}");
    let adjustment = change(&scene, &host, "[plugin.a]\nenabled = false\n");
    assert_eq!(adjustment.to_string(), "stopped a; started b");
    let adjustment = change(&scene, &host, "");
    assert_eq!(adjustment.to_string(), "started a");
}

#[test]
fn what_only_a_new_host_takes_is_named() {
    let scene = Scene::new();
    let host = scene.host_with("");
    let adjustment = change(
        &scene,
        &host,
        "[host]\ncall_deadline_ms = 7\nmax_retained = 3\n",
    );
    assert_eq!(
        adjustment.to_string(),
        "at the next start of the host: host.call_deadline_ms, host.max_retained"
    );
}

#[test]
fn the_file_is_watched_and_one_that_is_wrong_changes_nothing() {
    let scene = Scene::new();
    scene.add(Part::new("a"));
    let path = scene.path("keyway.toml");
    std::fs::write(&path, hello("hybrid", "", "")).expect("a file");
    let builder = scene.builder().hot_reload(true).config_file(&path);
    let host = builder.build().expect("a host");
    start(&host);
    let told = Told::by(&host);
    std::fs::write(&path, "[plugin.a\n").expect("a file");
    let reason = told.wait(|_, kind| match kind {
        EventKind::SettingsRefused { reason } => Some(Arc::clone(reason)),
        _ => None,
    });
    assert_eq!(reason.kind(), HostErrorKind::Settings);
    std::fs::write(&path, hello("hybrid", "seen", "")).expect("a file");
    let adjustment = told.wait(|_, kind| match kind {
        EventKind::Adjusted { adjustment } => Some(Arc::clone(adjustment)),
        _ => None,
    });
    assert_eq!(configured(&adjustment), ["applied greeting"]);
    assert_eq!(call(&host, "a")["greeting"], "seen");
}

#[test]
fn a_host_without_a_file_says_so() {
    let host = Scene::new().host();
    let error = host.block_on(host.reload_settings());
    let error = error.expect_err("it has none");
    assert!(error.to_string().contains("no file of settings"), "{error}");
}

#[test]
fn a_plugin_that_the_lists_do_not_let_run_any_more_stops() {
    let scene = Scene::new();
    scene
        .add(Part::new("a"))
        .add(Part::new("b").needs("a", "^1".into()));
    let host = scene.host_with("");
    start(&host);
    let adjustment = change(&scene, &host, "[plugins]\ndeny = [\"a\"]\n");
    assert_eq!(adjustment.to_string(), "stopped b, a");
    let adjustment = change(&scene, &host, "");
    assert_eq!(adjustment.to_string(), "started a, b");
}
