//! Processes that die in the middle of a reload: the version whose code ran is refused, the other
//! one serves.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use keeps_state::{Counter, CounterHandle};
use keyway_host::inspect::hash_file;
use keyway_host::{
    EventKind, Events, Host, HostErrorKind, Occasion, Phase, ReloadOptions, ReloadOutcome,
    ReloadPhase, ReloadReport, Trigger,
};
use keyway_tests::scene::{assert_says, object};
use keyway_tests::{child, host_builder, plugin, variant};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ABORT_AT_LOAD, CONFIG, HOME, PLUGIN, config_in, dies_in, host_in, load, state_in};

const NEW: &str = "KEYWAY_TESTS_NEW";
const NEW_CONFIG: &str = "KEYWAY_TESTS_NEW_CONFIG";
const PORT: &str = "KEYWAY_TESTS_PORT";

/// Two versions of a plugin, and a directory with the file that one replaces the other in.
struct Reload {
    name: &'static str,
    old: PathBuf,
    new: PathBuf,
    /// The version of the new one; the old one is 0.1.0.
    to: &'static str,
    home: TempDir,
}

/// The file that is loaded.
fn file_in(home: &Path) -> PathBuf {
    home.join("plugin.so")
}

/// It is there while a process reloads.
fn reloading_in(home: &Path) -> PathBuf {
    home.join("reloading")
}

fn put(library: &Path, home: &Path) {
    let new = home.join("plugin.so.new");
    std::fs::copy(library, &new).expect("a library");
    std::fs::rename(new, file_in(home)).expect("it takes its place");
}

fn reload(host: &Host, name: &str, options: ReloadOptions) -> Arc<ReloadReport> {
    let reload = host.reload_with(name, options);
    host.block_on(reload).expect("it is loaded")
}

impl Reload {
    fn of(name: &'static str, old: PathBuf, new: PathBuf, to: &'static str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        Reload {
            name,
            old,
            new,
            to,
            home,
        }
    }

    /// Of version 0.1.0 of `keeps-state` by 0.1.1, both in this mode.
    fn of_state(mode: &str) -> Self {
        let version = |version: &str| variant("keeps-state", &format!("{version}{mode}"));
        Reload::of("keeps-state", version("v1"), version("v2"), "0.1.1")
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    fn file(&self) -> PathBuf {
        file_in(self.home())
    }

    fn put(&self, library: &Path) {
        put(library, self.home());
    }

    /// In a process that dies of it.
    #[track_caller]
    fn dies(&self, old_config: &Value, new_config: &Value) {
        let (old_config, new_config) = (old_config.to_string(), new_config.to_string());
        let reloading = reloading_in(self.home());
        let environment: &[(&str, &OsStr)] = &[
            (HOME, self.home().as_os_str()),
            (PLUGIN, self.old.as_os_str()),
            (CONFIG, old_config.as_ref()),
            (NEW, self.new.as_os_str()),
            (NEW_CONFIG, new_config.as_ref()),
            (ABORT_AT_LOAD, reloading.as_os_str()),
        ];
        dies_in("reload::reloads_what_it_is_told", environment);
        assert!(reloading.exists(), "it died before it came to the reload");
        std::fs::remove_file(reloading).expect("it is there");
    }

    /// This version is in quarantine, and nothing else: it was in this phase when the process died.
    #[track_caller]
    fn assert_blamed(&self, host: &Host, library: &Path, occasion: &Occasion, phase: Phase) {
        let quarantined = host.quarantined();
        let [found] = &*quarantined else {
            panic!("there is one: {quarantined:?}")
        };
        let hash = hash_file(library).expect("it is there");
        assert_eq!(found.hash, hash, "{found:?}");
        assert_eq!((&found.occasion, found.phase), (occasion, phase));
        assert_eq!((&*found.plugin, &found.path), (self.name, &self.file()));
    }

    /// The new version killed a process in this phase: the next host refuses it, and the old one
    /// serves.
    #[track_caller]
    fn assert_new_is_to_blame(&self, phase: Phase, serves: impl Fn(&Host) -> String) {
        let host = host_in(self.home());
        let (from, to) = ("0.1.0", self.to);
        let occasion = Occasion::Reload {
            from: from.parse().expect("a version"),
        };
        self.assert_blamed(&host, &self.new, &occasion, phase);
        let hash = hash_file(&self.new).expect("it is there");
        let told = [
            format!(
                "plugin '{}' v{to} ({}): quarantined: on ",
                self.name,
                self.file().display()
            ),
            format!(
                "a process died while a reload replaced v{from} by this very build, in phase {phase}; "
            ),
            format!("to load this one again, release {hash}"),
        ];
        let told = told.each_ref().map(|words| &**words);

        // The file that the process has left is the one that it died of.
        let error = load(&host, &self.file(), json!({})).expect_err("a process died of it");
        assert_says(&error, HostErrorKind::Quarantined, &told);
        assert_eq!(error.code(), "quarantined");

        self.put(&self.old);
        load(&host, &self.file(), json!({})).expect("nobody died of it");
        assert_eq!(serves(&host), from);
        self.put(&self.new);
        for options in [ReloadOptions::new(), ReloadOptions::new().force()] {
            let report = reload(&host, self.name, options);
            let ReloadOutcome::Refused { phase, reason } = &report.outcome else {
                panic!("it was not refused: {report:#?}");
            };
            assert_eq!(*phase, ReloadPhase::Check);
            assert_says(reason, HostErrorKind::Quarantined, &told);
            assert_eq!(reason.code(), "quarantined");
            assert_eq!(serves(&host), from, "it serves on");
        }
        let status = host.plugin(self.name).expect("it is loaded");
        assert_eq!(status.generation, 1);

        assert!(host.release(&hash).expect("it is writable"));
        let report = reload(&host, self.name, ReloadOptions::new());
        assert!(report.outcome.is_committed(), "{report:#?}");
        assert_eq!(serves(&host), to);
        assert!(host.quarantined().is_empty());
        assert!(host.block_on(host.shutdown()).is_empty());
        let next = host_in(self.home());
        load(&next, &self.file(), json!({})).expect("a reload to a good end is no crash");
    }

    /// The old version killed a process: the next host refuses it, and the new one serves.
    #[track_caller]
    fn assert_old_is_to_blame(&self, occasion: &Occasion, phase: Phase, words: &str) {
        let host = host_in(self.home());
        self.assert_blamed(&host, &self.old, occasion, phase);
        load(&host, &self.file(), json!({})).expect("nobody died of the new one");
        assert_eq!(version(&host), "0.1.1");
        host.block_on(host.stop(self.name)).expect("it ends");

        self.put(&self.old);
        let error = load(&host, &self.file(), json!({})).expect_err("a process died of it");
        let in_phase = format!(
            "a process died while {words}, in phase {phase}; hint: mend it and build it anew"
        );
        assert_says(&error, HostErrorKind::Quarantined, &[&in_phase]);
        let hash = hash_file(&self.old).expect("it is there");
        assert!(host.release(&hash).expect("it is writable"));
        load(&host, &self.file(), json!({})).expect("it is released");
        assert_eq!(version(&host), "0.1.0");
        assert!(host.quarantined().is_empty());
    }
}

fn counter(host: &Host) -> CounterHandle {
    host.capability("counter").expect("it is offered")
}

fn version(host: &Host) -> String {
    counter(host).version().expect("it serves")
}

#[test]
#[ignore = "runs as the child of the other tests, which set its environment"]
fn reloads_what_it_is_told() {
    let home = PathBuf::from(child::variable(HOME));
    let host = host_in(&home);
    put(Path::new(&child::variable(PLUGIN)), &home);
    let status = load(&host, &file_in(&home), config_in(CONFIG)).expect("it loads");
    put(Path::new(&child::variable(NEW)), &home);
    std::fs::write(reloading_in(&home), "").expect("a file");
    let options = ReloadOptions::new().config(object(config_in(NEW_CONFIG)));
    let report = reload(&host, &status.name, options);
    assert!(report.outcome.is_committed(), "{report:#?}");
    let report = host.block_on(host.rollback(&status.name));
    panic!("it lived: {report:#?}");
}

#[test]
fn a_new_version_that_ends_the_process_is_refused_and_the_old_one_serves() {
    for (mode, at, by, phase) in [
        ("", "prepare", "segfault", Phase::Prepare),
        ("", "import", "abort", Phase::State),
        ("", "activate", "abort", Phase::Activate),
        ("", "health-check", "segfault", Phase::Health),
        ("_exclusive", "prepare", "abort", Phase::Prepare),
        ("_exclusive", "import", "segfault", Phase::State),
        ("_exclusive", "activate", "segfault", Phase::Activate),
    ] {
        let reload = Reload::of_state(mode);
        reload.dies(&json!({}), &json!({ "dies_at": at, "dies_by": by }));
        reload.assert_new_is_to_blame(phase, version);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_new_version_that_dies_in_a_constructor_is_refused_before_it_is_opened() {
    let old = plugin("runs-at-load");
    let others = tempfile::tempdir().expect("a directory");
    let new = others.path().join("new.so");
    let library = std::fs::read(&old).expect("a library");
    std::fs::write(&new, [&library[..], b"another build"].concat()).expect("a file");
    let reload = Reload::of("runs-at-load", old, new, "0.1.0");
    reload.dies(&json!({}), &json!({}));
    let status = |host: &Host| host.plugin("runs-at-load").expect("it is loaded");
    reload.assert_new_is_to_blame(Phase::Open, |host| status(host).version.to_string());
}

#[test]
fn a_new_version_that_is_refused_and_dies_of_its_end_is_to_blame() {
    for mode in ["", "_exclusive"] {
        let reload = Reload::of_state(mode);
        reload.dies(&json!({}), &json!({ "import": "fail", "dies_at": "drop" }));
        reload.assert_new_is_to_blame(Phase::Stop, version);
    }
}

#[test]
fn an_old_version_that_dies_of_what_a_reload_asks_of_it_is_to_blame_and_the_new_one_loads() {
    let by = "0.1.1".parse().expect("a version");
    let occasion = Occasion::Replaced { by };
    for (mode, at, phase) in [
        ("", "export", Phase::Export),
        ("_exclusive", "export", Phase::Export),
        ("_exclusive", "deactivate", Phase::Deactivate),
    ] {
        let reload = Reload::of_state(mode);
        reload.dies(&json!({ "dies_at": at }), &json!({}));
        let words = "a reload replaced this very build by v0.1.1";
        reload.assert_old_is_to_blame(&occasion, phase, words);
    }
}

#[test]
fn an_old_version_that_dies_when_it_is_started_again_is_to_blame() {
    let reload = Reload::of_state("_exclusive");
    // The new one cannot be activated, so the old one gets its state back.
    let nowhere = json!({ "lock": reload.home().join("nowhere/lock") });
    reload.dies(&json!({ "dies_at": "import" }), &nowhere);
    let words = "it started this very build again in the place of one that had failed";
    reload.assert_old_is_to_blame(&Occasion::Restart, Phase::State, words);
}

#[test]
fn a_rollback_blames_whose_code_ran_as_well() {
    let by = "0.1.0".parse().expect("a version");
    let dies_at = |step| json!({ "dies_at": step });
    let reload = Reload::of_state("_exclusive");
    reload.dies(&json!({}), &dies_at("deactivate"));
    let host = host_in(reload.home());
    let replaced = Occasion::Replaced { by };
    reload.assert_blamed(&host, &reload.new, &replaced, Phase::Deactivate);

    let reload = Reload::of_state("_exclusive");
    reload.dies(&dies_at("import"), &json!({}));
    let host = host_in(reload.home());
    reload.assert_blamed(&host, &reload.old, &Occasion::Restart, Phase::State);
}

/// Waits for an event; the others on the way are dropped.
fn wait_for<T>(host: &Host, events: &mut Events, what: impl Fn(EventKind) -> Option<T>) -> T {
    let find = async {
        while let Some(event) = events.next().await {
            if let Some(found) = what(event.kind) {
                return found;
            }
        }
        panic!("the host has ended");
    };
    let bounded = async { tokio::time::timeout(Duration::from_secs(60), find).await };
    host.block_on(bounded).expect("it comes")
}

#[test]
fn a_file_in_quarantine_that_comes_into_place_is_refused_and_taken_over_after_its_release() {
    let reload = Reload::of_state("");
    reload.dies(&json!({}), &json!({ "dies_at": "activate" }));
    reload.put(&reload.old);
    let host = host_builder()
        .state_dir(state_in(reload.home()))
        .stage_dir(reload.home())
        .hot_reload(true)
        .build()
        .expect("a host");
    load(&host, &reload.file(), json!({})).expect("nobody died of it");
    counter(&host).add(7).expect("it serves");
    let mut events = host.events();
    reload.put(&reload.new);
    let report = wait_for(&host, &mut events, |kind| match kind {
        EventKind::Refused { report, .. } => Some(report),
        _ => None,
    });
    assert_eq!(report.trigger, Trigger::FileChanged);
    let reason = report.outcome.reason().expect("it was refused");
    assert_eq!(reason.code(), "quarantined", "{reason}");
    assert_eq!(version(&host), "0.1.0");

    let hash = hash_file(&reload.new).expect("it is there");
    assert!(host.release(&hash).expect("it is writable"));
    reload.put(&reload.new);
    let report = wait_for(&host, &mut events, |kind| match kind {
        EventKind::Committed { report } => Some(report),
        EventKind::Refused { reason, .. } => panic!("it was released: {reason}"),
        _ => None,
    });
    assert_eq!(report.trigger, Trigger::FileChanged);
    assert_eq!(version(&host), "0.1.1");
    assert_eq!(counter(&host).total().expect("it serves"), 7);
}

/// Where the call and whoever waits for it meet.
static INSIDE: Barrier = Barrier::new(2);

extern "C" fn wait_inside() {
    INSIDE.wait();
    connect_and_wait();
}

fn connect_and_wait() {
    let port = child::variable(PORT);
    let port = port.to_str().and_then(|port| port.parse().ok());
    let mut test =
        TcpStream::connect((Ipv4Addr::LOCALHOST, port.expect("a port"))).expect("the test listens");
    // Until the test closes the connection, or kills this process.
    let _ = std::io::Read::read(&mut test, &mut [0]);
}

#[test]
#[ignore = "runs as the child of another test, which sets its environment"]
fn waits_for_a_call_in_a_reload() {
    let home = PathBuf::from(child::variable(HOME));
    let host = host_in(&home);
    put(Path::new(&child::variable(PLUGIN)), &home);
    let status = load(&host, &file_in(&home), json!({})).expect("it loads");
    put(Path::new(&child::variable(NEW)), &home);
    let counter = counter(&host);
    let mut events = host.events();
    std::thread::scope(|scope| {
        scope.spawn(|| counter.call_back(wait_inside as extern "C" fn() as usize));
        INSIDE.wait();
        scope.spawn(|| reload(&host, &status.name, ReloadOptions::new()));
        wait_for(&host, &mut events, |kind| {
            matches!(kind, EventKind::Prepared { .. }).then_some(())
        });
        connect_and_wait();
    });
}

#[test]
fn a_process_that_is_killed_while_a_reload_waits_for_calls_blames_nobody() {
    let reload = Reload::of_state("_exclusive");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let port = port.to_string();
    let environment: &[(&str, &OsStr)] = &[
        (HOME, reload.home().as_os_str()),
        (PLUGIN, reload.old.as_os_str()),
        (NEW, reload.new.as_os_str()),
        (PORT, port.as_ref()),
    ];
    let mut process = child::start("reload::waits_for_a_call_in_a_reload", environment);
    // The call, and whoever has seen that the new version is prepared.
    let held = [(); 2].map(|()| listener.accept().expect("the child connects"));
    process.kill().expect("it is a child");
    process.wait().expect("it is a child");
    drop(held);
    let host = host_in(reload.home());
    assert!(host.quarantined().is_empty(), "{:?}", host.quarantined());
    load(&host, &reload.file(), json!({})).expect("nobody died of it");
    assert_eq!(version(&host), "0.1.1");
}
