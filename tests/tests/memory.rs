//! The memory backend extension point, in static mode.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use keyway::memory::{MemoryBackend, MemoryBackendHandle, MemoryEntry, MemoryHit, MemoryQuery};
use keyway::{Activation, Context, Json, Plugin, Result};
use keyway_host::LoadOptions;
use keyway_tests::host;
use serde_json::json;

struct MapPlugin;

keyway::export_plugin!(MapPlugin, manifest = "manifests/memory.toml");

impl Plugin for MapPlugin {
    async fn prepare(_: Context) -> Result<Self> {
        Ok(MapPlugin)
    }

    async fn activate(&self, activation: &mut Activation) -> Result<()> {
        activation.memory_backend("map", MapMemory::default())?;
        Ok(())
    }
}

#[derive(Default)]
struct MapMemory {
    entries: Mutex<BTreeMap<(String, String), MemoryEntry>>,
}

impl MapMemory {
    fn with<T>(&self, run: impl FnOnce(&mut BTreeMap<(String, String), MemoryEntry>) -> T) -> T {
        run(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl MemoryBackend for MapMemory {
    async fn store(&self, entry: Json<MemoryEntry>) -> Result<()> {
        let key = (entry.namespace.clone(), entry.key.clone());
        self.with(|entries| entries.insert(key, entry.0));
        Ok(())
    }

    async fn retrieve(&self, namespace: &str, key: &str) -> Result<Json<Option<MemoryEntry>>> {
        let key = (namespace.to_owned(), key.to_owned());
        Ok(Json(self.with(|entries| entries.get(&key).cloned())))
    }

    async fn delete(&self, namespace: &str, key: &str) -> Result<bool> {
        let key = (namespace.to_owned(), key.to_owned());
        Ok(self.with(|entries| entries.remove(&key)).is_some())
    }

    async fn search(&self, query: Json<MemoryQuery>) -> Result<Json<Vec<MemoryHit>>> {
        let fits = |entry: &&MemoryEntry| {
            entry.namespace == query.namespace && entry.value.to_string().contains(&query.text)
        };
        let hits = self.with(|entries| {
            let hits = entries.values().filter(fits).take(query.limit);
            hits.map(|entry| MemoryHit::new(entry.clone(), 1.0))
                .collect()
        });
        Ok(Json(hits))
    }
}

#[test]
fn what_is_stored_is_found_until_it_is_deleted() {
    let host = host();
    host.block_on(async {
        host.register_static::<MapPlugin>(LoadOptions::new())
            .await
            .expect("it starts");
        let memory = host
            .capability::<MemoryBackendHandle>("map")
            .expect("it is offered");
        for (key, value) in [("a", "red fox"), ("b", "red dog"), ("c", "cat")] {
            memory
                .store(Json(MemoryEntry::new(key, json!(value))))
                .await
                .expect("it works");
        }
        let found = memory
            .retrieve("", "a")
            .await
            .expect("it works")
            .0
            .expect("it was stored");
        assert_eq!(found.value, json!("red fox"));
        let hits = memory
            .search(Json(MemoryQuery::new("red", 1)))
            .await
            .expect("it works");
        assert_eq!(hits.0.len(), 1, "the limit holds");
        assert!(memory.delete("", "a").await.expect("it works"));
        assert!(
            !memory.delete("", "a").await.expect("it works"),
            "it is gone"
        );
        let hits = memory
            .search(Json(MemoryQuery::new("red", 10)))
            .await
            .expect("it works");
        let keys: Vec<_> = hits.0.iter().map(|hit| hit.entry.key.as_str()).collect();
        assert_eq!(keys, ["b"]);
    });
}
