//! A host with a good plugin in it, to which bad things are done.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use keyway_host::{
    Finding, Host, HostBuilder, HostError, HostErrorKind, LoadOptions, PluginStatus,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{host_builder, plugin};

/// A host that serves `text-filter`, and a directory for files.
#[derive(Debug)]
pub struct Scene {
    /// The host.
    pub host: Host,
    home: TempDir,
    good_copies: AtomicU32,
}

impl Default for Scene {
    fn default() -> Self {
        Scene::new()
    }
}

impl Scene {
    /// A host with default options.
    pub fn new() -> Self {
        Scene::with(host_builder())
    }

    /// A host with options of the test's own.
    ///
    /// # Panics
    ///
    /// When the host or its good plugin fails.
    pub fn with(builder: HostBuilder) -> Self {
        let host = builder.build().expect("a host");
        host.block_on(host.load(plugin("text-filter")))
            .expect("a good plugin loads");
        Scene {
            host,
            home: tempfile::tempdir().expect("a directory"),
            good_copies: AtomicU32::new(0),
        }
    }

    /// A path in the scene's own directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A new file.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// Loads a plugin.
    ///
    /// # Errors
    ///
    /// The host's own.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<PluginStatus, HostError> {
        self.host.block_on(self.host.load(path))
    }

    /// Loads the fixture `misbehaves` with a configuration.
    ///
    /// # Errors
    ///
    /// The host's own.
    pub fn misbehave(&self, config: Value) -> Result<PluginStatus, HostError> {
        let options = LoadOptions::new().config(object(config));
        let load = self.host.load_with(plugin("misbehaves"), options);
        self.host.block_on(load)
    }

    /// Loads what must not load; answers why it did not, once it is clear that this did no harm.
    ///
    /// # Panics
    ///
    /// When it loads, or the host is not what it was before.
    #[track_caller]
    pub fn refused(&self, path: impl AsRef<Path>) -> HostError {
        let path = path.as_ref();
        let error = self.load(path).expect_err("it is to be refused");
        let text = error.to_string();
        let name = path.file_name().expect("a file name").to_string_lossy();
        assert!(text.contains(&*name), "the file is not named: {text}");
        self.assert_unharmed();
        error
    }

    /// The good plugin serves, and a good copy of the one that failed loads, serves and ends.
    ///
    /// # Panics
    ///
    /// When that is not so.
    #[track_caller]
    pub fn assert_unharmed(&self) {
        let redact = self.host.tool("redact").expect("the good plugin is there");
        let answer = self
            .host
            .block_on(redact.call(json!({ "text": "mail bob@example.com" })))
            .expect("the good plugin serves");
        assert_eq!(answer["text"], "mail [email]");

        let number = self.good_copies.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("good-{number}");
        let options = LoadOptions::new().namespace(&namespace);
        let load = self.host.load_with(plugin("misbehaves"), options);
        let status = self.host.block_on(load).expect("a good copy loads");
        let double = self.host.tool(&format!("{namespace}/double"));
        let answer = self
            .host
            .block_on(double.expect("it is there").call(json!({ "number": 21 })))
            .expect("a good copy serves");
        assert_eq!(answer["double"], 42);
        self.host
            .block_on(self.host.stop(&status.name))
            .expect("a good copy ends");
    }
}

/// A JSON object as a plugin's configuration.
///
/// # Panics
///
/// When it is something else.
pub fn object(value: Value) -> serde_json::Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("a configuration is an object, not {other}"),
    }
}

/// An error of this kind, whose text has all these words.
///
/// # Panics
///
/// With the error, when it is another one.
#[track_caller]
pub fn assert_says(error: &HostError, kind: HostErrorKind, words: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    for words in words {
        assert!(text.contains(words), "`{words}` is missing in: {text}");
    }
}

/// What findings say, each in one line after its code.
pub fn told(findings: &[Finding]) -> Vec<String> {
    let line = |finding: &Finding| format!("{}: {finding}", finding.code);
    findings.iter().map(line).collect()
}
