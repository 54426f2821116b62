//! The bounds that every manifest is held to.
//!
//! They are far above what a real plugin declares. Their purpose is that reading a manifest costs a
//! bounded amount of time, memory and stack, whoever wrote it.

/// The longest manifest text that is read, in bytes.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;

/// The longest embedded JSON that is read, in bytes.
///
/// The canonical JSON of a manifest can be about four times as long as its text (the number `1e15`
/// is written in full), so this is eight times [`MAX_TEXT_BYTES`].
pub const MAX_EMBEDDED_BYTES: usize = 8 * MAX_TEXT_BYTES;

/// The deepest nesting of tables and arrays, where the model itself needs five.
pub const MAX_DEPTH: usize = 32;

/// The most parts of one dotted TOML key, where the model itself needs four.
pub const MAX_KEY_PARTS: usize = 8;

/// The most entries of one list or one open-ended table.
pub const MAX_ENTRIES: usize = 1024;

/// The longest plugin id, in characters.
pub const MAX_ID_CHARS: usize = 64;

/// The longest name of a capability, a config field or an environment variable, in characters.
pub const MAX_NAME_CHARS: usize = 128;

/// The longest one-line string (an author, a license, a path, a pattern), in characters.
pub const MAX_LINE_CHARS: usize = 2048;

/// The longest description or config default, in characters.
pub const MAX_PROSE_CHARS: usize = 16 * 1024;

/// The largest resource limit. A larger one is a mistake, and would overflow when it is converted
/// from mebibytes to bytes.
pub const MAX_RESOURCE: u64 = 1 << 40;

/// The most problems that one error lists; the rest are counted.
pub const MAX_DIAGNOSTICS: usize = 100;
