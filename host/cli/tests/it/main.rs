//! The real binary: exit code, stdout and stderr of each command, also where things go wrong.
//!
//! What is expected stands in the tests. `UPDATE_EXPECT=1 cargo test -p keyway-cli` writes it anew.

mod call;
#[cfg(target_os = "linux")]
mod call_installed;
#[cfg(target_os = "linux")]
mod config;
mod crates;
#[cfg(unix)]
mod cycle;
mod dev;
#[cfg(target_os = "linux")]
mod doctor;
#[cfg(target_os = "linux")]
mod enable;
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
#[cfg(target_os = "linux")]
mod list;
#[cfg(unix)]
mod live;
mod new;
#[cfg(target_os = "linux")]
mod permissions;
mod readme;
#[cfg(target_os = "linux")]
mod registry;
mod release;
mod run;
#[cfg(target_os = "linux")]
mod schemas;
#[cfg(target_os = "linux")]
mod serve;
#[cfg(target_os = "linux")]
mod shells;
#[cfg(target_os = "linux")]
mod site;
mod template;
mod test_command;
mod validate;
#[cfg(target_os = "linux")]
mod web_registry;
