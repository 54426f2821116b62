//! What a host does with what plugins offer: in which order it asks them, what becomes of failures, and
//! what it starts, ends and opens again.
#![cfg(target_os = "linux")]

mod channels;
mod commands;
mod events;
mod memory;
mod paths;
mod pipeline;
mod providers;
mod scene;
mod services;
mod skills;
mod voices;
