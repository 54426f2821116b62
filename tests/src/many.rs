//! Any number of different plugins, made from one library.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::binary::with_note;
use crate::plugin;

/// A copy of the fixture `part-of-many` with a manifest of its own.
///
/// Its tool has its id as name, unless [`Part::config`] says otherwise.
#[derive(Clone, Debug)]
pub struct Part {
    id: String,
    table: Map<String, Value>,
    config: Map<String, Value>,
}

impl Part {
    /// A plugin of this id, version 1.0.0.
    pub fn new(id: &str) -> Self {
        let mut table = Map::new();
        table.insert("id".to_owned(), id.into());
        table.insert("version".to_owned(), "1.0.0".into());
        Part {
            id: id.to_owned(),
            table,
            config: Map::new(),
        }
    }

    /// Sets a key of the table `[plugin]`.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.table.insert(key.to_owned(), value);
        self
    }

    /// Of this version.
    #[must_use]
    pub fn version(self, version: &str) -> Self {
        self.with("version", version.into())
    }

    /// Depends on another plugin.
    #[must_use]
    pub fn needs(mut self, id: &str, requirement: Value) -> Self {
        let dependencies = self.table.entry("dependencies").or_insert(json!({}));
        dependencies[id] = requirement;
        self
    }

    /// The default of one of its settings: `name`, `log`, `fail` or `greeting`.
    #[must_use]
    pub fn config(mut self, name: &str, default: &str) -> Self {
        self.config.insert(name.to_owned(), default.into());
        self
    }

    /// The library.
    pub fn library(&self) -> Vec<u8> {
        static ORIGINAL: OnceLock<Vec<u8>> = OnceLock::new();
        let original = ORIGINAL.get_or_init(|| {
            std::fs::read(plugin("part-of-many")).expect("the fixture can be read")
        });
        with_note(original, |note| {
            note.change_manifest(|plugin| {
                plugin.insert("capabilities".to_owned(), json!({ "tools": [self.id] }));
                let default = |name: &str, or: &str| {
                    let own = self.config.get(name).cloned();
                    json!({ "type": "string", "default": own.unwrap_or(or.into()) })
                };
                let mut greeting = default("greeting", "");
                greeting["reload"] = "hot".into();
                let config = json!({
                    "greeting": greeting,
                    "name": default("name", &self.id),
                    "log": default("log", ""),
                    "fail": default("fail", ""),
                });
                plugin.insert("config".to_owned(), config);
                for (key, value) in &self.table {
                    plugin.insert(key.clone(), value.clone());
                }
            });
        })
    }

    /// Writes the library into a directory, as a bare plugin; answers its path.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn write(&self, dir: impl AsRef<Path>) -> PathBuf {
        let name = format!(
            "{}{}.{}",
            std::env::consts::DLL_PREFIX,
            self.id.replace('-', "_"),
            std::env::consts::DLL_EXTENSION
        );
        let path = dir.as_ref().join(name);
        // Under another name first: a file that is mapped is not written to.
        let new = dir.as_ref().join(format!(".{}.new", self.id));
        std::fs::write(&new, self.library()).expect("a file");
        std::fs::rename(&new, &path).expect("the same directory");
        path
    }
}
