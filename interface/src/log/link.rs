//! The way to the host, and the numbers under which it knows the plugin's call sites.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tracing_core::Metadata;

use super::fields;
use crate::host::{HostServices, HostServicesHandle};

/// The connection of a bridge, from its installation until the plugin ends.
///
/// A global subscriber can never be dropped, so what it would leak with every generation is kept
/// in here instead and can be taken out: the host's object and the table of numbers.
#[derive(Debug)]
pub(super) struct Link {
    state: RwLock<Option<State>>,
}

#[derive(Debug)]
struct State {
    host: HostServicesHandle,
    /// From the address of a call site's metadata to its number.
    numbers: HashMap<usize, u64, BuildHasherDefault<AddressHasher>>,
    metadata: HashMap<u64, &'static Metadata<'static>>,
}

impl Link {
    pub(super) const fn new() -> Self {
        Link {
            state: RwLock::new(None),
        }
    }

    pub(super) fn connect(&self, host: HostServicesHandle) {
        let state = State {
            host,
            numbers: HashMap::default(),
            metadata: HashMap::new(),
        };
        *self.write() = Some(state);
    }

    pub(super) fn disconnect(&self) {
        // Dropped outside of the lock: the host's object may end here, and say so to its log.
        let state = self.write().take();
        drop(state);
    }

    /// The host, while there is one.
    pub(super) fn host(&self) -> Option<HostServicesHandle> {
        Some(self.read().as_ref()?.host.clone())
    }

    /// The host, and the number under which it knows this call site.
    ///
    /// No lock is held when this returns: whatever the host does with an event may come back here.
    pub(super) fn site(&self, metadata: &Metadata<'_>) -> Option<(HostServicesHandle, u64)> {
        let metadata = fields::owner(metadata);
        let address = std::ptr::from_ref(metadata).addr();
        let host = {
            let state = self.read();
            let state = state.as_ref()?;
            let host = state.host.clone();
            if let Some(&number) = state.numbers.get(&address) {
                return Some((host, number));
            }
            host
        };
        // Two threads may ask at the same time; the host answers the same to both.
        let number = host
            .log_callsite(&fields::callsite(metadata).encode())
            .ok()?;
        if let Some(state) = self.write().as_mut() {
            state.numbers.insert(address, number);
            state.metadata.insert(number, metadata);
        }
        Some((host, number))
    }

    /// A call site that the host knows under this number.
    pub(super) fn metadata(&self, number: u64) -> Option<&'static Metadata<'static>> {
        self.read().as_ref()?.metadata.get(&number).copied()
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<State>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<State>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Mixes addresses of statics, which nobody chooses to collide.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_usize(usize::from(byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        // The multiplier of Fibonacci hashing; the table looks at the top and the bottom bits.
        let mixed = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
