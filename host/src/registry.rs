//! Which plugin offers what: the slots behind all handles.
//!
//! A slot belongs to a capability and a name, not to a plugin, and is never removed: a handle that
//! was taken stays valid when the plugin ends, and serves again when another offers the same.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use keyway::abi::InterfaceLayout;
use keyway::abi::layout::LayoutError;
use keyway::capability::{Capability, Entry, Owner, RoomLimits, Target, WaitingRoom};
use keyway::slot::{Retired, Slot};

use crate::error::{HostError, HostErrorKind};
use crate::suggest::suggestion;
use crate::tool::ToolFacts;

/// How long a call waits for a switch, which takes microseconds, before it gives up.
const SWITCH_PATIENCE: Duration = Duration::from_secs(60);

/// A capability of this id and major under a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) major: u32,
    pub(crate) name: String,
}

/// What one plugin wants to offer.
#[derive(Clone)]
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
    /// Calls wait outside of it.
    closed: bool,
}

/// What a plugin is to offer in place of what it offers now.
pub(crate) struct Change<'a> {
    pub(crate) owner: &'a Arc<str>,
    pub(crate) offers: &'a [Offer],
    /// Who stands for the plugin while calls wait.
    pub(crate) doorkeeper: Arc<dyn Owner>,
}

/// What was in the slots of one plugin; calls may still be inside.
pub(crate) type Replaced = Vec<Retired<Entry>>;

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

    /// Lets each of these plugins offer what it is to offer now, and nothing else. A change that
    /// does not fit is refused as a whole, and answered with its error; all others take effect
    /// together: no caller meets the new version at one slot and afterwards an old one at another.
    ///
    /// What was in the slots is for the caller to drop: the destructor of the last lease runs the
    /// plugin's code, which must not happen under the registry's lock.
    pub(crate) fn switch(&self, changes: &[Change<'_>]) -> Vec<Result<Replaced, HostError>> {
        let mut tables = self.write();
        let mut accepted: Vec<&Change<'_>> = Vec::new();
        let mut answers = Vec::new();
        for change in changes {
            let fits = tables.check(change, &accepted);
            if fits.is_ok() {
                accepted.push(change);
            }
            answers.push(fits.map(|()| Replaced::new()));
        }
        let (replaced, room) = tables.apply(&accepted);
        drop(tables);
        // Those who wait are woken by foreign code, which must not happen under the lock.
        room.open();
        let mut replaced = replaced.into_iter();
        for answer in answers.iter_mut().flatten() {
            *answer = replaced.next().unwrap_or_default();
        }
        answers
    }

    /// Makes all calls of a plugin wait in this room. The slots stay the plugin's; a later
    /// [`switch`](Self::switch) fills them again, and the room is for the caller to open then.
    pub(crate) fn close(
        &self,
        owner: &str,
        room: &Arc<WaitingRoom>,
        doorkeeper: &Arc<dyn Owner>,
    ) -> Replaced {
        let mut tables = self.write();
        let mut replaced = Replaced::new();
        for record in tables.records_of(owner) {
            replaced.extend(record.close(room, doorkeeper));
        }
        replaced
    }

    /// Empties all slots of a plugin; calls that have started go on. What was in the slots is for
    /// the caller to drop, as with [`switch`](Self::switch).
    pub(crate) fn withdraw(&self, owner: &str) -> Replaced {
        let mut tables = self.write();
        let mut replaced = Replaced::new();
        for record in tables.records_of(owner) {
            replaced.extend(record.replace(None, None));
        }
        replaced
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

impl Record {
    fn belongs_to(&self, owner: &str) -> bool {
        let service = self.service.as_ref();
        service.is_some_and(|service| &*service.owner == owner)
    }

    /// Makes calls wait, unless they do already; answers what they went to.
    fn close(
        &mut self,
        room: &Arc<WaitingRoom>,
        doorkeeper: &Arc<dyn Owner>,
    ) -> Option<Retired<Entry>> {
        let service = self.service.as_mut().filter(|service| !service.closed)?;
        let current = self.slot.lease()?;
        service.closed = true;
        let closed = Entry::closed(Arc::clone(room), Arc::clone(doorkeeper), &current);
        self.slot.swap(Some(Arc::new(closed)))
    }

    /// Lets another service serve, or none; answers what served, unless that was the closed entry.
    fn replace(
        &mut self,
        service: Option<Service>,
        entry: Option<Arc<Entry>>,
    ) -> Option<Retired<Entry>> {
        let was_closed = self.service.as_ref().is_some_and(|service| service.closed);
        self.service = service;
        self.slot.swap(entry).filter(|_| !was_closed)
    }
}

impl Tables {
    fn records_of<'a>(&'a mut self, owner: &'a str) -> impl Iterator<Item = &'a mut Record> {
        let records = self.records.values_mut();
        records.filter(move |record| record.belongs_to(owner))
    }

    /// Whether a plugin may offer what it wants to, beside what others are to offer.
    fn check(&self, change: &Change<'_>, others: &[&Change<'_>]) -> Result<(), HostError> {
        for (index, offer) in change.offers.iter().enumerate() {
            let Key { id, major, name } = &offer.key;
            let refuse = |message: String| HostError::new(HostErrorKind::Registration, message);
            let is_same = |other: &Offer| other.key == offer.key;
            if change.offers[..index].iter().any(is_same) {
                return Err(refuse(format!("registered {id}/{major} `{name}` twice"))
                    .hint("give one of them another name"));
            }
            let service = self.records.get(&offer.key);
            let service = service.and_then(|record| record.service.as_ref());
            let taken = service
                .map(|service| &service.owner)
                .filter(|owner| *owner != change.owner)
                .or_else(|| {
                    let other = others.iter().find(|other| other.offers.iter().any(is_same));
                    other.map(|other| other.owner)
                });
            if let Some(other) = taken {
                return Err(refuse(format!(
                    "offers {id}/{major} `{name}`, which plugin '{other}' offers already"
                ))
                .hint("stop one of the two plugins, or load one under a namespace"));
            }
            for known in self.layouts_of(id, *major) {
                known
                    .check(offer.layout)
                    .map_err(|error| HostError::layout(&error))?;
            }
        }
        Ok(())
    }

    /// Makes changes that fit, all at once; answers what each plugin offered before, and the room
    /// to open now.
    ///
    /// Where more than one slot changes, calls that arrive in the middle wait: first every slot is
    /// closed, then every slot is filled, then the waiting calls go on. Since no slot is filled
    /// before all are closed, whoever was served by a new version finds every other slot new or
    /// closed.
    fn apply(&mut self, changes: &[&Change<'_>]) -> (Vec<Replaced>, Arc<WaitingRoom>) {
        let mut replaced: Vec<Replaced> = changes.iter().map(|_| Replaced::new()).collect();
        let slots: usize = changes
            .iter()
            .map(|change| self.records_of(change.owner).count())
            .sum();
        let room = WaitingRoom::new(RoomLimits {
            waiting: usize::MAX,
            patience: SWITCH_PATIENCE,
        });
        if slots > 1 {
            for (change, replaced) in changes.iter().zip(&mut replaced) {
                for record in self.records_of(change.owner) {
                    replaced.extend(record.close(&room, &change.doorkeeper));
                }
            }
        }
        for (change, replaced) in changes.iter().zip(&mut replaced) {
            for offer in change.offers {
                replaced.extend(self.fill(change.owner, offer));
            }
            let is_offered = |key: &Key| change.offers.iter().any(|offer| offer.key == *key);
            for (key, record) in &mut self.records {
                if record.belongs_to(change.owner) && !is_offered(key) {
                    replaced.extend(record.replace(None, None));
                }
            }
        }
        (replaced, room)
    }

    fn fill(&mut self, owner: &Arc<str>, offer: &Offer) -> Option<Retired<Entry>> {
        let record = match self.records.entry(offer.key.clone()) {
            btree_map::Entry::Occupied(occupied) => occupied.into_mut(),
            btree_map::Entry::Vacant(vacant) => vacant.insert(Record {
                slot: Arc::new(Slot::new(None)),
                service: None,
            }),
        };
        let service = Service {
            owner: Arc::clone(owner),
            layout: offer.layout,
            tool: offer.tool.clone(),
            closed: false,
        };
        record.replace(Some(service), Some(Arc::clone(&offer.entry)))
    }

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
