//! Numbers written in groups of digits, which is what cards and phone numbers have in common.
//!
//! A number is read once, as groups and the gaps between them, and each detector then decides by
//! the shape. Reading stops after a fixed number of digits and groups, so that a column of figures
//! costs no more per figure than a few of its neighbours.

use super::kind::Kind;
use super::scan::Scan;
use super::{card, iban, ip, phone};

/// The most digits of a payment card; no phone number has as many.
const MAX_DIGITS: usize = 19;
/// The most groups in use: `+33 (0)1 23 45 67 89`.
const MAX_GROUPS: usize = 8;
/// The most bytes those take, with a gap of up to five bytes before each group, and one digit more.
const MAX_BYTES: usize = MAX_DIGITS + MAX_GROUPS * 5 + 1;

/// What stands between two groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing: the first group.
    First,
    /// One space of any width.
    Space,
    /// A hyphen, or the dash that typesetting makes of it.
    Hyphen,
    /// A dot.
    Dot,
    /// A slash, with or without spaces around it.
    Slash,
    /// An opening parenthesis, with or without a space before it.
    Open,
    /// A closing parenthesis, with or without a space or hyphen after it.
    Close,
}

/// A group of digits, by its place in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) gap: Gap,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Group {
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// A number in groups.
#[derive(Debug)]
pub(super) struct Number {
    groups: [Group; MAX_GROUPS],
    count: usize,
    digits: [u8; MAX_DIGITS],
    /// Whether the first group is in parentheses, with or without a plus sign.
    pub(super) opened: bool,
}

/// Looks for everything that can start at the first digit of a group.
pub(super) fn at_digit(scan: &mut Scan<'_>, at: usize) -> usize {
    let group_end = scan.run_end(at, usize::MAX, |byte| byte.is_ascii_digit());
    let found = (if scan.wants(&Kind::Iban) {
        iban::at_digit(scan, at)
    } else {
        None
    })
    .or_else(|| {
        if scan.wants(&Kind::Ip) {
            ip::at_digit(scan, at)
        } else {
            None
        }
    });
    if let Some(end) = found {
        return end;
    }
    let (cards, phones) = (scan.wants(&Kind::PaymentCard), scan.wants(&Kind::Phone));
    if !(cards || phones) || group_end - at > MAX_DIGITS || scan.inside_word(at) {
        return group_end;
    }
    let number = Number::read(scan, at);
    let card_end = if cards {
        card::in_number(scan, &number)
    } else {
        None
    };
    if card_end.is_none() && phones {
        // Its groups are looked at again: what starts at a later one may be a card, or a second
        // number of which the first seemed to be longer than it was.
        phone::in_number(scan, &number);
    }
    card_end.unwrap_or(group_end)
}

impl Number {
    /// Reads the number whose first digit is at `at`.
    fn read(scan: &mut Scan<'_>, at: usize) -> Number {
        let window = scan.window(at, MAX_BYTES);
        let first = Group {
            gap: Gap::First,
            start: at,
            end: at,
        };
        let mut number = Number {
            groups: [first; MAX_GROUPS],
            count: 0,
            digits: [0; MAX_DIGITS],
            opened: false,
        };
        let (mut gap, mut cursor, mut digits) = (Gap::First, 0, 0);
        let mut inside = false;
        while number.count < MAX_GROUPS {
            let rest = &window[cursor..];
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if length == 0 || digits + length > MAX_DIGITS {
                break;
            }
            if gap == Gap::First {
                let is_opened = match scan.before(at) {
                    Some(b'+') => scan.before(at - 1) == Some(b'('),
                    byte => byte == Some(b'('),
                };
                number.opened = is_opened && rest.get(length) == Some(&b')');
                inside = number.opened;
            }
            number.digits[digits..digits + length].copy_from_slice(&rest[..length]);
            digits += length;
            let start = at + cursor;
            number.groups[number.count] = Group {
                gap,
                start,
                end: start + length,
            };
            number.count += 1;
            cursor += length;
            let Some((next, width)) = read_gap(&window[cursor..]) else {
                break;
            };
            // Parentheses hold one group each.
            match next {
                Gap::Open if !inside => inside = true,
                Gap::Close if inside => inside = false,
                _ if inside => break,
                Gap::Close => break,
                _ => {}
            }
            gap = next;
            cursor += width;
        }
        if number.count > 0 && number.groups[number.count - 1].gap == Gap::Open {
            // A parenthesis that nothing follows holds no part of the number.
            number.count -= 1;
        }
        number
    }

    /// The groups, in order; one at least, unless it has too many digits.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups[..self.count]
    }

    /// The digits of the first `groups` groups.
    pub(super) fn digits(&self, groups: usize) -> &[u8] {
        &self.digits[..self.groups[..groups].iter().map(Group::len).sum()]
    }
}

/// The gap at the start of `bytes`, and its width; a digit must follow it.
fn read_gap(bytes: &[u8]) -> Option<(Gap, usize)> {
    let (gap, width) = match bytes {
        [b' ', b'(', ..] => (Gap::Open, 2),
        [b'(', ..] => (Gap::Open, 1),
        [b')', b' ' | b'-', ..] => (Gap::Close, 2),
        // A no-break space, U+00A0.
        [b')', 0xc2, 0xa0, ..] => (Gap::Close, 3),
        [b')', ..] => (Gap::Close, 1),
        [b' ', b'/', b' ', ..] => (Gap::Slash, 3),
        [b'/', ..] => (Gap::Slash, 1),
        [b'.', ..] => (Gap::Dot, 1),
        [b' ', ..] => (Gap::Space, 1),
        [0xc2, 0xa0, ..] => (Gap::Space, 2),
        // The spaces of the width of a figure, U+2007, and the narrow one, U+202F.
        [0xe2, 0x80, 0x87 | 0xaf, ..] => (Gap::Space, 3),
        [b'-', ..] => (Gap::Hyphen, 1),
        // The hyphens U+2010 and U+2011, and the dash U+2013.
        [0xe2, 0x80, 0x90 | 0x91 | 0x93, ..] => (Gap::Hyphen, 3),
        _ => return None,
    };
    bytes.get(width)?.is_ascii_digit().then_some((gap, width))
}
