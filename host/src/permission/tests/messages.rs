use super::*;

fn fault(lists: [&[&str]; 5]) -> String {
    let finding = try_grant(lists).expect_err("it is malformed");
    assert_eq!(finding.code.id, "permission-malformed");
    let hint = "correct it under [plugin.permissions] and build the plugin again";
    assert_eq!(finding.hint.as_deref(), Some(hint));
    finding.message
}

#[test]
fn a_malformed_entry_is_named_with_its_fault() {
    for (text, fault_of_text) in [
        (
            "*",
            "allows every host; write `network = true`, so that it is plain to see",
        ),
        (
            "*:443",
            "allows every host; write `network = true`, so that it is plain to see",
        ),
        ("", "has no host"),
        (":80", "has no host"),
        ("a..b", "has a malformed host"),
        (
            "bücher.example",
            "has a host that is not ASCII; write the host in its xn-- form",
        ),
        (
            "a.*.com",
            "has a `*` that is not the first part of the host",
        ),
        ("a.com:0", "has a malformed port"),
        ("a.com:+80", "has a malformed port"),
        ("a.com:99999", "has a malformed port"),
        ("::1", "has an IPv6 address without brackets"),
        ("[::g]", "has a malformed IPv6 address"),
        ("[::1]443", "has text after its IPv6 address"),
        (
            "127.1",
            "has an IPv4 address that is not four decimal numbers",
        ),
        (
            "2130706433",
            "has an IPv4 address that is not four decimal numbers",
        ),
        (
            "0x7f.0x1",
            "has an IPv4 address that is not four decimal numbers",
        ),
        (
            "0177.0.0.1",
            "has an IPv4 address that is not four decimal numbers",
        ),
        ("*.10.0.0.1", "has a `*` before an address"),
        (
            "a.com/x",
            "has a path and no scheme; write it as a URL, such as \"https://api.example.com/v1/*\"",
        ),
        ("1a://a.com", "has a malformed URL scheme"),
        (
            "redis://a.com",
            "has no port, and its scheme has no default one; write the port after the host",
        ),
        ("https://u:p@a.com", "contains a user name"),
        (
            "https://a.com/x?y=*",
            "has a query or a fragment; a pattern ends with the path",
        ),
        (
            "https://a.com/*/x",
            "has a `*` that is not at the end of its path",
        ),
        (
            "https://a.com/x/../y",
            "has a path with dot segments, spaces, or encoded dots or slashes",
        ),
        (
            "https://a.com/x%2Fy",
            "has a path with dot segments, spaces, or encoded dots or slashes",
        ),
    ] {
        let expected = format!("the entry {text:?} of `network` {fault_of_text}");
        assert_eq!(fault([&[text], &[], &[], &[], &[]]), expected);
    }
    assert_eq!(
        fault([&[], &["data/*"], &[], &[], &[]]),
        "the entry \"data/*\" of `filesystem.read` has a `*`; a directory stands for all that is \
         below it"
    );
    assert_eq!(
        fault([&[], &[], &["~/data"], &[], &[]]),
        "the entry \"~/data\" of `filesystem.write` begins with `~`, which only a shell \
         understands; write the path out"
    );
    assert_eq!(
        fault([&[], &[], &[], &["A-B"], &[]]),
        "the entry \"A-B\" of `env` is no name of an environment variable"
    );
    assert_eq!(
        fault([&[], &[], &[], &[], &["git status"]]),
        "the entry \"git status\" of `subprocess` has a space; arguments are no part of a program"
    );
    assert_eq!(
        fault([&[], &[], &[], &[], &["*"]]),
        "the entry \"*\" of `subprocess` allows every program; write `subprocess = true`, so \
         that it is plain to see"
    );
}

#[cfg(unix)]
#[test]
fn grants_and_differences_read_as_people_say_it() {
    let old = grant([&["a.com:443"], &["data"], &[], &["TZ"], &[]]);
    let new = grant([&["a.com:443"], &["data"], &["out"], &["LANG"], &["git"]]);
    assert_eq!(
        old.to_string(),
        "connect to a.com:443, read /srv/data, read the environment variable TZ"
    );
    assert_eq!(
        PermissionDiff::between(&old, &new).to_string(),
        "+ write /srv/out\n+ read the environment variable LANG\n+ start git\n\
         - read the environment variable TZ"
    );
    assert_eq!(Grant::default().to_string(), "nothing");
    assert_eq!(
        everything().to_string(),
        "connect to every host of the internet, read every file, write every file, start every \
         program"
    );
}

#[cfg(unix)]
#[test]
fn a_base_that_is_not_unicode_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let base = Path::new(std::ffi::OsStr::from_bytes(b"/srv/\xff"));
    let finding = Grant::normalise(&Permissions::default(), base).expect_err("it is not Unicode");
    assert_eq!(finding.code.id, "permission-malformed");
}
