//! Archives of anybody: each that was made to do harm is refused with its own message, and nothing is written
//! outside of the directory in which packages are staged.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use keyway_install::{Home, InstallErrorKind, Staged, Store, limits};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

const MANIFEST: &str = "[plugin]\nid = \"notes\"\nversion = \"1.0.0\"\nmin_host_version = \"0.1.0\"\n\n\
                        [plugin.content]\nskills = [\"skills/a.md\"]\n";

const SKILL: &str = "---\nname: a\ndescription: A skill\n---\nDo it.\n";

/// An archive in the making. What `tar` itself would refuse to write can be written.
struct Made(Builder<GzEncoder<Vec<u8>>>);

impl Made {
    fn new() -> Self {
        Made(Builder::new(GzEncoder::new(
            Vec::new(),
            Compression::fast(),
        )))
    }

    /// The files of a good plugin without code.
    fn good() -> Self {
        Made::new()
            .file("plugin.toml", MANIFEST.as_bytes())
            .file("skills/a.md", SKILL.as_bytes())
    }

    fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(name.as_bytes(), EntryType::Regular, "", content)
    }

    fn entry(mut self, name: &[u8], kind: EntryType, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o7777);
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name);
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        self.0.append(&header, content).expect("it is in memory");
        self
    }

    fn bytes(self) -> Vec<u8> {
        let gzip = self.0.into_inner().expect("it is in memory");
        gzip.finish().expect("it is in memory")
    }
}

/// A home, an archive in it, and a file that archives try to get at.
struct Scene {
    dir: TempDir,
    store: Store,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("victim"), "untouched").expect("a file");
        let home = Home::under(dir.path().join("home"));
        let store = Store::open(&home).expect("a store");
        Scene { dir, store }
    }

    fn archive(&self, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join("made.tar.gz");
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// All that there is.
    fn everything(&self) -> BTreeSet<(PathBuf, Vec<u8>)> {
        let mut all = BTreeSet::new();
        let mut open = vec![self.dir.path().to_owned()];
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(&dir).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() && !path.is_symlink() {
                    open.push(path.clone());
                }
                let content = std::fs::read(&path).unwrap_or_default();
                all.insert((path, content));
            }
        }
        all
    }
}

/// That an archive is refused with this code and message, and that nothing is left of it.
#[track_caller]
fn refused(bytes: &[u8], code: &str, message: &str) {
    let scene = Scene::new();
    let archive = scene.archive(bytes);
    let before = scene.everything();
    let error =
        Staged::unpack(&archive, None, &scene.store, None).expect_err("it is to be refused");
    assert_eq!((error.code(), error.message()), (code, message));
    assert_eq!(error.kind(), InstallErrorKind::Unfit);
    assert_eq!(error.path(), Some(&*archive));
    assert_eq!(scene.everything(), before, "something was left behind");
}

#[test]
fn a_good_archive_is_staged_with_its_top_directory_or_without() {
    let flat = Made::good().bytes();
    let below = Made::new()
        .entry(b"notes-1.0.0/", EntryType::Directory, "", b"")
        .file("notes-1.0.0/plugin.toml", MANIFEST.as_bytes())
        .file("notes-1.0.0/skills/a.md", SKILL.as_bytes())
        .bytes();
    let dotted = Made::new()
        .entry(b"./", EntryType::Directory, "", b"")
        .file("./plugin.toml", MANIFEST.as_bytes())
        .entry(b"./skills", EntryType::Directory, "", b"")
        .file("./skills/a.md", SKILL.as_bytes())
        .bytes();
    let mut digests = BTreeSet::new();
    for bytes in [flat, below, dotted] {
        let scene = Scene::new();
        let archive = scene.archive(&bytes);
        let (staged, _) = Staged::unpack(&archive, None, &scene.store, None).expect("it is good");
        let manifest = std::fs::read_to_string(staged.path().join("plugin.toml"));
        assert_eq!(manifest.expect("it is there"), MANIFEST);
        digests.insert(staged.digest());
        let digest = scene.store.insert(staged).expect("it goes in");
        scene.store.verify(&digest).expect("it is what it was");
    }
    assert_eq!(digests.len(), 1, "the same files are the same package");
}

#[cfg(unix)]
#[test]
fn rights_of_an_archive_are_not_taken_over() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    let archive = scene.archive(&Made::good().bytes());
    let (staged, _) = Staged::unpack(&archive, None, &scene.store, None).expect("it is good");
    let metadata = std::fs::metadata(staged.path().join("plugin.toml")).expect("it is there");
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o555);
}

#[test]
fn paths_that_lead_out_are_refused() {
    for (name, fault) in [
        (
            "/tmp/evil",
            "is absolute: expected a path inside of the package",
        ),
        (
            "../../victim",
            "has `..` in it: expected a path inside of the package",
        ),
        (
            "skills/../../../victim",
            "has `..` in it: expected a path inside of the package",
        ),
        (
            "C:\\evil",
            "is absolute: expected a path inside of the package",
        ),
        (
            "skills\\..\\evil",
            "has '\\\\' in it, which not every system takes",
        ),
        ("skills/nul", "has a part that is a device on some systems"),
    ] {
        let bytes = Made::good().file(name, b"evil").bytes();
        refused(&bytes, "entry-name", &format!("the entry {name:?} {fault}"));
    }
    let bytes = Made::good()
        .entry(b"skills/\xff.md", EntryType::Regular, "", b"")
        .bytes();
    refused(
        &bytes,
        "entry-name",
        "the entry \"skills/\u{fffd}.md\" is not UTF-8",
    );
    let bytes = Made::good()
        .entry(b"../made/", EntryType::Directory, "", b"")
        .bytes();
    refused(
        &bytes,
        "entry-name",
        "the entry \"../made\" has `..` in it: expected a path inside of the package",
    );
}

#[test]
fn whatever_is_neither_a_file_nor_a_directory_is_refused() {
    for (kind, link, found) in [
        (
            EntryType::Symlink,
            "../../victim",
            "a symbolic link to \"../../victim\"",
        ),
        (
            EntryType::Symlink,
            "/etc/passwd",
            "a symbolic link to \"/etc/passwd\"",
        ),
        (
            EntryType::Symlink,
            "plugin.toml",
            "a symbolic link to \"plugin.toml\"",
        ),
        (
            EntryType::Link,
            "../../victim",
            "a hard link to \"../../victim\"",
        ),
        (EntryType::Char, "", "a character device"),
        (EntryType::Block, "", "a block device"),
        (EntryType::Fifo, "", "a named pipe"),
        (EntryType::Continuous, "", "an entry of type '7'"),
    ] {
        let bytes = Made::good().entry(b"thing", kind, link, b"").bytes();
        let message =
            format!("the entry \"thing\" is {found}: a package has files and directories only");
        refused(&bytes, "entry-kind", &message);
    }
}

#[test]
fn nothing_goes_through_a_link_that_came_before() {
    let bytes = Made::good()
        .entry(b"out", EntryType::Symlink, "../../..", b"")
        .file("out/victim", b"overwritten")
        .bytes();
    refused(
        &bytes,
        "entry-kind",
        "the entry \"out\" is a symbolic link to \"../../..\": a package has files and directories only",
    );
}

#[test]
fn names_that_are_there_twice_are_refused() {
    for name in ["skills/a.md", "skills/A.md", "./skills/a.md"] {
        let bytes = Made::good().file(name, b"other").bytes();
        let shown = name.trim_start_matches("./");
        let message = format!("the entry {shown:?} is there twice, or differs only in case");
        refused(&bytes, "duplicate-entry", &message);
    }
    // A file where a directory is.
    let bytes = Made::good()
        .entry(b"docs/", EntryType::Directory, "", b"")
        .file("docs", b"file")
        .bytes();
    refused(
        &bytes,
        "duplicate-entry",
        "the entry \"docs\" is there twice, or differs only in case",
    );
}

#[test]
fn bombs_are_refused_before_they_fill_anything() {
    // 64 MiB of zeros are 64 KiB.
    let zeros = vec![0; 64 << 20];
    let bytes = Made::good().file("skills/zeros", &zeros).bytes();
    assert!(bytes.len() < 1 << 20, "it compresses well");
    refused(
        &bytes,
        "archive-bomb",
        "the archive is a bomb: expected at most 200 bytes out of each byte, found more",
    );
    // A header that promises more than it has.
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_size(limits::MAX_FILE_BYTES + 1);
    header.as_old_mut().name[..4].copy_from_slice(b"huge");
    header.set_cksum();
    let mut made = Made::good();
    made.0
        .get_mut()
        .write_all(header.as_bytes())
        .expect("it is in memory");
    refused(
        &made.bytes(),
        "too-large",
        "the entry \"huge\": expected at most 536870912 bytes, found more",
    );
    // A name that goes on for ever is read within the same bounds.
    let bytes = Made::good()
        .entry(b"././@LongLink", EntryType::GNULongName, "", &zeros)
        .bytes();
    let scene = Scene::new();
    let archive = scene.archive(&bytes);
    Staged::unpack(&archive, None, &scene.store, None).expect_err("it is a bomb");
}

#[test]
fn too_many_entries_are_refused() {
    let many = (0..limits::MAX_ENTRIES).fold(Made::good(), |made, number| {
        made.file(&format!("files/{number}"), b"")
    });
    refused(
        &many.bytes(),
        "too-many-entries",
        "a package has at most 4096 files and directories, found more",
    );
}

#[test]
fn archives_that_are_not_whole_are_refused() {
    let mut noise: u32 = 1;
    let content: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.to_be_bytes()[0]
    })
    .take(100_000)
    .collect();
    let bytes = Made::good().file("skills/noise", &content).bytes();
    for len in [30, 1_000, bytes.len() / 2, bytes.len() - 9, bytes.len() - 1] {
        refused(&bytes[..len], "archive", "the archive is truncated");
    }
    let mut changed = bytes.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let scene = Scene::new();
    let archive = scene.archive(&changed);
    let error = Staged::unpack(&archive, None, &scene.store, None).expect_err("it was changed");
    assert_eq!(error.code(), "archive");
    let followed = [&bytes[..], b"more"].concat();
    refused(
        &followed,
        "archive",
        "the archive does not read as .tar.gz: something follows after its end",
    );
    refused(
        b"no archive at all",
        "archive",
        "the archive does not read as .tar.gz: invalid gzip header",
    );
    refused(b"", "archive", "the archive is truncated");
}

#[test]
fn what_is_no_plugin_is_refused_as_one() {
    let bytes = Made::new().file("README.md", b"nothing").bytes();
    refused(
        &bytes,
        "no-plugin",
        "no plugin: expected a plugin.toml or one library, found neither",
    );
    let bytes = Made::new().file("plugin.toml", MANIFEST.as_bytes()).bytes();
    let scene = Scene::new();
    let archive = scene.archive(&bytes);
    let error = Staged::unpack(&archive, None, &scene.store, None).expect_err("a file is missing");
    assert_eq!(error.path(), Some(&*archive));
    assert_eq!(error.kind(), InstallErrorKind::Unfit);
}

#[test]
fn another_archive_than_the_one_that_was_meant_is_not_even_unpacked() {
    let scene = Scene::new();
    let archive = scene.archive(b"not even an archive");
    let meant = keyway_host::inspect::hash_bytes(b"another");
    let found = keyway_host::inspect::hash_bytes(b"not even an archive");
    let error = Staged::unpack(&archive, Some(&meant), &scene.store, None).expect_err("another");
    assert_eq!(
        (error.code(), error.message()),
        (
            "hash-mismatch",
            &*format!("the file is not the one that was meant: expected {meant}, found {found}")
        )
    );
}

#[test]
fn a_link_in_a_directory_is_refused_too() {
    #[cfg(unix)]
    {
        let scene = Scene::new();
        let plugin = scene.dir.path().join("plugin");
        std::fs::create_dir_all(plugin.join("skills")).expect("a directory");
        std::fs::write(plugin.join("plugin.toml"), MANIFEST).expect("a file");
        std::os::unix::fs::symlink(Path::new("../../victim"), plugin.join("skills/a.md"))
            .expect("a link");
        let error = keyway_install::package(&plugin, scene.dir.path()).expect_err("a link");
        assert_eq!(
            (error.code(), error.message()),
            (
                "entry-kind",
                "a package has files and directories only, found a symbolic link"
            )
        );
    }
}
