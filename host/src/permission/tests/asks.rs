use super::*;

fn to(scheme: &str, host: &str, port: u16, path: &str) -> Destination {
    Destination::new(scheme, host, port, path).expect("it is well-formed")
}

fn allows(grant: &Grant, destination: &Destination) -> bool {
    grant.decide(Ask::Request(destination)).is_allowed()
}

#[test]
fn a_request_goes_to_the_hosts_ports_and_paths_that_are_named() {
    let grant = network(&["a.com:443", "*.b.com:*", "https://c.com/v1/*"]);
    for (scheme, host, port, path) in [
        ("https", "a.com", 443, "/"),
        ("https", "A.COM.", 443, ""),
        ("http", "x.b.com", 8080, "/"),
        ("http", "x.y.b.com", 1, "/"),
        ("https", "c.com", 443, "/v1/x"),
    ] {
        let destination = to(scheme, host, port, path);
        assert!(allows(&grant, &destination), "{destination:?}");
    }
    for (scheme, host, port, path) in [
        ("https", "a.com", 80, "/"),
        ("https", "xa.com", 443, "/"),
        ("https", "a.com.evil.org", 443, "/"),
        ("http", "b.com", 80, "/"),
        ("http", "xb.com", 80, "/"),
        ("http", "c.com", 443, "/v1/x"),
        ("https", "c.com", 443, "/v1"),
        ("https", "c.com", 443, "/v2/x"),
        ("https", "c.com", 8443, "/v1/x"),
    ] {
        let destination = to(scheme, host, port, path);
        assert!(!allows(&grant, &destination), "{destination:?}");
    }
}

#[test]
fn no_spelling_leads_out_of_a_path() {
    let grant = network(&["https://c.com/v1/*"]);
    for path in [
        "/v1/../admin",
        "/v1/./x",
        "/v1/%2e%2e/admin",
        "/v1/%2E%2E%2Fadmin",
        "/v1/..%2fadmin",
        "/v1/%252e%252e/admin",
        "/v1/%25252e./admin",
        "/v1/..;x=1/admin",
        "/v1/..\\admin",
        "/v1/x%5c..%5cadmin",
        "/v1/x?y",
        "/v1/x#y",
        "/v1/x\u{0}",
        "/v1/\u{ff0e}\u{ff0e}/admin",
    ] {
        let destination = to("https", "c.com", 443, path);
        assert!(!allows(&grant, &destination), "{path}");
    }
    assert!(allows(
        &grant,
        &to("https", "c.com", 443, "/v1/100%25/a..b/...")
    ));
}

#[test]
fn a_host_that_is_no_name_and_no_plain_address_is_no_destination() {
    for host in [
        "",
        "127.1",
        "0x7f.1",
        "017700000001",
        "[::1",
        "a b",
        "a/b",
        "a@b",
        "a:1",
        "*.a.com",
    ] {
        assert!(Destination::new("http", host, 80, "/").is_err(), "{host}");
    }
    assert!(Destination::new("http", "a.com", 0, "/").is_err());
}

#[cfg(unix)]
#[test]
fn files_are_below_the_roots_that_are_named() {
    let grant = grant([&[], &["data"], &["out"], &[], &[]]);
    let read = |path: &str| grant.decide(Ask::Read(Path::new(path))).is_allowed();
    assert!(read("/srv/data") && read("/srv/data/x") && read("/srv/other/../data/x"));
    assert!(!read("/srv/database") && !read("/srv/data/../x") && !read("/srv/out/x") && !read("/"));
    assert!(!read("data/x"), "it is relative to nothing");
    assert!(
        grant
            .decide(Ask::Write(Path::new("/srv/out/x")))
            .is_allowed()
    );
    assert!(
        !grant
            .decide(Ask::Write(Path::new("/srv/data/x")))
            .is_allowed()
    );
}

#[test]
fn some_variables_are_never_given() {
    let grant = grant([&[], &[], &[], &["TZ", "LD_PRELOAD", "GITHUB_TOKEN"], &[]]);
    assert!(grant.decide(Ask::Env("TZ")).is_allowed());
    for name in [
        "LD_PRELOAD",
        "ld_preload",
        "DYLD_INSERT_LIBRARIES",
        "GITHUB_TOKEN",
        "KEYWAY_X",
    ] {
        let decision = grant.decide(Ask::Env(name));
        assert_eq!(decision.level, Level::Never, "{name}");
        assert_eq!(decision.code.map(|code| code.id), Some("env-never-granted"));
    }
    assert_eq!(grant.decide(Ask::Env("LANG")).level, Level::NeedsApproval);
}

#[test]
fn an_inner_address_is_reached_only_if_it_is_named() {
    let grant = network(&[
        "intern.example:80",
        "10.0.0.5:80",
        "localhost:80",
        "[::1]:*",
    ]);
    let decide = |address: &str, port| {
        let address = address.parse().expect("an address");
        grant.decide_address("intern.example", address, port).level
    };
    assert_eq!(decide("93.184.216.34", 80), Level::Granted);
    assert_eq!(decide("10.0.0.5", 80), Level::Granted);
    assert_eq!(decide("::ffff:10.0.0.5", 80), Level::Granted);
    assert_eq!(
        decide("127.0.0.1", 80),
        Level::Granted,
        "it is what localhost means"
    );
    assert_eq!(decide("::1", 1234), Level::Granted);
    assert_eq!(decide("10.0.0.5", 81), Level::NeedsApproval);
    assert_eq!(decide("10.0.0.6", 80), Level::NeedsApproval);
    assert_eq!(decide("127.0.0.1", 81), Level::NeedsApproval);
    assert_eq!(decide("169.254.169.254", 80), Level::Never);

    let all = everything();
    let loopback = "127.0.0.1".parse().expect("an address");
    let decision = all.decide_address("evil.example", loopback, 80);
    assert_eq!(
        decision.level,
        Level::NeedsApproval,
        "`true` is the internet"
    );
    let metadata = network(&["169.254.169.254:80"]);
    let address = "169.254.169.254".parse().expect("an address");
    let decision = metadata.decide_address("169.254.169.254", address, 80);
    assert_eq!(decision.level, Level::Never);
}

#[cfg(unix)]
#[test]
fn a_refusal_names_the_grant_that_would_be_needed() {
    let grant = Grant::default();
    let destination = to("https", "api.example.com", 443, "/");
    let program = Program::Named("git".to_owned());
    let reason = |ask: Ask<'_>| grant.decide(ask).reason.expect("it is refused");
    assert_eq!(
        reason(Ask::Request(&destination)),
        "a request to https://api.example.com:443 is not granted; add \"api.example.com:443\" to \
         network under [plugin.permissions]"
    );
    assert_eq!(
        reason(Ask::Read(Path::new("/srv/x/../y"))),
        "reading /srv/y is not granted; add \"/srv/y\" to filesystem.read under \
         [plugin.permissions]"
    );
    assert_eq!(
        reason(Ask::Write(Path::new("/srv/y"))),
        "writing /srv/y is not granted; add \"/srv/y\" to filesystem.write under \
         [plugin.permissions]"
    );
    assert_eq!(
        reason(Ask::Env("TZ")),
        "the environment variable \"TZ\" is not granted; add \"TZ\" to env under \
         [plugin.permissions]"
    );
    assert_eq!(
        reason(Ask::Env("LD_PRELOAD")),
        "the environment variable \"LD_PRELOAD\" is given to no plugin; if it is a key that the \
         plugin needs, declare a setting of type secret with `env`"
    );
    assert_eq!(
        reason(Ask::Run(&program)),
        "starting git is not granted; add \"git\" to subprocess under [plugin.permissions]"
    );
    let address = |address: &str| {
        let address = address.parse().expect("an address");
        let decision = grant.decide_address("evil.example", address, 80);
        decision.reason.expect("it is refused")
    };
    assert_eq!(
        address("127.0.0.1"),
        "evil.example leads to 127.0.0.1, a loopback address; add \"127.0.0.1:80\" to network \
         under [plugin.permissions] if it is meant"
    );
    assert_eq!(
        address("169.254.169.254"),
        "evil.example leads to 169.254.169.254, an address where clouds hand out credentials, \
         which no plugin reaches"
    );
}
