//! Reads the host's file, and the texts that it names.

use std::io::Read;
use std::path::Path;

use crate::regular::{self, Links};

/// The whole text of a regular file, or what is wrong with it.
pub(super) fn text_of(path: &Path, max_bytes: u64) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    let file = regular::open(path, Links::Follow).map_err(cannot)?;
    let mut bytes = Vec::new();
    // One byte more than may be: the length that the file says it has may be out of date.
    let mut bounded = file.take(max_bytes.saturating_add(1));
    bounded.read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > max_bytes {
        return Err(format!("is too long: expected at most {max_bytes} bytes"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("is no UTF-8 text: the byte at {at} does not fit")
    })
}
