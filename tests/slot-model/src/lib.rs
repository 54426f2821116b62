//! loom models of `interface/src/slot.rs`, and of the switch of a whole plugin that is made with it
//! and with `interface/src/shim/capability/room.rs`: their sources are included here and compiled
//! against loom's primitives.
//!
//! loom runs each model under every interleaving, and every value that a load may return, up to a
//! bound on preemptions. It knows fences but no `membarrier`, so what the models show is the
//! protocol with the fence on the reader's side; see the slot's own documentation for the step from
//! there. It knows no time either: nobody's patience ends.

#[cfg(test)]
mod models;
#[cfg(test)]
#[path = "../../../interface/src/shim/capability/room.rs"]
pub mod room;
#[cfg(test)]
#[path = "../../../interface/src/slot.rs"]
pub mod slot;
#[cfg(test)]
mod switch;
