//! The way through directories and symbolic links to a file, and which of it must be watched.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// How many directories above the file's own are watched: for `target/debug`, `target` and the
/// project, since `cargo clean` deletes the first two.
const ABOVE: usize = 2;

/// As many as Linux follows.
const MOST_LINKS: usize = 40;

/// What stands at one name on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The file itself, or where it would be.
    File,
    /// A link in the place of the file.
    Link,
    /// A directory on the way, a link to one, or where one is missing: the way ends here.
    Way,
}

/// One name on the way to a file. The path is free of links, save for its own last component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) path: PathBuf,
    pub(super) role: Role,
    /// Without events from this step's directory the file cannot be followed.
    pub(super) vital: bool,
}

impl Step {
    pub(super) fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }
}

/// A name that was passed.
struct Passed {
    path: PathBuf,
    role: Role,
    link: bool,
    /// The path itself spells it; no link has led here.
    spelled: bool,
}

/// The steps to this absolute path that must be watched, in the order in which they are taken.
pub(super) fn walk(path: &Path) -> Vec<Step> {
    let passed = pass(path);
    let ends: BTreeSet<usize> = passed
        .iter()
        .enumerate()
        .filter(|(number, passed_by)| passed_by.role != Role::Way || number + 1 == passed.len())
        .map(|(number, _)| number)
        .collect();
    let mut kept = ends.clone();
    for &end in &ends {
        // Where links lead, and as the path spells it: either may be replaced.
        let before = || (0..end).rev();
        kept.extend(before().filter(|&number| !passed[number].link).take(ABOVE));
        kept.extend(
            before()
                .filter(|&number| passed[number].spelled)
                .take(ABOVE),
        );
    }
    passed
        .into_iter()
        .enumerate()
        .filter(|(number, _)| kept.contains(number))
        .map(|(number, passed)| Step {
            path: passed.path,
            role: passed.role,
            vital: ends.contains(&number),
        })
        .collect()
}

/// Goes as far as it gets.
fn pass(path: &Path) -> Vec<Passed> {
    let mut passed = Vec::new();
    let mut directory = PathBuf::new();
    let mut ahead = reversed(path, true);
    let mut links = 0;
    while let Some((name, spelled)) = ahead.pop() {
        match Path::new(&name).components().next() {
            Some(Component::Normal(_)) => {}
            Some(Component::ParentDir) => {
                directory.pop();
                continue;
            }
            Some(Component::Prefix(_) | Component::RootDir) => {
                directory.push(&name);
                continue;
            }
            Some(Component::CurDir) | None => continue,
        }
        let here = directory.join(&name);
        let last = ahead.is_empty();
        let found = fs::symlink_metadata(&here);
        let link = found.as_ref().is_ok_and(fs::Metadata::is_symlink) && links < MOST_LINKS;
        let role = match (last, link) {
            (true, true) => Role::Link,
            (true, false) => Role::File,
            (false, _) => Role::Way,
        };
        passed.push(Passed {
            path: here.clone(),
            role,
            link,
            spelled,
        });
        if link {
            links += 1;
            // A link that is replaced at this moment leaves the way unfinished; the event of that
            // has it walked again.
            let target = fs::read_link(&here).unwrap_or_default();
            ahead.extend(reversed(&target, false));
        } else if found.is_ok() {
            directory = here;
        } else {
            break;
        }
    }
    passed
}

/// The last component first, to be taken from the end.
fn reversed(path: &Path, spelled: bool) -> Vec<(OsString, bool)> {
    let components = path.components().rev();
    components
        .map(|part| (part.as_os_str().to_owned(), spelled))
        .collect()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// The steps below `home`, as "role path", vital ones with a star.
    fn steps(home: &Path, path: &str) -> Vec<String> {
        walk(&home.join(path))
            .into_iter()
            .filter_map(|step| {
                let path = step.path.strip_prefix(home).ok()?.display().to_string();
                let vital = if step.vital { "*" } else { "" };
                Some(format!("{:?}{vital} {path}", step.role))
            })
            .collect()
    }

    fn home() -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().expect("a directory");
        let real = home.path().canonicalize().expect("its path");
        (home, real)
    }

    #[test]
    fn of_a_deep_path_the_three_nearest_directories_are_kept() {
        let (_home, home) = home();
        fs::create_dir_all(home.join("a/b/c/d")).expect("directories");
        assert_eq!(
            steps(&home, "a/b/c/d/x.so"),
            ["Way a/b/c", "Way a/b/c/d", "File* a/b/c/d/x.so"],
        );
    }

    #[test]
    fn a_way_ends_where_a_directory_is_missing() {
        let (_home, home) = home();
        fs::create_dir_all(home.join("a/b")).expect("directories");
        assert_eq!(
            steps(&home, "a/b/c/d/x.so"),
            ["Way a", "Way a/b", "Way* a/b/c"]
        );
    }

    #[test]
    fn both_sides_of_a_link_in_the_place_of_the_file_are_kept() {
        let (_home, home) = home();
        fs::create_dir_all(home.join("target/debug")).expect("directories");
        fs::create_dir_all(home.join("etc/app/plugins")).expect("directories");
        symlink(
            "../../../target/debug/x.so",
            home.join("etc/app/plugins/x.so"),
        )
        .expect("a link");
        assert_eq!(
            steps(&home, "etc/app/plugins/x.so"),
            [
                "Way etc/app",
                "Way etc/app/plugins",
                "Link* etc/app/plugins/x.so",
                "Way target",
                "Way target/debug",
                "File* target/debug/x.so",
            ],
        );
    }

    #[test]
    fn a_link_to_a_directory_is_kept_beside_what_it_leads_to() {
        let (_home, home) = home();
        fs::create_dir_all(home.join("releases/v1/plugins")).expect("directories");
        fs::write(home.join("releases/v1/plugins/x.so"), "").expect("a file");
        symlink("releases/v1", home.join("current")).expect("a link");
        assert_eq!(
            steps(&home, "current/plugins/x.so"),
            [
                "Way current",
                "Way releases/v1",
                "Way releases/v1/plugins",
                "File* releases/v1/plugins/x.so",
            ],
        );
    }

    #[test]
    fn a_circle_of_links_ends() {
        let (_home, home) = home();
        symlink("b", home.join("a")).expect("a link");
        symlink("a", home.join("b")).expect("a link");
        let steps = steps(&home, "a");
        assert!(steps.contains(&"Link* a".to_owned()), "{steps:?}");
        assert!(steps.contains(&"Link* b".to_owned()), "{steps:?}");
    }

    #[test]
    fn dots_are_resolved_after_links() {
        let (_home, home) = home();
        fs::create_dir_all(home.join("far/away")).expect("directories");
        symlink("far/away", home.join("near")).expect("a link");
        let steps = steps(&home, "near/../x.so");
        assert_eq!(steps.last().map(String::as_str), Some("File* far/x.so"));
    }
}
