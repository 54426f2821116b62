//! Permissions that are decided on when a plugin is loaded, and what a plugin then gets when it asks.
#![cfg(target_os = "linux")]

mod approval;
mod endings;
mod scene;
mod services;
