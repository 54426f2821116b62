//! Registries that were made to do harm.

use expect_test::expect;

use super::{edit_index, publish_all};
use crate::site::Site;

#[test]
fn an_index_that_was_made_to_do_harm_is_refused_with_its_line() {
    let site = Site::new();
    publish_all(&site, &[("one", "1.0.0", &[]), ("two", "1.0.0", &[])]);
    let good = std::fs::read_to_string(site.path("registry/index/3/o/one")).expect("an index");
    let refused = |edit: &dyn Fn(&str) -> String| {
        let text = edit(&good);
        edit_index(&site, "one", |_| text);
        let output = site.keyway("install one").output();
        assert!(site.installed().is_empty());
        let text = String::from_utf8_lossy(&output.stderr)
            .replace(&*site.path("").to_string_lossy(), "[DIR]/");
        let digits = regex_lite::Regex::new("[0-9a-f]{64}").expect("a pattern");
        format!(
            "{:?} {}",
            output.status.code(),
            digits.replace_all(&text, "[HASH]")
        )
    };
    let archive = "archives/one/one-1.0.0-x86_64-unknown-linux-gnu.tar.gz";
    // How large an archive is depends on who has built it.
    let size = regex_lite::Regex::new("\"size\":[0-9]+").expect("a pattern");
    let edits: [&dyn Fn(&str) -> String; 12] = [
        &|text| text.replace("\"name\":\"one\"", "\"name\":\"two\""),
        &|text| text.replace(archive, "../../../etc/passwd"),
        &|text| text.replace(archive, "/etc/passwd"),
        &|text| text.replace(archive, "https://evil.example.org/one.tar.gz"),
        &|text| text.replace(archive, "archives/one?x=1"),
        &|text| size.replace(text, "\"size\":9999999999").into_owned(),
        &|text| text.replace("blake3:", "md5:"),
        &|text| format!("{text}{text}"),
        &|text| text[..text.find(archive).expect("it is there") + 10].to_owned(),
        &|_| "[".repeat(100_000),
        // Of the size that is said, so that the hash is what tells.
        &|text| {
            let other = "archives/two/two-1.0.0-x86_64-unknown-linux-gnu.tar.gz";
            let file = std::fs::metadata(site.path("registry").join(other)).expect("a file");
            let said = format!("\"size\":{}", file.len());
            size.replace(text, said).replace(archive, other)
        },
        &|text| text.repeat((4 << 20) / text.len() + 1),
    ];
    let all: Vec<String> = edits.into_iter().map(refused).collect();
    expect![[r#"
        Some(3) error: the index of 'one' does not read: line 1: expected the name 'one', found "two"
        hint: tell whoever keeps the registry
        Some(3) error: the index of 'one' does not read: line 1: the archive "../../../etc/passwd" has `..` in it: expected a path inside of the registry
        hint: tell whoever keeps the registry
        Some(3) error: the index of 'one' does not read: line 1: the archive "/etc/passwd" is absolute: expected a path inside of the registry
        hint: tell whoever keeps the registry
        Some(3) error: the index of 'one' does not read: line 1: the archive "https://evil.example.org/one.tar.gz" is a URL: expected a path inside of the registry
        hint: tell whoever keeps the registry
        Some(3) error: the index of 'one' does not read: line 1: the archive "archives/one?x=1" has '?' in it, which not every system takes
        hint: tell whoever keeps the registry
        Some(3) error: the index of 'one' does not read: line 1: the archive "archives/one/one-1.0.0-x86_64-unknown-linux-gnu.tar.gz" is too large: expected at most 1073741824 bytes, found 9999999999
        hint: tell whoever keeps the registry
        Some(3) error: the index of 'one' does not read: line 1: the hash "md5:[HASH]": bad content hash: expected blake3: and 64 hexadecimal digits, found "md5:[HASH]"
        hint: tell whoever keeps the registry
        Some(3) error: the index of 'one' does not read: line 2: version 1.0.0 is there twice
        hint: tell whoever keeps the registry
        Some(3) error: the index of 'one' does not read: line 1: EOF while parsing a string, at column 148
        hint: tell whoever keeps the registry
        Some(3) error: the index of 'one' does not read: line 1: invalid type: sequence, expected u32, at column 1
        hint: tell whoever keeps the registry
        Some(3) error: plugin 'one' v1.0.0 ([DIR]/registry/archives/two/two-1.0.0-x86_64-unknown-linux-gnu.tar.gz): the file is not the one that was meant: expected blake3:[HASH], found blake3:[HASH]
        hint: nothing of it was looked at; tell whoever keeps the registry
        Some(3) error: [DIR]/registry/index/3/o/one: the index is too large: expected at most 4194304 bytes
    "#]].assert_eq(&all.concat());
}

#[test]
fn an_archive_that_is_not_what_the_index_says_is_refused() {
    let site = Site::new();
    publish_all(&site, &[("one", "1.0.0", &[]), ("two", "1.0.0", &[])]);
    let archive = |id: &str| {
        site.path(&format!(
            "registry/archives/{id}/{id}-1.0.0-x86_64-unknown-linux-gnu.tar.gz"
        ))
    };
    let good = std::fs::read(archive("one")).expect("an archive");
    // Of the same length, with one bit in it another one.
    let mut wrong = good.clone();
    wrong[good.len() / 2] ^= 1;
    std::fs::write(archive("one"), &wrong).expect("a file");
    site.keyway("install one").check(&expect![[r#"
        exit 3
        --- stderr
        error: plugin 'one' v1.0.0 ([DIR]/registry/archives/one/one-1.0.0-[TRIPLE].tar.gz): the file is not the one that was meant: expected [HASH], found [HASH]
        hint: nothing of it was looked at; tell whoever keeps the registry
    "#]]);
    std::fs::write(archive("one"), &good[1..]).expect("a file");
    let output = site.keyway("install one").output();
    assert!(String::from_utf8_lossy(&output.stderr).contains("the archive has the wrong size"));
    std::fs::remove_file(archive("one")).expect("it is there");
    assert_eq!(site.keyway("install one").output().status.code(), Some(5));
    std::fs::write(archive("one"), &good).expect("a file");
    // A good archive under the name of another plugin, with its hash in the index.
    let of_two = std::fs::read_to_string(site.path("registry/index/3/t/two")).expect("an index");
    edit_index(&site, "one", |_| {
        of_two.replace("\"name\":\"two\"", "\"name\":\"one\"")
    });
    site.keyway("install one").check(&expect![[r#"
        exit 3
        --- stderr
        error: plugin 'one' v1.0.0: the archive is not what the index says: the id: expected one, found two
        hint: tell whoever keeps the registry
    "#]]);
    // What the index says of its needs is not what is in it.
    edit_index(&site, "two", |text| {
        text.replace("\"min_host_version\"", "\"dependencies\":[{\"id\":\"one\",\"version\":\"*\",\"optional\":true}],\"min_host_version\"")
    });
    site.keyway("install two").check(&expect![[r#"
        exit 3
        --- stderr
        error: plugin 'two' v1.0.0: the archive is not what the index says: the plugins that it needs: expected one * optional, found none
        hint: tell whoever keeps the registry
    "#]]);
    assert!(site.installed().is_empty());
}
