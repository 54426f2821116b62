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
    const BEGIN: &[u8] = b"-----BEGIN ";
    if !scan.looking_at(at, BEGIN) {
        return None;
    }
    let label_start = at + BEGIN.len();
    let body_start = label_start + marker_end(scan.window(label_start, MAX_LABEL + 5))?;
    let body = scan.rest(body_start, MAX_BLOCK);
    let end = match close(body) {
        Close::End(end) => {
            scan.charge(end);
            end
        }
        Close::Before(end) => {
            scan.charge(end);
            let end = material_end(&body[..end]);
            scan.charge(end);
            end
        }
    };
    (end > 0).then(|| scan.record(&Kind::PrivateKey, at, body_start + end))
}

/// The end of a label that names a private key, and of the five dashes after it.
fn marker_end(bytes: &[u8]) -> Option<usize> {
    let is_label = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    let length = bytes.iter().take_while(|byte| is_label(byte)).count();
    let (label, rest) = bytes.split_at(length);
    let names_key = label
        .windows(b"PRIVATE KEY".len())
        .any(|words| words == b"PRIVATE KEY");
    (names_key && rest.starts_with(b"-----")).then_some(length + 5)
}

/// How the body of a block is closed.
enum Close {
    /// By an END line, which ends here.
    End(usize),
    /// Not at all: here is the next BEGIN line, or the end of what may be looked at.
    Before(usize),
}

/// Looks for the END line. The next BEGIN line ends the search, so that text full of them is not
/// searched again for each.
fn close(body: &[u8]) -> Close {
    let mut at = 0;
    while let Some(skipped) = body[at..].iter().position(|&byte| byte == b'-') {
        let dashes = at + skipped;
        let length = body[dashes..]
            .iter()
            .take_while(|&&byte| byte == b'-')
            .count();
        at = dashes + length;
        if length < 5 {
            continue;
        }
        let rest = &body[at..];
        if rest.starts_with(b"BEGIN ") {
            return Close::Before(dashes);
        }
        if let Some(end) = rest.strip_prefix(b"END ").and_then(marker_end) {
            return Close::End(at + b"END ".len() + end);
        }
    }
    Close::Before(body.len())
}

/// Where the key material ends that a block without an END line starts with; 0 if there is none.
///
/// Material is words of base64, of which only one that ends the text or has padding is short, and
/// before them the header lines of RFC 1421 and RFC 4880.
fn material_end(body: &[u8]) -> usize {
    let (mut at, mut end) = (0, 0);
    loop {
        at += between_words(&body[at..]);
        if let Some(line) = header_line(&body[at..]) {
            at += line;
            continue;
        }
        let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let word = body[at..].iter().take_while(is_base64).count();
        at += word;
        let is_short_end = word > 0 && (at == body.len() || body[at - 1] == b'=');
        if word >= MIN_MATERIAL || is_short_end {
            end = at;
        }
        if word < MIN_MATERIAL {
            return end;
        }
    }
}

/// The length of what can stand between two words: space, an escaped line break, the marks of a
/// quotation.
fn between_words(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += match byte {
            b'\\' if matches!(bytes.get(at + 1), Some(b'n' | b'r' | b't')) => 2,
            b'\\' | b'>' | b'|' | b'#' | b'"' | b'\'' | b',' => 1,
            byte if byte.is_ascii_whitespace() => 1,
            _ => break,
        };
    }
    at
}

/// The length of the header line at the start of `bytes`, if it is one.
fn header_line(bytes: &[u8]) -> Option<usize> {
    const NAMES: [&[u8]; 5] = [
        b"Proc-Type:",
        b"DEK-Info:",
        b"Version:",
        b"Comment:",
        b"Charset:",
    ];
    NAMES.iter().find(|name| bytes.starts_with(name))?;
    // In an escaped block the line break is a backslash and a letter.
    Some(
        bytes
            .iter()
            .take_while(|&&byte| !matches!(byte, b'\n' | b'\r' | b'\\'))
            .count(),
    )
}
