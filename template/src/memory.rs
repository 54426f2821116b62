{%- if runtime == "tokio" -%}
{%- assign documents = "self.documents().await" -%}
{%- else -%}
{%- assign documents = "self.documents()" -%}
{%- endif -%}
//! The documents, and the memory backend by which they are kept and found.

use std::collections::BTreeMap;
{%- if runtime == "tokio" %}
use std::sync::Arc;
{%- else %}
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
{%- endif %}

use keyway::memory::{MemoryBackend, MemoryEntry, MemoryHit, MemoryQuery};
use keyway::{ErrorKind, Json, PluginError, Result{% if state != "none" %}, StateSchema{% endif %}};
use serde_json::Value;
{%- if runtime == "tokio" %}
use tokio::sync::{Mutex, MutexGuard};
{%- endif %}

/// The settings that plugin.toml declares.
#[keyway::data]
#[derive(Debug)]
pub(crate) struct Settings {
    /// How many documents are kept at most, in each namespace.
    max_documents: usize,
}
{%- if state == "none" %}

/// The documents by namespace and key.
#[derive(Debug, Default)]
pub(crate) struct Documents(BTreeMap<String, BTreeMap<String, Document>>);

#[derive(Clone, Debug)]
struct Document {
    value: Value,
    tags: Vec<String>,
}
{%- else %}

/// The documents by namespace and key: what the next version of the plugin takes over.
#[keyway::data]
#[derive(Debug, Default)]
pub(crate) struct Documents(BTreeMap<String, BTreeMap<String, Document>>);

#[keyway::data]
#[derive(Clone, Debug)]
struct Document {
    value: Value,
    tags: Vec<String>,
}

impl StateSchema for Documents {
    const SCHEMA: &'static str = "documents";
    // To be raised when an older state would not read any more; `migrate` then reads that.
    const VERSION: u32 = 1;
}
{%- endif %}

impl Document {
    fn into_entry(self, namespace: &str, key: &str) -> MemoryEntry {
        let mut entry = MemoryEntry::new(key, self.value);
        entry.namespace = namespace.to_owned();
        entry.tags = self.tags;
        entry
    }
}

/// The plugin. All clones of it are the same one.
#[derive(Clone, Debug)]
pub struct Notes {
    settings: Arc<Settings>,
    documents: Arc<Mutex<Documents>>,
}

impl Notes {
    pub(crate) fn new(settings: Settings) -> Self {
        Notes {
            settings: Arc::new(settings),
            documents: Arc::default(),
        }
    }

    {% if runtime == "tokio" -%}
    pub(crate) async fn documents(&self) -> MutexGuard<'_, Documents> {
        self.documents.lock().await
    }
    {%- else -%}
    pub(crate) fn documents(&self) -> MutexGuard<'_, Documents> {
        // A panic leaves nothing half changed.
        self.documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
    {%- endif %}
}

impl MemoryBackend for Notes {
    async fn store(&self, entry: Json<MemoryEntry>) -> Result<()> {
        let Json(entry) = entry;
        if entry.ttl_seconds.is_some() {
            let message = "documents do not expire here: expected no time to live";
            return Err(PluginError::of(ErrorKind::Unsupported, message));
        }
        let mut documents = {{documents}};
        let namespace = documents.0.entry(entry.namespace).or_default();
        let most = self.settings.max_documents;
        if namespace.len() >= most && !namespace.contains_key(&entry.key) {
            let message = format!("there are {most} documents already");
            return Err(PluginError::of(ErrorKind::Unavailable, message));
        }
        tracing::debug!(key = entry.key, "keeping a document");
        let document = Document {
            value: entry.value,
            tags: entry.tags,
        };
        namespace.insert(entry.key, document);
        Ok(())
    }

    async fn retrieve(&self, namespace: &str, key: &str) -> Result<Json<Option<MemoryEntry>>> {
        let documents = {{documents}};
        let document = documents.0.get(namespace).and_then(|all| all.get(key));
        let entry = document.map(|document| document.clone().into_entry(namespace, key));
        Ok(Json(entry))
    }

    async fn delete(&self, namespace: &str, key: &str) -> Result<bool> {
        let mut documents = {{documents}};
        let namespace = documents.0.get_mut(namespace);
        Ok(namespace.and_then(|all| all.remove(key)).is_some())
    }

    async fn search(&self, query: Json<MemoryQuery>) -> Result<Json<Vec<MemoryHit>>> {
        let documents = {{documents}};
        let mut hits = Vec::new();
        for (key, document) in documents.0.get(&query.namespace).into_iter().flatten() {
            let tagged = query.tags.iter().all(|tag| document.tags.contains(tag));
            if tagged && document.value.to_string().contains(&query.text) {
                let entry = document.clone().into_entry(&query.namespace, key);
                hits.push(MemoryHit::new(entry, 1.0));
            }
        }
        hits.truncate(query.limit);
        Ok(Json(hits))
    }
}

#[cfg(test)]
mod tests {
    use keyway::testing::block_on;
    use serde_json::json;

    use super::*;

    #[test]
    fn there_are_no_more_documents_than_the_settings_allow() {
        let notes = Notes::new(Settings { max_documents: 1 });
        let store = |key| block_on(notes.store(Json(MemoryEntry::new(key, json!("text")))));
        assert!(store("one").is_ok());
        assert!(store("one").is_ok(), "it is replaced");
        assert!(store("two").is_err());
    }
}
