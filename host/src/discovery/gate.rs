//! Who may change what is found: the rights and owners of files, and of the directories on the way.
//!
//! Native plugins run with all rights of the host, so whoever can replace a plugin's file is the
//! host. These gates ask whether that is anybody else than its own user and the administrator. They
//! look at what is on the disk at this moment. What is loaded later is a private copy that is
//! inspected anew; but whoever passes these gates is trusted not to put another file there meanwhile.
//!
//! Rights and owners are looked at on Unix only; that links stay inside is checked everywhere.

use std::collections::{BTreeSet, HashMap};
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use super::codes;
use super::shell::quoted;
use super::way::{self, Passed};
use crate::finding::Finding;

/// What a file must be like to be taken. The default is what suits an application that runs what
/// its user has installed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Gates {
    allow_world_writable: bool,
    allow_foreign_owner: bool,
    trusted: BTreeSet<u32>,
    max_entries: usize,
}

/// Ten times as many as anybody is known to have plugins.
const MAX_ENTRIES: usize = 10_000;

impl Default for Gates {
    fn default() -> Self {
        Gates {
            allow_world_writable: false,
            allow_foreign_owner: false,
            trusted: BTreeSet::new(),
            max_entries: MAX_ENTRIES,
        }
    }
}

impl Gates {
    /// The gates as they are by default: all closed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether files and directories may be taken that everybody may write to. Only for where no
    /// other user is on the machine, as in many containers.
    pub fn allow_world_writable(mut self, allow: bool) -> Self {
        self.allow_world_writable = allow;
        self
    }

    /// Whether it may belong to anybody.
    pub fn allow_foreign_owner(mut self, allow: bool) -> Self {
        self.allow_foreign_owner = allow;
        self
    }

    /// Takes files of this user as well, by number: for an account that deploys plugins, or for the
    /// one that stands for the administrator in a container's user namespace.
    pub fn trust_owner(mut self, uid: u32) -> Self {
        self.trusted.insert(uid);
        self
    }

    /// How many names may be in a root and in the directories in it, all together; 10,000 unless it
    /// is set. What comes after them is not looked at, which is a finding.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    pub(super) fn entries(&self) -> usize {
        self.max_entries
    }
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A directory that the way leads through. In one with the sticky bit others may add names, and
    /// not replace those that are there.
    Above,
    Directory,
    File,
    /// A link itself. Its own rights mean nothing.
    Link,
}

/// Mode and owner.
#[derive(Clone, Copy, Debug)]
struct Rights {
    mode: u32,
    owner: u32,
}

/// What a path leads to.
#[derive(Debug)]
pub(super) struct Admitted {
    /// Free of links.
    pub(super) real: PathBuf,
    pub(super) metadata: Metadata,
    /// Why it may not be taken.
    pub(super) findings: Vec<Finding>,
}

/// Looks at paths, and at each directory on their ways only once.
#[derive(Debug)]
pub(super) struct Gatekeeper<'g> {
    gates: &'g Gates,
    user: u32,
    judged: HashMap<PathBuf, Vec<Finding>>,
}

impl<'g> Gatekeeper<'g> {
    pub(super) fn new(gates: &'g Gates) -> Self {
        Gatekeeper {
            gates,
            user: user(),
            judged: HashMap::new(),
        }
    }

    /// Looks at what an absolute path leads to, and at all on the way.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(super) fn admit(&mut self, path: &Path) -> io::Result<Admitted> {
        let way = way::walk(path)?;
        let mut findings = Vec::new();
        for passed in way.passed {
            match passed {
                Passed::Directory(directory) => findings.extend(self.above(directory)?),
                Passed::Link(link) => {
                    let metadata = std::fs::symlink_metadata(&link)?;
                    findings.extend(self.judge(Place::Link, &link, rights(&metadata)));
                }
            }
        }
        self.admitted(way.real, findings)
    }

    /// Looks at an entry of a directory that was admitted, and at the way of a link.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(super) fn admit_entry(&mut self, directory: &Path, name: &Path) -> io::Result<Admitted> {
        #[cfg(test)]
        crate::steps::add(1);
        let path = directory.join(name);
        if std::fs::symlink_metadata(&path)?.is_symlink() {
            return self.admit(&path);
        }
        self.admitted(path, Vec::new())
    }

    fn admitted(&self, real: PathBuf, mut findings: Vec<Finding>) -> io::Result<Admitted> {
        #[cfg(test)]
        crate::steps::add(1);
        let metadata = std::fs::symlink_metadata(&real)?;
        let place = match metadata.is_dir() {
            true => Place::Directory,
            false => Place::File,
        };
        findings.extend(self.judge(place, &real, rights(&metadata)));
        Ok(Admitted {
            real,
            metadata,
            findings,
        })
    }

    fn above(&mut self, directory: PathBuf) -> io::Result<Vec<Finding>> {
        if let Some(findings) = self.judged.get(&directory) {
            return Ok(findings.clone());
        }
        #[cfg(test)]
        crate::steps::add(1);
        let metadata = std::fs::symlink_metadata(&directory)?;
        let findings = self.judge(Place::Above, &directory, rights(&metadata));
        self.judged.insert(directory, findings.clone());
        Ok(findings)
    }

    fn judge(&self, place: Place, path: &Path, rights: Option<Rights>) -> Vec<Finding> {
        let Some(rights) = rights else {
            return Vec::new();
        };
        let writable = self.world_writable(place, path, rights);
        let foreign = self.foreign_owner(path, rights);
        writable.into_iter().chain(foreign).collect()
    }

    fn world_writable(&self, place: Place, path: &Path, rights: Rights) -> Option<Finding> {
        const WORLD_WRITE: u32 = 0o002;
        const STICKY: u32 = 0o1000;
        let mode = rights.mode & 0o7777;
        let is_open = match place {
            Place::Link => false,
            Place::Above => mode & WORLD_WRITE != 0 && mode & STICKY == 0,
            Place::Directory | Place::File => mode & WORLD_WRITE != 0,
        };
        if !is_open || self.gates.allow_world_writable {
            return None;
        }
        let what = match place {
            Place::File => "file",
            _ => "directory",
        };
        let message = format!(
            "everybody may write to this {what}: expected mode {:04o}, found {mode:04o}",
            mode & !WORLD_WRITE
        );
        let hint = format!("run `chmod o-w {}`", quoted(path));
        Some(codes::WORLD_WRITABLE.finding(message).at(path).hint(hint))
    }

    fn foreign_owner(&self, path: &Path, rights: Rights) -> Option<Finding> {
        let Rights { owner, .. } = rights;
        let is_trusted = owner == 0 || owner == self.user || self.gates.trusted.contains(&owner);
        if is_trusted || self.gates.allow_foreign_owner {
            return None;
        }
        let expected = match self.user {
            0 => "uid 0 (root)".to_owned(),
            user => format!("uid {user} (the host's user) or 0 (root)"),
        };
        let message = format!("it belongs to another user: expected {expected}, found uid {owner}");
        let hint = format!(
            "run `chown -h {} {}`, or have the application trust that user",
            self.user,
            quoted(path)
        );
        Some(codes::FOREIGN_OWNER.finding(message).at(path).hint(hint))
    }
}

#[cfg(unix)]
fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Nothing is compared with it.
#[cfg(not(unix))]
fn user() -> u32 {
    0
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "there are none on other systems")]
fn rights(metadata: &Metadata) -> Option<Rights> {
    use std::os::unix::fs::MetadataExt;
    Some(Rights {
        mode: metadata.mode(),
        owner: metadata.uid(),
    })
}

#[cfg(not(unix))]
fn rights(_: &Metadata) -> Option<Rights> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(gates: &Gates, place: Place, mode: u32, owner: u32) -> Vec<String> {
        let keeper = Gatekeeper {
            gates,
            user: 1000,
            judged: HashMap::new(),
        };
        let rights = Some(Rights { mode, owner });
        let findings = keeper.judge(place, Path::new("/opt/plug ins"), rights);
        let text = |finding: &Finding| format!("{}: {finding}", finding.code);
        findings.iter().map(text).collect()
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn what_only_its_user_and_root_may_write_to_is_admitted() {
        let gates = Gates::new();
        for place in [Place::Above, Place::Directory, Place::File, Place::Link] {
            for (mode, owner) in [(0o755, 1000), (0o700, 0), (0o775, 1000), (0o500, 1000)] {
                assert_eq!(texts(&gates, place, mode, owner), NOTHING);
            }
        }
    }

    #[test]
    fn what_everybody_may_write_to_is_refused_with_its_mode_and_the_command() {
        let gates = Gates::new();
        assert_eq!(
            texts(&gates, Place::File, 0o100_666, 1000),
            [
                "world-writable: /opt/plug ins: everybody may write to this file: expected mode \
                 0664, found 0666; hint: run `chmod o-w '/opt/plug ins'`"
            ]
        );
        assert_eq!(
            texts(&gates, Place::Directory, 0o041_777, 0),
            [
                "world-writable: /opt/plug ins: everybody may write to this directory: expected \
                 mode 1775, found 1777; hint: run `chmod o-w '/opt/plug ins'`"
            ]
        );
        let gates = gates.allow_world_writable(true);
        assert_eq!(texts(&gates, Place::File, 0o666, 1000), NOTHING);
    }

    #[test]
    fn the_sticky_bit_helps_on_the_way_only() {
        let gates = Gates::new();
        assert_eq!(texts(&gates, Place::Above, 0o1777, 0), NOTHING);
        assert_eq!(texts(&gates, Place::Above, 0o777, 0).len(), 1);
        assert_eq!(texts(&gates, Place::Directory, 0o1777, 0).len(), 1);
        assert_eq!(texts(&gates, Place::Link, 0o777, 0), NOTHING);
    }

    #[test]
    fn what_belongs_to_others_is_refused_unless_they_are_trusted() {
        let gates = Gates::new();
        for place in [Place::Above, Place::Directory, Place::File, Place::Link] {
            assert_eq!(
                texts(&gates, place, 0o755, 1001),
                [
                    "foreign-owner: /opt/plug ins: it belongs to another user: expected uid 1000 \
                     (the host's user) or 0 (root), found uid 1001; hint: run `chown -h 1000 \
                     '/opt/plug ins'`, or have the application trust that user"
                ]
            );
        }
        let trusting = gates.clone().trust_owner(1001);
        assert_eq!(texts(&trusting, Place::File, 0o755, 1001), NOTHING);
        assert_eq!(texts(&trusting, Place::File, 0o755, 1002).len(), 1);
        let open = gates.allow_foreign_owner(true);
        assert_eq!(texts(&open, Place::File, 0o755, 1002), NOTHING);
    }

    #[test]
    fn a_file_may_be_refused_for_two_reasons() {
        assert_eq!(texts(&Gates::new(), Place::File, 0o666, 1001).len(), 2);
    }
}
