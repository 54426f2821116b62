//! The real binary: exit code, stdout and stderr of each command, also where things go wrong.
//!
//! What is expected stands in the tests. `UPDATE_EXPECT=1 cargo test -p keyway-cli` writes it anew.

mod call;
mod crates;
#[cfg(unix)]
mod cycle;
mod dev;
mod endings;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod git;
mod inspect;
#[cfg(target_os = "linux")]
mod install;
#[cfg(target_os = "linux")]
mod killed;
mod libraries;
#[cfg(unix)]
mod live;
mod readme;
#[cfg(target_os = "linux")]
mod registry;
mod release;
mod run;
#[cfg(target_os = "linux")]
mod site;
mod template;
mod test_command;
mod validate;
#[cfg(target_os = "linux")]
mod web_registry;
