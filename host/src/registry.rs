//! Which plugin offers what: the slots behind all handles.
//!
//! A slot belongs to a capability and a name, not to a plugin, and is never removed: a handle that
//! was taken stays valid when the plugin ends, and serves again when another offers the same.

mod queries;

use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use keyway::abi::InterfaceLayout;
use keyway::abi::layout::LayoutError;
use keyway::capability::{Capability, Entry, Owner, RoomLimits, Target, WaitingRoom};
use keyway::slot::{Retired, Slot};

use crate::described::Description;
use crate::error::{HostError, HostErrorKind};
use crate::event::{Bus, EventKind};
use crate::status::RegisteredCapability;
use crate::suggest::suggestion;

pub(crate) use queries::Member;

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
    pub(crate) description: Description,
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
    description: Description,
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

/// What a plugin offers now and did not before, and the other way round.
struct News {
    epoch: u64,
    owner: Arc<str>,
    added: Vec<Key>,
    removed: Vec<Key>,
}

/// What was in the slots of one plugin; calls may still be inside.
pub(crate) type Replaced = Vec<Retired<Entry>>;

pub(crate) struct Registry {
    tables: RwLock<Tables>,
    bus: Bus,
}

#[derive(Default)]
struct Tables {
    records: BTreeMap<Key, Record>,
    /// What each plugin offers, so that no step looks at what all the others do.
    owned: HashMap<Arc<str>, BTreeSet<Key>>,
    /// Capabilities that one plugin at a time may offer, by id.
    exclusive: BTreeSet<String>,
    /// How often what is offered has changed.
    epoch: u64,
    /// The layouts by which this process calls, of each capability that a handle was asked of.
    known: Vec<&'static InterfaceLayout>,
}

impl Registry {
    pub(crate) fn new(
        known: &[&'static InterfaceLayout],
        exclusive: BTreeSet<String>,
        bus: Bus,
    ) -> Self {
        let tables = Tables {
            known: known.to_vec(),
            exclusive,
            ..Tables::default()
        };
        Registry {
            tables: RwLock::new(tables),
            bus,
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
        let (replaced, room, news) = tables.apply(&accepted);
        drop(tables);
        self.tell(news);
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
        tables.close(owner, room, doorkeeper)
    }

    /// Empties all slots of a plugin; calls that have started go on. What was in the slots is for
    /// the caller to drop, as with [`switch`](Self::switch).
    pub(crate) fn withdraw(&self, owner: &str) -> Replaced {
        let mut tables = self.write();
        tables.epoch += 1;
        let (owner, own) = tables.owned.remove_entry(owner).unwrap_or_default();
        let replaced = own.iter().filter_map(|key| tables.empty(key)).collect();
        let news = News {
            epoch: tables.epoch,
            owner,
            added: Vec::new(),
            removed: own.into_iter().collect(),
        };
        drop(tables);
        self.tell(vec![news]);
        replaced
    }

    fn tell(&self, news: Vec<News>) {
        let of = |keys: Vec<Key>, owner: &str| {
            let keys = keys.into_iter();
            keys.map(|key| RegisteredCapability::of(key, owner))
                .collect()
        };
        for News {
            epoch,
            owner,
            added,
            removed,
        } in news
        {
            if !added.is_empty() || !removed.is_empty() {
                let kind = EventKind::Offers {
                    epoch,
                    added: of(added, &owner),
                    removed: of(removed, &owner),
                };
                self.bus.tell(&owner, kind);
            }
        }
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
            Some(record) if record.service.is_some() => Ok(record.handle(name)),
            _ => Err(tables.not_found(&key)),
        }
    }

    /// A handle to what is going to be offered under a name.
    pub(crate) fn expected<C: Capability>(&self, name: &str) -> Result<C, HostError> {
        self.learn::<C>()?;
        let key = Key {
            id: C::ID.to_owned(),
            major: C::MAJOR,
            name: name.to_owned(),
        };
        Ok(self.write().record(&key).handle(name))
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
    /// A handle to whatever serves here.
    fn handle<C: Capability>(&self, name: &str) -> C {
        let label = format!("{}/{} `{name}`", C::ID, C::MAJOR);
        C::from_target(Target::slot(Arc::clone(&self.slot), label.into()))
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
    /// Makes the calls of a plugin wait.
    fn close(
        &mut self,
        owner: &str,
        room: &Arc<WaitingRoom>,
        doorkeeper: &Arc<dyn Owner>,
    ) -> Replaced {
        let own = self.owned.get(owner).into_iter().flatten();
        let mut replaced = Replaced::new();
        for key in own {
            let record = self.records.get_mut(key);
            replaced.extend(record.and_then(|record| record.close(room, doorkeeper)));
        }
        replaced
    }

    /// Empties a slot; answers what was in it.
    fn empty(&mut self, key: &Key) -> Option<Retired<Entry>> {
        self.records.get_mut(key)?.replace(None, None)
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
            if self.exclusive.contains(id)
                && let Some((holder, held)) = self.holder(&offer.key, change.owner, others)
            {
                return Err(refuse(format!(
                    "offers {id} `{name}`, and one plugin at a time may offer {id}: plugin \
                     '{holder}' does, with `{held}`"
                ))
                .hint("stop one of the two, or name the one that is wanted under [slots]"));
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
    fn apply(&mut self, changes: &[&Change<'_>]) -> (Vec<Replaced>, Arc<WaitingRoom>, Vec<News>) {
        self.epoch += u64::from(!changes.is_empty());
        let mut news = Vec::with_capacity(changes.len());
        let mut replaced: Vec<Replaced> = changes.iter().map(|_| Replaced::new()).collect();
        let slots = |change: &&Change<'_>| self.owned.get(change.owner).map_or(0, BTreeSet::len);
        let slots: usize = changes.iter().map(slots).sum();
        let room = WaitingRoom::new(RoomLimits {
            waiting: usize::MAX,
            patience: SWITCH_PATIENCE,
        });
        if slots > 1 {
            for (change, replaced) in changes.iter().zip(&mut replaced) {
                replaced.extend(self.close(change.owner, &room, &change.doorkeeper));
            }
        }
        for (change, replaced) in changes.iter().zip(&mut replaced) {
            for offer in change.offers {
                replaced.extend(self.fill(change.owner, offer));
            }
            let offered: BTreeSet<Key> = change
                .offers
                .iter()
                .map(|offer| offer.key.clone())
                .collect();
            let before = self.owned.get(change.owner).cloned().unwrap_or_default();
            let removed: Vec<Key> = before.difference(&offered).cloned().collect();
            for key in &removed {
                replaced.extend(self.empty(key));
            }
            news.push(News {
                epoch: self.epoch,
                owner: Arc::clone(change.owner),
                added: offered.difference(&before).cloned().collect(),
                removed,
            });
            self.owned.insert(Arc::clone(change.owner), offered);
        }
        (replaced, room, news)
    }

    fn record(&mut self, key: &Key) -> &mut Record {
        match self.records.entry(key.clone()) {
            btree_map::Entry::Occupied(occupied) => occupied.into_mut(),
            btree_map::Entry::Vacant(vacant) => vacant.insert(Record {
                slot: Arc::new(Slot::new(None)),
                service: None,
            }),
        }
    }

    fn fill(&mut self, owner: &Arc<str>, offer: &Offer) -> Option<Retired<Entry>> {
        let record = self.record(&offer.key);
        let service = Service {
            owner: Arc::clone(owner),
            layout: offer.layout,
            description: offer.description.clone(),
            closed: false,
        };
        record.replace(Some(service), Some(Arc::clone(&offer.entry)))
    }

    /// Who else offers an exclusive capability in the same namespace, now or by a change that was
    /// accepted, and under which name.
    fn holder(
        &self,
        key: &Key,
        owner: &Arc<str>,
        others: &[&Change<'_>],
    ) -> Option<(Arc<str>, String)> {
        let is_rival = |other: &Key| other.id == key.id && namespace(other) == namespace(key);
        let accepted = others.iter().flat_map(|change| {
            let keys = change.offers.iter().map(|offer| &offer.key);
            keys.map(|key| (change.owner, key))
        });
        let is_replaced = |owner: &Arc<str>| others.iter().any(|change| change.owner == owner);
        let first = Key {
            id: key.id.clone(),
            major: 0,
            name: String::new(),
        };
        let same = self.records.range(first..);
        let same = same.take_while(|(other, _)| other.id == key.id);
        let serving = same.filter_map(|(key, record)| Some((&record.service.as_ref()?.owner, key)));
        let serving = serving.filter(|(owner, _)| !is_replaced(owner));
        let rivals = accepted.chain(serving);
        let mut rivals = rivals.filter(|(other, key)| *other != owner && is_rival(key));
        let (holder, key) = rivals.next()?;
        Some((Arc::clone(holder), key.name.clone()))
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

/// What stands in front of a name; empty where nothing does.
fn namespace(key: &Key) -> &str {
    key.name
        .rsplit_once('/')
        .map_or("", |(namespace, _)| namespace)
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}
