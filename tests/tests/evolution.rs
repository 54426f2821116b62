//! Hosts and plugins that were built at different times: what still fits, and what is refused.
//!
//! The minors of the interface and of a capability are tested together: a host binary and a plugin
//! are each built twice from one source, and all four pairs run. Breaking changes come from a
//! plugin whose configuration says which of them it makes.

#[path = "evolution/breaking.rs"]
mod breaking;
#[path = "evolution/build.rs"]
mod build;
#[path = "evolution/minors.rs"]
mod minors;
