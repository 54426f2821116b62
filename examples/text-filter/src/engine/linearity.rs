//! The work is linear in the length of the text: held against the count of examined bytes, on texts
//! made to be the worst for each detector. No clock is involved, so nothing here depends on the
//! machine.

use super::Redactor;

/// How often a byte is examined at most, on average. The worst are short groups of digits, which
/// are read together with the groups after them.
const MAX_PER_BYTE: u64 = 64;

/// Pieces that text is repeated from: each starts something over and over, or almost.
const WORST: &[&str] = &[
    "0",
    "1 ",
    "12 ",
    "0 1-2.3/(4) ",
    "+1 ",
    "+",
    "01 ",
    "030 ",
    "1.",
    "1.1.1.1.",
    "192.0.2.1",
    "4111 ",
    "4111111111111111",
    "4111-1111-1111-1111-",
    "DE00",
    "DE89 3704 0044 0532 0130 01 ",
    "@",
    "a@",
    "a.",
    "a@a.",
    "a@a.aa",
    "@aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa",
    "é@é.éé",
    ":",
    "::",
    ":1",
    "a:",
    "abcd:",
    "abcdef0123456789",
    "1::2 ",
    "::.",
    "BEGIN",
    "-",
    "-----",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nAAAAAAAAAAAAAAAA\n",
    "-----BEGIN PRIVATE KEY----- -----END PRIVATE ",
    "-----BEGIN PRIVATE KEY-----\nVersion:",
    "eyJ",
    "eyJ.",
    "eyJhbGciOjB9",
    "eyJhbGciOjB9.",
    "eyJhbGciOjAsImVuYyI6MX0.",
    "eyJhbGciOjB9..",
    "AKIA",
    "AAIA",
    "I",
    "key",
    "secret_access_key=",
    "aws_secret_key ",
    "ghp_",
    "ghp_ ",
    "github_pat_ ",
    "_",
    "QUJDREVGR0g",
    "QUJDREVGR0g/+=",
    " ",
    "\u{a0}1",
];

#[test]
fn examined_bytes_grow_with_the_text_and_no_faster() {
    let redactor = Redactor::default();
    let examined = |text: &str| redactor.search(text, &redactor.all()).1;
    for piece in WORST {
        let short = piece.repeat(50_000 / piece.len());
        let long = short.repeat(8);
        let (few, many) = (examined(&short), examined(&long));
        let average = many / long.len() as u64;
        assert!(
            average < MAX_PER_BYTE,
            "{piece:?}: a byte is examined {average} times"
        );
        assert!(
            many < few * 9,
            "{piece:?}: {few} bytes examined, {many} in eight times the text"
        );
    }
}

#[test]
fn ten_megabytes_without_a_finding_come_back_as_they_are() {
    let redactor = Redactor::default();
    for piece in [
        "7",
        "@",
        "BEGIN",
        "a.",
        "eyJ",
        "QUJDREVGR0g/+=",
        "beef:",
        "-",
    ] {
        let text = piece.repeat(10_000_000 / piece.len());
        let redacted = redactor.redact(&text, &redactor.all(), None);
        assert_eq!(redacted.findings, [], "{piece:?}");
        assert!(redacted.text == text, "{piece:?}: the text has changed");
    }
}

#[test]
fn every_secret_in_ten_megabytes_of_prose_is_found() {
    let paragraph = "Wer reitet so spät durch Nacht und Wind? It is request 4711 of 2024-05-01 \
                     12:30:45, served by v1.2.3 in 17 ms (key: none; std::time::Duration).\n";
    let secrets = [
        "bob@example.com",
        "192.0.2.1",
        "+1 212 555 0142",
        "4111 1111 1111 1111",
    ];
    let part = secrets
        .map(|secret| format!("{}<{secret}>\n", paragraph.repeat(8)))
        .concat();
    let clean = ["email", "ip", "phone", "payment-card"]
        .map(|kind| format!("{}<[{kind}]>\n", paragraph.repeat(8)))
        .concat();
    let times = 10_000_000 / part.len();

    let redactor = Redactor::default();
    let redacted = redactor.redact(&part.repeat(times), &redactor.all(), None);
    assert_eq!(redacted.findings.len(), secrets.len() * times);
    assert!(
        redacted.text == clean.repeat(times),
        "something else was found"
    );
}
