//! Which versions are installed together.
//!
//! The search is PubGrub's: it finds versions that do for everybody if there are any, and else knows why there
//! are none. What is available is asked for as the search comes to it, so that only the index of plugins that
//! matter is read. Ranges are sets of the versions that there are, so that what a requirement matches is decided
//! by `semver` alone, pre-releases and all.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::rc::Rc;

use keyway_host::manifest::PluginId;
use pubgrub::{
    Dependencies, DependencyProvider, DerivationTree, External, PackageResolutionStatistics,
    PubGrubError, Ranges, resolve,
};
use semver::{Version, VersionReq};

use crate::error::{InstallError, Result};

/// A version of a plugin that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) version: Version,
    /// What it cannot do without.
    pub(crate) needs: BTreeMap<PluginId, VersionReq>,
}

/// The versions of a plugin that can be chosen, the best first. The second plugin is the one that needs it, the
/// first time that it comes up; none if it is wanted by itself.
pub(crate) type Available<'a> = dyn Fn(&PluginId, Option<&PluginId>) -> Result<Vec<Candidate>> + 'a;

/// What came of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// What is wanted, with all that it needs and nothing else.
    Chosen(BTreeMap<PluginId, Version>),
    /// There is no such choice; the lines say why.
    Impossible(Vec<String>),
}

/// Chooses a version of each plugin that is wanted, and of what they need.
///
/// # Errors
///
/// Those of `available`.
pub(crate) fn select(wanted: &[PluginId], available: &Available<'_>) -> Result<Selection> {
    let search = Search {
        wanted,
        available,
        known: RefCell::default(),
    };
    match resolve(&search, Name::Root, ROOT_VERSION) {
        Ok(chosen) => {
            let plugins = chosen.into_iter().filter_map(|(name, version)| match name {
                Name::Plugin(id) => Some((id, version)),
                Name::Root => None,
            });
            Ok(Selection::Chosen(plugins.collect()))
        }
        Err(PubGrubError::NoSolution(tree)) => Ok(Selection::Impossible(search.explain(&tree))),
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => Err(source),
    }
}

const ROOT_VERSION: Version = Version::new(0, 0, 0);

/// A plugin, or whoever wants the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Name {
    Root,
    Plugin(PluginId),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Root => f.write_str("all"),
            Name::Plugin(id) => id.fmt(f),
        }
    }
}

struct Search<'a> {
    wanted: &'a [PluginId],
    available: &'a Available<'a>,
    known: RefCell<HashMap<PluginId, Rc<Vec<Candidate>>>>,
}

impl Search<'_> {
    fn candidates(&self, id: &PluginId, by: Option<&PluginId>) -> Result<Rc<Vec<Candidate>>> {
        if let Some(known) = self.known.borrow().get(id) {
            return Ok(Rc::clone(known));
        }
        let mut found = (self.available)(id, by)?;
        // The search takes what needs itself for a contradiction that concerns all versions. It is one of its own
        // if it needs itself in another version, and else nothing.
        found.retain_mut(|one| {
            let own = one.needs.remove(id);
            own.is_none_or(|requirement| requirement.matches(&one.version))
        });
        let found = Rc::new(found);
        self.known
            .borrow_mut()
            .insert(id.clone(), Rc::clone(&found));
        Ok(found)
    }

    /// The versions of a plugin that a requirement matches; all of them without one.
    fn range(
        &self,
        id: &PluginId,
        by: Option<&PluginId>,
        requirement: Option<&VersionReq>,
    ) -> Result<Ranges<Version>> {
        let candidates = self.candidates(id, by)?;
        let matching = candidates
            .iter()
            .filter(|one| requirement.is_none_or(|requirement| requirement.matches(&one.version)));
        let single = |one: &Candidate| Ranges::singleton(one.version.clone());
        Ok(matching.fold(Ranges::empty(), |all, one| all.union(&single(one))))
    }
}

impl DependencyProvider for Search<'_> {
    type P = Name;
    type V = Version;
    type VS = Ranges<Version>;
    type Priority = (u32, Reverse<usize>);
    type M = String;
    type Err = InstallError;

    /// Those that were in the way before come first, and then those with the least choice.
    fn prioritize(
        &self,
        package: &Name,
        range: &Ranges<Version>,
        conflicts: &PackageResolutionStatistics,
    ) -> Self::Priority {
        let known = self.known.borrow();
        let candidates = match package {
            Name::Plugin(id) => known.get(id),
            Name::Root => None,
        };
        let left = candidates.map_or(1, |all| {
            all.iter()
                .filter(|one| range.contains(&one.version))
                .count()
        });
        match left {
            0 => (u32::MAX, Reverse(0)),
            left => (conflicts.conflict_count(), Reverse(left)),
        }
    }

    fn choose_version(&self, package: &Name, range: &Ranges<Version>) -> Result<Option<Version>> {
        let Name::Plugin(id) = package else {
            return Ok(Some(ROOT_VERSION));
        };
        let candidates = self.candidates(id, None)?;
        let best = candidates.iter().find(|one| range.contains(&one.version));
        Ok(best.map(|one| one.version.clone()))
    }

    fn get_dependencies(
        &self,
        package: &Name,
        version: &Version,
    ) -> Result<Dependencies<Name, Ranges<Version>, String>> {
        let Name::Plugin(id) = package else {
            let wanted = self.wanted.iter();
            let wanted =
                wanted.map(|id| Ok((Name::Plugin(id.clone()), self.range(id, None, None)?)));
            return Ok(Dependencies::Available(wanted.collect::<Result<_>>()?));
        };
        let candidates = self.candidates(id, None)?;
        let Some(candidate) = candidates.iter().find(|one| one.version == *version) else {
            return Ok(Dependencies::Unavailable("it is not there".to_owned()));
        };
        let needs = candidate.needs.iter().map(|(needed, requirement)| {
            let range = self.range(needed, Some(id), Some(requirement))?;
            Ok((Name::Plugin(needed.clone()), range))
        });
        Ok(Dependencies::Available(needs.collect::<Result<_>>()?))
    }
}

impl Search<'_> {
    /// The facts from which it follows that there is no choice, in words.
    fn explain(&self, tree: &DerivationTree<Name, Ranges<Version>, String>) -> Vec<String> {
        let mut lines = Vec::new();
        let mut open = vec![tree];
        while let Some(tree) = open.pop() {
            match tree {
                DerivationTree::Derived(derived) => {
                    open.extend([&*derived.cause2, &*derived.cause1]);
                }
                DerivationTree::External(External::FromDependencyOf(
                    Name::Plugin(id),
                    versions,
                    Name::Plugin(needed),
                    _,
                )) => self.requirements(id, versions, needed, &mut lines),
                DerivationTree::External(_) => {}
            }
        }
        // Each fact once, where it comes up first.
        let mut seen = std::collections::BTreeSet::new();
        lines.retain(|line| seen.insert(line.clone()));
        let mut needed: Vec<&PluginId> = Vec::new();
        for id in tree.packages() {
            if let Name::Plugin(id) = id {
                needed.push(id);
            }
        }
        needed.sort();
        let known = self.known.borrow();
        for id in needed {
            let versions = known
                .get(id)
                .map(|all| listed(all.iter().map(|one| &one.version)));
            lines.push(match versions {
                Some(versions) if !versions.is_empty() => format!("{id} can be had as {versions}"),
                _ => format!("{id} cannot be had at all"),
            });
        }
        lines
    }

    /// What some versions of a plugin need of another one, a line for each requirement.
    fn requirements(
        &self,
        id: &PluginId,
        versions: &Ranges<Version>,
        needed: &PluginId,
        lines: &mut Vec<String>,
    ) {
        let known = self.known.borrow();
        let Some(candidates) = known.get(id) else {
            return;
        };
        let mut by_requirement: BTreeMap<String, Vec<&Version>> = BTreeMap::new();
        for one in candidates
            .iter()
            .filter(|one| versions.contains(&one.version))
        {
            if let Some(requirement) = one.needs.get(needed) {
                let same = by_requirement.entry(requirement.to_string()).or_default();
                same.push(&one.version);
            }
        }
        for (requirement, versions) in by_requirement {
            let versions = listed(versions.into_iter());
            lines.push(format!("{id} {versions} requires {needed} {requirement}"));
        }
    }
}

/// Versions in their order, without more than a line of them.
fn listed<'a>(versions: impl Iterator<Item = &'a Version>) -> String {
    const MOST: usize = 5;
    let mut versions: Vec<&Version> = versions.collect();
    versions.sort();
    let shown = versions.iter().rev().take(MOST).rev();
    let shown: Vec<String> = shown.map(ToString::to_string).collect();
    let more = versions.len().saturating_sub(MOST);
    match more {
        0 => shown.join(", "),
        more => format!("{} ({more} older)", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
