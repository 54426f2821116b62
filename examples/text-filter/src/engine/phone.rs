//! Phone numbers: international ones by their plus sign, national ones by their grouping.
//!
//! Digits alone are never a phone number, and neither are dates, versions or ids: without a plus
//! sign the number must have separators and the shape of a numbering plan that can be told from
//! other figures. Those are North America (3-3-4), numbers with a trunk zero (most of Europe,
//! Australia, Japan, ...), numbers dialled with `00`, Russia (8, 3-3-2-2) and Chinese mobiles
//! (3-4-4).

use std::net::Ipv4Addr;

use super::kind::Kind;
use super::number::{Gap, Group, Number};
use super::scan::{Scan, is_word};

/// The fewest digits of an international number, with and without separators.
const MIN_INTERNATIONAL: usize = 8;
const MIN_INTERNATIONAL_SOLID: usize = 9;

/// Looks for a phone number whose digits start a number.
pub(super) fn in_number(scan: &mut Scan<'_>, number: &Number) {
    let Some(first) = number.groups().first() else {
        return;
    };
    let plus = scan.before(first.start) == Some(b'+');
    let start = first.start - usize::from(plus) - usize::from(number.opened);
    let end = if plus {
        international_end(scan, number)
    } else {
        national_end(scan, number)
    };
    let Some(end) = end else { return };
    if !is_joined_before(scan, start, plus) {
        scan.record(&Kind::Phone, start, end);
    }
}

/// Whether what is before `start` is of one piece with it.
fn is_joined_before(scan: &Scan<'_>, start: usize, plus: bool) -> bool {
    match scan.before(start) {
        Some(b'+') => true,
        Some(b'-' | b'/') if !plus => scan.before(start - 1).is_some_and(is_word),
        Some(b'.') if !plus => scan
            .before(start - 1)
            .is_some_and(|byte| byte.is_ascii_digit()),
        byte => byte.is_some_and(is_word),
    }
}

/// Whether what is at `end` is of one piece with what comes before: a word, or for a `strict`
/// number also one more separator and digit. An extension (`x12`) is not.
fn is_joined_after(scan: &Scan<'_>, end: usize, strict: bool) -> bool {
    let digit_follows = scan.byte(end + 1).is_some_and(|byte| byte.is_ascii_digit());
    match scan.byte(end) {
        Some(b'x' | b'X') => !digit_follows,
        Some(b'-' | b'/' | b'.' | b':') => strict && digit_follows,
        byte => byte.is_some_and(is_word),
    }
}

/// Where the international number ends that follows a plus sign.
fn international_end(scan: &mut Scan<'_>, number: &Number) -> Option<usize> {
    let groups = number.groups();
    let all = number.digits(groups.len());
    if !has_country_code(all) || is_other_figure(scan, groups[0].start) {
        return None;
    }
    let max = most_digits(all);
    let (mut digits, mut end) = (0, None);
    for (index, group) in groups.iter().enumerate() {
        if index > 0 && is_other_figure(scan, group.start) {
            break;
        }
        // The `(0)` is dialled at home only.
        if group.gap == Gap::Open && number.digits(index + 1).ends_with(b"0") && group.len() == 1 {
            continue;
        }
        digits += group.len();
        if digits > max {
            break;
        }
        let min = if index == 0 {
            MIN_INTERNATIONAL_SOLID
        } else {
            MIN_INTERNATIONAL
        };
        if digits >= min && group.len() >= 2 && !is_joined_after(scan, group.end, false) {
            end = Some(group.end);
        }
    }
    end
}

/// Whether a number starts with a country code that is in use (ITU-T E.164), in North America with
/// an area code too.
fn has_country_code(digits: &[u8]) -> bool {
    let Some(first) = digits.first_chunk::<3>() else {
        return false;
    };
    let prefix = first
        .iter()
        .fold(0, |prefix, byte| prefix * 10 + u32::from(byte - b'0'));
    matches!(
        prefix,
        120..=199 | 200..=209 | 211..=213 | 216 | 218 | 220..=258 | 260..=279 | 290 | 291
            | 297..=299 | 300..=349 | 350..=369 | 370..=378 | 380..=383 | 385..=387 | 389
            | 390..=419 | 420 | 421 | 423 | 430..=499 | 500..=599 | 600..=669 | 670 | 672..=683
            | 685..=692 | 700..=799 | 800 | 808 | 810..=829 | 840..=849 | 850 | 852 | 853 | 855
            | 856 | 860..=869 | 870 | 878 | 880..=883 | 886 | 888 | 900..=968 | 970..=977 | 979
            | 980..=989 | 992..=996 | 998
    )
}

/// The most digits a number of this country has, its code included: 15 at most (E.164), and fewer
/// where many numbers are written with spaces and something else may follow.
fn most_digits(digits: &[u8]) -> usize {
    match digits {
        [b'1', ..] | [b'7', ..] => 11,
        [b'3', b'1' | b'3' | b'4', ..] | [b'4', b'1', ..] | [b'6', b'1', ..] => 11,
        [b'4', b'4', ..] | [b'8', b'1', ..] | [b'9', b'1', ..] => 12,
        [b'3', b'9', ..] | [b'4', b'9', ..] | [b'5', b'5', ..] | [b'8', b'6', ..] => 13,
        _ => 15,
    }
}

/// Where the national number ends that starts with this number's first group.
fn national_end(scan: &mut Scan<'_>, number: &Number) -> Option<usize> {
    let groups = number.groups();
    if groups.len() < 2 || is_other_figure(scan, groups[0].start) {
        return None;
    }
    let count = if groups[0].len() > 1 && number.digits(1)[0] == b'0' {
        trunk_groups(scan, number)
    } else {
        planned_groups(number)
    }?;
    let end = groups[count - 1].end;
    (!is_joined_after(scan, end, true)).then_some(end)
}

/// How many groups make a number of a plan with groups of fixed lengths.
fn planned_groups(number: &Number) -> Option<usize> {
    let groups = number.groups();
    let mut lengths = [0; 5];
    lengths
        .iter_mut()
        .zip(groups)
        .for_each(|(slot, group)| *slot = group.len());
    let (count, skipped) = match (lengths, number.digits(1)) {
        ([3, 3, 4, ..], _) => (3, 0),
        ([1, 3, 3, 4, _], b"1") => (4, 1),
        ([1, 3, 3, 2, 2], b"8") => return Some(5),
        ([3, 4, 4, ..], [b'1', b'3'..=b'9', _]) => return Some(3),
        _ => return None,
    };
    // Neither an area nor an exchange starts with 0 or 1, and no area ends in 11.
    let digits = &number.digits(count)[skipped..];
    let is_plan = digits[0] >= b'2' && digits[3] >= b'2' && &digits[1..3] != b"11";
    let gaps = || groups[1..count].iter().map(|group| group.gap);
    let is_uniform = gaps().all(|gap| gap != Gap::Slash)
        && (gaps().all(|gap| gap == Gap::Dot) || gaps().all(|gap| gap != Gap::Dot));
    (is_plan && is_uniform).then_some(count)
}

/// How many groups make a number that starts with a trunk zero, or with the `00` of an
/// international one.
fn trunk_groups(scan: &mut Scan<'_>, number: &Number) -> Option<usize> {
    let groups = number.groups();
    let (lengths, range, least) = match number.digits(1) {
        [b'0', b'0', b'1'..=b'9', ..] => (3..=6, 10..=15, 3),
        [b'0', b'1'..=b'9', ..] => (2..=5, 9..=12, 2),
        _ => return None,
    };
    let is_pair = |group: &Group| group.len() == 2;
    let mut count = 1;
    for group in &groups[1..] {
        let is_group = (2..=8).contains(&group.len())
            && number.digits(count + 1).len() <= *range.end()
            && is_possible_gap(group.gap, groups[1].gap, count)
            && !is_other_figure(scan, group.start);
        if !is_group {
            break;
        }
        count += 1;
    }
    let taken = &groups[..count];
    let dots = taken.iter().filter(|group| group.gap == Gap::Dot).count();
    // Other figures start with a zero too: two digits, a dot and a fraction are a decimal number;
    // four groups with dots an address; groups of four a table of code points; five and four with a
    // hyphen an American postal code. Pairs are a number only by fives (France), not in a dump or a
    // lottery draw.
    let is_other = dots == 1
        || dots == 3 && count == 4
        || taken.iter().all(|group| group.len() == 4)
        || matches!(taken, [zip, four] if zip.len() == 5 && four.len() == 4 && four.gap == Gap::Hyphen)
        || taken.iter().all(is_pair)
            && (count != 5 || groups.get(count).is_some_and(is_pair) || follows_pair(scan, taken));
    let is_number = lengths.contains(&taken[0].len())
        && range.contains(&number.digits(count).len())
        && count >= least
        && !is_other;
    is_number.then_some(count)
}

/// Whether `gap` can stand before group `index`, after a first gap of another kind. Dots are used
/// throughout or not at all, and slashes and parentheses set the area code apart.
fn is_possible_gap(gap: Gap, first: Gap, index: usize) -> bool {
    match gap {
        Gap::Space | Gap::Hyphen => first != Gap::Dot,
        Gap::Dot => first == Gap::Dot,
        Gap::Slash | Gap::Close => index == 1,
        Gap::Open | Gap::First => false,
    }
}

/// Whether a lone group of two digits, as hexadecimal has them, and a space stand before the first
/// of `groups`.
fn follows_pair(scan: &mut Scan<'_>, groups: &[Group]) -> bool {
    let Some(at) = groups.first().and_then(|first| first.start.checked_sub(1)) else {
        return false;
    };
    if scan.byte(at) != Some(b' ') || scan.after_finding(at) {
        return false;
    }
    let start = scan.run_start(at, 3, |byte| byte.is_ascii_alphanumeric());
    // The French article before a number, `de`, is no pair.
    let is_pair =
        |pair: &[u8]| pair.iter().all(u8::is_ascii_hexdigit) && pair.iter().any(u8::is_ascii_digit);
    at - start == 2 && is_pair(scan.window(start, 2))
}

/// Whether something else starts at `at` that is made of numbers: a date, a time of day, or an IP
/// address (`2024-05-01`, `1.5.2024`, `12:30`, `192.0.2.1`).
fn is_other_figure(scan: &mut Scan<'_>, at: usize) -> bool {
    let text = scan.window(at, "255.255.255.255".len() + 1);
    let length = |from: usize, class: fn(&u8) -> bool| {
        text.get(from..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| class(byte))
            .count()
    };
    let is_digit: fn(&u8) -> bool = u8::is_ascii_digit;
    let first = length(0, is_digit);
    let Some(&separator) = text.get(first) else {
        return false;
    };
    let second = length(first + 1, is_digit);
    let third_at = first + second + 1;
    let is_date = || {
        let third = length(third_at + 1, is_digit);
        text.get(third_at) == Some(&separator)
            && matches!(
                (first, second, third),
                (4, 1..=2, 1..=2) | (1..=2, 1..=2, 4)
            )
    };
    let is_address = || {
        let end = length(0, |byte| byte.is_ascii_digit() || *byte == b'.');
        std::str::from_utf8(&text[..end]).is_ok_and(|text| text.parse::<Ipv4Addr>().is_ok())
    };
    match separator {
        b':' => (1..=2).contains(&first) && second == 2,
        b'-' | b'/' => is_date(),
        b'.' => is_date() || is_address(),
        _ => false,
    }
}
