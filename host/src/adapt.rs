//! Plugins of an older major of a capability, served as a newer one.
//!
//! An application that gives a capability a new major keeps the plugins of the old one: it says how
//! the new trait is made from a handle of the old. What such a plugin offers is then offered as both.

use std::sync::Arc;

use keyway::abi::InterfaceLayout;
use keyway::capability::{Capability, Entry, Provided, Target};
use keyway::slot::Slot;

use crate::error::HostError;

/// How older capabilities become newer ones.
#[derive(Clone, Default)]
pub(crate) struct Adapters {
    all: Vec<Adapter>,
}

#[derive(Clone)]
pub(crate) struct Adapter {
    old: &'static InterfaceLayout,
    /// What it makes.
    pub(crate) new: (&'static str, u32),
    make: Arc<dyn Fn(Target) -> Provided + Send + Sync>,
}

impl Adapters {
    pub(crate) fn add<Old: Capability, New: Capability>(
        &mut self,
        make: impl Fn(Old) -> Provided + Send + Sync + 'static,
    ) {
        let adapter = Adapter {
            old: Old::LAYOUT,
            new: (New::ID, New::MAJOR),
            make: Arc::new(move |target| make(Old::from_target(target))),
        };
        // Of two that make the same of the same, the later one counts.
        let is_same =
            |other: &Adapter| other.is_of(Old::ID, Old::MAJOR) && other.new == adapter.new;
        self.all.retain(|other| !is_same(other));
        self.all.push(adapter);
    }

    /// Those of what a plugin offers.
    pub(crate) fn of(&self, id: &str, major: u32) -> impl Iterator<Item = &Adapter> {
        self.all
            .iter()
            .filter(move |adapter| adapter.is_of(id, major))
    }
}

impl Adapter {
    fn is_of(&self, id: &str, major: u32) -> bool {
        (self.old.id(), self.old.major()) == (id, major)
    }

    /// Makes the newer object, which calls the older one.
    ///
    /// # Errors
    ///
    /// When the plugin's idea of the older capability is not the application's, or the adapter made
    /// something else than it was registered for.
    pub(crate) fn adapt(
        &self,
        entry: &Arc<Entry>,
        layout: &'static InterfaceLayout,
        label: &str,
    ) -> Result<Provided, HostError> {
        self.old
            .check(layout)
            .map_err(|error| HostError::layout(&error))?;
        // By way of a slot, so that its calls are limited and decided on like any others.
        let slot = Arc::new(Slot::new(Some(Arc::clone(entry))));
        let made = (self.make)(Target::slot(slot, label.into()));
        let (id, major) = (made.layout().id(), made.layout().major());
        if (id, major) == self.new {
            return Ok(made);
        }
        let (wanted, wanted_major) = self.new;
        Err(HostError::new(
            crate::HostErrorKind::Registration,
            format!(
                "the application's adapter of {label} made another capability: expected \
                 {wanted}/{wanted_major}, found {id}/{major}"
            ),
        ))
    }
}
