//! The pass over the text, and the view of it that detectors work with.
//!
//! Detectors look at the text through [`Scan`] only, which counts every byte it shows; the tests
//! hold that count against the length of the input. A detector returns where the pass goes on, so
//! what it has used up for good is not looked at again.

use super::kind::{Kind, Kinds};
use super::overlap::Candidate;
use super::{aws, email, github, ip, jwt, number, pem};

/// What a byte can be the mark of. Each format is recognised by a byte that is rare in other text,
/// even when that is in its middle.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trigger {
    None,
    Digit,
    At,
    Colon,
    Dash,
    Underscore,
    UpperI,
    UpperJ,
    Key,
}

/// One pass over one text.
#[derive(Debug)]
pub(super) struct Scan<'t> {
    text: &'t str,
    bytes: &'t [u8],
    kinds: Kinds,
    /// The rank of the first built-in kind: the number of custom ones before it.
    base: usize,
    found: Vec<Candidate>,
    /// The end of the last finding so far, of any kind.
    last_end: usize,
    examined: u64,
}

impl<'t> Scan<'t> {
    /// Finds everything of the built-in kinds that are selected; also returns how many bytes were
    /// examined for it.
    pub(super) fn run(text: &'t str, kinds: &Kinds, base: usize) -> (Vec<Candidate>, u64) {
        let mut scan = Scan {
            text,
            bytes: text.as_bytes(),
            kinds: *kinds,
            base,
            found: Vec::new(),
            last_end: 0,
            examined: text.len() as u64,
        };
        let triggers = scan.triggers();
        let mut at = 0;
        while let Some(skipped) = scan.bytes[at..]
            .iter()
            .position(|&byte| triggers[byte as usize] != Trigger::None)
        {
            at += skipped;
            let next = match triggers[scan.bytes[at] as usize] {
                Trigger::None => None,
                Trigger::Digit => Some(number::at_digit(&mut scan, at)),
                Trigger::At => email::at_sign(&mut scan, at),
                Trigger::Colon => ip::at_colon(&mut scan, at),
                Trigger::Dash => pem::at_dash(&mut scan, at),
                Trigger::Underscore => github::at_underscore(&mut scan, at),
                Trigger::UpperI => aws::at_upper_i(&mut scan, at),
                Trigger::UpperJ => jwt::at_upper_j(&mut scan, at),
                Trigger::Key => aws::at_key(&mut scan, at),
            };
            at = next.unwrap_or(at + 1).max(at + 1);
        }
        (scan.found, scan.examined)
    }

    fn triggers(&self) -> [Trigger; 256] {
        let mut triggers = [Trigger::None; 256];
        let mut set = |kinds: &[Kind], bytes: &[u8], trigger| {
            if kinds.iter().any(|kind| self.wants(kind)) {
                for &byte in bytes {
                    triggers[byte as usize] = trigger;
                }
            }
        };
        let numbers = [Kind::Iban, Kind::Ip, Kind::PaymentCard, Kind::Phone];
        set(&numbers, b"0123456789", Trigger::Digit);
        set(&[Kind::Email], b"@", Trigger::At);
        set(&[Kind::Ip], b":", Trigger::Colon);
        set(&[Kind::PrivateKey], b"-", Trigger::Dash);
        set(&[Kind::GithubToken], b"_", Trigger::Underscore);
        set(&[Kind::AwsKey], b"I", Trigger::UpperI);
        set(&[Kind::AwsKey], b"kK", Trigger::Key);
        set(&[Kind::Jwt], b"J", Trigger::UpperJ);
        triggers
    }

    /// Whether findings of this built-in kind are asked for.
    pub(super) fn wants(&self, kind: &Kind) -> bool {
        self.rank(kind)
            .is_some_and(|rank| self.kinds.contains(rank))
    }

    fn rank(&self, kind: &Kind) -> Option<usize> {
        Some(self.base + Kind::BUILT_IN.iter().position(|known| known == kind)?)
    }

    /// Takes note of a finding, and returns its end.
    pub(super) fn record(&mut self, kind: &Kind, start: usize, end: usize) -> usize {
        if let Some(rank) = self.rank(kind) {
            self.found.push(Candidate { start, end, rank });
        }
        self.last_end = self.last_end.max(end);
        end
    }

    /// Whether the last finding ends exactly here: what is before it is no context then, since it
    /// will not be there once the text is redacted.
    pub(super) fn after_finding(&self, at: usize) -> bool {
        at > 0 && at == self.last_end
    }

    /// The byte at `at`, if the text goes that far.
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The byte before `at`, if there is one and no finding ends there.
    pub(super) fn before(&self, at: usize) -> Option<u8> {
        if self.after_finding(at) {
            None
        } else {
            self.byte(at.checked_sub(1)?)
        }
    }

    /// Whether a letter or digit is directly before `at`.
    pub(super) fn inside_word(&self, at: usize) -> bool {
        self.before(at)
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
    }

    /// Whether a letter, digit or underscore is at `at`.
    pub(super) fn word_at(&self, at: usize) -> bool {
        self.byte(at).is_some_and(is_word)
    }

    /// Whether `expected` stands at `at`.
    pub(super) fn looking_at(&mut self, at: usize, expected: &[u8]) -> bool {
        self.examined += expected.len() as u64;
        self.bytes[at..].starts_with(expected)
    }

    /// Whether `expected` stands before `at`.
    pub(super) fn looking_back_at(&mut self, at: usize, expected: &[u8]) -> bool {
        self.examined += expected.len() as u64;
        self.bytes[..at].ends_with(expected)
    }

    /// Whether `expected`, which is in lower case, stands before `at` in any case.
    pub(super) fn looking_back_at_any_case(&mut self, at: usize, expected: &[u8]) -> bool {
        self.examined += expected.len() as u64;
        at.checked_sub(expected.len())
            .is_some_and(|start| self.bytes[start..at].eq_ignore_ascii_case(expected))
    }

    /// The end of the run of bytes in `class` from `at`, at most `max` bytes on.
    pub(super) fn run_end(&mut self, at: usize, max: usize, class: fn(u8) -> bool) -> usize {
        let limit = at.saturating_add(max).min(self.bytes.len());
        let length = self.bytes[at.min(limit)..limit]
            .iter()
            .take_while(|&&b| class(b))
            .count();
        self.examined += length as u64 + 1;
        at + length
    }

    /// The start of the run of bytes in `class` before `at`, at most `max` bytes back.
    pub(super) fn run_start(&mut self, at: usize, max: usize, class: fn(u8) -> bool) -> usize {
        let length = self.bytes[..at]
            .iter()
            .rev()
            .take(max)
            .take_while(|&&b| class(b))
            .count();
        self.examined += length as u64 + 1;
        at - length
    }

    /// The text of a range that lies on character boundaries.
    pub(super) fn slice(&mut self, start: usize, end: usize) -> &'t str {
        self.examined += (end - start) as u64;
        &self.text[start..end]
    }

    /// The next `max` bytes from `at`, or what is left. They count as examined, whether the
    /// detector gets that far or not.
    pub(super) fn window(&mut self, at: usize, max: usize) -> &'t [u8] {
        let window = self.rest(at, max);
        self.examined += window.len() as u64;
        window
    }

    /// The next `max` bytes from `at`, or what is left. The caller counts those that it examines by
    /// [`charge`](Self::charge).
    pub(super) fn rest(&self, at: usize, max: usize) -> &'t [u8] {
        let end = at.saturating_add(max).min(self.bytes.len());
        &self.bytes[at.min(end)..end]
    }

    /// The characters before `at`, nearest first. The caller bounds how many it takes, and counts
    /// them by [`charge`](Self::charge).
    pub(super) fn chars_before(&self, at: usize) -> impl Iterator<Item = char> + use<'t> {
        self.text[..at].chars().rev()
    }

    /// The characters from `at`, under the same terms.
    pub(super) fn chars_from(&self, at: usize) -> impl Iterator<Item = char> + use<'t> {
        self.text[at..].chars()
    }

    /// Counts bytes that were examined otherwise than through this type's own methods.
    pub(super) fn charge(&mut self, bytes: usize) {
        self.examined += bytes as u64;
    }
}

/// Letters, digits and the underscore, ASCII only.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The alphabet of base64url, without padding.
pub(super) fn is_base64url(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}
