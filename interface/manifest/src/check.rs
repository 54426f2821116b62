//! The rules of a manifest, checked on the tree of values.
//!
//! Every check reports what it finds and goes on, so one reading lists all problems. A check that
//! returns `None` has reported at least one error, or the key was absent and may be.

mod activation;
mod capabilities;
mod commands;
mod config;
mod content;
mod dependencies;
pub(crate) mod field;
pub(crate) mod keys;
mod list;
pub(crate) mod permissions;
pub(crate) mod plugin;
mod reload;
mod requires;
mod resources;
mod suggest;
pub(crate) mod text;
mod version;

use self::field::Field;
use self::keys::Keys;
use crate::Manifest;
use crate::diagnostic::report::Report;
use crate::tree::Node;

const TOP_LEVEL: Keys = Keys {
    listed: &["plugin"],
    aliases: &[],
    elsewhere: &[("plugin", plugin::KEYS.listed)],
};

/// Checks a whole document.
pub(crate) fn manifest(root: &Node, report: &mut Report) -> Option<Manifest> {
    let top_level = Field::root(root).table_with(&TOP_LEVEL, report)?;
    let plugin = top_level.require("plugin", "the plugin's id, versions and so on", report)?;
    plugin::check(&plugin, report)
}
