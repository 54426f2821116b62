use super::*;

fn peers(texts: &[&str]) -> Vec<String> {
    let grant = network(texts);
    grant
        .network
        .entries()
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn roots(texts: &[&str]) -> Vec<String> {
    let grant = reading(texts);
    grant
        .read
        .entries()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn hosts_are_in_lower_case_and_have_ports() {
    assert_eq!(peers(&["API.Example.com:443"]), ["api.example.com:443"]);
    assert_eq!(
        peers(&["example.com"]),
        ["example.com:80", "example.com:443"]
    );
    assert_eq!(peers(&["https://example.com"]), ["https://example.com:443"]);
    assert_eq!(
        peers(&["https://example.com/"]),
        ["https://example.com:443"]
    );
    assert_eq!(
        peers(&["https://example.com/*"]),
        ["https://example.com:443"]
    );
    assert_eq!(
        peers(&["WSS://example.com/a/*"]),
        ["wss://example.com:443/a/*"]
    );
    assert_eq!(peers(&["*.example.com:*"]), ["*.example.com:*"]);
    assert_eq!(peers(&["[2001:DB8:0::1]:53"]), ["[2001:db8::1]:53"]);
    assert_eq!(peers(&["[::ffff:127.0.0.1]:53"]), ["127.0.0.1:53"]);
    assert_eq!(peers(&["example.com.:443"]), ["example.com:443"]);
}

#[test]
fn what_another_entry_covers_is_left_out() {
    assert_eq!(
        peers(&["a.com:443", "a.com:443", "https://a.com/x"]),
        ["a.com:443"]
    );
    assert_eq!(
        peers(&["*.a.com:*", "b.a.com:80", "*.b.a.com"]),
        ["*.a.com:*"]
    );
    assert_eq!(
        peers(&["*.a.com:80", "a.com:80"]),
        ["a.com:80", "*.a.com:80"]
    );
    assert_eq!(
        peers(&[
            "https://a.com/v1/*",
            "https://a.com/v1/x/*",
            "https://a.com/v1/y",
            "https://a.com/v2"
        ]),
        ["https://a.com:443/v2", "https://a.com:443/v1/*"]
    );
}

#[cfg(unix)]
#[test]
fn paths_are_absolute_and_without_detours() {
    assert_eq!(roots(&["./data"]), ["/srv/data"]);
    assert_eq!(roots(&["data/./maps/../texts/"]), ["/srv/data/texts"]);
    assert_eq!(roots(&["../../../etc"]), ["/etc"]);
    assert_eq!(
        roots(&["/var/lib", "/var/lib/acme", "/var/library"]),
        ["/var/lib", "/var/library"]
    );
    assert_eq!(roots(&["."]), ["/srv"]);
}

#[cfg(unix)]
#[test]
fn programs_are_names_or_absolute_paths() {
    let grant = grant([&[], &[], &[], &[], &["git", "./bin/tool", "git"]]);
    let programs: Vec<_> = grant
        .subprocess
        .entries()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(programs, ["git", "/srv/bin/tool"]);
}

#[test]
fn true_is_everything_and_false_is_nothing() {
    assert!(everything().network.is_all() && everything().read.is_all());
    assert!(everything().covers(&network(&["a.com:1"])));
    assert!(!network(&["a.com:1"]).covers(&everything()));
    assert!(Grant::default().is_empty() && Grant::default().network.is_none());
    assert!(Grant::default().covers(&Grant::default()));
}

#[test]
fn only_what_is_new_is_added() {
    let old = network(&["a.com:443", "b.com:443"]);
    let new = network(&["https://a.com/v1", "c.com:443"]);
    let diff = PermissionDiff::between(&old, &new);
    assert_eq!(diff.added, network(&["c.com:443"]));
    assert_eq!(diff.removed, old);
    assert!(diff.needs_approval());

    let less = PermissionDiff::between(&old, &network(&["a.com:443"]));
    assert!(!less.needs_approval() && !less.is_empty());
    assert!(
        PermissionDiff::between(&everything(), &new)
            .added
            .is_empty()
    );
    let more = PermissionDiff::between(&new, &everything());
    assert!(more.added.network.is_all() && more.added.env.is_none());
}
