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

/// The same in a library, where `export_plugin!` has added what it knows of the build.
const EMBEDDED: Keys = Keys {
    aliases: &["build"],
    ..TOP_LEVEL
};

/// Checks a whole document.
pub(crate) fn manifest(root: &Node, report: &mut Report) -> Option<Manifest> {
    let is_embedded = !report.refuses_unknown_keys();
    let keys = if is_embedded { &EMBEDDED } else { &TOP_LEVEL };
    let top_level = Field::root(root).table_with(keys, report)?;
    let plugin = top_level.require("plugin", "the plugin's id, versions and so on", report)?;
    let manifest = plugin::check(&plugin, report);
    let build = top_level.get("build").filter(|_| is_embedded);
    let package = build.and_then(|build| package(&build, report));
    manifest.map(|manifest| Manifest {
        package,
        ..manifest
    })
}

fn package(build: &Field<'_>, report: &mut Report) -> Option<String> {
    let build = build.table_with(&Keys::plain(&["package"]), report)?;
    let package = build.get("package")?;
    text::line(&package, report)
}
