//! What plugins report through `tracing`, given to the host's own subscribers.
//!
//! A plugin's events and spans arrive as numbers and bytes and leave as ordinary events and spans
//! of this process, with the plugin's target, level, name, place and fields, and one more field
//! `plugin` with its id: on every event, and on every span that is not inside of another one of
//! the plugin. So `RUST_LOG=my_plugin=debug` does what it says. A [`LogBridge`] serves one
//! generation of a plugin; the call sites behind it are shared by all.
//!
//! Nothing in here calls into a plugin. When the host's filter changes, a [`FilterWatch`] says so
//! to whoever then tells the plugins.

mod bridge;
mod callsite;
mod filter;
mod intern;
mod limit;
mod spans;
mod values;

#[cfg(test)]
mod tests;

pub(crate) use bridge::LogBridge;
pub(crate) use filter::{FilterWatch, FilterWatchStop, epoch};
pub(crate) use limit::LogLimits;
