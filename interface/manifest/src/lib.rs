//! The model of `plugin.toml`: what a Keyway plugin is, needs and offers, as plain data.
//!
//! The same strict checks run wherever a manifest is read: in `export_plugin!` while a plugin
//! compiles, in the host before a plugin is loaded, and in the command line tool. The crate does no
//! IO and runs no plugin code; text comes in, and a [`Manifest`] or every problem of the text, each
//! with its position, goes out. The reference of all keys, for people who write a manifest, is
//! `MANIFEST.md` at the root of Keyway's repository.
//!
//! ```
//! use keyway_manifest::Manifest;
//!
//! let text = r#"
//! [plugin]
//! id = "text-filter"
//! version = "0.1.0"
//! min_host_version = "0.1.0"
//!
//! [plugin.capabilities]
//! tools = ["redact"]
//! "#;
//! let manifest = Manifest::from_toml(text, "plugin.toml")?;
//! assert!(manifest.capabilities.declares("keyway.tool", "redact"));
//!
//! let typo = text.replace("version = \"0.1.0\"\nmin", "verison = \"0.1.0\"\nmin");
//! let error = Manifest::from_toml(&typo, "plugin.toml").unwrap_err();
//! let first = &error.diagnostics()[0];
//! assert_eq!((first.line, first.column), (4, 1));
//! assert_eq!(first.hint.as_deref(), Some("did you mean `version`?"));
//! # Ok::<(), keyway_manifest::ManifestError>(())
//! ```
//!
//! # Two syntaxes, one model
//!
//! A manifest is written as TOML ([`Manifest::from_toml`]) or, with the cargo feature `json`, as the
//! equivalent JSON (`Manifest::from_json`). [`Manifest::to_json`] writes the canonical form that
//! is embedded in a plugin binary, and `Manifest::from_embedded` reads it back. Both readers build
//! one tree of values with byte ranges, and every rule is checked on that tree, so the two can not
//! drift apart.
//!
//! # Hostile input
//!
//! The text may come from a file that nobody has vouched for yet. Size, nesting and the number of
//! entries are bounded by [`limits`] before the work that depends on them, control characters are
//! refused in every string and escaped in every message, and no input makes the crate panic.

mod activation;
mod capability;
mod check;
mod command;
mod config;
mod content;
mod contract;
mod dependency;
mod diagnostic;
#[doc(hidden)]
pub mod document;
mod id;
mod isolation;
pub mod limits;
mod manifest;
mod permission;
mod reload;
mod requirement;
mod resources;
mod tree;
mod write;

pub use activation::{Activation, InvalidTrigger, Trigger, TriggerKind};
pub use capability::{
    BUILT_IN, Capabilities, capability_id, capability_named, is_capability_id, kind_key,
};
pub use command::CommandText;
pub use config::{ConfigField, ConfigType, ConfigValue, ItemType, ReloadPolicy};
pub use content::Content;
pub use contract::Contract;
pub use dependency::Dependency;
pub use diagnostic::{Diagnostic, ManifestError, Rendered, Severity};
pub use id::{InvalidPluginId, PluginId};
pub use isolation::Isolation;
pub use manifest::Manifest;
pub use permission::{Access, Filesystem, Permissions};
pub use reload::{Reload, ReloadMode, StatePolicy, ThreadLocals};
pub use requirement::Requirement;
pub use resources::Resources;
