//! The bridge from the plugin's own copy of `tracing` to the host's.
//!
//! A cdylib has its own dispatcher, which the host's subscribers cannot see. The SDK therefore
//! installs a subscriber of its own that hands call sites, events and spans to the host's
//! [`HostServices`](crate::host::HostServices), in the forms of [`wire`]. What the host does not
//! want to see costs the plugin one load and one comparison, as with any other subscriber.
//!
//! Plugins that are linked into the host's binary share its dispatcher and need none of this.

pub mod wire;

#[cfg(feature = "tracing")]
mod bridge;
#[cfg(feature = "tracing")]
mod depth;
#[cfg(feature = "tracing")]
mod fields;
#[cfg(feature = "tracing")]
mod link;
#[cfg(all(test, feature = "tracing"))]
mod tests;

#[cfg(feature = "tracing")]
pub use bridge::Bridge;
#[cfg(feature = "tracing")]
pub(crate) use bridge::{install, uninstall};
