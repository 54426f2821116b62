//! Where a plugin comes from, as users write it and as the lockfile has it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use keyway_host::manifest::PluginId;
use semver::VersionReq;

use crate::archive;
use crate::error::{InstallError, Result};
use crate::package::LIBRARY_EXTENSIONS;
use crate::registry::Registry;

/// Where a plugin comes from.
///
/// It prints as the lockfile has it, such as `directory+/srv/plugins/weather`, and parses from that and from what
/// users write: a path or a URL. Paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// A directory: a crate that cargo has built, or the files of a plugin.
    Directory {
        /// The directory.
        path: PathBuf,
        /// Whether it is used where it is, and followed when it changes, instead of being copied: for development.
        link: bool,
    },
    /// A single library.
    Library {
        /// The file.
        path: PathBuf,
    },
    /// A `.tar.gz`, as `keyway package` makes it.
    Archive {
        /// The file.
        path: PathBuf,
    },
    /// The crate in a git repository, which is built.
    Git {
        /// What `git clone` takes.
        url: String,
        /// Which of its commits.
        reference: Reference,
    },
    /// A plugin of a registry.
    Registry {
        /// The registry.
        registry: Registry,
        /// The plugin.
        name: PluginId,
        /// The versions that will do; `*` is any.
        requirement: VersionReq,
    },
}

/// A commit of a git repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reference {
    /// The newest of its main branch.
    #[default]
    Default,
    /// The newest of a branch.
    Branch(String),
    /// That of a tag.
    Tag(String),
    /// A commit by its hash, whole or the start of it.
    Rev(String),
}

const DIRECTORY: &str = "directory+";
const LINK: &str = "link+";
const LIBRARY: &str = "library+";
const ARCHIVE: &str = "archive+";
const GIT: &str = "git+";
const REGISTRY: &str = "registry+";

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Directory { path, link: false } => write!(f, "{DIRECTORY}{}", path.display()),
            Source::Directory { path, link: true } => write!(f, "{LINK}{}", path.display()),
            Source::Library { path } => write!(f, "{LIBRARY}{}", path.display()),
            Source::Archive { path } => write!(f, "{ARCHIVE}{}", path.display()),
            Source::Git { url, reference } => write!(f, "{GIT}{url}{reference}"),
            Source::Registry {
                registry,
                name,
                requirement,
            } => {
                write!(f, "{REGISTRY}{registry}#{name}")?;
                match *requirement == VersionReq::STAR {
                    true => Ok(()),
                    false => write!(f, "@{requirement}"),
                }
            }
        }
    }
}

/// As it follows the URL: nothing, or such as `?branch=main`.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Default => Ok(()),
            Reference::Branch(name) => write!(f, "?branch={name}"),
            Reference::Tag(name) => write!(f, "?tag={name}"),
            Reference::Rev(rev) => write!(f, "?rev={rev}"),
        }
    }
}

impl FromStr for Source {
    type Err = InstallError;

    fn from_str(text: &str) -> Result<Self> {
        Self::written(text, None)
    }
}

impl Source {
    /// What a user has written. A word, such as `weather` or `weather@1.2`, is the name of a plugin in this
    /// registry; all else means what it does without one.
    ///
    /// # Errors
    ///
    /// When nobody can tell what it is; `no-registry` for a word without a registry.
    pub fn written(text: &str, registry: Option<&Registry>) -> Result<Self> {
        let link = |link| move |path| Source::Directory { path, link };
        if let Some(path) = text.strip_prefix(DIRECTORY) {
            return absolute(path).map(link(false));
        }
        if let Some(path) = text.strip_prefix(LINK) {
            return absolute(path).map(link(true));
        }
        if let Some(path) = text.strip_prefix(LIBRARY) {
            return Ok(Source::Library {
                path: absolute(path)?,
            });
        }
        if let Some(path) = text.strip_prefix(ARCHIVE) {
            return Ok(Source::Archive {
                path: absolute(path)?,
            });
        }
        if let Some(rest) = text.strip_prefix(GIT) {
            return git(rest);
        }
        if let Some(rest) = text.strip_prefix(REGISTRY) {
            let (registry, plugin) = rest.rsplit_once('#').ok_or_else(|| {
                let message = format!("expected such as registry+URL#NAME, found {text:?}");
                InstallError::usage("source", message)
            })?;
            return of_registry(plugin, &registry.parse()?);
        }
        if looks_like_git(text) {
            return git(text);
        }
        if text.contains("://") {
            return Err(InstallError::usage(
                "source",
                format!(
                    "cannot install from {text:?}: expected a path or the URL of a git repository"
                ),
            ));
        }
        local(text, registry)
    }

    /// The same with another commit of a git repository; a directory with a `.git` in it stands for the
    /// repository that it is.
    ///
    /// # Errors
    ///
    /// When it is no git repository.
    pub fn with_reference(self, wanted: Reference) -> Result<Self> {
        match self {
            Source::Git {
                url,
                reference: Reference::Default,
            } => Ok(Source::Git {
                url,
                reference: wanted,
            }),
            Source::Git { .. } => Err(InstallError::usage(
                "source",
                "the source says which commit, and so do the options: expected one of both",
            )),
            Source::Directory { path, .. } if path.join(".git").exists() => {
                let url = path_text(&path)?;
                Ok(Source::Git {
                    url,
                    reference: wanted,
                })
            }
            other => Err(InstallError::usage(
                "source",
                format!("--branch, --tag and --rev are for git repositories, found {other}"),
            )),
        }
    }

    /// The same as a link.
    ///
    /// # Errors
    ///
    /// When it is no directory.
    pub fn linked(self) -> Result<Self> {
        match self {
            Source::Directory { path, .. } => Ok(Source::Directory { path, link: true }),
            other => Err(InstallError::usage(
                "source",
                format!("--link is for directories, found {other}"),
            )),
        }
    }

    /// Whether it is used where it is.
    pub fn is_link(&self) -> bool {
        matches!(self, Source::Directory { link: true, .. })
    }
}

fn absolute(path: &str) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| {
        InstallError::usage("source", format!("cannot install from {path:?}: {error}"))
    })
}

fn path_text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        InstallError::usage("source", "the path of a git repository has to be Unicode").at(path)
    })
}

/// Such as `weather` or `weather@1.2`.
fn of_registry(text: &str, registry: &Registry) -> Result<Source> {
    let (name, requirement) = match text.split_once('@') {
        Some((name, requirement)) => (name, Some(requirement)),
        None => (text, None),
    };
    let refuse = |fault: String| {
        InstallError::usage("source", fault)
            .hint("expected a plugin of the registry, such as weather or weather@1.2, or a path such as ./weather")
    };
    let name = PluginId::new(name)
        .map_err(|error| refuse(format!("{name:?} is no name of a plugin: {error}")))?;
    let requirement = requirement
        .map_or(Ok(VersionReq::STAR), str::parse)
        .map_err(|error| {
            let requirement = requirement.unwrap_or_default();
            refuse(format!("{requirement:?} is no range of versions: {error}"))
        })?;
    Ok(Source::Registry {
        registry: registry.clone(),
        name,
        requirement,
    })
}

/// A path, by what it is called and by what is there, or the name of a plugin.
fn local(text: &str, registry: Option<&Registry>) -> Result<Source> {
    let path = absolute(text)?;
    let is_bare = !text.contains(std::path::is_separator) && text != "." && text != "..";
    if archive::is_archive_name(text) {
        return Ok(Source::Archive { path });
    }
    let extension = path.extension().and_then(|extension| extension.to_str());
    if extension.is_some_and(|extension| LIBRARY_EXTENSIONS.contains(&extension)) {
        return Ok(Source::Library { path });
    }
    if is_bare {
        // A word is the name of a plugin, and not, by what happens to lie around, a directory.
        if let Some(registry) = registry {
            return of_registry(text, registry);
        }
        let hint = match path.is_dir() {
            true => format!("if the directory is meant: ./{text}"),
            false => "name a registry with --registry, or give a path such as ./weather, or the URL of a git \
                      repository"
                .to_owned(),
        };
        let message = format!("no registry is known in which {text:?} could be looked for");
        return Err(InstallError::usage("no-registry", message).hint(hint));
    }
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => Ok(Source::Directory { path, link: false }),
        Ok(_) => Err(InstallError::usage(
            "source",
            format!(
                "expected a directory, a library (*.{}) or an archive (*.tar.gz), found another file",
                std::env::consts::DLL_EXTENSION
            ),
        )
        .at(&path)),
        Err(error) => Err(InstallError::io("read the source", &path, error)),
    }
}

fn looks_like_git(text: &str) -> bool {
    let before_slash = text.split('/').next().unwrap_or_default();
    let is_scp = before_slash.contains('@') && before_slash.contains(':');
    let has_scheme = ["https://", "http://", "ssh://", "git://", "file://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    (has_scheme && !archive::is_archive_name(text)) || is_scp
}

fn git(text: &str) -> Result<Source> {
    let after = |mark: &str| {
        let (url, name) = text.rsplit_once(mark)?;
        Some((url, name.to_owned()))
    };
    let marked = after("?branch=")
        .map(|(url, name)| (url, Reference::Branch(name)))
        .or_else(|| after("?tag=").map(|(url, name)| (url, Reference::Tag(name))))
        .or_else(|| after("?rev=").map(|(url, name)| (url, Reference::Rev(name))));
    let (url, reference) = marked.unwrap_or((text, Reference::Default));
    let refuse = |what: &str| Err(InstallError::usage("source", format!("{what}: {url:?}")));
    if url.is_empty() || url.starts_with('-') || url.contains(char::is_control) {
        return refuse("expected the URL of a git repository, found");
    }
    if has_password(url) {
        return Err(InstallError::usage(
            "source",
            "a URL with a password in it would stand in the lockfile for everybody to read",
        )
        .hint("leave the password out, and set up a credential helper of git's"));
    }
    let (Reference::Branch(name) | Reference::Tag(name) | Reference::Rev(name)) = &reference else {
        return Ok(Source::Git {
            url: absolute_url(url)?,
            reference,
        });
    };
    if name.is_empty()
        || name.starts_with('-')
        || name.contains(|c: char| c.is_control() || c == ' ')
    {
        return refuse("expected the name of a branch, a tag or a commit in");
    }
    Ok(Source::Git {
        url: absolute_url(url)?,
        reference,
    })
}

/// A path of this machine is made absolute, since git runs in another directory.
fn absolute_url(url: &str) -> Result<String> {
    let is_url = url.contains("://") || looks_like_git(url);
    match is_url {
        true => Ok(url.to_owned()),
        false => path_text(&absolute(url)?),
    }
}

fn has_password(url: &str) -> bool {
    let authority = url.split_once("://").map(|(_, rest)| rest);
    let authority = authority.and_then(|rest| rest.split('/').next());
    let user = authority.and_then(|authority| authority.rsplit_once('@'));
    user.is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_write_is_told_apart_and_reads_back_from_the_lockfile() {
        let cases = [
            ("/a/libx.so", "library+/a/libx.so"),
            ("/a/x-1.0.0.tar.gz", "archive+/a/x-1.0.0.tar.gz"),
            ("/a/x.tgz", "archive+/a/x.tgz"),
            ("/", "directory+/"),
            ("https://example.org/x", "git+https://example.org/x"),
            (
                "git@example.org:acme/x.git",
                "git+git@example.org:acme/x.git",
            ),
            ("git+/srv/x?tag=v1", "git+/srv/x?tag=v1"),
            (
                "git+https://e.org/x?branch=a=b",
                "git+https://e.org/x?branch=a=b",
            ),
            ("link+/", "link+/"),
            ("registry+/srv/r#x", "registry+/srv/r#x"),
            (
                "registry+https://e.org/r/#x@1.2",
                "registry+https://e.org/r#x@^1.2",
            ),
        ];
        for (text, shown) in cases {
            let source: Source = text.parse().expect(text);
            assert_eq!(source.to_string(), shown);
            assert_eq!(shown.parse::<Source>().expect(shown), source);
        }
    }

    #[test]
    fn with_a_registry_a_word_is_the_name_of_a_plugin() {
        let registry: Registry = "https://e.org".parse().expect("a registry");
        for (text, shown) in [
            ("weather", "registry+https://e.org#weather"),
            ("weather@1.2", "registry+https://e.org#weather@^1.2"),
            ("weather@=1.2.0", "registry+https://e.org#weather@=1.2.0"),
            ("weather@>=1, <3", "registry+https://e.org#weather@>=1, <3"),
        ] {
            let source = Source::written(text, Some(&registry)).expect(text);
            assert_eq!(source.to_string(), shown);
            assert_eq!(shown.parse::<Source>().expect(shown), source);
        }
        for (text, message) in [
            (
                "Weather",
                "\"Weather\" is no name of a plugin: contains 'W'",
            ),
            (
                "weather@latest",
                "\"latest\" is no range of versions: unexpected character 'l' while parsing major version \
                 number",
            ),
        ] {
            let error = Source::written(text, Some(&registry)).expect_err(text);
            assert_eq!(error.message(), message);
        }
    }

    #[test]
    fn what_cannot_be_installed_from_is_told() {
        for (text, message) in [
            (
                "weather",
                "no registry is known in which \"weather\" could be looked for",
            ),
            (
                "https://e.org/x.tar.gz",
                "cannot install from \"https://e.org/x.tar.gz\": expected a path or the URL of a git \
                 repository",
            ),
            (
                "https://me:secret@e.org/x",
                "a URL with a password in it would stand in the lockfile for everybody to read",
            ),
            (
                "git+--upload-pack=x",
                "expected the URL of a git repository, found: \"--upload-pack=x\"",
            ),
            (
                "git+/x?branch=--x",
                "expected the name of a branch, a tag or a commit in: \"/x\"",
            ),
        ] {
            let error = text.parse::<Source>().expect_err(text);
            assert_eq!(error.message(), message);
        }
        let library: Source = "/a/libx.so".parse().expect("a library");
        let error = library.clone().linked().expect_err("no directory");
        assert_eq!(
            error.message(),
            "--link is for directories, found library+/a/libx.so"
        );
        let branch = Reference::Branch("x".to_owned());
        let error = library.with_reference(branch).expect_err("no repository");
        assert_eq!(
            error.message(),
            "--branch, --tag and --rev are for git repositories, found library+/a/libx.so"
        );
    }
}
