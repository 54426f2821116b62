//! A host with the plugin `keeps-state` in it, whose file the tests replace.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keeps_state::CounterHandle;
use keyway_host::{
    EventKind, Events, Host, HostBuilder, LoadOptions, Probation, ReloadOptions, ReloadOutcome,
    ReloadPhase, ReloadReport,
};
use keyway_tests::scene::object;
use keyway_tests::{host_builder, variant};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here takes, on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The name of the plugin.
pub(crate) const NAME: &str = "keeps-state";

pub(crate) struct Scene {
    pub(crate) host: Host,
    pub(crate) events: Events,
    home: TempDir,
}

/// A host without probation, so that a version that was replaced ends at once.
pub(crate) fn without_probation() -> HostBuilder {
    host_builder().probation(Probation::NONE)
}

impl Scene {
    /// Loads a version with a configuration.
    pub(crate) fn new(builder: HostBuilder, version: &str, config: Value) -> Self {
        let host = builder.build().expect("a host");
        let scene = Scene {
            events: host.events(),
            host,
            home: tempfile::tempdir().expect("a directory"),
        };
        scene.put(version);
        let options = LoadOptions::new().config(object(config));
        let load = scene.host.load_with(scene.file(), options);
        scene.host.block_on(load).expect("it loads");
        scene
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The file that the plugin is loaded from.
    pub(crate) fn file(&self) -> PathBuf {
        self.path("plugin.so")
    }

    /// Puts a version in the place of the file, by a rename.
    pub(crate) fn put(&self, version: &str) {
        self.put_file(&variant(NAME, version));
    }

    pub(crate) fn put_file(&self, library: &Path) {
        self.put_bytes(&std::fs::read(library).expect("a library"));
    }

    pub(crate) fn put_bytes(&self, bytes: &[u8]) {
        let new = self.path("plugin.so.new");
        std::fs::write(&new, bytes).expect("a file");
        std::fs::rename(new, self.file()).expect("it takes its place");
    }

    pub(crate) fn reload(&self) -> Arc<ReloadReport> {
        let reload = self.host.reload(NAME);
        self.host.block_on(reload).expect("it is loaded")
    }

    pub(crate) fn reload_with(&self, config: Value) -> Arc<ReloadReport> {
        let options = ReloadOptions::new().config(object(config));
        let reload = self.host.reload_with(NAME, options);
        self.host.block_on(reload).expect("it is loaded")
    }

    /// Puts a version in place and reloads.
    pub(crate) fn replace(&self, version: &str) -> Arc<ReloadReport> {
        self.put(version);
        self.reload()
    }

    pub(crate) fn counter(&self) -> CounterHandle {
        self.host.capability("counter").expect("it is offered")
    }

    pub(crate) fn version(&self) -> String {
        use keeps_state::Counter;
        self.counter().version().expect("it serves")
    }

    /// Waits for an event that the test is interested in; the others on the way are dropped.
    #[track_caller]
    pub(crate) fn wait_for<T>(&mut self, what: impl Fn(&EventKind) -> Option<T>) -> T {
        let (events, host) = (&mut self.events, &self.host);
        let find = async {
            let mut seen = Vec::new();
            let mut deadline = std::pin::pin!(tokio::time::sleep(PATIENCE));
            loop {
                tokio::select! {
                    event = events.next() => {
                        let event = event.expect("the host lives");
                        match what(&event.kind) {
                            Some(found) => return found,
                            None => seen.push(event.kind),
                        }
                    }
                    () = &mut deadline => panic!("it did not come, only: {seen:#?}"),
                }
            }
        };
        host.block_on(find)
    }

    /// The names of the events that have come by now, up to and with the one that is named last.
    #[track_caller]
    pub(crate) fn names_until(&mut self, last: &str) -> Vec<String> {
        let names = std::cell::RefCell::new(Vec::new());
        self.wait_for(|kind| {
            let debug = format!("{kind:?}");
            let name: String = debug
                .chars()
                .take_while(char::is_ascii_alphabetic)
                .collect();
            let is_last = name == last;
            names.borrow_mut().push(name);
            is_last.then_some(())
        });
        names.into_inner()
    }
}

/// Asserts that it was refused in this phase, with these words; answers the text.
#[track_caller]
pub(crate) fn assert_refused(report: &ReloadReport, expected: ReloadPhase, words: &[&str]) {
    let ReloadOutcome::Refused { phase, reason } = &report.outcome else {
        panic!("it was not refused: {report:?}");
    };
    let text = reason.to_string();
    assert_eq!(*phase, expected, "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
}

#[track_caller]
pub(crate) fn assert_committed(report: &ReloadReport) {
    assert!(report.outcome.is_committed(), "{report:#?}");
}
