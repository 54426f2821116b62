//! What a plugin offers: names, grouped by the extension point that they plug into.
//!
//! An extension point is known by its capability id, such as `keyway.tool`. The built-in ones have a
//! short key in the manifest; an application's own are written with their id.

use std::collections::BTreeMap;

use crate::limits::MAX_NAME_CHARS;

/// The built-in extension points: the key in `[plugin.capabilities]` and the capability id.
pub const BUILT_IN: [(&str, &str); 10] = [
    ("tools", "keyway.tool"),
    ("channels", "keyway.channel"),
    ("pipeline_stages", "keyway.pipeline-stage"),
    ("providers", "keyway.provider"),
    ("memory_backends", "keyway.memory-backend"),
    ("skills", "keyway.skill"),
    ("voice_handlers", "keyway.voice-handler"),
    ("commands", "keyway.command"),
    ("event_hooks", "keyway.event-hook"),
    ("services", "keyway.service"),
];

/// The prefix of capability ids that only Keyway itself defines.
pub(crate) const RESERVED_PREFIX: &str = "keyway.";

/// The capability id of a built-in manifest key: `tools` gives `keyway.tool`.
#[must_use]
pub fn capability_id(kind_key: &str) -> Option<&'static str> {
    BUILT_IN
        .iter()
        .find(|(key, _)| *key == kind_key)
        .map(|(_, id)| *id)
}

/// The manifest key of a built-in capability id: `keyway.tool` gives `tools`.
#[must_use]
pub fn kind_key(capability_id: &str) -> Option<&'static str> {
    BUILT_IN
        .iter()
        .find(|(_, id)| *id == capability_id)
        .map(|(key, _)| *key)
}

/// The capability id that a person means by a word: a built-in one by its manifest key (`tools`), by
/// that in the singular (`tool`) or by the end of its id (`pipeline-stage`), and any by its id.
#[must_use]
pub fn capability_named(word: &str) -> Option<&str> {
    let meant = |&&(key, id): &&(&str, &str)| {
        word == key
            || Some(word) == key.strip_suffix('s')
            || Some(word) == id.strip_prefix(RESERVED_PREFIX)
    };
    match BUILT_IN.iter().find(meant) {
        Some((_, id)) => Some(id),
        None => is_capability_id(word).then_some(word),
    }
}

/// Whether `id` has the form of a capability id.
///
/// That is two or more parts joined by `.`, each of lower-case ASCII letters, digits and `-`,
/// starting with a letter, and at most [`MAX_NAME_CHARS`] characters in all.
#[must_use]
pub fn is_capability_id(id: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    id.len() <= MAX_NAME_CHARS && id.contains('.') && id.split('.').all(part)
}

/// The names that a plugin declares, per capability id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    by_id: BTreeMap<String, Vec<String>>,
}

impl Capabilities {
    /// Adds the names of one extension point; no names leave no trace.
    pub(crate) fn insert(&mut self, capability_id: &str, names: Vec<String>) {
        if !names.is_empty() {
            self.by_id.insert(capability_id.to_owned(), names);
        }
    }

    /// Every declaration as (capability id, name), ordered by id and then as in the manifest.
    pub fn declared(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_id
            .iter()
            .flat_map(|(id, names)| names.iter().map(move |name| (id.as_str(), name.as_str())))
    }

    /// The capability ids with at least one name, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }

    /// The names declared for one capability id, as ordered in the manifest.
    #[must_use]
    pub fn names(&self, capability_id: &str) -> &[String] {
        self.by_id.get(capability_id).map_or(&[], Vec::as_slice)
    }

    /// Whether `name` is declared for `capability_id`.
    #[must_use]
    pub fn declares(&self, capability_id: &str, name: &str) -> bool {
        self.names(capability_id)
            .iter()
            .any(|declared| declared == name)
    }

    /// Whether nothing is declared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}
