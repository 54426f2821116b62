//! Cargo: which library a crate makes, and making it.

mod build;
mod command;
mod metadata;
mod sources;
mod test;

pub(crate) use build::{Build, build};
pub(crate) use metadata::PluginCrate;
pub(crate) use sources::{Depth, Sources};
pub(crate) use test::test;

use crate::exit;
use crate::failure::Failure;

/// Cargo could not be started.
fn not_started(error: &std::io::Error) -> Failure {
    Failure::new(exit::BUILD, "cargo", format!("cannot start cargo: {error}"))
        .hint("install Rust from https://rustup.rs, or set CARGO to the cargo to use")
}
