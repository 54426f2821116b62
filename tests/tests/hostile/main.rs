//! Hostile files and plugins. Whatever is done to the host, it answers one precise error, goes on
//! serving, and takes a good copy afterwards.

#[cfg(target_os = "linux")]
mod constructor;
#[cfg(target_os = "linux")]
mod damaged;
mod files;
#[cfg(target_os = "linux")]
mod notes;
mod registration;
mod steps;
#[cfg(target_os = "linux")]
mod unfit;
