//! Contract and author SDK for Keyway plugins.

#![warn(unreachable_pub)]

// The macros name this crate `::keyway`, also inside it.
extern crate self as keyway;

pub mod abi;
mod error;
pub mod host;
pub mod memory;
pub mod pipeline;
mod plugin;
mod runtime;
#[doc(hidden)]
pub mod shim;
#[doc(hidden)]
pub mod slot;
pub mod tool;
pub mod version;

pub use abi::pass::Json;
pub use abi::stream::Stream;
pub use bytes::Bytes;
pub use error::{ErrorKind, PluginError, Result, ResultExt};
pub use keyway_macros::{capability, export_plugin};
#[cfg(feature = "tools")]
pub use keyway_macros::{data, tool};
pub use plugin::{Activation, Context, Exported, Plugin};
#[cfg(feature = "tools")]
#[doc(hidden)]
pub use schemars;
pub use shim::capability;
#[doc(hidden)]
pub use {serde, serde_json};
