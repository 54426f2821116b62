//! The real binary: exit code, stdout and stderr of each command, also where things go wrong.
//!
//! What is expected stands in the tests. `UPDATE_EXPECT=1 cargo test -p keyway-cli` writes it anew.

mod call;
mod crates;
mod dev;
mod endings;
mod inspect;
mod libraries;
mod readme;
mod release;
mod run;
