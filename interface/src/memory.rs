//! Memory backends: keep small documents and find them again.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::abi::pass::Json;
use crate::error::Result;

/// A document to keep.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemoryEntry {
    /// Unique within its namespace.
    pub key: String,
    /// Keeps the documents of different users or purposes apart; empty is one like any other.
    #[serde(default)]
    pub namespace: String,
    /// The document.
    pub value: Value,
    /// Free labels.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Time to live in seconds, counted from the store; none keeps it.
    #[serde(default)]
    pub ttl_seconds: Option<u64>,
}

impl MemoryEntry {
    /// A document in the empty namespace, kept until it is deleted.
    pub fn new(key: impl Into<String>, value: Value) -> Self {
        MemoryEntry {
            key: key.into(),
            value,
            ..MemoryEntry::default()
        }
    }
}

/// A search.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemoryQuery {
    /// What to look for; how it is matched is the backend's own.
    pub text: String,
    /// Where to look.
    #[serde(default)]
    pub namespace: String,
    /// All of these must be on the document.
    #[serde(default)]
    pub tags: Vec<String>,
    /// At most this many hits.
    pub limit: usize,
}

impl MemoryQuery {
    /// A search in the empty namespace.
    pub fn new(text: impl Into<String>, limit: usize) -> Self {
        MemoryQuery {
            text: text.into(),
            limit,
            ..MemoryQuery::default()
        }
    }
}

/// A found document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemoryHit {
    /// The document.
    pub entry: MemoryEntry,
    /// How well it fits; higher is better, comparable within one answer only.
    pub score: f64,
}

impl MemoryHit {
    /// A hit.
    pub fn new(entry: MemoryEntry, score: f64) -> Self {
        MemoryHit { entry, score }
    }
}

/// The extension point of memory backends.
#[keyway_macros::capability(id = "keyway.memory-backend", version = 1)]
pub trait MemoryBackend: Send + Sync {
    /// Keeps a document; one with the same namespace and key is replaced.
    async fn store(&self, entry: Json<MemoryEntry>) -> Result<()>;

    /// The document of this key, if there is one that has not expired.
    async fn retrieve(&self, namespace: &str, key: &str) -> Result<Json<Option<MemoryEntry>>>;

    /// Forgets a document; answers whether there was one.
    async fn delete(&self, namespace: &str, key: &str) -> Result<bool>;

    /// The best hits, best first.
    async fn search(&self, query: Json<MemoryQuery>) -> Result<Json<Vec<MemoryHit>>>;
}
