//! What a plugin asks to be allowed, in a form that does not depend on where it is installed.
//!
//! The host's normal form has absolute paths, and a plugin's own directory is another one for each version. So
//! here relative paths stay relative, below a directory that is none.

use std::path::{Component, Path, PathBuf};

use keyway_host::manifest::{Access, Filesystem, Permissions};
use keyway_host::{Grant, PermissionDiff, Reach};

use crate::error::{InstallError, Result};

/// What stands for the plugin's own directory. It is deep, so that `..` in a path does not come to its top.
#[cfg(not(windows))]
const OWN: &str = "/\u{1}/\u{1}/\u{1}/\u{1}/\u{1}/\u{1}/\u{1}/\u{1}";
#[cfg(windows)]
const OWN: &str = "\\\\?\\\u{1}\\\u{1}\\\u{1}\\\u{1}\\\u{1}\\\u{1}\\\u{1}\\\u{1}";

/// What is new against what was agreed to, and what is gone, each a line for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct PermissionChange {
    /// What is asked for now and was not before.
    pub added: Vec<String>,
    /// What was asked for and is not any more.
    pub removed: Vec<String>,
}

impl PermissionChange {
    /// From what was agreed to, to what is asked for.
    pub(crate) fn between(old: &Permissions, new: &Permissions) -> Result<Self> {
        let diff = PermissionDiff::between(&grant(old)?, &grant(new)?);
        Ok(PermissionChange {
            added: lines(&diff.added),
            removed: lines(&diff.removed),
        })
    }
}

/// The normal form: sorted, without what another entry covers, with relative paths as such.
pub(crate) fn normal(asked: &Permissions) -> Result<Permissions> {
    let grant = grant(asked)?;
    let mut permissions = Permissions::default();
    permissions.network = access(&grant.network, ToString::to_string);
    permissions.filesystem = files(
        access(&grant.read, |root| relative(root.path())),
        access(&grant.write, |root| relative(root.path())),
    );
    permissions.env = entries(grant.env.entries(), ToString::to_string);
    permissions.subprocess = access(&grant.subprocess, |program| {
        relative(Path::new(&program.to_string()))
    });
    Ok(permissions)
}

fn files(read: Access, write: Access) -> Filesystem {
    let mut filesystem = Filesystem::default();
    filesystem.read = read;
    filesystem.write = write;
    filesystem
}

fn grant(asked: &Permissions) -> Result<Grant> {
    Grant::normalise(asked, Path::new(OWN)).map_err(|finding| InstallError::from(&finding))
}

fn access<T>(reach: &Reach<T>, text: impl Fn(&T) -> String) -> Access {
    match reach.is_all() {
        true => Access::All,
        false => entries(reach.entries(), text).into(),
    }
}

fn entries<T>(entries: &[T], text: impl Fn(&T) -> String) -> Vec<String> {
    entries.iter().map(text).collect()
}

/// A path that begins at the plugin's own directory, or at one above it, is shown from there.
fn relative(path: &Path) -> String {
    let own: Vec<Component<'_>> = Path::new(OWN).components().collect();
    let parts: Vec<Component<'_>> = path.components().collect();
    let same = own.iter().zip(&parts).take_while(|(a, b)| a == b).count();
    // The root, or a drive, is the same for all absolute paths.
    let roots = own
        .iter()
        .take_while(|part| !matches!(part, Component::Normal(_)))
        .count();
    if same <= roots {
        return path.display().to_string();
    }
    let mut shown = match own.len() - same {
        0 => PathBuf::from("."),
        up => std::iter::repeat_n("..", up).collect(),
    };
    shown.extend(&parts[same..]);
    shown.display().to_string()
}

fn lines(grant: &Grant) -> Vec<String> {
    let shown = |line: String| match line.split_once(OWN.chars().next().unwrap_or('/')) {
        // Only paths have the mark of the own directory in them.
        Some((verb, _)) if line.contains('\u{1}') => {
            format!("{verb}{}", relative(Path::new(&line[verb.len()..])))
        }
        _ => line,
    };
    grant.lines().into_iter().map(shown).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn reads(paths: &[&str]) -> Permissions {
        let mut permissions = Permissions::default();
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        permissions.filesystem.read = paths.into();
        permissions
    }

    #[test]
    fn relative_paths_stay_relative() {
        let asked = reads(&[
            "/srv/data",
            "./data/maps",
            "data",
            ".",
            "../shared",
            "b/../c",
        ]);
        let normal = normal(&asked).expect("well-formed");
        assert_eq!(
            normal.filesystem.read.patterns(),
            [".", "../shared", "/srv/data"]
        );
        assert_eq!(super::normal(&normal).expect("well-formed"), normal);
    }

    #[test]
    fn what_is_new_is_told_in_words() {
        let mut new = reads(&["data"]);
        new.network = vec!["https://api.example.com".to_owned()].into();
        new.env = vec!["WEATHER_KEY".to_owned()];
        let change = PermissionChange::between(&reads(&["other", "/srv"]), &new).expect("both are");
        assert_eq!(
            change.added,
            [
                "connect to https://api.example.com:443",
                "read ./data",
                "read the environment variable WEATHER_KEY",
            ]
        );
        assert_eq!(change.removed, ["read ./other", "read /srv"]);
    }
}
