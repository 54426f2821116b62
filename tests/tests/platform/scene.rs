//! Roots with plugins in them, and a host.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use keyway_host::{EventKind, Host, HostBuilder, Origin, Report};
use keyway_tests::many::Part;
use semver::Version;
use tempfile::TempDir;

pub(crate) struct Scene {
    home: TempDir,
}

impl Scene {
    /// Empty roots.
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        for root in ["workspace", "user", "builtin"] {
            std::fs::create_dir(home.path().join(root)).expect("a directory");
        }
        Scene { home }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Puts a plugin into the workspace's root. It writes what it does into the log.
    pub(crate) fn add(&self, part: Part) -> &Self {
        self.add_to("workspace", part)
    }

    pub(crate) fn add_to(&self, root: &str, part: Part) -> &Self {
        let log = self.path("log");
        part.config("log", log.to_str().expect("a plain path"))
            .write(self.path(root));
        self
    }

    pub(crate) fn builder(&self) -> HostBuilder {
        Host::builder("platform", Version::new(1, 2, 0))
            .root(Origin::Builtin, self.path("builtin"))
            .root(Origin::User, self.path("user"))
            .root(Origin::Workspace, self.path("workspace"))
    }

    pub(crate) fn host(&self) -> Host {
        self.builder().build().expect("a host")
    }

    /// A host with this file.
    pub(crate) fn host_with(&self, settings: &str) -> Host {
        let path = self.path("keyway.toml");
        std::fs::write(&path, settings).expect("a file");
        self.builder().config_file(path).build().expect("a host")
    }

    /// What the plugins have done since the last look, line by line.
    pub(crate) fn log(&self) -> Vec<String> {
        let path = self.path("log");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(&path);
        text.lines().map(str::to_owned).collect()
    }

    /// The place of a path in this scene, for messages.
    pub(crate) fn told(&self, text: &str) -> String {
        let home = self.home.path();
        text.replace(home.to_str().expect("a plain path"), "HOME")
    }
}

pub(crate) fn start(host: &Host) -> Report {
    host.block_on(host.start_all()).expect("the host lives")
}

pub(crate) fn done(report: &Report) -> Vec<&str> {
    report.done.iter().map(AsRef::as_ref).collect()
}

pub(crate) fn remove(root: &Path, id: &str) {
    let name = format!("lib{}.so", id.replace('-', "_"));
    std::fs::remove_file(root.join(name)).expect("it is there");
}

/// More than any of these tests needs, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The events of a host, from the moment on in which this was made.
pub(crate) struct Told(Receiver<(String, EventKind)>);

impl Told {
    pub(crate) fn by(host: &Host) -> Self {
        let mut events = host.events();
        let (give, take) = channel();
        std::thread::spawn(move || {
            while let Some(event) = events.next_blocking() {
                if give.send((event.plugin.to_string(), event.kind)).is_err() {
                    return;
                }
            }
        });
        Told(take)
    }

    /// The first event for which this answers something.
    #[track_caller]
    pub(crate) fn wait<T>(&self, mut pick: impl FnMut(&str, &EventKind) -> Option<T>) -> T {
        let bound = Instant::now() + PATIENCE;
        let mut others = Vec::new();
        loop {
            let left = bound.saturating_duration_since(Instant::now());
            match self.0.recv_timeout(left) {
                Ok((plugin, kind)) => match pick(&plugin, &kind) {
                    Some(picked) => return picked,
                    None => others.push(format!("{plugin}: {kind}")),
                },
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("it was not told; told was {others:#?}")
                }
            }
        }
    }
}

/// What the tool of a plugin answers.
pub(crate) fn call(host: &Host, tool: &str) -> serde_json::Value {
    let tool = host.tool(tool).expect("it is offered");
    let answer = host.block_on(tool.call(serde_json::json!({})));
    answer.expect("it serves")
}
