//! What the index says of one plugin: its releases, and where the archive of each is.

use std::collections::BTreeMap;

use keyway_host::inspect::ContentHash;
use keyway_host::keyway::version::{INTERFACE, InterfaceVersion, TARGET};
use keyway_host::manifest::PluginId;
use semver::{Version, VersionReq};

use crate::lock::Needed;
use crate::package::Application;

/// The file at the root of every registry.
pub(crate) const ROOT: &str = "keyway-registry.json";

/// What stands in place of a target for a plugin without code.
pub(crate) const ANY_TARGET: &str = "any";

/// One version of a plugin, as the index of a registry has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Release {
    /// The plugin.
    pub name: PluginId,
    /// Its version.
    pub version: Version,
    /// The interface that a host has to speak at least; none for a plugin without code.
    pub interface: Option<InterfaceVersion>,
    /// The oldest version of the application that it works with.
    pub min_host_version: Version,
    /// The plugins that it needs.
    pub dependencies: BTreeMap<PluginId, Needed>,
    /// Its archives by target; `any` for a plugin without code.
    pub targets: BTreeMap<String, Archived>,
    /// Whether it was taken back: nobody gets it who does not have it already.
    pub yanked: bool,
}

/// An archive of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Archived {
    /// Its path below the root of the registry, with `/` between its parts.
    pub path: String,
    /// The hash of its content.
    pub hash: ContentHash,
    /// Its length in bytes.
    pub size: u64,
}

/// All that a registry says of a plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) releases: BTreeMap<Version, Release>,
    /// Lines in a format that only later versions of Keyway know.
    pub(crate) newer: Vec<String>,
}

/// Where the index of a plugin is, below the root of the registry. Directories stay small, as in the index of
/// crates.io: `index/we/at/weather`, `index/3/g/geo`.
pub(crate) fn path_of(name: &PluginId) -> String {
    let name = name.as_str();
    match name.len() {
        1 | 2 => format!("index/{}/{name}", name.len()),
        3 => format!("index/3/{}/{name}", &name[..1]),
        _ => format!("index/{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

/// Where the archive of a release goes.
pub(crate) fn archive_path(name: &PluginId, version: &Version, target: &str) -> String {
    format!("archives/{name}/{name}-{version}-{target}.tar.gz")
}

impl Release {
    /// The archive for this machine.
    pub fn archive(&self) -> Option<&Archived> {
        self.targets
            .get(TARGET)
            .or_else(|| self.targets.get(ANY_TARGET))
    }

    /// Why it cannot be used here; none if it can. That it was yanked is another thing.
    pub(crate) fn misfit(&self, application: Option<&Application>) -> Option<String> {
        if self.archive().is_none() {
            let targets: Vec<&str> = self.targets.keys().map(String::as_str).collect();
            return Some(format!(
                "is for {}, and this is {TARGET}",
                targets.join(", ")
            ));
        }
        if let Some(needed) = self.interface
            && (needed.major != INTERFACE.major || needed.minor > INTERFACE.minor)
        {
            return Some(format!("needs interface {needed}, and this is {INTERFACE}"));
        }
        let Application { name, version } = application?;
        // A pre-release counts as its version, as it does for hosts.
        let core = Version::new(version.major, version.minor, version.patch);
        (core < self.min_host_version).then(|| {
            format!(
                "needs {name} {} or newer, and this is {version}",
                self.min_host_version
            )
        })
    }
}

impl Index {
    /// The releases that may be chosen anew, the newest first. With a requirement, only those that it matches:
    /// pre-releases only where it names them.
    pub(crate) fn choices<'a>(
        &'a self,
        requirement: Option<&'a VersionReq>,
        application: Option<&'a Application>,
    ) -> impl Iterator<Item = &'a Release> {
        self.releases.values().rev().filter(move |release| {
            requirement.is_none_or(|requirement| requirement.matches(&release.version))
                && !release.yanked
                && release.misfit(application).is_none()
        })
    }

    /// Why none can be chosen, the newest first, for people.
    pub(crate) fn obstacles(
        &self,
        requirement: &VersionReq,
        application: Option<&Application>,
    ) -> String {
        const MOST: usize = 8;
        let mut lines: Vec<String> = Vec::new();
        for release in self.releases.values().rev().take(MOST) {
            let version = &release.version;
            let why = match release.misfit(application) {
                _ if !requirement.matches(version) && !version.pre.is_empty() => {
                    format!(
                        "is a pre-release, to be asked for as {}@={version}",
                        release.name
                    )
                }
                _ if !requirement.matches(version) => format!("is not {requirement}"),
                _ if release.yanked => "was yanked".to_owned(),
                Some(misfit) => misfit,
                None => continue,
            };
            lines.push(format!("{version} {why}"));
        }
        let more = self.releases.len().saturating_sub(MOST);
        if more > 0 {
            lines.push(format!("and {more} older ones"));
        }
        match self.newer.len() {
            0 => {}
            1 => lines.push("one more needs a newer keyway".to_owned()),
            more => lines.push(format!("{more} more need a newer keyway")),
        }
        lines.join("; ")
    }
}
