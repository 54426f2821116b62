//! What is offered at the moment, and by whom.

use std::sync::Arc;

use keyway::capability::Capability;

use super::{Key, Registry};
use crate::described::Description;
use crate::tool::ToolFacts;

/// One thing of a kind that is offered now.
pub(crate) struct Member<C> {
    pub(crate) name: String,
    pub(crate) plugin: Arc<str>,
    pub(crate) description: Description,
    pub(crate) handle: C,
}

impl Registry {
    /// What is known of a tool that somebody offers.
    pub(crate) fn tool_facts(&self, key: &Key) -> Option<Arc<ToolFacts>> {
        let tables = self.read();
        match &tables.records.get(key)?.service.as_ref()?.description {
            Description::Tool(facts) => Some(Arc::clone(facts)),
            _ => None,
        }
    }

    /// Who offers something now.
    pub(crate) fn owner(&self, key: &Key) -> Option<Arc<str>> {
        let tables = self.read();
        let service = tables.records.get(key)?.service.as_ref()?;
        Some(Arc::clone(&service.owner))
    }

    /// Whether something is offered now.
    pub(crate) fn is_offered<C: Capability>(&self, name: &str) -> bool {
        let key = Key {
            id: C::ID.to_owned(),
            major: C::MAJOR,
            name: name.to_owned(),
        };
        self.owner(&key).is_some()
    }

    /// All that is offered of one kind, by name.
    pub(crate) fn members<C: Capability>(&self) -> Vec<Member<C>> {
        let tables = self.read();
        let first = Key {
            id: C::ID.to_owned(),
            major: C::MAJOR,
            name: String::new(),
        };
        let from_there = tables.records.range(first..);
        let same = from_there.take_while(|(key, _)| key.id == C::ID && key.major == C::MAJOR);
        let served = same.filter_map(|(key, record)| {
            let service = record.service.as_ref()?;
            Some(Member {
                name: key.name.clone(),
                plugin: Arc::clone(&service.owner),
                description: service.description.clone(),
                handle: record.handle(&key.name),
            })
        });
        served.collect()
    }

    /// How often what is offered has changed.
    pub(crate) fn epoch(&self) -> u64 {
        self.read().epoch
    }

    /// All that is offered, with its owner.
    pub(crate) fn list(&self) -> Vec<(Key, Arc<str>)> {
        let tables = self.read();
        let served = tables.records.iter().filter_map(|(key, record)| {
            Some((key.clone(), Arc::clone(&record.service.as_ref()?.owner)))
        });
        served.collect()
    }

    /// What one plugin offers.
    pub(crate) fn offered_by(&self, owner: &str) -> Vec<Key> {
        let tables = self.read();
        let own = tables.owned.get(owner);
        own.map(|keys| keys.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// The names under which a capability is offered, each with its owner.
    pub(crate) fn names_of(&self, id: &str, major: u32) -> Vec<(String, Arc<str>)> {
        let first = Key {
            id: id.to_owned(),
            major,
            name: String::new(),
        };
        let tables = self.read();
        let from_there = tables.records.range(first..);
        let same = from_there.take_while(|(key, _)| key.id == id && key.major == major);
        let served = same.filter_map(|(key, record)| {
            let owner = &record.service.as_ref()?.owner;
            Some((key.name.clone(), Arc::clone(owner)))
        });
        served.collect()
    }
}
