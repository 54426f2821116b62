//! JSON web tokens: base64url parts joined by dots, the first of which is a JSON object with `alg`.
//!
//! Signed tokens have three parts (RFC 7515), of which the last is empty when nobody signed;
//! encrypted ones have five and say `enc` (RFC 7516).

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::kind::Kind;
use super::scan::{Scan, is_base64url};

/// The longest encoded header; certificates make it a few KiB long.
const MAX_HEADER: usize = 16 * 1024;

/// Looks for a token whose header starts with the `eyJ` (the start of an object, `{"`) that has its
/// `J` at `at`.
///
/// Nothing bounds the later parts, but each starts after a dot: a stretch of text is examined for
/// the few headers directly before it only.
pub(super) fn at_upper_j(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let start = at.checked_sub(2)?;
    if !scan.looking_back_at(at, b"ey") || scan.before(start).is_some_and(is_base64url) {
        return None;
    }
    let mut end = scan.run_end(start, MAX_HEADER, is_base64url);
    if scan.byte(end) != Some(b'.') {
        return None;
    }
    let header = Header::decode(scan.slice(start, end))?;
    let parts = if header.enc.is_some() { 5 } else { 3 };
    for part in 1..parts {
        if scan.byte(end) != Some(b'.') {
            return None;
        }
        let part_start = end + 1;
        end = scan.run_end(part_start, usize::MAX, is_base64url);
        // Only a signature, or the key of an encrypted token, can be empty.
        if end == part_start && part == 1 && header.enc.is_none() {
            return None;
        }
    }
    Some(scan.record(&Kind::Jwt, start, end))
}

/// What makes a JSON object the header of a token.
#[derive(Deserialize)]
struct Header {
    #[serde(rename = "alg")]
    _alg: IgnoredAny,
    enc: Option<IgnoredAny>,
}

impl Header {
    fn decode(encoded: &str) -> Option<Header> {
        serde_json::from_slice(&decode_base64url(encoded.as_bytes())?).ok()
    }
}

/// Decodes base64url without padding (RFC 4648, section 5).
fn decode_base64url(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(encoded.len() / 4 * 3 + 2);
    let (mut buffer, mut bits) = (0_u32, 0);
    for &byte in encoded {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        buffer = (buffer << 6 | u32::from(value)) & 0xfff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            decoded.push((buffer >> bits & 0xff) as u8);
        }
    }
    // A rest of six bits holds no byte.
    (bits < 6).then_some(decoded)
}
