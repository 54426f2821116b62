//! Plugins that offer what a test writes down, made from the fixture `scripted`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::binary::with_note;
use crate::plugin;

/// A copy of the fixture with a manifest of its own.
#[derive(Clone, Debug)]
pub struct Scripted {
    id: String,
    table: Map<String, Value>,
    script: Vec<Value>,
    config: Map<String, Value>,
}

impl Scripted {
    /// A plugin of this id, version 1.0.0, that offers nothing.
    pub fn new(id: &str) -> Self {
        let mut table = Map::new();
        table.insert("id".to_owned(), id.into());
        table.insert("version".to_owned(), "1.0.0".into());
        Scripted {
            id: id.to_owned(),
            table,
            script: Vec::new(),
            config: Map::new(),
        }
    }

    /// Sets a key of the table `[plugin]`.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.table.insert(key.to_owned(), value);
        self
    }

    /// Starts when it is first needed.
    #[must_use]
    pub fn lazy(self) -> Self {
        self.with("activation", json!({ "startup": false }))
    }

    /// Offers one thing more; `script` has what the fixture knows of its kind.
    #[must_use]
    pub fn offers(mut self, kind: &str, name: &str, mut script: Value) -> Self {
        script["kind"] = kind.into();
        script["name"] = name.into();
        self.script.push(script);
        self
    }

    /// What each line in its log begins with.
    #[must_use]
    pub fn mark(mut self, mark: &str) -> Self {
        self.config.insert("mark".to_owned(), mark.into());
        self
    }

    /// The library. It writes into this log.
    ///
    /// # Panics
    ///
    /// When the fixture does not build, or has not enough room for the manifest.
    pub fn library(&self, log: &Path) -> Vec<u8> {
        static ORIGINAL: OnceLock<Vec<u8>> = OnceLock::new();
        let original = ORIGINAL
            .get_or_init(|| std::fs::read(plugin("scripted")).expect("the fixture can be read"));
        let mut capabilities = Map::new();
        for part in &self.script {
            let key = match part["kind"].as_str() {
                Some("stage") => "pipeline_stages".to_owned(),
                Some("hook") => "event_hooks".to_owned(),
                kind => format!("{}s", kind.expect("a kind")),
            };
            let names = capabilities.entry(key).or_insert(json!([]));
            let names = names.as_array_mut().expect("it was put there");
            names.push(part["name"].clone());
        }
        let mut config = self.config.clone();
        config.insert("script".to_owned(), json!(self.script).to_string().into());
        config.insert("log".to_owned(), log.to_str().expect("a plain path").into());
        config.entry("mark").or_insert("".into());
        for default in config.values_mut() {
            *default = json!({ "type": "string", "default": *default });
        }
        with_note(original, |note| {
            note.change_manifest(|plugin| {
                plugin.insert("capabilities".to_owned(), capabilities.into());
                plugin.insert("config".to_owned(), config.into());
                plugin.extend(self.table.clone());
            });
        })
    }

    /// Writes the library into a directory, as a bare plugin; answers its path.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn write(&self, dir: &Path, log: &Path) -> PathBuf {
        let name = format!("lib{}.so", self.id.replace('-', "_"));
        let path = dir.join(name);
        // Under another name first: a file that is mapped is not written to.
        let new = dir.join(format!(".{}.new", self.id));
        std::fs::write(&new, self.library(log)).expect("a file");
        std::fs::rename(new, &path).expect("the same directory");
        path
    }
}
