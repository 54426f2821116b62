//! Registries on a web server, also on one that does not do what it should.

use expect_test::{Expect, expect};
use keyway_tests::many::Part;
use keyway_tests::web::{Server, response};

use crate::registry::{edit_index, publish, publish_all};
use crate::run::Run;
use crate::site::Site;

/// A registry with `one` of version 1.0.0, and who serves it.
fn served() -> (Site, Server) {
    let site = Site::new();
    publish(&site, &Part::new("one"), "one");
    let server = Server::serve(&site.path("registry"));
    (site, server)
}

fn install(site: &Site, server: &Server, arguments: &str) -> Run {
    let run = site.keyway(arguments).arg("--registry").arg(server.url());
    let proxies = [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ];
    proxies.into_iter().fold(run, |run, name| run.env(name, ""))
}

/// What is printed, with the server's address as `[SERVER]`.
fn check(site: &Site, server: &Server, arguments: &str, expected: &Expect) {
    let url = std::path::PathBuf::from(server.url());
    install(site, server, arguments)
        .name(&url, "[SERVER]")
        .check(expected);
}

/// Of each request the path, with its range or tag.
fn paths(server: &Server) -> Vec<String> {
    let short = |path: &str| {
        path.rsplit('/')
            .next()
            .unwrap_or_default()
            .replace("-x86_64-unknown-linux-gnu", "")
    };
    let asked = server.asked();
    let asked = asked.iter().map(|asked| {
        let mut shown = short(&asked.path);
        shown.push_str(
            match (asked.header("range"), asked.header("if-none-match")) {
                (Some(_), _) => " (range)",
                (None, Some(_)) => " (known)",
                _ => "",
            },
        );
        shown
    });
    asked.collect()
}

#[test]
fn any_web_server_is_a_registry_and_what_is_known_is_not_got_again() {
    let (site, server) = served();
    check(
        &site,
        &server,
        "install one",
        &expect![[r#"
        exit 0
        --- stdout
        install  one 1.0.0  from registry+[SERVER]#one
        --- stderr
           Installed one 1.0.0
    "#]],
    );
    assert_eq!(paths(&server), ["one", "one-1.0.0.tar.gz"]);
    site.check_consistency();
    site.succeed("uninstall one");
    install(&site, &server, "install one").output();
    assert_eq!(paths(&server), ["one (known)"]);
    assert_eq!(site.installed(), ["one 1.0.0"]);
    publish(&site, &Part::new("one").version("1.1.0"), "one");
    site.succeed("update");
    assert_eq!(site.installed(), ["one 1.1.0"]);
    assert_eq!(paths(&server), ["one (known)", "one-1.1.0.tar.gz"]);
}

#[test]
fn without_a_network_the_cache_has_to_do_and_what_is_missing_is_told() {
    let (site, server) = served();
    check(
        &site,
        &server,
        "install one --offline",
        &expect![[r#"
        exit 5
        --- stderr
        error: [SERVER]/index/3/o/one is not in the cache, and without a network it cannot be got
        hint: leave --offline out once
    "#]],
    );
    install(&site, &server, "install one --dry-run").output();
    let _ = server.asked();
    publish_all(&site, &[("one", "1.1.0", &[])]);
    check(
        &site,
        &server,
        "install one --offline",
        &expect![[r#"
        exit 0
        --- stdout
        install  one 1.0.0  from registry+[SERVER]#one
        --- stderr
           Installed one 1.0.0
    "#]],
    );
    assert!(server.asked().is_empty());
    check(
        &site,
        &server,
        "update --offline",
        &expect![[r#"
        exit 0
        --- stdout
        keep     one 1.0.0
    "#]],
    );
    // The index knows of a new version, and nobody has got its archive.
    site.succeed("outdated");
    check(
        &site,
        &server,
        "update --offline",
        &expect![[r#"
        exit 5
        --- stderr
        error: plugin 'one' v1.1.0: [SERVER]/archives/one/one-1.1.0-[TRIPLE].tar.gz is not in the cache, and without a network it cannot be got
        hint: leave --offline out once
    "#]],
    );
    assert_eq!(site.installed(), ["one 1.0.0"]);
}

/// Ends an answer after a part of its body.
fn cut(answer: Vec<u8>) -> Vec<u8> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let head = head.expect("an end of the head") + 4;
    let kept = head + (answer.len() - head) / 2;
    answer[..kept].to_vec()
}

#[test]
fn a_download_that_is_cut_goes_on_where_it_was() {
    let (site, server) = served();
    server.answer(|asked, regular| match asked.header("range") {
        None if asked.path.ends_with(".gz") => cut(regular),
        _ => regular,
    });
    install(&site, &server, "install one").output();
    assert_eq!(site.installed(), ["one 1.0.0"]);
    assert_eq!(
        paths(&server),
        ["one", "one-1.0.0.tar.gz", "one-1.0.0.tar.gz (range)"]
    );
    site.check_consistency();
}

#[test]
fn a_download_goes_on_in_a_later_run() {
    let (site, server) = served();
    // Half of what is left, again and again, is never all of it.
    server.answer(|asked, regular| match asked.path.ends_with(".gz") {
        true => cut(regular),
        false => regular,
    });
    let output = install(&site, &server, "install one").output();
    assert_eq!(output.status.code(), Some(7));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("do the same again; what has come already is kept"),
        "{errors}"
    );
    assert_eq!(server.asked().len(), 5);
    server.answer(|_, regular| regular);
    install(&site, &server, "install one").output();
    assert_eq!(paths(&server), ["one (known)", "one-1.0.0.tar.gz (range)"]);
    assert_eq!(site.installed(), ["one 1.0.0"]);
}

#[test]
fn where_the_server_knows_no_ranges_a_download_begins_anew() {
    let (site, server) = served();
    let (dir, calls) = (site.path("registry"), std::sync::atomic::AtomicU32::new(0));
    server.answer(move |asked, regular| {
        if !asked.path.ends_with(".gz") {
            return regular;
        }
        let content =
            std::fs::read(dir.join(asked.path.trim_start_matches('/'))).expect("an archive");
        let whole = response("200 OK", &[], &content);
        match calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => cut(whole),
            _ => whole,
        }
    });
    install(&site, &server, "install one").output();
    assert_eq!(site.installed(), ["one 1.0.0"]);
    site.check_consistency();
}

#[test]
fn where_the_parts_are_of_two_files_the_download_begins_anew() {
    let (site, server) = served();
    server.answer(|asked, regular| match asked.header("range") {
        None if asked.path.ends_with(".gz") => {
            let mut half = cut(regular);
            let end = half.len() - 1;
            half[end] ^= 1;
            half
        }
        _ => regular,
    });
    // In the second round the first half comes cut and wrong again, and so on: it ends, and with an error.
    let output = install(&site, &server, "install one").output();
    assert!(site.installed().is_empty());
    assert_ne!(output.status.code(), Some(0));
    server.answer(|_, regular| regular);
    install(&site, &server, "install one").output();
    assert_eq!(site.installed(), ["one 1.0.0"]);
}

#[test]
fn wrong_bytes_and_wrong_sizes_are_refused_before_they_are_looked_at() {
    let (site, server) = served();
    let of_archive = |edit: fn(Vec<u8>) -> Vec<u8>| {
        server.answer(move |asked, regular| match asked.path.ends_with(".gz") {
            true => edit(regular),
            false => regular,
        });
    };
    of_archive(|mut answer| {
        let end = answer.len() - 9;
        answer[end] ^= 1;
        answer
    });
    check(
        &site,
        &server,
        "install one",
        &expect![[r#"
        exit 3
        --- stderr
        error: plugin 'one' v1.0.0: [SERVER]/archives/one/one-1.0.0-[TRIPLE].tar.gz is not what the index says: expected [HASH], found [HASH]
        hint: nothing of it was looked at; tell whoever keeps the registry
    "#]],
    );
    of_archive(|_| response("200 OK", &[], b"too little"));
    let output = install(&site, &server, "install one").output();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("has the wrong size: expected ") && errors.contains("bytes, found 10"),
        "{errors}"
    );
    // Without a length, and without an end.
    of_archive(|_| {
        let mut endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        endless.resize(64 << 20, b'x');
        endless
    });
    let output = install(&site, &server, "install one").output();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("bytes, found more"), "{errors}");
    of_archive(|_| response("404 Not Found", &[], b""));
    check(
        &site,
        &server,
        "install one",
        &expect![[r#"
        exit 5
        --- stderr
        error: plugin 'one' v1.0.0: [SERVER]/archives/one/one-1.0.0-[TRIPLE].tar.gz is not there, although the index names it
    "#]],
    );
    assert!(site.installed().is_empty());
    of_archive(|answer| answer);
    install(&site, &server, "install one").output();
    assert_eq!(site.installed(), ["one 1.0.0"]);
}

#[test]
fn errors_of_servers_and_endless_redirects_are_told() {
    let (site, server) = served();
    server.answer(|_, _| response("500 Internal Server Error", &[], b"oh"));
    check(
        &site,
        &server,
        "install one",
        &expect![[r#"
        exit 7
        --- stderr
        error: [SERVER]/index/3/o/one answers 500 Internal Server Error
    "#]],
    );
    server.answer(|asked, _| response("302 Found", &[("Location", &asked.path)], b""));
    check(
        &site,
        &server,
        "install one",
        &expect![[r#"
        exit 7
        --- stderr
        error: [SERVER]/index/3/o/one leads on more than 5 times
    "#]],
    );
    server.answer(|_, _| {
        let mut endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        endless.resize(16 << 20, b'x');
        endless
    });
    check(
        &site,
        &server,
        "install one",
        &expect![[r#"
        exit 3
        --- stderr
        error: [SERVER]/index/3/o/one is too large: expected at most 4194304 bytes
    "#]],
    );
    server.answer(|_, _| response("404 Not Found", &[], b""));
    check(
        &site,
        &server,
        "install one",
        &expect![[r#"
        exit 5
        --- stderr
        error: there is no registry at [SERVER]: it has no keyway-registry.json
        hint: a registry is made by: keyway publish PLUGIN --to DIR
    "#]],
    );
    server.answer(|_, _| b"SSH-2.0-OpenSSH_9.6\r\n".to_vec());
    let output = install(&site, &server, "install one").output();
    assert_eq!(output.status.code(), Some(7));
    assert!(site.installed().is_empty());
}

#[test]
fn a_redirect_to_elsewhere_is_followed_and_the_hash_decides() {
    let (site, server) = served();
    server.answer(
        |asked, regular| match asked.path.strip_prefix("/archives/") {
            Some(rest) => response(
                "302 Found",
                &[("Location", &format!("/elsewhere/{rest}"))],
                b"",
            ),
            None if asked.path.starts_with("/elsewhere/") => regular,
            None => regular,
        },
    );
    std::os::unix::fs::symlink("archives", site.path("registry/elsewhere")).expect("a link");
    install(&site, &server, "install one").output();
    assert_eq!(site.installed(), ["one 1.0.0"]);
}

#[test]
fn an_index_on_the_web_is_believed_as_little_as_one_on_disk() {
    let (site, server) = served();
    edit_index(&site, "one", |text| {
        text.replace("archives/one/one-", "../one-")
    });
    check(
        &site,
        &server,
        "install one",
        &expect![[r#"
        exit 3
        --- stderr
        error: the index of 'one' does not read: line 1: the archive "../one-1.0.0-[TRIPLE].tar.gz" has `..` in it: expected a path inside of the registry
        hint: tell whoever keeps the registry
    "#]],
    );
}
