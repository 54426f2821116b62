//! The real binary: exit code, stdout and stderr of each command, also where things go wrong.
//!
//! What is expected stands in the tests. `UPDATE_EXPECT=1 cargo test -p keyway-cli` writes it anew.

mod call;
mod crates;
#[cfg(unix)]
mod cycle;
mod dev;
mod endings;
mod inspect;
mod libraries;
#[cfg(unix)]
mod live;
mod new;
mod readme;
mod release;
mod run;
mod template;
mod test_command;
mod validate;
