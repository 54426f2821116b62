//! What a manifest is read with, for Keyway's other files of the same kind: the host's `keyway.toml`
//! gets the same guard of the syntax, the same positions and the same words.
//!
//! Not a part of this crate's stable interface: it changes as the manifest's own reading does.

pub use crate::check::field::{Field, Table};
pub use crate::check::keys::{Keys, Meant};
pub use crate::check::permissions::check as permissions;
pub use crate::check::plugin::{bad_id, plugin_id};
pub use crate::check::text::{choice, is_identifier, line};
pub use crate::diagnostic::position::LineIndex;
pub use crate::diagnostic::report::{Problem, Report};
pub use crate::permission::{Fault, peer, place};
pub use crate::tree::show::{path, quoted, text};
pub use crate::tree::toml::read as toml;
pub use crate::tree::{Entry, Node, Syntax, Value};
