use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use keyway::ErrorKind;

use super::super::tests::{Asked, parts};
use super::super::{Limits, Mediator};
use super::*;

struct Setting {
    home: tempfile::TempDir,
    mediator: Mediator,
}

/// `data` may be read, `out` written, `file` is a file that may be both, and `secret` none of it.
const ASKED: Asked = Asked {
    read: &["data", "file"],
    write: &["out", "file"],
    network: &[],
    env: &[],
    subprocess: &[],
};

impl Setting {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let mediator = ASKED.mediator(home.path());
        let setting = Setting { home, mediator };
        for dir in ["data/inner", "secret"] {
            fs::create_dir_all(setting.at(dir)).expect("a directory");
        }
        fs::write(setting.at("data/a.txt"), "a").expect("a file");
        fs::write(setting.at("data/inner/b.txt"), "b").expect("a file");
        fs::write(setting.at("secret/key"), "secret").expect("a file");
        fs::write(setting.at("file"), "file").expect("a file");
        setting
    }

    fn at(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    fn read(&self, path: &str) -> Result<String> {
        let bytes = self.mediator.read_file(path)?;
        Ok(String::from_utf8(bytes).expect("it is text"))
    }

    fn read_code(&self, path: &str) -> String {
        let error = self.mediator.read_file(path).expect_err(path);
        error.error_code().to_owned()
    }

    fn write_code(&self, path: &str) -> String {
        let error = self.mediator.write_file(path, b"x").expect_err(path);
        error.error_code().to_owned()
    }
}

#[test]
fn files_below_a_granted_directory_are_read() {
    let setting = Setting::new();
    assert_eq!(setting.read("data/a.txt").as_deref(), Ok("a"));
    assert_eq!(setting.read("./data/x/../inner/b.txt").as_deref(), Ok("b"));
    assert_eq!(setting.read("file").as_deref(), Ok("file"));
    let absolute = setting.at("data/a.txt");
    assert_eq!(
        setting.read(absolute.to_str().expect("text")).as_deref(),
        Ok("a")
    );
}

#[test]
fn nothing_else_is_read() {
    let setting = Setting::new();
    for path in [
        "secret/key",
        "data/../secret/key",
        "/etc/passwd",
        "data2",
        "out/x",
        "file2",
    ] {
        assert_eq!(setting.read_code(path), "read-not-granted", "{path}");
    }
    for path in ["", "~/x", "data/\0"] {
        assert_eq!(setting.read_code(path), "bad-request", "{path:?}");
    }
    let error = setting
        .mediator
        .read_file("data/none")
        .expect_err("there is none");
    assert_eq!(
        (error.kind(), error.error_code()),
        (ErrorKind::NotFound, "file-failed")
    );
    assert_eq!(setting.read_code("data"), "not-a-file");
    assert_eq!(setting.read_code("data/inner"), "not-a-file");
}

#[test]
fn a_link_is_followed_if_it_stays_inside() {
    let setting = Setting::new();
    symlink("inner/b.txt", setting.at("data/link")).expect("a link");
    symlink("../a.txt", setting.at("data/inner/up")).expect("a link");
    symlink("inner", setting.at("data/dir")).expect("a link");
    assert_eq!(setting.read("data/link").as_deref(), Ok("b"));
    assert_eq!(setting.read("data/inner/up").as_deref(), Ok("a"));
    assert_eq!(setting.read("data/dir/b.txt").as_deref(), Ok("b"));
}

#[test]
fn a_link_that_leads_outside_is_refused_wherever_it_is() {
    let setting = Setting::new();
    let secret = setting.at("secret");
    symlink("../secret/key", setting.at("data/last")).expect("a link");
    symlink("../secret", setting.at("data/middle")).expect("a link");
    symlink(&secret, setting.at("data/absolute")).expect("a link");
    symlink("inner/../../secret", setting.at("data/detour")).expect("a link");
    symlink("middle", setting.at("data/chain")).expect("a link");
    symlink("/proc/self/root", setting.at("data/magic")).expect("a link");
    for path in [
        "data/last",
        "data/middle/key",
        "data/absolute/key",
        "data/detour/key",
        "data/chain/key",
        "data/magic/etc/passwd",
    ] {
        assert_eq!(setting.read_code(path), "leads-outside", "{path}");
    }
    let error = setting
        .mediator
        .read_file("data/last")
        .expect_err("it leads outside");
    assert_eq!(
        parts(&error),
        (
            ErrorKind::Denied,
            "leads-outside",
            format!(
                "a link in {} leads out of the directory that is granted, or is absolute; grant \
                 the directory that it leads to",
                setting.at("data/last").display()
            )
            .as_str()
        )
    );
}

#[test]
fn the_granted_directory_itself_may_be_a_link() {
    let setting = Setting::new();
    fs::rename(setting.at("data"), setting.at("elsewhere")).expect("it moves");
    symlink("elsewhere", setting.at("data")).expect("a link");
    assert_eq!(setting.read("data/a.txt").as_deref(), Ok("a"));
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let setting = Setting::new();
    let made = std::process::Command::new("mkfifo")
        .arg(setting.at("data/pipe"))
        .status();
    assert!(made.expect("mkfifo starts").success());
    assert_eq!(setting.read_code("data/pipe"), "not-a-file");
}

#[test]
fn a_file_is_written_whole_and_missing_directories_are_made() {
    let setting = Setting::new();
    let write = |path: &str, text: &str| setting.mediator.write_file(path, text.as_bytes());
    write("out/deep/er/x.txt", "one").expect("it is granted");
    write("out/deep/er/x.txt", "two").expect("it is granted");
    write("out/top", "top").expect("it is granted");
    write("file", "new").expect("it is granted");
    let read = |path: &str| fs::read_to_string(setting.at(path)).expect("it is there");
    assert_eq!(read("out/deep/er/x.txt"), "two");
    assert_eq!(read("out/top"), "top");
    assert_eq!(read("file"), "new");
    let left = fs::read_dir(setting.at("out/deep/er"))
        .expect("a directory")
        .count();
    assert_eq!(left, 1, "no other file stays behind");
}

#[test]
fn a_file_that_is_replaced_keeps_its_permissions() {
    let setting = Setting::new();
    fs::create_dir(setting.at("out")).expect("a directory");
    fs::write(setting.at("out/x"), "old").expect("a file");
    fs::set_permissions(setting.at("out/x"), fs::Permissions::from_mode(0o4750)).expect("ours");
    setting
        .mediator
        .write_file("out/x", b"new")
        .expect("it is granted");
    let mode = fs::metadata(setting.at("out/x"))
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o750, "but not as whom it runs");
}

#[test]
fn nothing_is_written_elsewhere() {
    let setting = Setting::new();
    fs::create_dir(setting.at("out")).expect("a directory");
    symlink("../secret", setting.at("out/link")).expect("a link");
    symlink("../secret/key", setting.at("out/last")).expect("a link");
    symlink("missing", setting.at("out/dangling")).expect("a link");
    fs::create_dir(setting.at("out/dir")).expect("a directory");
    for path in ["data/a.txt", "secret/key", "out/../secret/key", "/tmp/x"] {
        assert_eq!(setting.write_code(path), "write-not-granted", "{path}");
    }
    assert_eq!(setting.write_code("out/link/key"), "leads-outside");
    assert_eq!(setting.write_code("out/link/new/key"), "leads-outside");
    assert_eq!(setting.write_code("out/last"), "not-a-file");
    assert_eq!(setting.write_code("out/dangling"), "not-a-file");
    assert_eq!(setting.write_code("out/dir"), "not-a-file");
    assert_eq!(setting.write_code("out"), "not-a-file");
    assert_eq!(
        fs::read_to_string(setting.at("secret/key")).expect("it is there"),
        "secret"
    );
    assert_eq!(
        fs::read_dir(setting.at("secret"))
            .expect("a directory")
            .count(),
        1
    );
}

#[test]
fn a_file_that_is_too_large_is_refused_either_way() {
    let setting = Setting::new();
    let limits = Limits {
        max_file_bytes: 4,
        ..Limits::default()
    };
    let builder = ASKED.builder(setting.home.path()).limits(limits);
    let mediator = builder.build().expect("the base is absolute");
    fs::write(setting.at("data/four"), "four").expect("a file");
    fs::write(setting.at("data/seven"), "seven77").expect("a file");
    mediator
        .read_file("data/four")
        .expect("it is not too large");
    mediator
        .write_file("out/x", b"four")
        .expect("it is not too large");
    let read = mediator
        .read_file("data/seven")
        .expect_err("it is too large");
    let message = format!(
        "{} is larger than Limits::max_file_bytes, 4 bytes",
        setting.at("data/seven").display()
    );
    assert_eq!(
        parts(&read),
        (ErrorKind::Denied, "size-limit", message.as_str())
    );
    let write = mediator
        .write_file("out/y", b"seven77")
        .expect_err("it is too large");
    assert_eq!(write.error_code(), "size-limit");
    assert!(!setting.at("out/y").exists());
}

#[test]
fn a_link_that_is_swapped_all_the_time_never_leads_outside() {
    let setting = Setting::new();
    fs::write(setting.at("secret/b.txt"), "secret").expect("a file");
    symlink("inner", setting.at("data/now")).expect("a link");
    let limits = Limits {
        file_rate: None,
        ..Limits::default()
    };
    let builder = ASKED.builder(setting.home.path()).limits(limits);
    let unlimited = builder.build().expect("the base is absolute");
    let read = || match unlimited.read_file("data/now/b.txt") {
        Ok(bytes) => String::from_utf8(bytes).expect("it is text"),
        Err(error) => error.error_code().to_owned(),
    };
    assert_eq!(read(), "b");
    let stop = AtomicBool::new(false);
    let found: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(|| {
            let (now, next) = (setting.at("data/now"), setting.at("data/next"));
            for target in ["../secret", "inner"].iter().cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                symlink(target, &next).expect("a link");
                fs::rename(&next, &now).expect("it takes the place of the other");
            }
        });
        let found = (0..2_000).map(|_| read()).collect();
        stop.store(true, Ordering::Relaxed);
        found
    });
    for found in found {
        assert!(found == "b" || found == "leads-outside", "{found}");
    }
}

#[test]
fn everything_means_also_what_links_lead_to() {
    let setting = Setting::new();
    let mut asked = keyway_manifest::Permissions::default();
    asked.filesystem.read = true.into();
    asked.filesystem.write = true.into();
    let home = setting.home.path();
    let grant = crate::permission::Grant::normalise(&asked, home).expect("it is well-formed");
    let mediator = Mediator::builder(setting.mediator.plugin().clone(), grant, home);
    let mediator = mediator.build().expect("the base is absolute");
    symlink(setting.at("secret"), setting.at("data/link")).expect("a link");
    assert_eq!(
        mediator.read_file("data/link/key").as_deref(),
        Ok(b"secret".as_slice())
    );
    mediator.write_file("new/x", b"x").expect("it is granted");
    assert_eq!(fs::read(setting.at("new/x")).expect("it is there"), b"x");
}

#[test]
fn a_path_of_an_action_is_made_absolute_if_it_is_granted() {
    let setting = Setting::new();
    let path = setting
        .mediator
        .path_to_read("data/x/../a.txt")
        .expect("it is granted");
    assert_eq!(path, setting.at("data/a.txt"));
    let error = setting
        .mediator
        .path_to_write("data/a.txt")
        .expect_err("it is not");
    assert_eq!(error.error_code(), "write-not-granted");
}
