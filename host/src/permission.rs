//! What plugins are allowed to ask of the host: what their manifests ask for in a normal form that
//! can be compared, what is new in a new version, who decides on that, and what was decided.
//!
//! A plugin runs in the process of the host. So these are consent and mediation, and no sandbox: they say
//! what the host does on a plugin's behalf, and not what its code can do on its own.
//!
//! All of it is pure, but for [`PermissionStore`].

mod address;
mod approve;
mod ask;
pub(crate) mod codes;
mod diff;
mod env;
mod peer;
mod place;
mod reach;
mod store;
mod words;

use std::path::Path;

use keyway_manifest::document::Fault;
use keyway_manifest::{Access, Permissions};

pub use approve::{
    Admission, AllowList, Approval, ApprovalRequest, Approver, DenyAll, HowAdmitted, admit,
};
pub use ask::{Ask, Decision, Level};
pub use diff::PermissionDiff;
pub use env::EnvName;
#[cfg(unix)]
pub(crate) use env::is_denied as is_denied_env;
pub(crate) use env::{DENIED as DENIED_ENV, DENIED_PREFIXES as DENIED_ENV_PREFIXES};
#[cfg(feature = "http")]
pub(crate) use peer::default_port;
pub use peer::{Destination, Peer};
pub(crate) use place::absolute;
pub use place::{PathRoot, Program};
pub use reach::Reach;
pub use store::{Approved, PermissionStore};

use crate::finding::Finding;
use reach::Covers;

/// The permissions of a plugin in normal form: two grants that allow the same are equal, as far as
/// that can be told entry by entry.
///
/// ```
/// use std::path::Path;
/// use keyway_host::Grant;
/// use keyway_host::manifest::Permissions;
///
/// let mut asked = Permissions::default();
/// asked.network = vec!["https://API.example.com".to_owned()].into();
/// asked.filesystem.read = vec!["./data".to_owned(), "./data/maps".to_owned()].into();
/// let grant = Grant::normalise(&asked, Path::new("/srv/acme")).expect("it is well-formed");
/// assert_eq!(
///     grant.to_string(),
///     "connect to https://api.example.com:443, read /srv/acme/data"
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// The peers that it may send requests to.
    pub network: Reach<Peer>,
    /// What it may read, with all that is below.
    pub read: Reach<PathRoot>,
    /// What it may write, with all that is below. This does not allow reading.
    pub write: Reach<PathRoot>,
    /// The environment variables that it may read; never all.
    pub env: Reach<EnvName>,
    /// The programs that it may start.
    pub subprocess: Reach<Program>,
}

impl Grant {
    /// The normal form of what a manifest asks for: hosts in lower case, each with a port, paths
    /// absolute, everything sorted, and nothing that another entry covers.
    ///
    /// A host without scheme and port means ports 80 and 443; a URL without a port that of its scheme.
    /// A URL without a path means all paths. Relative paths begin at `base`.
    ///
    /// # Errors
    ///
    /// An entry with the code `permission-malformed`: one that has no meaning, or not one alone.
    pub fn normalise(asked: &Permissions, base: &Path) -> Result<Self, Finding> {
        if base.to_str().is_none() {
            return Err(codes::MALFORMED
                .finding("relative paths begin at a directory whose name is not Unicode")
                .at(base)
                .hint("choose another directory"));
        }
        let root = |text: &str| PathRoot::parse(text, base).map(|root| vec![root]);
        let program = |text: &str| Program::parse(text, base).map(|program| vec![program]);
        let variable = |text: &str| EnvName::parse(text).map(|name| vec![name]);
        let files = &asked.filesystem;
        Ok(Grant {
            network: reach("network", &asked.network, Peer::parse)?,
            read: reach("filesystem.read", &files.read, root)?,
            write: reach("filesystem.write", &files.write, root)?,
            env: entries("env", &asked.env, variable)?,
            subprocess: reach("subprocess", &asked.subprocess, program)?,
        })
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        *self == Grant::default()
    }

    /// Whether everything that `other` allows is allowed here too.
    pub fn covers(&self, other: &Grant) -> bool {
        self.network.covers(&other.network)
            && self.read.covers(&other.read)
            && self.write.covers(&other.write)
            && self.env.covers(&other.env)
            && self.subprocess.covers(&other.subprocess)
    }

    /// Everything that one of both allows.
    #[must_use]
    pub fn union(&self, other: &Grant) -> Grant {
        Grant {
            network: self.network.union(&other.network),
            read: self.read.union(&other.read),
            write: self.write.union(&other.write),
            env: self.env.union(&other.env),
            subprocess: self.subprocess.union(&other.subprocess),
        }
    }

    /// What both allow, as far as that can be told entry by entry: of two patterns that overlap and do
    /// not cover each other it has neither.
    #[must_use]
    pub fn common(&self, other: &Grant) -> Grant {
        Grant {
            network: self.network.common(&other.network),
            read: self.read.common(&other.read),
            write: self.write.common(&other.write),
            env: self.env.common(&other.env),
            subprocess: self.subprocess.common(&other.subprocess),
        }
    }

    /// The entries of this grant that are not covered by `other`.
    pub(crate) fn beyond(&self, other: &Grant) -> Grant {
        Grant {
            network: self.network.beyond(&other.network),
            read: self.read.beyond(&other.read),
            write: self.write.beyond(&other.write),
            env: self.env.beyond(&other.env),
            subprocess: self.subprocess.beyond(&other.subprocess),
        }
    }
}

/// The key of a list, as the manifest writes it, is for the message.
fn reach<T: Covers + Ord + Clone>(
    key: &str,
    access: &Access,
    parse: impl Fn(&str) -> Result<Vec<T>, Fault>,
) -> Result<Reach<T>, Finding> {
    if access.is_all() {
        return Ok(Reach::all());
    }
    entries(key, access.patterns(), parse)
}

fn entries<T: Covers + Ord + Clone>(
    key: &str,
    texts: &[String],
    parse: impl Fn(&str) -> Result<Vec<T>, Fault>,
) -> Result<Reach<T>, Finding> {
    let mut entries = Vec::with_capacity(texts.len());
    for text in texts {
        let parsed = parse(text).map_err(|fault| {
            codes::MALFORMED
                .finding(format!("the entry {text:?} of `{key}` {fault}"))
                .hint("correct it under [plugin.permissions] and build the plugin again")
        })?;
        entries.extend(parsed);
    }
    Ok(Reach::only(entries))
}

#[cfg(test)]
mod tests;
