//! The plugin `asks` in a directory of its own, with permissions that the test writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use keyway::PluginError;
use keyway_host::{AuditRecord, Host, HostBuilder, HostError, PluginStatus};
use keyway_tests::binary::with_note;
use keyway_tests::{cargo, cargo_libraries, host_builder};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than anything here takes, on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How the plugin waits for its host.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Waits {
    /// On a thread for each thing that it asks for.
    OnThreads,
    /// In its tokio runtime.
    InRuntime,
}

/// The library, built in both ways.
fn library(waits: Waits) -> &'static [u8] {
    static BUILT: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let build = |options: &[&str]| {
        let libraries = cargo_libraries(cargo(&["build", "-p", "asks"]).args(options));
        fs::read(&libraries["asks"]).expect("it was built")
    };
    let [plain, runtime] = BUILT.get_or_init(|| [build(&[]), build(&["--features", "runtime"])]);
    match waits {
        Waits::OnThreads => plain,
        Waits::InRuntime => runtime,
    }
}

/// A directory with the plugin's library in it, and whatever a test puts beside it.
pub(crate) struct Home {
    dir: TempDir,
    waits: Waits,
}

impl Home {
    pub(crate) fn new() -> Self {
        Home::of(Waits::OnThreads)
    }

    pub(crate) fn of(waits: Waits) -> Self {
        Home {
            dir: tempfile::tempdir().expect("a directory"),
            waits,
        }
    }

    /// A path in the directory, without links on the way.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        let dir = self.dir.path().canonicalize().expect("it is there");
        dir.join(name)
    }

    pub(crate) fn library(&self) -> PathBuf {
        self.at("libasks.so")
    }

    /// Puts a version in the place of the library.
    pub(crate) fn put(&self, version: &str, permissions: &Value) -> PathBuf {
        let bytes = with_note(library(self.waits), |note| {
            note.change_manifest(|plugin| {
                plugin.insert("version".to_owned(), version.into());
                plugin.insert("permissions".to_owned(), permissions.clone());
            });
        });
        let new = self.at("libasks.so.new");
        fs::write(&new, bytes).expect("a file");
        fs::rename(new, self.library()).expect("it takes its place");
        self.library()
    }

    /// A file beside the library, with the directories above it.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("a directory above")).expect("a directory");
        fs::write(&path, text).expect("a file");
        path
    }

    /// A host file that grants the plugin something.
    pub(crate) fn grants(&self, permissions: &str) -> PathBuf {
        let text = format!("[plugin.asks.permissions]\n{permissions}\n");
        self.file("keyway.toml", &text)
    }

    /// A pipe with a name.
    pub(crate) fn pipe(&self) -> PathBuf {
        let path = self.at("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo starts").success());
        path
    }
}

/// A host with the plugin in it.
pub(crate) struct Scene {
    pub(crate) host: Host,
    pub(crate) home: Home,
}

impl Scene {
    /// A host whose file grants just what the plugin asks for.
    pub(crate) fn granted(home: Home, permissions: Value, in_file: &str) -> Self {
        home.put("1.0.0", &permissions);
        let builder = host_builder().config_file(home.grants(in_file));
        Scene::with(builder, home)
    }

    /// A host that loads what is in the directory.
    pub(crate) fn with(builder: HostBuilder, home: Home) -> Self {
        // Threads that called the plugin and are idle now are not waited for.
        let builder = builder.idle_thread_deadline(Duration::ZERO);
        let host = builder.build().expect("a host");
        let scene = Scene { host, home };
        scene.load().expect("it loads");
        scene
    }

    pub(crate) fn load(&self) -> Result<PluginStatus, HostError> {
        load(&self.host, &self.home.library())
    }

    pub(crate) fn ask(&self, tool: &str, arguments: Value) -> Result<Value, PluginError> {
        ask(&self.host, tool, arguments)
    }

    /// Asks for something by its name; answers the code of the refusal.
    #[track_caller]
    pub(crate) fn refused(&self, tool: &str, arguments: Value) -> String {
        let error = self.ask(tool, arguments).expect_err("it is to be refused");
        error.error_code().to_owned()
    }

    /// What was written down since this was asked last, each as action, target and outcome.
    pub(crate) fn audit(&self) -> Vec<(String, String, String)> {
        let records = self.host.audit().take().into_iter();
        records.map(|record| shown(&record)).collect()
    }

    /// Stops the plugin and sees the libraries of all its versions go.
    #[track_caller]
    pub(crate) fn end(&self) {
        let stop = self.host.stop("asks");
        self.host.block_on(stop).expect("it stops");
        let counts = self.host.wait_for_unload(PATIENCE);
        assert_eq!(
            (counts.open, counts.pinned.len() + counts.retained.len()),
            (0, 0),
            "{counts:?}"
        );
        assert_ne!(counts.unloaded, 0, "{counts:?}");
    }
}

pub(crate) fn load(host: &Host, library: &Path) -> Result<PluginStatus, HostError> {
    host.block_on(host.load(library))
}

pub(crate) fn ask(host: &Host, tool: &str, arguments: Value) -> Result<Value, PluginError> {
    let tool = host.tool(tool).expect("it is offered");
    host.block_on(tool.call(arguments))
}

fn shown(record: &AuditRecord) -> (String, String, String) {
    use keyway_host::AuditOutcome::{Denied, Done, Failed};
    assert_eq!(record.plugin.as_str(), "asks");
    let outcome = match &record.outcome {
        Done => "done".to_owned(),
        Denied { code } | Failed { code } => code.clone(),
        other => format!("{other:?}"),
    };
    (record.action.to_string(), record.target.clone(), outcome)
}

/// The arguments of a tool that takes a name.
pub(crate) fn name(name: impl Into<String>) -> Value {
    json!({ "name": name.into() })
}

/// The arguments of a tool that takes a name and a text.
pub(crate) fn entry(name: impl Into<String>, text: &str) -> Value {
    json!({ "name": name.into(), "text": text })
}

/// The arguments of a tool that runs a script of the shell.
pub(crate) fn script(script: &str, arguments: &[&str]) -> Value {
    let args: Vec<&str> = ["-c", script, "sh"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    json!({ "program": "sh", "args": args })
}

/// A record as [`Scene::audit`] has it.
pub(crate) fn record(
    action: &str,
    target: impl Into<String>,
    outcome: &str,
) -> (String, String, String) {
    (action.to_owned(), target.into(), outcome.to_owned())
}
