//! E-mail addresses, found by their `@`.
//!
//! The local part is what people use, not all that RFC 5321 allows: letters, digits and `._%+-'`.
//! The other legal characters (`=`, `/`, `{`, ...) are far more often the end of what stands before
//! an address. Letters of scripts that put spaces between words may be used in both parts; those
//! of scripts that do not (Chinese, Thai, ...) end the address, or it would swallow the sentence.

use super::kind::Kind;
use super::scan::Scan;

/// The longest local part, in characters (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// The longest domain, in characters (RFC 1035, 2.3.4).
const MAX_DOMAIN: usize = 253;
/// The longest label of a domain, in characters (RFC 1035, 2.3.4).
const MAX_LABEL: usize = 63;

/// Looks for an address around the `@` at `at`.
pub(super) fn at_sign(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let start = local_start(scan, at)?;
    let end = domain_end(scan, at + 1)?;
    if !is_scaled_image(scan.slice(at + 1, end)) {
        scan.record(&Kind::Email, start, end);
    }
    // The domain is left to the other detectors; what they find in it is a part of the address.
    None
}

fn local_start(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let (mut start, mut cursor, mut after) = (at, at, '@');
    for (length, c) in scan.chars_before(at).enumerate() {
        // A dot neither ends the local part nor follows another.
        if !is_local(c) || (c == '.' && matches!(after, '@' | '.')) {
            break;
        }
        cursor -= c.len_utf8();
        if length == MAX_LOCAL {
            start = at;
            break;
        }
        // Punctuation does not come first: in `'bob@example.com'` it belongs to the text around.
        if is_letter_or_digit(c) || c == '_' {
            start = cursor;
        }
        after = c;
    }
    scan.charge(at - cursor + 1);
    (start < at).then_some(start)
}

/// The end of the longest domain at `at`: two labels or more, of which the last can be a top-level
/// domain.
fn domain_end(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let is_domain = |c| is_letter_or_digit(c) || matches!(c, '-' | '.');
    let run = scan
        .chars_from(at)
        .take(MAX_DOMAIN)
        .take_while(|&c| is_domain(c));
    let length = run.map(char::len_utf8).sum::<usize>();
    let (mut start, mut end) = (at, None);
    for (index, label) in scan.slice(at, at + length).split('.').enumerate() {
        if label.is_empty() || label.starts_with('-') || label.chars().count() > MAX_LABEL {
            break;
        }
        if index > 0 {
            end = top_level_length(label).map(|length| start + length).or(end);
        }
        if label.ends_with('-') {
            break;
        }
        start += label.len() + 1;
    }
    end
}

/// How much of a label is a top-level domain: punycode, or two letters and more. What follows them
/// after a hyphen is text around the address, as in `bob@example.com-and-others`.
fn top_level_length(label: &str) -> Option<usize> {
    let prefix = label.get(..4).unwrap_or_default();
    if prefix.eq_ignore_ascii_case("xn--") && label.len() > 4 && !label.ends_with('-') {
        return Some(label.len());
    }
    let letters = label.split('-').next().unwrap_or(label);
    (letters.chars().count() >= 2 && letters.chars().all(is_letter)).then_some(letters.len())
}

/// Whether this "domain" is the rest of a file name such as `icon@2x.png`.
fn is_scaled_image(domain: &str) -> bool {
    let Some((scale, extension)) = domain.split_once('.') else {
        return false;
    };
    let digits = scale.strip_suffix(['x', 'X']).unwrap_or_default();
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && ["gif", "jpeg", "jpg", "pdf", "png", "svg", "webp"]
            .iter()
            .any(|image| extension.eq_ignore_ascii_case(image))
}

fn is_local(c: char) -> bool {
    is_letter_or_digit(c) || matches!(c, '.' | '_' | '%' | '+' | '-' | '\'')
}

fn is_letter_or_digit(c: char) -> bool {
    c.is_ascii_digit() || is_letter(c)
}

/// A letter, or a mark on one, of a script with spaces between words: Latin, Greek, Cyrillic,
/// Armenian, Hebrew and Arabic are what Unicode has before U+0700.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic()
        || ('\u{80}'..'\u{700}').contains(&c)
            && (c.is_alphabetic() || ('\u{300}'..'\u{370}').contains(&c))
}
