//! Where a new plugin gets the crate `keyway` from.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::args::Keyway;
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;

/// The version that is asked for where nothing else is said. Minors of `keyway` are compatible.
const VERSION: &str = "1.0";

/// The checkout that this command was built in, if it was built in one that is still there.
const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "source", rename_all = "lowercase")]
pub(super) enum Source {
    Registry {
        version: String,
    },
    Git {
        url: String,
    },
    /// A checkout of Keyway, as TOML has it: absolute, since the new crate may be moved.
    Path {
        path: String,
        /// Whether nobody has asked for it.
        by_default: bool,
    },
}

impl Source {
    pub(super) fn of(asked: &Keyway) -> Outcome<Self> {
        let Keyway {
            keyway_path,
            keyway_git,
            keyway_version,
        } = asked;
        let source = if let Some(path) = keyway_path {
            match checkout(path) {
                Some(path) => Source::Path {
                    path,
                    by_default: false,
                },
                None => {
                    return Err(Failure::new(
                        exit::NOT_FOUND,
                        "no-checkout",
                        "expected a checkout of Keyway, found no interface/Cargo.toml in it",
                    )
                    .at(path)
                    .into());
                }
            }
        } else if let Some(url) = keyway_git {
            Source::Git { url: url.clone() }
        } else if let Some(version) = keyway_version {
            Source::Registry {
                version: version.clone(),
            }
        } else {
            match checkout(Path::new(CHECKOUT)) {
                Some(path) => Source::Path {
                    path,
                    by_default: true,
                },
                None => Source::Registry {
                    version: VERSION.to_owned(),
                },
            }
        };
        source.check()?;
        Ok(source)
    }

    /// Refuses what would not be the text of TOML that it is put into.
    fn check(&self) -> Outcome {
        let breaks = |text: &str| text.contains(['"', '\\']) || text.contains(char::is_control);
        let (what, text, fits) = match self {
            Source::Registry { version } => {
                let fits = semver::VersionReq::parse(version).is_ok();
                ("a version such as 1.0", version, fits)
            }
            Source::Git { url } => ("the URL of a repository", url, !url.is_empty()),
            Source::Path { path, .. } => ("a directory", path, true),
        };
        if fits && !breaks(text) {
            return Ok(());
        }
        Err(Failure::new(
            exit::USAGE,
            "keyway-source",
            format!("the crate keyway cannot be taken from there: expected {what}, found `{text}`"),
        )
        .into())
    }

    /// The word of the template's choice.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Source::Registry { .. } => "registry",
            Source::Git { .. } => "git",
            Source::Path { .. } => "path",
        }
    }

    /// The one that is the version, the URL or the path.
    pub(super) fn value(&self) -> &str {
        match self {
            Source::Registry { version } => version,
            Source::Git { url } => url,
            Source::Path { path, .. } => path,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Registry { version } => write!(f, "keyway {version} from the registry"),
            Source::Git { url } => write!(f, "keyway from {url}"),
            Source::Path { path, by_default } => {
                write!(f, "keyway from {path}")?;
                match by_default {
                    true => f.write_str(", the checkout that this command was built in"),
                    false => Ok(()),
                }
            }
        }
    }
}

/// The absolute path of a checkout of Keyway, with the separators of TOML.
fn checkout(dir: &Path) -> Option<String> {
    let dir = dir.canonicalize().ok()?;
    if !dir.join("interface/Cargo.toml").is_file() {
        return None;
    }
    let text = dir.to_str()?;
    // What Windows puts before a path that it has looked up is nothing to cargo.
    let text = text.strip_prefix(r"\\?\").unwrap_or(text);
    Some(match cfg!(windows) {
        true => text.replace('\\', "/"),
        false => text.to_owned(),
    })
}
