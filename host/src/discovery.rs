//! From ordered roots to a complete list of what looks like a plugin, with what speaks for and
//! against each. Nothing of any plugin runs: files are read, as [`inspect`](crate::inspect()) does.
//!
//! # What is a plugin
//!
//! | in a root | what it is |
//! |---|---|
//! | `NAME/plugin.toml` (or `plugin.json`) and a library beside it | a plugin; both must say the same |
//! | `NAME/plugin.toml` with `[plugin.content]` | a plugin without code |
//! | a library in `NAME`, without a manifest beside it | a plugin, by the manifest inside of it |
//! | a library in the root itself | likewise |
//!
//! Libraries are files with the extension of the platform (`so`, `dylib`, `dll`). The one that
//! belongs to a manifest has the name that cargo gives it (`libtext_filter.so` for `text-filter`), or
//! is the only one there. Names that begin with a dot are passed over, and so is whatever is neither
//! a directory nor named like a library. An [explicit](Origin::Explicit) path may be a root, the
//! directory of one plugin, or a library.
//!
//! What cargo builds is not searched for in `target`: which profile is meant is anybody's guess, for
//! a crate in a workspace the directory is elsewhere, and an old build would be taken in silence.
//! Whoever develops a plugin uses `keyway dev`, which asks cargo, or names the library explicitly.
//!
//! # Who is used
//!
//! Of several plugins with one id the first is used, in the order of [`Origin`], then of the roots as
//! they were given, then of names; the others are [`Verdict::Shadowed`]. One that is
//! [`Verdict::Refused`] takes no id, so that a broken or planted file switches nothing off; who is
//! used instead has a warning that names it.
//!
//! # Who is refused
//!
//! Whatever has a finding of severity [`Error`](crate::Severity::Error): it does not read, its two
//! manifests contradict each other, or somebody else could replace it ([`Gates`]).
//!
//! ```
//! use keyway_host::{Gates, Origin, Root, discover};
//!
//! let roots = [
//!     Root::new(Origin::Workspace, "./plugins"),
//!     Root::new(Origin::Builtin, "/usr/lib/acme/plugins"),
//! ];
//! let discovery = discover(&roots, &Gates::new());
//! for candidate in &discovery.candidates {
//!     println!("{}: {}", candidate.path.display(), candidate.verdict);
//!     for finding in &candidate.findings {
//!         println!("  {} {}: {finding}", finding.severity(), finding.code);
//!     }
//! }
//! ```

mod agree;
mod anchor;
mod beside;
mod cache;
mod changes;
pub(crate) mod codes;
mod gate;
mod listing;
mod names;
mod precedence;
mod read;
mod scan;
mod shell;
mod way;

#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyway_manifest::{Manifest, PluginId};
use semver::Version;

use crate::finding::{Finding, Severity};
use crate::inspect::Inspection;

pub use self::anchor::unanchored;
pub use self::changes::{Changed, Changes, Succession};
pub use self::gate::Gates;

use self::cache::{Cache, Stamp};
use self::read::{Fault, Library, MANIFESTS};
use self::scan::Scan;

/// Where a root comes from. The order is that of precedence: what comes first is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Somebody named it, on the command line or in a settings file.
    Explicit,
    /// It belongs to the project or directory that is worked on.
    Workspace,
    /// It belongs to the user.
    User,
    /// It came with the application.
    Builtin,
}

impl Origin {
    /// All of them, in the order of precedence.
    pub const ALL: [Self; 4] = [
        Origin::Explicit,
        Origin::Workspace,
        Origin::User,
        Origin::Builtin,
    ];

    /// The word for it: `explicit`, `workspace`, `user` or `builtin`.
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Explicit => "explicit",
            Origin::Workspace => "workspace",
            Origin::User => "user",
            Origin::Builtin => "builtin",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A place in which plugins are looked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Root {
    /// Where it comes from.
    pub origin: Origin,
    /// A directory; if it is explicit, also a library.
    pub path: PathBuf,
    /// Whether links in it may lead out of it. What they lead to must pass the same [`Gates`].
    pub links_may_leave: bool,
}

impl Root {
    /// A root whose links stay inside. It need not exist: it may appear later.
    pub fn new(origin: Origin, path: impl Into<PathBuf>) -> Self {
        Root {
            origin,
            path: path.into(),
            links_may_leave: false,
        }
    }

    /// Lets links lead out of the root, as in a directory of links to what is built elsewhere.
    #[must_use]
    pub fn allow_links_out(mut self) -> Self {
        self.links_may_leave = true;
        self
    }

    pub(crate) fn absolute(&self) -> PathBuf {
        // An empty path is the only one that cannot be made absolute here.
        std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone())
    }
}

/// Whether files of this name matter to a discovery.
pub(crate) fn is_looked_at(name: &OsStr) -> bool {
    let is_manifest = MANIFESTS.iter().any(|manifest| name == *manifest);
    !names::is_hidden(name) && (is_manifest || names::is_library(name))
}

/// One thing that looks like a plugin.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Candidate {
    /// Its id, if its manifest reads.
    pub id: Option<PluginId>,
    /// Its version, if its manifest reads.
    pub version: Option<Version>,
    /// That of the root.
    pub origin: Origin,
    /// The root that it was found in, as that was given.
    pub root: PathBuf,
    /// What it was found by: the manifest beside the library, or the library; the directory, if
    /// that was not looked into. No other candidate has the same. Absolute, with links as they are.
    pub path: PathBuf,
    /// Its manifest, if that reads: the one beside the library where there are two.
    pub manifest: Option<Arc<Manifest>>,
    /// Its library. None for a plugin without code, and where it was not found.
    pub library: Option<PathBuf>,
    /// The facts of the library, if that reads.
    pub facts: Option<Arc<Inspection>>,
    /// Whether it is used.
    pub verdict: Verdict,
    /// What there is to say of it, in the order in which it was found out.
    pub findings: Vec<Finding>,
    /// Of the files that it was read from.
    stamps: Vec<Stamp>,
}

impl Candidate {
    fn new(origin: Origin, root: &Path, path: PathBuf) -> Self {
        Candidate {
            id: None,
            version: None,
            origin,
            root: root.to_owned(),
            path,
            manifest: None,
            library: None,
            facts: None,
            verdict: Verdict::Found,
            findings: Vec::new(),
            stamps: Vec::new(),
        }
    }

    /// Whether it is a plugin without code.
    pub(crate) fn manifest_has_content(&self) -> bool {
        let manifest = self.manifest.as_ref();
        manifest.is_some_and(|manifest| manifest.content.is_some())
    }

    /// Takes what a manifest says of its plugin.
    fn describe(&mut self, manifest: &Arc<Manifest>) {
        self.id = Some(manifest.id.clone());
        self.version = Some(manifest.version.clone());
        self.manifest = Some(Arc::clone(manifest));
    }

    /// Decides from its findings, which are complete.
    fn judged(mut self) -> Self {
        for finding in std::mem::take(&mut self.findings) {
            let finding = match &self.id {
                Some(id) => finding.of_plugin(id.as_str()),
                None => finding,
            };
            #[cfg(test)]
            crate::steps::add(1 + self.findings.len());
            // Ways to several files lead through the same directories.
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        let is_error = |finding: &Finding| finding.severity() == Severity::Error;
        if self.findings.iter().any(is_error) {
            self.verdict = Verdict::Refused;
        }
        self
    }
}

/// Whether a candidate is used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is the one of its id.
    Found,
    /// Another one with the same id comes first.
    Shadowed {
        /// That one's [`path`](Candidate::path).
        by: PathBuf,
        /// That one's origin.
        origin: Origin,
    },
    /// One of its findings is an error.
    Refused,
}

/// As `found`, `shadowed by PATH (ORIGIN)` or `refused`.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Found => f.write_str("found"),
            Verdict::Shadowed { by, origin } => {
                write!(f, "shadowed by {} ({origin})", by.display())
            }
            Verdict::Refused => f.write_str("refused"),
        }
    }
}

/// What is in some roots.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Discovery {
    /// In the order of precedence; within a root by name, links after the rest. It depends on the
    /// files alone.
    pub candidates: Vec<Candidate>,
    /// What there is to say of roots, and of files and directories in them that are no candidates.
    pub findings: Vec<Finding>,
}

impl Discovery {
    /// The candidates that are used: at most one of each id.
    pub fn found(&self) -> impl Iterator<Item = &Candidate> {
        let candidates = self.candidates.iter();
        candidates.filter(|candidate| candidate.verdict == Verdict::Found)
    }
}

/// Looks once at what is in some roots.
pub fn discover(roots: &[Root], gates: &Gates) -> Discovery {
    let mut discoverer = Discoverer::new(roots, gates.clone());
    discoverer.rescan();
    discoverer.last
}

/// Looks at what is in some roots as often as it is asked, and says what has changed.
///
/// Files that are what they were are not read again. What counts for that is device, inode, size,
/// time of modification and time of the inode's change; a file that was modified less than two
/// seconds before it was read is read once more, since another write could have left the same times.
#[derive(Debug)]
pub struct Discoverer {
    roots: Vec<Root>,
    gates: Gates,
    last: Discovery,
    libraries: Cache<Result<Library, Fault>>,
    manifests: Cache<Result<Arc<Manifest>, Fault>>,
}

impl Discoverer {
    /// Nothing is looked at yet.
    pub fn new(roots: &[Root], gates: Gates) -> Self {
        let mut roots = roots.to_vec();
        // It is stable: within an origin the order stays.
        roots.sort_by_key(|root| root.origin);
        Discoverer {
            roots,
            gates,
            last: Discovery::default(),
            libraries: Cache::default(),
            manifests: Cache::default(),
        }
    }

    /// The roots, in the order of precedence.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// What the last scan has found; nothing before the first.
    pub fn last(&self) -> &Discovery {
        &self.last
    }

    /// How many files the last scan had to read. The others were what they were before.
    pub fn files_read(&self) -> usize {
        self.libraries.reads + self.manifests.reads
    }

    /// Looks at the roots, and compares with what was there before; the first time all is new. It
    /// blocks for as long as the file system takes.
    pub fn rescan(&mut self) -> Changes {
        self.libraries.begin();
        self.manifests.begin();
        let mut scan = Scan::new(&self.gates, &mut self.libraries, &mut self.manifests);
        for root in &self.roots {
            scan.root(root);
        }
        let mut discovery = scan.finish();
        precedence::decide(&mut discovery.candidates);
        self.libraries.end();
        self.manifests.end();
        let changes = Changes::between(&self.last, &discovery);
        self.last = discovery;
        changes
    }
}
