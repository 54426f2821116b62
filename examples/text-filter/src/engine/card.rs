//! Payment card numbers: 13 to 19 digits in one piece or in the groups that cards are printed in,
//! with a known issuer's prefix, a length that this issuer uses, and a valid check digit (ISO 7812).

use super::kind::Kind;
use super::number::{Gap, Group, Number};
use super::scan::Scan;

/// The fewest digits of a card number.
const MIN_DIGITS: usize = 13;

/// Looks for a card number at the start of a number, the longest first.
pub(super) fn in_number(scan: &mut Scan<'_>, number: &Number) -> Option<usize> {
    let groups = number.groups();
    let start = groups.first()?.start;
    if number.digits(groups.len()).len() < MIN_DIGITS || continues_before(scan, start) {
        return None;
    }
    let count = (1..=groups.len()).rev().find(|&count| {
        is_printed_shape(&groups[..count])
            && is_card(number.digits(count))
            && !continues_after(scan, &groups[..count])
    })?;
    Some(scan.record(&Kind::PaymentCard, start, groups[count - 1].end))
}

/// Whether this is the rest of a decimal fraction, or of something joined by hyphens.
fn continues_before(scan: &Scan<'_>, start: usize) -> bool {
    let Some(joiner @ (b'.' | b'-')) = scan.before(start) else {
        return false;
    };
    let Some(byte) = scan.before(start - 1) else {
        return false;
    };
    byte.is_ascii_digit() || joiner == b'-' && byte.is_ascii_alphabetic()
}

/// Whether more of the same follows: a word, a fraction, or one more hyphen and digit.
fn continues_after(scan: &Scan<'_>, groups: &[Group]) -> bool {
    let Some(last) = groups.last() else {
        return false;
    };
    let digit_follows = scan
        .byte(last.end + 1)
        .is_some_and(|byte| byte.is_ascii_digit());
    scan.word_at(last.end)
        || digit_follows
            && match scan.byte(last.end) {
                Some(b'.') => true,
                Some(b'-') => last.gap == Gap::Hyphen,
                _ => false,
            }
}

/// Whether cards are printed in such groups, with the same gap between all of them.
fn is_printed_shape(groups: &[Group]) -> bool {
    let is_uniform = match groups.get(1) {
        None => true,
        Some(second) => {
            matches!(second.gap, Gap::Space | Gap::Hyphen)
                && groups[1..].iter().all(|group| group.gap == second.gap)
        }
    };
    let is_shape = match groups.iter().map(Group::len).collect::<Vec<_>>()[..] {
        [length] => length >= MIN_DIGITS,
        [4, 4, 4, 1..=4] | [4, 4, 4, 4, 1..=3] | [4, 6, 4..=5] | [6, 13] => true,
        _ => false,
    };
    is_uniform && is_shape
}

fn is_card(digits: &[u8]) -> bool {
    is_issued(digits) && has_check_digit(digits)
}

/// Whether an issuer uses this prefix with this length.
fn is_issued(digits: &[u8]) -> bool {
    let prefix = digits
        .iter()
        .take(4)
        .fold(0, |prefix, byte| prefix * 10 + u32::from(byte - b'0'));
    match prefix {
        // Visa.
        4000..=4999 => matches!(digits.len(), 13 | 16 | 19),
        // American Express.
        3400..=3499 | 3700..=3799 => digits.len() == 15,
        // Diners Club.
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => (14..=19).contains(&digits.len()),
        // Maestro, in the older ranges that are not another scheme's.
        5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763 => (13..=19).contains(&digits.len()),
        // Mastercard, and what RuPay has besides Discover's ranges.
        2221..=2720 | 5100..=5599 | 5080..=5089 | 6000..=6010 | 6012..=6099 | 8100..=8299 => {
            digits.len() == 16
        }
        // Mir, JCB, Discover, UnionPay.
        2200..=2204 | 3528..=3589 | 6011 | 6200..=6299 | 6440..=6599 => {
            (16..=19).contains(&digits.len())
        }
        _ => false,
    }
}

/// The Luhn check: from the right, every second digit doubled, the sum of all digits a multiple of
/// ten.
fn has_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([false, true].into_iter().cycle())
        .map(
            |(byte, is_doubled)| match (u32::from(byte - b'0'), is_doubled) {
                (digit, false) => digit,
                (digit @ 0..=4, true) => digit * 2,
                (digit, true) => digit * 2 - 9,
            },
        )
        .sum();
    sum % 10 == 0
}
