//! What each kind is and is not, by example: `«` and `»` mark what must be found, and a text without
//! marks must yield nothing. Addresses, numbers and keys are those set aside for documentation.

use super::{CustomPattern, Kind, Options, Redactor};

/// Checks that exactly the marked parts are found, when only this kind is asked for.
fn check(kind: &Kind, marked: &[&str]) {
    let redactor = Redactor::default();
    let kinds = redactor.select([kind.as_str()]).unwrap();
    for marked in marked {
        let text = marked.replace(['«', '»'], "");
        let mut found = text.clone();
        for finding in redactor.find(&text, &kinds).iter().rev() {
            assert_eq!(&finding.kind, kind);
            found.insert(finding.end, '»');
            found.insert(finding.start, '«');
        }
        assert_eq!(&found, marked, "{kind}");
    }
}

#[test]
fn email_addresses() {
    check(
        &Kind::Email,
        &[
            "«bob@example.com»",
            "mail «bob.o'neil+news@mail.example.co.uk», please.",
            "<«bob@example.com»>;'«eve@example.org»'|{«al@example.net»}",
            "mailto:«bob@example.com»?subject=hi&cc=«eve@example.com»",
            "to=«bob@example.com».",
            "«bob@example.com»-and-others",
            "«BOB_1@EXAMPLE.COM»",
            "«bob@sub-domain.example.museum»",
            "«bob@xn--mnchen-3ya.example»",
            "«jürgen@münchen.example» «иван@пример.рф»",
            "请联系«bob@example.com»谢谢",
        ],
    );
    check(
        &Kind::Email,
        &[
            "bob@localhost",
            "@example.com",
            "bob@",
            "bob @ example.com",
            "bob.@example.com",
            "bob@-example.com",
            "bob@example..com",
            "lodash@4.17.21",
            "icon@2x.png, Logo@3X.JPG",
            "@media print { @page }",
            "a@b.c",
        ],
    );
    let local = "l".repeat(64);
    check(
        &Kind::Email,
        &[
            &format!("«{local}@example.com»"),
            &format!("l{local}@example.com"),
        ],
    );
    let label = "d".repeat(63);
    check(
        &Kind::Email,
        &[&format!("«b@{label}.com»"), &format!("b@d{label}.com")],
    );
}

#[test]
fn phone_numbers_in_international_form() {
    check(
        &Kind::Phone,
        &[
            "«+1 555 0100»",
            "call «+1 555 010 0199», or «+1-555-010-0199».",
            "«+15555550123» «+1 (555) 555-0123» tel:«+1.555.555.0123»",
            "«+44 20 7946 0018» 42 items",
            "«+44 (0)20 7946 0018»/«+49 (0) 30 1234567»",
            "«(+49) 30 1234567» (42) «+49 30 1234567» (42",
            "«+33 1 99 00 12 34» 2024-05-01",
            "«+33\u{a0}1\u{a0}99\u{202f}00\u{a0}12\u{a0}34»",
            "«+491512345678»x12",
            "电话«+86 138 0013 8000»。",
            "«+55 11 91234-5678»",
        ],
    );
    check(
        &Kind::Phone,
        &[
            "+1",
            "1 + 2345678",
            "+2024-05-01",
            "2024-05-01T12:00:00+0200",
            "2024-05-01T12:00:00+02:00",
            "+1073741824 +2147483647 +4294967295 +11234567890",
            "x+15555550123",
            "+12345678",
            "++15555550123",
            "+15555550123abc",
        ],
    );
}

#[test]
fn phone_numbers_in_national_form() {
    check(
        &Kind::Phone,
        &[
            "«(555) 555-0123»",
            "call «212-555-0142», «212.555.0142» or «212 555 0142»!",
            "«1-212-555-0142» «1 (212) 555-0142», «1.212.555.0142»",
            "«020 7946 0018» and «(020) 7946 0018»",
            "«030/1234567» «030 / 1234567» «030-1234567» «030 1234567-12»",
            "(«030 1234567»)",
            "«01 99 00 12 34», «01.99.00.12.34», de «01 99 00 12 34»",
            "«03-1234-5678» «090-1234-5678»",
            "«0044 20 7946 0018»",
            "«8 (495) 123-45-67»",
            "«138 0013 8000»",
            "«030 1234567» 2024-05-01 «030 1234567» 12:30 «030 1234567» 192.0.2.1",
            "7,«212-555-0142»,x",
            "«212-555-0142» «212-555-0143»",
        ],
    );
    check(
        &Kind::Phone,
        &[
            "2024-05-01 12:30:45.123456",
            "01-02-2024 12:30, 01.02.2024 1234, 1/2/2024",
            "01/02/2024-03/04/2024",
            "1700000000 1700000000123",
            "20240501-123045 20240501T123045Z",
            "version 1.2.3, 10.0.19045.3803, 2.0.0-rc.1",
            "550e8400-e29b-41d4-a716-446655440000",
            "12345678-1234-1234-1234-123456789012",
            "9780306406157, 978-0-306-40615-7, 0-306-40615-2",
            "123-45-6789",
            "1 234 567 890",
            "1,234,567.890",
            "0.123 456 789, 01.123456789",
            "00 11 22 33 44 55 66 77",
            "DFARS 252.227-7013",
            "00104 00303",
            "Boston, MA 02110-1301 USA",
            "0041 0300 0301, [*0328.0020.0004], 0028 0031 0036 0029",
            "00 01 02 03 04 05 06 07",
            "8b 05 12 00 00 00",
            "01 02 03 04 05 06",
            "10.20.30.40, 010.020.030.040",
            "112-555-0142, 211-555-0142, 212-055-0142",
            "212-555-01423",
            "212-555-0142-7",
            "5550142, 555-0142",
            "order_212-555-0142",
            "12:30 13:45 2020",
            "[1, 2, 3] (4) (5)",
        ],
    );
}

#[test]
fn ip_addresses() {
    check(
        &Kind::Ip,
        &[
            "«192.0.2.1»",
            "from «192.0.2.1»:8080 to http://«198.51.100.7»/x, «203.0.113.255».",
            "«192.0.2.0»/24 «192.0.2.1»-«192.0.2.9»",
            "«2001:db8::»",
            "«2001:db8::1». Next: «2001:DB8::ff00:42:8329»: done",
            "[«2001:db8::1»]:443 «fe80::1»%eth0 «2001:db8::»/32",
            "ip:«2001:db8::1» address:«2001:db8::2»",
            "«::ffff:192.0.2.1» «64:ff9b::192.0.2.33»",
            "«2001:0db8:0000:0000:0000:ff00:0042:8329»",
            "«::1»",
            "«2001:db8::1».Every",
            "地址«192.0.2.1»和«2001:db8::1»。",
        ],
    );
    check(
        &Kind::Ip,
        &[
            "1.2.3",
            "1.2.3.4.5",
            "1.3.6.1.4.1.311",
            "v1.2.3.4 1.2.3.4a 1.2.3.4_5",
            "256.1.1.1 192.0.2.01 192.0.2",
            "192.0.2.1234 1192.0.2.1",
            "12:30:45 00:11:22:33:44:55",
            "00:11:22:33:44:55:66:77",
            "16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            "std::net a::b abc::def dead::beef :: ::: :",
            "xs[1::2] xs[::2]",
            "f32::<u8> c::B110 <T>::f32 (x)::f64",
            "fe80::xyz 2001:db8::1g",
            "1:2:3:4:5:6:7:8:9 2001:db8:::1 2001::db8::1",
            "12345::1",
        ],
    );
}

#[test]
fn bank_account_numbers() {
    check(
        &Kind::Iban,
        &[
            "«GB82 WEST 1234 5698 7654 32»",
            "IBAN:«GB82WEST12345698765432», «DE89370400440532013000».",
            "«DE89 3704 0044 0532 0130 00» AND MORE",
            "«FR14 2004 1010 0505 0001 3M02 606»",
            "«NO93 8601 1117 947» «BE68 5390 0754 7034»",
            "«gb82west12345698765432»",
            "«GB82\u{a0}WEST\u{a0}1234\u{a0}5698\u{a0}7654\u{a0}32»",
            "«MT84MALT011000012345MTLCAST001S»",
            "账号«GB82WEST12345698765432»。",
        ],
    );
    check(
        &Kind::Iban,
        &[
            "GB82 WEST 1234 5698 7654 33",
            "GB82WEST1234569876543",
            "GB82WEST123456987654321",
            "XX82WEST12345698765432",
            "AGB82WEST12345698765432",
            "GB82  WEST 1234 5698 7654 32",
            "gb82 west 1234 5698 7654 32",
            "GB 82 WEST 1234 5698 7654 32",
            "GB82 WEST-1234-5698-7654-32",
            "DE89",
        ],
    );
}

#[test]
fn payment_cards() {
    check(
        &Kind::PaymentCard,
        &[
            "«4111 1111 1111 1111»",
            "«4111111111111111», «4111-1111-1111-1111».",
            "card=«5555555555554444» «2223003122003222»",
            "«378282246310005» «3782 822463 10005»",
            "«30569309025904» «3056 930902 5904»",
            "«6011111111111117» «3530111333300000» «6200000000000005»",
            "«4222222222222»",
            "«4111111111111111» «4111111111111111»",
            "«4111 1111 1111 1111» 1234",
            "1234,«4111111111111111»,12/28",
            "卡号«4111111111111111»。",
        ],
    );
    check(
        &Kind::PaymentCard,
        &[
            "4111111111111112",
            "1234567812345670",
            "411111111111111",
            "41111111111111111",
            "4111 1111-1111 1111",
            "41 11 11 11 11 11 11 11",
            "4111  1111  1111  1111",
            "0.4111111111111111 4111111111111111.5",
            "a4111111111111111 4111111111111111f",
            "a-4111-1111-1111-1111",
            "4111-1111-1111-1111-1",
            "1700000000000",
        ],
    );
}

#[test]
fn aws_keys() {
    check(
        &Kind::AwsKey,
        &[
            "«AKIAIOSFODNN7EXAMPLE»",
            "id=«AKIAIOSFODNN7EXAMPLE»; \"«ASIAIOSFODNN7EXAMPLE»\"",
            "aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
            "AWS_SECRET_ACCESS_KEY=«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»\n",
            "{\"SecretAccessKey\": \"«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»\"}",
            "<SecretAccessKey>«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»</SecretAccessKey>",
            "{\\\"secretAccessKey\\\":\\\"«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»\\\"}",
            "aws.secretKey: '«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»'",
            "aws configure set aws_secret_access_key «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
        ],
    );
    check(
        &Kind::AwsKey,
        &[
            "AKIAIOSFODNN7EXAMPL",
            "AKIAIOSFODNN7EXAMPLES",
            "AKIAIOSFODNN7EXAMPLe",
            "XAKIAIOSFODNN7EXAMPLE",
            "AROAIOSFODNN7EXAMPLE1",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "secret_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "secret_access_key = da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEYS",
            "secret_access_key_wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "secret_access_key",
        ],
    );
}

#[test]
fn github_tokens() {
    let body = "16C7e42F292c6912E7710c838347Ae178B4a";
    let fine = format!("github_pat_{}_{}", "A1".repeat(11), "b2C".repeat(20));
    for prefix in ["ghp", "gho", "ghu", "ghs", "ghr"] {
        check(
            &Kind::GithubToken,
            &[
                &format!("«{prefix}_{body}»"),
                &format!("https://«{prefix}_{body}»@github.com/acme/x.git"),
                &format!("token: '«{prefix}_{body}{body}»'"),
                &format!("a{prefix}_{body} a_{prefix}_{body}"),
                &format!("{prefix}_{}", &body[1..]),
            ],
        );
    }
    check(
        &Kind::GithubToken,
        &[
            &format!("«{fine}»"),
            &format!("GITHUB_TOKEN=«{fine}»\n"),
            "github_pat_short ghp_ gh_ ghx_16C7e42F292c6912E7710c838347Ae178B4a",
            &format!("ghp_{}", "a".repeat(300)),
            &format!("ghp-{body}"),
        ],
    );
}

/// The sample of jwt.io.
const JWT: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6Ikpv\
                   aG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";

#[test]
fn json_web_tokens() {
    let parts: Vec<_> = JWT.split('.').collect();
    // {"alg":"dir","enc":"A128GCM"}
    let encrypted = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..48V1_ALb6US04U3b.5eym8T.XFBoMYUZo";
    check(
        &Kind::Jwt,
        &[
            &format!("«{JWT}»"),
            &format!("Authorization: Bearer «{JWT}».\n"),
            &format!("jwt=«{JWT}»; path=/"),
            &format!("«{}.{}.»", parts[0], parts[1]),
            &format!("«{encrypted}»"),
            &format!("«{JWT}» «{JWT}»"),
        ],
    );
    check(
        &Kind::Jwt,
        &[
            parts[0],
            &format!("{}.{}", parts[0], parts[1]),
            &format!("{}..{}", parts[0], parts[2]),
            // {"typ":"JWT"}
            &format!("eyJ0eXAiOiJKV1QifQ.{}.{}", parts[1], parts[2]),
            &format!("x{JWT}"),
            "eyJ.eyJ.eyJ",
            "eyJub3QganNvbg.eyJh.abc",
        ],
    );
}

#[test]
fn private_keys() {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let begin = "-----BEGIN PRIVATE KEY-----";
    let end = "-----END PRIVATE KEY-----";
    check(
        &Kind::PrivateKey,
        &[
            &format!("«{begin}\n{line}\n{line}\nabcd=\n{end}»\nnext"),
            &format!("key = \"«{begin}\\n{line}\\n{end}»\\n\""),
            &format!(
                "«-----BEGIN RSA PRIVATE KEY-----\r\n{line}\r\n-----END RSA PRIVATE KEY-----»"
            ),
            &format!("> «-----BEGIN OPENSSH PRIVATE KEY-----\n> {line}\n> {end}»"),
            &format!(
                "«-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n{line}\n=abcd\n\
                 -----END PGP PRIVATE KEY BLOCK-----»"
            ),
            &format!("«{begin} anything at all, even prose {end}»"),
            &format!("«{begin}\n{line}\n{end}»\n«{begin}\n{line}\n{end}»"),
        ],
    );
    // Without an END line.
    check(
        &Kind::PrivateKey,
        &[
            &format!("«{begin}\n{line}\n{line}\nMIIE»"),
            &format!("«{begin}\n{line}\nabcd==»\nthen it failed"),
            &format!("«{begin}\n{line}»\nthen it failed"),
            &format!("{{\"key\": \"«{begin}\\n{line}»\", \"next\": 1}}"),
            &format!(
                "«-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\
                 \n{line}»\n"
            ),
            &format!("«{begin}\n{line}»\n«{begin}\n{line}\n{end}»"),
        ],
    );
    check(
        &Kind::PrivateKey,
        &[
            &format!("a file that starts with `{begin}` is a key"),
            &format!("-----BEGIN CERTIFICATE-----\n{line}\n-----END CERTIFICATE-----"),
            &format!("-----BEGIN PUBLIC KEY-----\n{line}\n-----END PUBLIC KEY-----"),
            &format!("----BEGIN PRIVATE KEY----\n{line}"),
            end,
            begin,
        ],
    );
}

#[test]
fn an_unterminated_key_is_redacted_for_64_kib_at_most() {
    let text = format!("-----BEGIN PRIVATE KEY-----\n{}", "A".repeat(100 * 1024));
    let redactor = Redactor::default();
    let findings = redactor.find(&text, &redactor.all());
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].start, findings[0].end), (0, 27 + 64 * 1024));
}

fn redactor(patterns: &[(&str, &str)]) -> Redactor {
    let custom = patterns
        .iter()
        .map(|(name, pattern)| CustomPattern {
            name: (*name).into(),
            pattern: (*pattern).into(),
        })
        .collect();
    Redactor::new(Options {
        custom,
        ..Options::default()
    })
    .unwrap()
}

fn redacted(redactor: &Redactor, text: &str) -> String {
    redactor.redact(text, &redactor.all(), None).text
}

#[test]
fn every_kind_is_found_beside_the_others() {
    let text = format!(
        "bob@example.com +1 555 0100 192.0.2.1 GB82 WEST 1234 5698 7654 32 4111 1111 1111 1111 \
         AKIAIOSFODNN7EXAMPLE ghp_16C7e42F292c6912E7710c838347Ae178B4a {JWT} \
         -----BEGIN PRIVATE KEY-----\n\n-----END PRIVATE KEY----- ACME-17"
    );
    let redactor = redactor(&[("staff-id", r"\bACME-\d+\b")]);
    assert_eq!(
        redacted(&redactor, &text),
        "[email] [phone] [ip] [iban] [payment-card] [aws-key] [github-token] [jwt] [private-key] \
         [staff-id]"
    );
}

#[test]
fn overlapping_matches_are_one_finding_named_after_the_strongest() {
    // The IBAN has a phone's shape in it, and the plus sign starts a phone that reaches into a card.
    let plain = Redactor::default();
    assert_eq!(redacted(&plain, "GB82 WEST 1234 5698 7654 32"), "[iban]");
    assert_eq!(redacted(&plain, "+1 4111 1111 1111 1111"), "[payment-card]");
    assert_eq!(
        redacted(&plain, "https://AKIAIOSFODNN7EXAMPLE@example.com"),
        "https://[aws-key]"
    );
    // The operator's own pattern wins, and covers the whole of what it is a part of.
    let bob = redactor(&[("bob", "bob"), ("name", r"bob@\w+")]);
    assert_eq!(redacted(&bob, "to bob@example.com"), "to [bob]");
    let name = redactor(&[("name", r"bob@\w+"), ("bob", "bob")]);
    assert_eq!(redacted(&name, "to bob@example.com"), "to [name]");
}

#[test]
fn only_the_selected_kinds_are_found() {
    let redactor = redactor(&[("staff-id", r"ACME-\d+")]);
    let text = "bob@example.com 192.0.2.1 ACME-17";
    for (names, expected) in [
        (&["email"][..], "[email] 192.0.2.1 ACME-17"),
        (&["ip", "staff-id"], "bob@example.com [ip] [staff-id]"),
        (&[], text),
    ] {
        let kinds = redactor.select(names).unwrap();
        assert_eq!(redactor.redact(text, &kinds, None).text, expected);
    }
    assert_eq!(
        redactor.select(["staff_id"]).unwrap_err().suggestion(),
        Some("staff-id")
    );
}

#[test]
fn the_replacement_is_a_template_for_the_kind() {
    let custom = Options {
        replacement: "<{kind}|{kind}>".into(),
        ..Options::default()
    };
    let redactor = Redactor::new(custom).unwrap();
    let text = "bob@example.com.";
    let all = redactor.all();
    assert_eq!(redactor.redact(text, &all, None).text, "<email|email>.");
    assert_eq!(redactor.redact(text, &all, Some("***")).text, "***.");
    assert_eq!(redactor.redact(text, &all, Some("")).text, ".");
    assert_eq!(
        redactor.redact(text, &all, Some("{other} {kind}")).text,
        "{other} email."
    );
}

#[test]
fn findings_are_plain_json() {
    let redactor = Redactor::default();
    let redacted = redactor.redact("é bob@example.com", &redactor.all(), None);
    assert_eq!(
        serde_json::to_string(&redacted).unwrap(),
        r#"{"text":"é [email]","findings":[{"kind":"email","start":3,"end":18}]}"#
    );
}
