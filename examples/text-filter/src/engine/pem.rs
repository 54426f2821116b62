//! Private keys in PEM blocks (RFC 7468), with or without line breaks, escaped or quoted.
//!
//! What is between BEGIN and END is redacted whatever it is. A block without an END line, as a cut
//! log has it, is redacted as far as it reads like key material; a BEGIN line with no such material
//! after it is text about keys, not a key.

use super::kind::Kind;
use super::scan::Scan;

/// How far an END line is looked for, and the most that a block without one takes: five times a
/// key of 16,384 bits.
const MAX_BLOCK: usize = 64 * 1024;
/// The longest label, `PGP PRIVATE KEY BLOCK` being 21 bytes.
const MAX_LABEL: usize = 48;
/// The shortest word that is taken for key material by itself.
const MIN_MATERIAL: usize = 16;

/// Looks for a block whose BEGIN line starts at `at`.
pub(super) fn at_dash(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    if !scan.looking_at(at, b"-----BEGIN ") {
        return None;
    }
    let label_start = at + b"-----BEGIN ".len();
    let label = private_key_label(scan.window(label_start, MAX_LABEL))?;
    let body_start = label_start + label + b"-----".len();
    let body = scan.window(body_start, 0);
    let _ = body;
    let end = match block_end(scan, body_start) {
        Some(end) => end,
        None => material_end(scan, body_start)?,
    };
    Some(scan.record(&Kind::PrivateKey, at, end))
}
