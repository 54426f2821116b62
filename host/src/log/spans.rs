//! The spans that a plugin has open.
//!
//! A plugin knows its spans by numbers, each of which stands for one reference that the host holds
//! on a span of its own subscriber. What a plugin leaves open, the host closes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing_core::Dispatch;
use tracing_core::span::Id;

/// A span of the host's subscriber.
#[derive(Clone, Debug)]
pub(super) struct Open {
    /// The subscriber that made it; it means nothing to another one.
    pub(super) dispatch: Dispatch,
    pub(super) id: Id,
    /// The number of its call site, 0 if it is not one of the plugin's.
    pub(super) site: u64,
}

impl Open {
    fn close(self) {
        self.dispatch.try_close(self.id);
    }
}

#[derive(Debug)]
struct Owned {
    open: Open,
    owners: u64,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    open: HashMap<u64, Owned>,
    /// From the subscriber's id of a span to its number.
    numbers: HashMap<u64, u64>,
}

/// The spans of one plugin.
///
/// No subscriber is called while the table is locked.
#[derive(Debug)]
pub(super) struct Spans {
    most: usize,
    /// Empty once the plugin has ended.
    table: Mutex<Option<Table>>,
}

impl Spans {
    pub(super) fn new(most: usize) -> Self {
        Spans {
            most,
            table: Mutex::new(Some(Table::default())),
        }
    }

    /// Whether one more span may be opened.
    pub(super) fn has_room(&self) -> bool {
        self.lock()
            .as_ref()
            .is_some_and(|table| table.open.len() < self.most)
    }

    /// Takes over a reference on a span; answers its number, or closes it and answers 0 if there
    /// is no room any more.
    pub(super) fn insert(&self, open: Open) -> u64 {
        {
            let mut table = self.lock();
            if let Some(table) = table.as_mut().filter(|table| table.open.len() < self.most) {
                table.last += 1;
                let number = table.last;
                table.numbers.insert(open.id.into_u64(), number);
                table.open.insert(number, Owned { open, owners: 1 });
                return number;
            }
        }
        open.close();
        0
    }

    /// The span of a number.
    pub(super) fn get(&self, number: u64) -> Option<Open> {
        Some(self.lock().as_ref()?.open.get(&number)?.open.clone())
    }

    /// The number of a span that one of the plugin's call sites made, and that call site.
    pub(super) fn number(&self, id: &Id) -> Option<(u64, u64)> {
        let table = self.lock();
        let table = table.as_ref()?;
        let number = *table.numbers.get(&id.into_u64())?;
        Some((number, table.open.get(&number)?.open.site))
    }

    /// One more owner; false if the span is not open.
    pub(super) fn retain(&self, number: u64) -> bool {
        let mut table = self.lock();
        let owned = table.as_mut().and_then(|table| table.open.get_mut(&number));
        owned.map(|owned| owned.owners += 1).is_some()
    }

    /// One owner less; the last one closes the span.
    pub(super) fn release(&self, number: u64) {
        let released = {
            let mut table = self.lock();
            table.as_mut().and_then(|table| table.release(number))
        };
        if let Some(open) = released {
            open.close();
        }
    }

    /// Closes all that are still open, and takes no new ones. Answers how many there were.
    pub(super) fn close(&self) -> usize {
        let table = self.lock().take();
        let open = table.map(|table| table.open).unwrap_or_default();
        let count = open.len();
        for owned in open.into_values() {
            owned.open.close();
        }
        count
    }

    fn lock(&self) -> MutexGuard<'_, Option<Table>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn release(&mut self, number: u64) -> Option<Open> {
        let owned = self.open.get_mut(&number)?;
        owned.owners -= 1;
        if owned.owners > 0 {
            return None;
        }
        let open = self.open.remove(&number)?.open;
        let id = open.id.into_u64();
        // A subscriber may have given the same id to a later span.
        if self.numbers.get(&id) == Some(&number) {
            self.numbers.remove(&id);
        }
        Some(open)
    }
}
