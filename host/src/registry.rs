//! Which plugin offers what: the slots behind all handles.
//!
//! A slot belongs to a capability and a name, not to a plugin, and is never removed: a handle that
//! was taken stays valid when the plugin ends, and serves again when another offers the same.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use keyway::abi::InterfaceLayout;
use keyway::abi::layout::LayoutError;
use keyway::capability::{Capability, Entry, Target};
use keyway::slot::{Retired, Slot};

use crate::error::{HostError, HostErrorKind};
use crate::suggest::suggestion;
use crate::tool::ToolFacts;

/// A capability of this id and major under a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) major: u32,
    pub(crate) name: String,
}

/// What one plugin wants to offer.
pub(crate) struct Offer {
    pub(crate) key: Key,
    pub(crate) entry: Arc<Entry>,
    pub(crate) layout: &'static InterfaceLayout,
    pub(crate) tool: Option<Arc<ToolFacts>>,
}

struct Record {
    slot: Arc<Slot<Entry>>,
    /// None while nobody serves.
    service: Option<Service>,
}

struct Service {
    owner: Arc<str>,
    /// In the memory of the plugin, which stays loaded.
    layout: &'static InterfaceLayout,
    tool: Option<Arc<ToolFacts>>,
}

#[derive(Default)]
pub(crate) struct Registry {
    tables: RwLock<Tables>,
}

#[derive(Default)]
struct Tables {
    records: BTreeMap<Key, Record>,
    /// The layouts by which this process calls, of each capability that a handle was asked of.
    known: Vec<&'static InterfaceLayout>,
}

impl Registry {
    pub(crate) fn new(known: &[&'static InterfaceLayout]) -> Self {
        let tables = Tables {
            records: BTreeMap::new(),
            known: known.to_vec(),
        };
        Registry {
            tables: RwLock::new(tables),
        }
    }

    /// Takes over all offers of a plugin, or none.
    pub(crate) fn commit(&self, owner: &Arc<str>, offers: Vec<Offer>) -> Result<(), HostError> {
        let mut tables = self.write();
        for (index, offer) in offers.iter().enumerate() {
            let Key { id, major, name } = &offer.key;
            let refuse = |message: String| HostError::new(HostErrorKind::Registration, message);
            if offers[..index].iter().any(|other| other.key == offer.key) {
                return Err(refuse(format!("registered {id}/{major} `{name}` twice"))
                    .hint("give one of them another name"));
            }
            let service = tables
                .records
                .get(&offer.key)
                .and_then(|record| record.service.as_ref());
            if let Some(other) = service {
                return Err(refuse(format!(
                    "offers {id}/{major} `{name}`, which plugin '{}' offers already",
                    other.owner
                ))
                .hint("stop one of the two plugins, or load one under a namespace"));
            }
            for known in tables.layouts_of(id, *major) {
                known
                    .check(offer.layout)
                    .map_err(|error| HostError::layout(&error))?;
            }
        }
        for Offer {
            key,
            entry,
            layout,
            tool,
        } in offers
        {
            let record = match tables.records.entry(key) {
                btree_map::Entry::Occupied(occupied) => occupied.into_mut(),
                btree_map::Entry::Vacant(vacant) => vacant.insert(Record {
                    slot: Arc::new(Slot::new(None)),
                    service: None,
                }),
            };
            record.service = Some(Service {
                owner: Arc::clone(owner),
                layout,
                tool,
            });
            // The slot was empty, so there is no old entry to wait for.
            drop(record.slot.swap(Some(entry)));
        }
        Ok(())
    }

    /// Empties all slots of a plugin; calls that have started go on. What was in the slots is for
    /// the caller to drop: the destructor of the last lease runs the plugin's code, which must not
    /// happen under the registry's lock.
    pub(crate) fn withdraw(&self, owner: &str) -> Vec<Retired<Entry>> {
        let mut retired = Vec::new();
        let mut tables = self.write();
        for record in tables.records.values_mut() {
            if record
                .service
                .as_ref()
                .is_some_and(|service| &*service.owner == owner)
            {
                record.service = None;
                retired.extend(record.slot.swap(None));
            }
        }
        retired
    }

    /// A handle to what is offered under a name.
    pub(crate) fn handle<C: Capability>(&self, name: &str) -> Result<C, HostError> {
        self.learn::<C>()?;
        let tables = self.read();
        let key = Key {
            id: C::ID.to_owned(),
            major: C::MAJOR,
            name: name.to_owned(),
        };
        match tables.records.get(&key) {
            Some(record) if record.service.is_some() => {
                let label = format!("{}/{} `{name}`", C::ID, C::MAJOR);
                Ok(C::from_target(Target::slot(
                    Arc::clone(&record.slot),
                    label.into(),
                )))
            }
            _ => Err(tables.not_found(&key)),
        }
    }

    pub(crate) fn tool_facts(&self, key: &Key) -> Option<Arc<ToolFacts>> {
        self.read().records.get(key)?.service.as_ref()?.tool.clone()
    }

    /// All that is offered, with its owner.
    pub(crate) fn list(&self) -> Vec<(Key, Arc<str>)> {
        let tables = self.read();
        let served = tables.records.iter().filter_map(|(key, record)| {
            Some((key.clone(), Arc::clone(&record.service.as_ref()?.owner)))
        });
        served.collect()
    }

    /// Remembers the layout by which this process calls a capability, after comparing it with all
    /// that is offered already.
    fn learn<C: Capability>(&self) -> Result<(), HostError> {
        let is_known = |tables: &Tables| {
            tables
                .known
                .iter()
                .any(|known| std::ptr::eq(*known, C::LAYOUT))
        };
        if is_known(&self.read()) {
            return Ok(());
        }
        let mut tables = self.write();
        if is_known(&tables) {
            return Ok(());
        }
        for (key, record) in &tables.records {
            let same = key.id == C::ID && key.major == C::MAJOR;
            if let Some(service) = record.service.as_ref().filter(|_| same) {
                C::LAYOUT
                    .check(service.layout)
                    .map_err(|error: LayoutError| {
                        HostError::layout(&error).of_plugin(&format!("'{}'", service.owner))
                    })?;
            }
        }
        tables.known.push(C::LAYOUT);
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn layouts_of<'a>(
        &'a self,
        id: &'a str,
        major: u32,
    ) -> impl Iterator<Item = &'static InterfaceLayout> + 'a {
        self.known
            .iter()
            .copied()
            .filter(move |known| known.id() == id && known.major() == major)
    }

    fn not_found(&self, key: &Key) -> HostError {
        let Key { id, major, name } = key;
        let message = format!("no plugin offers {id}/{major} `{name}`");
        HostError::new(HostErrorKind::NotFound, message).hint(self.instead_of(key))
    }

    /// What there is instead of something that nobody offers.
    fn instead_of(&self, key: &Key) -> String {
        let Key { id, major, name } = key;
        if self.records.contains_key(key) {
            return "the plugin that offered it was stopped".to_owned();
        }
        let served = || {
            let records = self.records.iter();
            records.filter_map(|(key, record)| record.service.as_ref().map(|_| key))
        };
        let others: Vec<String> = served()
            .filter(|other| other.name == *name)
            .map(|other| format!("{}/{}", other.id, other.major))
            .collect();
        if !others.is_empty() {
            let others = others.join(" and ");
            return format!("`{name}` is offered as {others}, which is no {id}/{major}");
        }
        let names: Vec<&str> = served()
            .filter(|other| other.id == *id && other.major == *major)
            .map(|other| other.name.as_str())
            .collect();
        if let Some(similar) = suggestion(name, names.iter().copied()) {
            format!("did you mean `{similar}`?")
        } else if names.is_empty() {
            "no loaded plugin offers this capability under any name".to_owned()
        } else {
            format!("offered are: {}", names.join(", "))
        }
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}
