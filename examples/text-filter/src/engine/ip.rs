//! IP addresses: what is shaped like one is parsed by `std`.
//!
//! The shape comes first because much else is made of numbers, dots and colons: versions, object
//! ids, times, hardware addresses, paths of Rust items.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::kind::Kind;
use super::scan::Scan;

/// The longest IPv4 address, `255.255.255.255`.
const MAX_V4: usize = 15;
/// The longest IPv6 address, with an embedded IPv4 address in full.
const MAX_V6: usize = 45;

/// Looks for an IPv4 address at the first digit of a number.
pub(super) fn at_digit(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    if matches!(scan.before(at), Some(byte) if super::scan::is_word(byte) || byte == b'.') {
        return None;
    }
    let run_end = scan.run_end(at, MAX_V4 + 2, |byte| byte.is_ascii_digit() || byte == b'.');
    let end = run_end - usize::from(scan.byte(run_end - 1) == Some(b'.'));
    if end - at > MAX_V4 || scan.word_at(end) {
        return None;
    }
    scan.slice(at, end).parse::<Ipv4Addr>().ok()?;
    Some(scan.record(&Kind::Ip, at, end))
}

/// Looks for an IPv6 address around its first colon.
pub(super) fn at_colon(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let double = scan.byte(at + 1) == Some(b':');
    let head = scan.run_start(at, 5, |byte| byte.is_ascii_hexdigit());
    let is_word = matches!(scan.before(head), Some(b) if super::scan::is_word(b) || b == b'.');
    let start = if is_word || at - head > 4 {
        // A word and two colons are a path (`std::fmt`); with one colon it is a label.
        if double {
            return Some(at + 2);
        }
        at + 1
    } else if head == at && !double {
        at + 1
    } else {
        head
    };
    let is_v6 = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    // The run is read to its end, however long, and not looked at again.
    let run_end = scan.run_end(start, usize::MAX, is_v6);
    let next = Some(run_end.max(at + 1));
    let found = sentence_ends(scan, start, run_end)
        .into_iter()
        .find(|&end| {
            end - start <= MAX_V6 && !scan.word_at(end) && is_address(scan.slice(start, end))
        });
    match found {
        Some(end) => Some(scan.record(&Kind::Ip, start, end)),
        None => next,
    }
}

/// Where an address can end that starts a run of digits, colons and dots: at the end of the run,
/// but for a dot or colon of the sentence's own; or at the first dot, if a word follows that starts
/// like hexadecimal.
fn sentence_ends(scan: &mut Scan<'_>, start: usize, run_end: usize) -> [usize; 2] {
    let mut end = run_end;
    while end > start + 2 {
        match (scan.byte(end - 2), scan.byte(end - 1)) {
            (_, Some(b'.')) => end -= 1,
            (Some(before), Some(b':')) if before != b':' => end -= 1,
            _ => break,
        }
    }
    scan.charge(run_end - end + 1);
    let window = scan.window(start, MAX_V6 + 1);
    let first_dot = window.iter().position(|&byte| byte == b'.');
    [
        end,
        first_dot.map_or(end, |length| start + length.min(end - start)),
    ]
}

/// Whether this is an IPv6 address that is written like one.
fn is_address(text: &str) -> bool {
    let groups = || text.split(':').filter(|group| !group.is_empty());
    let count = groups().count();
    // Slices of short numbers (`a[1::2]`) parse as addresses, and so do eight bytes of a
    // fingerprint, and paths of items with hexadecimal names (`abc::def`, `f32::`, `::f32`): an
    // address has a digit, and three groups, or a first one of four digits, or a dotted end.
    let is_short = count < 4 && groups().all(|group| group.len() <= 2);
    let is_bytes = count == 8 && groups().all(|group| group.len() == 2);
    let is_written_out = count >= 3 || text.find(':') == Some(4) || text.contains('.');
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let is_plausible = has_digit && is_written_out && !is_short && !is_bytes;
    (text == "::1" || is_plausible) && text.parse::<Ipv6Addr>().is_ok()
}
