//! What holds for any text: planted secrets are found exactly where they are, all else is left as it
//! was, and a redacted text has nothing left to redact.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::select;

use super::{Finding, Kind, Redactor};

/// A secret of each kind.
const SECRETS: [(Kind, &str); 18] = [
    (Kind::Email, "bob@example.com"),
    (Kind::Email, "o'neil+news@mail.example.co.uk"),
    (Kind::Phone, "+1 555 0100"),
    (Kind::Phone, "(212) 555-0142"),
    (Kind::Phone, "030 1234567"),
    (Kind::Ip, "192.0.2.1"),
    (Kind::Ip, "2001:db8::1"),
    (Kind::Iban, "GB82 WEST 1234 5698 7654 32"),
    (Kind::Iban, "DE89370400440532013000"),
    (Kind::PaymentCard, "4111 1111 1111 1111"),
    (Kind::PaymentCard, "378282246310005"),
    (Kind::AwsKey, "AKIAIOSFODNN7EXAMPLE"),
    (
        Kind::GithubToken,
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    ),
    (
        Kind::Jwt,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk",
    ),
    (
        Kind::PrivateKey,
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
    ),
    (
        Kind::PrivateKey,
        "-----BEGIN EC PRIVATE KEY-----\\nMIIE\\n-----END EC PRIVATE KEY-----",
    ),
    (Kind::Email, "jürgen@münchen.example"),
    (Kind::Ip, "::ffff:192.0.2.1"),
];

/// Text that is nobody's secret and touches none: words, marks, and whatever Unicode has.
fn filler() -> impl Strategy<Value = String> {
    let word = select(vec![
        "the ",
        "Zürich",
        "keys",
        "v1.2",
        "2024-05-01",
        "ok",
        "AK",
    ]);
    let mark = select(vec!["; ", "\n\n", "\"", "，", "！", "<>", " | ", "…"]);
    let other = prop::char::range('\u{80}', char::MAX);
    let inner = prop_oneof![
        word.prop_map(str::to_owned),
        other.prop_map(String::from),
        mark.clone().prop_map(str::to_owned),
    ];
    let inner = prop::collection::vec(inner, 0..8).prop_map(|parts| parts.join("; "));
    (mark.clone(), inner, mark).prop_map(|(before, inner, after)| format!("{before}{inner}{after}"))
}

/// Text made of what detectors react to, at random.
fn hostile(pieces: Range<usize>) -> impl Strategy<Value = String> {
    let secret = select(SECRETS.map(|(_, secret)| secret).to_vec());
    let piece = select(vec![
        "a",
        "z",
        "F",
        "0",
        "1",
        "12",
        "030",
        "555",
        "4111",
        "2024",
        "1234567",
        "@",
        ".",
        ":",
        "::",
        "-",
        "-----",
        "+",
        "_",
        " ",
        " ",
        "\n",
        "(",
        ")",
        "/",
        ",",
        "\\",
        "=",
        "é",
        "漢",
        "\u{a0}",
        "eyJ",
        "ghp_",
        "AKIA",
        "GB82",
        "key",
        "secret_access_key=",
        "BEGIN PRIVATE KEY",
        "x",
        ".com",
    ]);
    let piece = prop_oneof![1 => secret, 4 => piece];
    prop::collection::vec(piece, pieces).prop_map(|pieces| pieces.concat())
}

/// The findings are in order and apart, on character boundaries, and what is between them is what
/// is between their replacements.
fn check_shape(text: &str, redacted: &str, findings: &[Finding]) -> Result<(), TestCaseError> {
    let mut rest = redacted;
    let mut done = 0;
    for finding in findings {
        prop_assert!(done <= finding.start && finding.start < finding.end);
        for part in [
            text.get(done..finding.start),
            Some(&format!("[{}]", finding.kind)),
        ] {
            let part = part.expect("findings are on character boundaries");
            prop_assert!(
                rest.starts_with(part),
                "{rest:?} does not start with {part:?}"
            );
            rest = &rest[part.len()..];
        }
        done = finding.end;
    }
    prop_assert_eq!(Some(rest), text.get(done..));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn planted_secrets_are_found_where_they_are(
        parts in prop::collection::vec((filler(), select(SECRETS.to_vec())), 0..6),
        end in filler(),
    ) {
        let mut text = String::new();
        let mut planted = Vec::new();
        for (before, (kind, secret)) in parts {
            text += &before;
            planted.push(Finding { kind, start: text.len(), end: text.len() + secret.len() });
            text += secret;
        }
        text += &end;
        let redactor = Redactor::default();
        let redacted = redactor.redact(&text, &redactor.all(), None);
        prop_assert_eq!(&redacted.findings, &planted, "in {:?}", text);
        check_shape(&text, &redacted.text, &redacted.findings)?;
    }

    #[test]
    fn what_is_not_found_is_left_as_it_was(text in prop_oneof![any::<String>(), hostile(0..24)]) {
        let redactor = Redactor::default();
        let redacted = redactor.redact(&text, &redactor.all(), None);
        check_shape(&text, &redacted.text, &redacted.findings)?;
    }

    /// Pieces are apart here: a word that only a finding kept from being recognised, by being glued
    /// to it, is free once that is replaced.
    #[test]
    fn a_redacted_text_has_nothing_left_to_redact(
        pieces in prop::collection::vec((hostile(1..2), select(vec![" ", ", ", "\n", "; "])), 0..12),
    ) {
        let text: String = pieces.into_iter().map(|(piece, gap)| piece + gap).collect();
        let redactor = Redactor::default();
        let once = redactor.redact(&text, &redactor.all(), None).text;
        let twice = redactor.redact(&once, &redactor.all(), None);
        prop_assert_eq!(&twice.text, &once, "from {:?}", text);
    }
}
