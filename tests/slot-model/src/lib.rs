//! loom models of `interface/src/slot.rs`: its source is included here and compiled against loom's
//! primitives.
//!
//! loom runs each model under every interleaving, and every value that a load may return, up to a
//! bound on preemptions. It knows fences but no `membarrier`, so what the models show is the
//! protocol with the fence on the reader's side; see the slot's own documentation for the step from
//! there.

#[cfg(test)]
mod models;
#[cfg(test)]
#[path = "../../../interface/src/slot.rs"]
pub mod slot;
