use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(["a.com", "*.a.com", "b.a.com", "*.b.a.com", "A.COM", "localhost", "x_y"].as_slice())
            .prop_map(str::to_owned),
        1 => "[a-z]{1,3}(\\.[a-z]{2}){0,2}",
        1 => any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        1 => any::<std::net::Ipv6Addr>().prop_map(|address| format!("[{address}]")),
    ]
}

fn peer() -> impl Strategy<Value = String> {
    let port = select(["", ":80", ":443", ":*", ":8080"].as_slice());
    let scheme = select(["http://", "https://", "wss://"].as_slice());
    let path = select(["", "/", "/*", "/a", "/a*", "/a/*", "/a/b", "/a/b/*", "/c"].as_slice());
    prop_oneof![
        (host(), port.clone()).prop_map(|(host, port)| format!("{host}{port}")),
        (scheme, host(), port, path)
            .prop_map(|(scheme, host, port, path)| format!("{scheme}{host}{port}{path}")),
    ]
}

fn path() -> impl Strategy<Value = String> {
    "(/|\\./|\\.\\./)?[abc](/[abc]|/\\.\\.|/\\.){0,3}"
}

fn access(texts: impl Strategy<Value = String>) -> impl Strategy<Value = keyway_manifest::Access> {
    prop_oneof![
        6 => prop::collection::vec(texts, 0..5).prop_map(keyway_manifest::Access::from),
        1 => any::<bool>().prop_map(keyway_manifest::Access::from),
    ]
}

fn permissions() -> impl Strategy<Value = Permissions> {
    let program = select(["git", "sh", "./x", "/bin/sh"].as_slice()).prop_map(str::to_owned);
    (
        access(peer()),
        access(path()),
        access(path()),
        prop::collection::vec("[A-C]{1,2}", 0..4),
        access(program),
    )
        .prop_map(|(network, read, write, env, subprocess)| {
            let mut asked = Permissions::default();
            asked.network = network;
            asked.filesystem.read = read;
            asked.filesystem.write = write;
            asked.env = env;
            asked.subprocess = subprocess;
            asked
        })
}

fn a_grant() -> impl Strategy<Value = Grant> {
    permissions()
        .prop_map(|asked| Grant::normalise(&asked, Path::new(BASE)).expect("it is well-formed"))
}

/// The grant as a manifest would have it.
fn as_asked(grant: &Grant) -> Permissions {
    fn access<T: ToString>(reach: &Reach<T>) -> keyway_manifest::Access {
        if reach.is_all() {
            return true.into();
        }
        reach
            .entries()
            .iter()
            .map(T::to_string)
            .collect::<Vec<_>>()
            .into()
    }
    let mut asked = Permissions::default();
    asked.network = access(&grant.network);
    asked.filesystem.read = access(&grant.read);
    asked.filesystem.write = access(&grant.write);
    asked.env = grant
        .env
        .entries()
        .iter()
        .map(ToString::to_string)
        .collect();
    asked.subprocess = access(&grant.subprocess);
    asked
}

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(grant in a_grant()) {
        let again = Grant::normalise(&as_asked(&grant), Path::new("/elsewhere"));
        prop_assert_eq!(again.expect("it is well-formed"), grant);
    }

    #[test]
    fn covering_is_a_partial_order(grants in [a_grant(), a_grant(), a_grant()]) {
        let [a, b, c] = &grants;
        prop_assert!(a.covers(a));
        prop_assert!(!(a.covers(b) && b.covers(c)) || a.covers(c));
        prop_assert!(!(a.covers(b) && b.covers(a)) || a == b);
        let (ab, abc) = (a.union(b), a.union(b).union(c));
        prop_assert!(ab.covers(a) && ab.covers(b));
        prop_assert!(abc.covers(&ab) && abc.covers(c));
        prop_assert_eq!(a.union(b), b.union(a));
    }

    #[test]
    fn nothing_is_added_if_and_only_if_the_old_grant_covers_the_new(a in a_grant(), b in a_grant()) {
        for (old, new) in [(&a, &b), (&a, &a), (&a.union(&b), &b)] {
            let diff = PermissionDiff::between(old, new);
            prop_assert_eq!(diff.needs_approval(), !old.covers(new));
            prop_assert_eq!(diff.is_empty(), old == new);
            prop_assert!(new.covers(&diff.added) && old.covers(&diff.removed));
            prop_assert!(old.union(&diff.added).covers(new));
        }
    }

    #[test]
    fn what_covers_allows_all_that_is_allowed(
        a in a_grant(),
        b in a_grant(),
        host in host(),
        port in select([80_u16, 443, 8080].as_slice()),
        path in "/[a-c](/[a-c])?",
    ) {
        let (more, less) = (a.union(&b), &b);
        if let Ok(destination) = Destination::new("https", &host, port, &path) {
            let allows = |grant: &Grant| grant.decide(Ask::Request(&destination)).is_allowed();
            prop_assert!(!allows(less) || allows(&more));
        }
        let allows = |grant: &Grant| grant.decide(Ask::Read(Path::new(&path))).is_allowed();
        prop_assert!(!allows(less) || allows(&more));
    }

    #[test]
    fn what_is_common_is_in_both_and_all_of_what_one_covers(a in a_grant(), b in a_grant()) {
        let common = a.common(&b);
        prop_assert!(a.covers(&common) && b.covers(&common));
        prop_assert_eq!(&common, &b.common(&a));
        prop_assert_eq!(a.union(&b).common(&a), a);
    }

    #[test]
    fn a_manifest_with_permissions_is_accepted_if_and_only_if_they_have_a_normal_form(
        text in prop_oneof![
            3 => peer(),
            1 => path(),
            3 => "[a-c0-9:/.*@?#%\\[\\]~ü\\\\-]{1,16}",
        ],
    ) {
        let texts = [text.as_str()];
        for (key, lists) in [
            ("network", [&texts[..], &[], &[], &[], &[]]),
            ("filesystem.read", [&[], &texts[..], &[], &[], &[]]),
            ("filesystem.write", [&[], &[], &texts[..], &[], &[]]),
            ("env", [&[], &[], &[], &texts[..], &[]]),
            ("subprocess", [&[], &[], &[], &[], &texts[..]]),
        ] {
            let manifest = format!(
                "[plugin]\nid = \"a\"\nversion = \"1.0.0\"\nmin_host_version = \"1.0.0\"\n\
                 [plugin.capabilities]\ntools = [\"a\"]\n[plugin.permissions]\n{key} = [{text:?}]\n"
            );
            let accepted = keyway_manifest::Manifest::from_toml(&manifest, "plugin.toml").is_ok();
            prop_assert_eq!(accepted, try_grant(lists).is_ok(), "{}", manifest);
        }
    }

    #[test]
    fn no_text_makes_it_panic(
        texts in [any::<String>(), any::<String>(), any::<String>(), any::<String>(), any::<String>()],
        port in any::<u16>(),
    ) {
        let [one, two, three, four, five] = &texts;
        let _ = try_grant([&[one], &[two], &[three], &[four], &[five]]);
        let _ = Destination::new(one, two, port, three);
    }

    #[test]
    fn no_text_that_looks_like_a_pattern_makes_it_panic(text in "[a-c0-9:/.*@?#%\\[\\]~ \\\\-]{0,24}") {
        if let Ok(peers) = Peer::parse(&text) {
            for peer in peers {
                prop_assert_eq!(Peer::parse(&peer.to_string()), Ok(vec![peer]));
            }
        }
        let _ = try_grant([&[], &[&text], &[&text], &[&text], &[&text]]);
    }
}
