use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;

use super::*;

const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);

/// What a way of opening answers: the content of a file, or why there is none.
fn opened(opened: Result<OwnedFd, Trouble>) -> String {
    match opened {
        Ok(file) => {
            let mut text = String::new();
            match File::from(file).read_to_string(&mut text) {
                Ok(_) => text,
                Err(_) => "a directory".to_owned(),
            }
        }
        Err(Trouble::LeadsOutside) => "leads outside".to_owned(),
        Err(Trouble::NotAFile) => "not a file".to_owned(),
        Err(Trouble::Io(error)) => format!("{:?}", error.kind()),
    }
}

/// The kernel's way is there to compare with; where it is missing, walking is compared with itself.
#[test]
fn walking_leads_where_the_kernel_leads() {
    let home = tempfile::tempdir().expect("a directory");
    let at = |path: &str| home.path().join(path);
    fs::create_dir_all(at("root/a/b")).expect("a directory");
    fs::create_dir_all(at("out")).expect("a directory");
    fs::write(at("root/x"), "x").expect("a file");
    fs::write(at("root/a/b/y"), "y").expect("a file");
    fs::write(at("out/z"), "z").expect("a file");
    for (link, target) in [
        ("root/to-x", "x"),
        ("root/a/up", "../x"),
        ("root/a/b/up-up", "../../x"),
        ("root/a/b/out", "../../../out/z"),
        ("root/dir", "a/./b"),
        ("root/dots", "a/.."),
        ("root/dots-out", "a/../.."),
        ("root/self", "self"),
        ("root/absolute", "/"),
        ("root/dangling", "nowhere"),
        ("root/chain", "dir/up-up"),
        ("root/a/back", "../a/b"),
    ] {
        symlink(target, at(link)).expect("a link");
    }
    let root = open_root(&at("root")).expect("it is there");
    let cases = [
        ("x", "x"),
        ("a/b/y", "y"),
        ("to-x", "x"),
        ("a/up", "x"),
        ("a/b/up-up", "x"),
        ("dir/y", "y"),
        ("a/back/y", "y"),
        ("chain", "x"),
        ("dots/x", "x"),
        ("a/b", "a directory"),
        ("dots", "a directory"),
        ("dir", "a directory"),
        ("a/b/out", "leads outside"),
        ("dots-out", "leads outside"),
        ("dots-out/out/z", "leads outside"),
        ("absolute", "leads outside"),
        ("absolute/etc", "leads outside"),
        ("self", "FilesystemLoop"),
        ("dangling", "NotFound"),
        ("none", "NotFound"),
        ("x/y", "NotADirectory"),
    ];
    for (path, expected) in cases {
        let path = Path::new(path);
        assert_eq!(
            opened(by_walking(&root, path, READ)),
            expected,
            "walking {path:?}"
        );
        assert_eq!(opened(below(&root, path, READ)), expected, "{path:?}");
    }
}

#[test]
fn walking_follows_no_link_that_is_swapped_to_lead_outside() {
    let home = tempfile::tempdir().expect("a directory");
    let at = |path: &str| home.path().join(path);
    fs::create_dir_all(at("root/good")).expect("a directory");
    fs::create_dir_all(at("out")).expect("a directory");
    fs::write(at("root/good/f"), "good").expect("a file");
    fs::write(at("out/f"), "evil").expect("a file");
    symlink("good", at("root/now")).expect("a link");
    let root = open_root(&at("root")).expect("it is there");
    let stop = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::Relaxed;
    let found: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(|| {
            for target in ["../out", "good"].iter().cycle() {
                if stop.load(order) {
                    break;
                }
                symlink(target, at("root/next")).expect("a link");
                fs::rename(at("root/next"), at("root/now")).expect("it takes its place");
            }
        });
        let walk = || opened(by_walking(&root, Path::new("now/f"), READ));
        let found = (0..2_000).map(|_| walk()).collect();
        stop.store(true, order);
        found
    });
    for found in found {
        assert!(found == "good" || found == "leads outside", "{found}");
    }
}
