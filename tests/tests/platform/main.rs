//! From folders of plugins to a running host: what is decided, in which order plugins start and stop,
//! and what is said of those that do not.
#![cfg(target_os = "linux")]

mod following;
mod health;
mod lifecycle;
mod records;
mod scene;
mod settings;
mod untouched;
