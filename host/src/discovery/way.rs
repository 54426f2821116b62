//! The way to a file: every directory in which a name is looked up, and every link that is followed.
//!
//! Whoever may write to one of these directories, or owns one of these links, decides what is found
//! at the end. The two ends of the way alone, as it is spelled and where it really leads, would not
//! do: a link may lead to a link that lies somewhere else.

use std::io;
use std::path::{Path, PathBuf};

/// A way that was gone to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// What it leads to, free of links.
    pub(super) real: PathBuf,
    /// What it leads through, in order; empty away from Unix, where nothing is checked of it.
    pub(super) passed: Vec<Passed>,
}

/// One thing on the way. The paths are free of links, save for the last component of a link's own.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(not(unix), expect(dead_code, reason = "the way is looked at on Unix"))]
pub(super) enum Passed {
    Directory(PathBuf),
    Link(PathBuf),
}

/// As many as Linux follows.
#[cfg(unix)]
const MOST_LINKS: usize = 40;

/// Goes to the end of an absolute path.
///
/// # Errors
///
/// Those of the system: something is missing, or may not be looked at, or links go in a circle.
#[cfg(unix)]
pub(super) fn walk(path: &Path) -> io::Result<Way> {
    use std::ffi::OsString;
    use std::path::Component;

    // Links in a circle, names that are too long and the like: in the system's own words.
    std::fs::metadata(path)?;
    let reversed = |path: &Path| -> Vec<OsString> {
        let components = path.components().rev();
        components.map(|part| part.as_os_str().to_owned()).collect()
    };
    let mut real = PathBuf::new();
    let mut passed = Vec::new();
    let mut ahead = reversed(path);
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        match Path::new(&name).components().next() {
            Some(Component::Normal(_)) => {}
            Some(Component::RootDir) => {
                real = PathBuf::from("/");
                continue;
            }
            Some(Component::ParentDir) => {
                real.pop();
                continue;
            }
            Some(Component::CurDir | Component::Prefix(_)) | None => continue,
        }
        #[cfg(test)]
        crate::steps::add(1);
        let here = real.join(&name);
        passed.push(Passed::Directory(real.clone()));
        if std::fs::symlink_metadata(&here)?.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                // Somebody changes the links while they are followed.
                return Err(io::Error::other("too many links on the way"));
            }
            ahead.extend(reversed(&std::fs::read_link(&here)?));
            passed.push(Passed::Link(here));
        } else {
            real = here;
        }
    }
    Ok(Way { real, passed })
}

/// Goes to the end of an absolute path.
///
/// # Errors
///
/// Those of the system.
#[cfg(not(unix))]
pub(super) fn walk(path: &Path) -> io::Result<Way> {
    Ok(Way {
        real: std::fs::canonicalize(path)?,
        passed: Vec::new(),
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_directory_and_every_link_on_the_way_is_passed() {
        let home = tempfile::tempdir().expect("a directory");
        let home = home.path().canonicalize().expect("its path");
        for directory in ["safe", "open", "far/away"] {
            fs::create_dir_all(home.join(directory)).expect("directories");
        }
        fs::write(home.join("far/away/x.so"), "").expect("a file");
        symlink("../open/second", home.join("safe/first")).expect("a link");
        symlink(home.join("far/away/."), home.join("open/second")).expect("a link");
        let way = walk(&home.join("safe/first/x.so")).expect("it leads to a file");
        assert_eq!(way.real, home.join("far/away/x.so"));
        let below_home: Vec<_> = way
            .passed
            .into_iter()
            .filter_map(|passed| {
                let (what, path) = match passed {
                    Passed::Directory(path) => ("directory", path),
                    Passed::Link(path) => ("link", path),
                };
                let path = path.strip_prefix(&home).ok()?.display().to_string();
                Some(format!("{what} {path}"))
            })
            .collect();
        assert_eq!(
            below_home,
            [
                "directory ",
                "directory safe",
                "link safe/first",
                "directory ",
                "directory open",
                "link open/second",
                "directory ",
                "directory far",
                "directory far/away",
            ]
        );
    }

    #[test]
    fn a_circle_of_links_is_an_error() {
        let home = tempfile::tempdir().expect("a directory");
        symlink("b", home.path().join("a")).expect("a link");
        symlink("a", home.path().join("b")).expect("a link");
        walk(&home.path().join("a")).expect_err("it has no end");
    }
}
