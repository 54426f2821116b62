//! International bank account numbers (ISO 13616), with or without spaces.
//!
//! The country fixes the length, and the check digits the rest: a remainder of one by 97.

use super::kind::Kind;
use super::scan::Scan;

/// The most bytes an IBAN takes: 34 characters, and a no-break space of three bytes before each.
const MAX_BYTES: usize = 34 * 4;

/// The length per country, from the SWIFT registry of IBAN formats.
const LENGTHS: &str = "
AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24
DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27
GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20
LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24
PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25
SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";

/// Looks for an account number whose check digits start at `at`.
pub(super) fn at_digit(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let start = at.checked_sub(2)?;
    let country = [scan.byte(start)?, scan.before(at)?].map(|byte| byte.to_ascii_uppercase());
    if !country.iter().all(u8::is_ascii_uppercase) || scan.inside_word(start) {
        return None;
    }
    let length = length_in(&country)?;
    let window = scan.window(start, MAX_BYTES);
    let mut account = [0; 34];
    let (mut count, mut cursor, mut spaced) = (0, 0, false);
    while count < length {
        let byte = *window.get(cursor)?;
        if byte.is_ascii_alphanumeric() {
            account[count] = byte;
            count += 1;
            cursor += 1;
        } else {
            // One space may stand between any two characters but the first four.
            let space = space_length(&window[cursor..])?;
            if count < 4 || !window.get(cursor + space)?.is_ascii_alphanumeric() {
                return None;
            }
            cursor += space;
            spaced = true;
        }
    }
    let account = &account[..length];
    // Lower case is accepted in one piece only; with spaces it would be made of words.
    let has_lower_case = account.iter().any(u8::is_ascii_lowercase);
    let end = start + cursor;
    let is_valid = account[2..4].iter().all(u8::is_ascii_digit)
        && !(spaced && has_lower_case)
        && !scan.word_at(end)
        && remainder(account) == 1;
    is_valid.then(|| scan.record(&Kind::Iban, start, end))
}

/// How many characters an account number of this country has.
fn length_in(country: &[u8]) -> Option<usize> {
    LENGTHS
        .split_ascii_whitespace()
        .find(|entry| entry.as_bytes().starts_with(country))
        .and_then(|entry| entry[2..].parse().ok())
}

/// The length of the space at the start of `bytes`: plain, no-break, or narrow no-break.
fn space_length(bytes: &[u8]) -> Option<usize> {
    [" ", "\u{a0}", "\u{202f}"]
        .iter()
        .find(|space| bytes.starts_with(space.as_bytes()))
        .map(|space| space.len())
}

/// The account number as a decimal number, its first four characters last and each letter as two
/// digits from 10 for A, modulo 97.
fn remainder(account: &[u8]) -> u32 {
    let rearranged = account[4..].iter().chain(&account[..4]);
    rearranged.fold(0, |remainder, &byte| {
        let value = (byte as char).to_digit(36).unwrap_or_default();
        (remainder * if value < 10 { 10 } else { 100 } + value) % 97
    })
}
