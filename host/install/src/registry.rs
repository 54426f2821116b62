//! Registries: where plugins are found by their names.
//!
//! A registry is a tree of files, in a directory or on any web server: an [index](index) with one small file for
//! each plugin, and the archives that it names. Nothing of it is computed when it is asked, so whatever serves
//! files serves a registry. `REGISTRY.md`, at the root of Keyway's repository, is the reference of the format.

pub(crate) mod index;
mod publish;
mod reader;
mod text;
mod web;

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

pub use index::{Archived, Release};
pub use publish::{Published, publish, yank};
pub(crate) use reader::{Reader, changed};
pub use web::Progress;
pub(crate) use web::Tell;

use crate::error::{InstallError, Result};

/// Where a registry is: a directory, or a URL of `http` or `https`.
///
/// It parses from those, and from a `file://` URL, and prints as an absolute path or as the URL without a slash
/// at its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Registry(Place);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    Directory(PathBuf),
    /// Without a slash at the end.
    Web(String),
}

/// The file beside the settings that names the registry of a user or a project.
const CONFIGURED: &str = "registries.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Configured {
    default: Option<String>,
}

impl Registry {
    /// The registry in a directory.
    ///
    /// # Errors
    ///
    /// When the path cannot be made absolute.
    pub fn in_directory(path: &Path) -> Result<Self> {
        let absolute = std::path::absolute(path)
            .map_err(|error| InstallError::io("find the registry", path, error))?;
        // It stands in the lockfile, so it is to be the same whatever it was called.
        let climbs = absolute
            .components()
            .any(|part| part == Component::ParentDir);
        let absolute = match climbs {
            true => absolute.canonicalize().unwrap_or(absolute),
            false => absolute,
        };
        Ok(Registry(Place::Directory(absolute)))
    }

    /// The one that `registries.toml` beside this settings file has as `default`, if there is such a file. A path
    /// in it that is relative begins at its directory.
    ///
    /// # Errors
    ///
    /// `registries`, when the file cannot be read as what it has to be.
    pub fn configured(settings: &Path) -> Result<Option<Self>> {
        let path = settings.with_file_name(CONFIGURED);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(InstallError::io("read the file", &path, error)),
        };
        let configured: Configured = toml::from_str(&text).map_err(|error| {
            let fault = error.to_string();
            InstallError::usage(
                "registries",
                format!("it does not read: {}", fault.trim_end()),
            )
            .at(&path)
            .hint("expected such as: default = \"https://plugins.example.org\"")
        })?;
        let Some(text) = configured.default else {
            return Ok(None);
        };
        let is_path = !text.contains("://");
        let base = path.parent().unwrap_or(Path::new("."));
        match is_path {
            true => Self::in_directory(&base.join(text)).map(Some),
            false => text
                .parse()
                .map(Some)
                .map_err(|error: InstallError| error.at(&path)),
        }
    }

    fn is_secure(&self) -> bool {
        matches!(&self.0, Place::Web(url) if url.starts_with("https://"))
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Directory(path) => path.display().fmt(f),
            Place::Web(url) => f.write_str(url),
        }
    }
}

impl FromStr for Registry {
    type Err = InstallError;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |what: &str| Err(InstallError::usage("registry", what.to_owned()));
        if let Some(path) = text.strip_prefix("file://") {
            // What stands before the path would be a host, and there is only this one.
            let path = path.strip_prefix("localhost").unwrap_or(path);
            return match path.starts_with('/') && !path.contains(['%', '?', '#']) {
                true => Self::in_directory(Path::new(path)),
                false => refuse(
                    "expected file:// with an absolute path, without a host and without `%`, `?` and `#`",
                ),
            };
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return match text.is_empty() {
                true => refuse("expected a directory or a URL, found nothing"),
                false => Self::in_directory(Path::new(text)),
            };
        };
        if scheme != "http" && scheme != "https" {
            return refuse(&format!(
                "a registry is a directory, or has a URL of file, http or https; found {scheme}"
            ));
        }
        let rest = rest.trim_end_matches('/');
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.contains('@') {
            return refuse(
                "a URL with a user or a password in it would stand in the lockfile for everybody to read",
            );
        }
        let is_plain =
            |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '"' | '<' | '>' | '\\');
        if authority.is_empty() || !rest.chars().all(is_plain) {
            return refuse(
                "the URL of a registry has a host and a path, and neither `?` nor `#` nor spaces",
            );
        }
        Ok(Registry(Place::Web(format!("{scheme}://{rest}"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart_and_print_so_that_they_read_back() {
        for (text, shown) in [
            ("/srv/plugins", "/srv/plugins"),
            ("file:///srv/plugins", "/srv/plugins"),
            ("file://localhost/srv/plugins", "/srv/plugins"),
            ("https://example.org/", "https://example.org"),
            ("http://127.0.0.1:8000/a/b//", "http://127.0.0.1:8000/a/b"),
        ] {
            let registry: Registry = text.parse().expect(text);
            assert_eq!(registry.to_string(), shown);
            assert_eq!(shown.parse::<Registry>().expect(shown), registry);
        }
    }

    #[test]
    fn what_is_no_place_is_told() {
        for (text, message) in [
            ("", "expected a directory or a URL, found nothing"),
            (
                "ftp://example.org",
                "a registry is a directory, or has a URL of file, http or https; found ftp",
            ),
            (
                "https://me:secret@example.org",
                "a URL with a user or a password in it would stand in the lockfile for everybody to read",
            ),
            (
                "https://",
                "the URL of a registry has a host and a path, and neither `?` nor `#` nor spaces",
            ),
            (
                "https://example.org/?a=b",
                "the URL of a registry has a host and a path, and neither `?` nor `#` nor spaces",
            ),
            (
                "file://server/share",
                "expected file:// with an absolute path, without a host and without `%`, `?` and `#`",
            ),
        ] {
            let error = text.parse::<Registry>().expect_err(text);
            assert_eq!(error.message(), message);
        }
    }

    #[test]
    fn the_default_is_what_stands_beside_the_settings() {
        let dir = tempfile::tempdir().expect("a directory");
        let settings = dir.path().join("keyway.toml");
        let file = dir.path().join("registries.toml");
        let configured = || Registry::configured(&settings);
        assert_eq!(configured().expect("none"), None);
        std::fs::write(&file, "default = \"plugins\"\n").expect("a file");
        let expected = Registry::in_directory(&dir.path().join("plugins")).expect("a path");
        assert_eq!(configured().expect("it reads"), Some(expected));
        std::fs::write(&file, "defualt = \"plugins\"\n").expect("a file");
        let error = configured().expect_err("no such key");
        assert_eq!(error.code(), "registries");
    }
}
