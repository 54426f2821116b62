//! What is newer in registries than what is installed.

use keyway_host::manifest::PluginId;
use semver::{Version, VersionReq};
use serde::Serialize;

use super::Installer;
use super::releases::Releases;
use crate::error::{InstallError, Result};
use crate::lock::{Lock, Locked};
use crate::source::Source;

/// A plugin of a registry, and what the registry has of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Outdated {
    /// The plugin.
    pub plugin: String,
    /// The version that is installed.
    pub version: Version,
    /// The newest that fits what was asked for, what others need of it now, and this machine. None if that is what is installed.
    pub compatible: Option<Version>,
    /// The newest that fits this machine, whatever was asked for; none if that is what is installed.
    pub latest: Option<Version>,
    /// Whether updates leave it alone.
    pub pinned: bool,
    /// Whether the version that is installed was yanked.
    pub yanked: bool,
    /// The registry.
    pub registry: String,
}

/// A plugin whose registry could not be asked, and why.
type Failure = (PluginId, InstallError);

impl Outdated {
    /// Whether there is anything to say of it.
    pub fn is_outdated(&self) -> bool {
        self.compatible.is_some() || self.latest.is_some() || self.yanked
    }
}

impl Installer {
    /// What registries have of the plugins that come from them, in the order of their ids, and those whose
    /// registry could not be asked.
    ///
    /// # Errors
    ///
    /// As [`Installer::lock`].
    pub fn outdated(&self) -> Result<(Vec<Outdated>, Vec<Failure>)> {
        let lock = self.lock()?;
        let releases = Releases::new(self);
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for locked in lock.plugins() {
            match self.look_up(locked, &lock, &releases) {
                Ok(outdated) => found.extend(outdated),
                Err(error) => failures.push((locked.id.clone(), error)),
            }
        }
        Ok((found, failures))
    }

    fn look_up(
        &self,
        locked: &Locked,
        lock: &Lock,
        releases: &Releases<'_>,
    ) -> Result<Option<Outdated>> {
        let Source::Registry {
            registry,
            requirement,
            ..
        } = &locked.source
        else {
            return Ok(None);
        };
        let index = releases.index(registry, &locked.id)?;
        let index = index.as_ref().as_ref();
        let application = self.fetch.application.as_ref();
        let needs: Vec<&VersionReq> = lock
            .plugins()
            .filter_map(|other| other.dependencies.get(&locked.id))
            .filter(|need| !need.optional)
            .map(|need| &need.versions)
            .collect();
        let is_pre = !locked.version.pre.is_empty();
        let newest = |requirement: Option<&VersionReq>| {
            let mut choices = index
                .into_iter()
                .flat_map(|index| index.choices(requirement, application));
            let newest = choices.find(|one| {
                // Of what is installed as a pre-release, newer ones count.
                let is_meant = one.version.pre.is_empty() || is_pre;
                let does = |need: &&VersionReq| need.matches(&one.version);
                is_meant && (requirement.is_none() || needs.iter().all(does))
            })?;
            Some(newest.version.clone()).filter(|version| *version > locked.version)
        };
        let release = index.and_then(|index| index.releases.get(&locked.version));
        Ok(Some(Outdated {
            plugin: locked.id.to_string(),
            version: locked.version.clone(),
            compatible: newest(Some(requirement)),
            latest: newest(None),
            pinned: locked.pinned,
            yanked: release.is_some_and(|release| release.yanked),
            registry: registry.to_string(),
        }))
    }
}
