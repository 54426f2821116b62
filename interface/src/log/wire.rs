//! The bytes in which call sites and field values cross to the host.
//!
//! Both directions of both forms are in here, so that they cannot drift apart. Integers are
//! little-endian and texts are UTF-8 behind their length in bytes. A reader skips what it does not
//! know: value types by their length, and whatever follows the last known part of a call site. So
//! a newer plugin's records read in an older host.

mod callsite;
mod reader;
mod values;
mod writer;

#[cfg(test)]
mod tests;

pub use callsite::{Callsite, Kinds, Level};
pub use reader::Malformed;
pub use values::{ErrorChain, Value, Values};
pub use writer::ValueWriter;

/// As the parent of an event or a span: whatever span the calling thread is in.
pub const CURRENT: u64 = 0;

/// As the parent of an event or a span: none. Also the plugin's name for spans that the host does
/// not want, whose children then have no parent, as those of a disabled span.
pub const NONE: u64 = u64::MAX;

/// The number of a span that is not the plugin's: the one that the calling thread is in. It gets a
/// number of its own when it is cloned.
pub const FOREIGN: u64 = u64::MAX - 1;

/// How much a host wants of a call site: nothing.
pub const NEVER: u8 = 0;

/// How much a host wants of a call site: it has to be asked each time.
pub const SOMETIMES: u8 = 1;

/// How much a host wants of a call site: everything.
pub const ALWAYS: u8 = 2;
