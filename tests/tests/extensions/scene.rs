//! A root with scripted plugins in it, and a host.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keyway::PluginError;
use keyway_host::{EventKind, Events, Host, HostBuilder, Origin};
use keyway_tests::scripted::Scripted;
use semver::Version;
use tempfile::TempDir;

/// Longer than anything here takes, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Long enough for whatever does not wait, also on a machine that is busy, and short enough to wait for its
/// end.
pub(crate) const SHORT: Duration = Duration::from_secs(2);

pub(crate) struct Scene {
    home: TempDir,
}

impl Scene {
    /// An empty root.
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(home.path().join("plugins")).expect("a directory");
        Scene { home }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Puts a plugin into the root, in the place of one with the same id.
    pub(crate) fn add(&self, plugin: Scripted) -> &Self {
        plugin.write(&self.path("plugins"), &self.path("log"));
        self
    }

    pub(crate) fn builder(&self) -> HostBuilder {
        Host::builder("extensions", Version::new(1, 2, 0))
            .root(Origin::Workspace, self.path("plugins"))
    }

    /// A host that has started the plugins of the root.
    pub(crate) fn started(&self) -> Host {
        start(self.builder())
    }

    /// What the plugins have done since the last look, line by line, but for starting and ending their work.
    pub(crate) fn log(&self) -> Vec<String> {
        let all = self.whole_log();
        all.into_iter()
            .filter(|line| !line.ends_with("activate"))
            .collect()
    }

    /// The same as [`Self::whole_log`], which stays.
    pub(crate) fn log_so_far(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn whole_log(&self) -> Vec<String> {
        let path = self.path("log");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(&path);
        text.lines().map(str::to_owned).collect()
    }
}

pub(crate) fn start(builder: HostBuilder) -> Host {
    let host = builder.build().expect("a host");
    let report = host.block_on(host.start_all()).expect("the host lives");
    assert!(report.is_ok(), "{report}");
    host
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Replaces a plugin by what is in the root now.
#[track_caller]
pub(crate) fn reload(host: &Host, id: &str) {
    let report = host.block_on(host.reload(id)).expect("it is loaded");
    assert!(report.outcome.is_committed(), "{report:#?}");
}

/// Waits for an event that the test is interested in; the others on the way are dropped.
#[track_caller]
pub(crate) fn wait_for<T>(
    host: &Host,
    events: &mut Events,
    what: impl Fn(&EventKind) -> Option<T>,
) -> T {
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

/// The name of what has failed, with its error.
#[track_caller]
pub(crate) fn fault(host: &Host, events: &mut Events) -> (String, Arc<PluginError>) {
    wait_for(host, events, |kind| match kind {
        EventKind::Faulted { capability, reason } => {
            Some((capability.name.clone(), Arc::clone(reason)))
        }
        _ => None,
    })
}
