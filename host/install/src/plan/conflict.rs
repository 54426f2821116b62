//! What speaks against a plan: plugins that need others, in versions that would not be there.

use std::fmt::{self, Write};

use keyway_host::manifest::PluginId;
use keyway_host::resolve::overlap;
use semver::{Version, VersionReq};
use serde::Serialize;

use crate::error::InstallError;
use crate::lock::{Lock, Locked};

/// Why what is needed would not be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConflictKind {
    /// It is not installed.
    Missing,
    /// It would be there in a version that does not do for everybody.
    Version,
    /// It would be removed.
    Removed,
}

/// Something that plugins need, and would not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Conflict {
    /// Why.
    pub kind: ConflictKind,
    /// The plugin that is needed.
    pub needed: String,
    /// The version that would be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<Version>,
    /// All who need it, in the order of their ids.
    pub requirers: Vec<Requirer>,
    /// Whether one version could do for all of them; none where that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_agree: Option<bool>,
    /// What can be done, the safe ways first.
    pub suggestions: Vec<String>,
}

/// A plugin that needs another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Requirer {
    /// Its id.
    pub plugin: String,
    /// Its version.
    pub version: Version,
    /// The versions of the other one that will do for it.
    pub requires: VersionReq,
    /// Whether the version that would be there is one of them.
    pub satisfied: bool,
    /// Whether it comes, or changes, with the plan.
    pub new: bool,
}

/// The conflicts that a change makes, without those that were there before.
pub(crate) fn between(before: &Lock, after: &Lock) -> Vec<Conflict> {
    let mut needed: Vec<&PluginId> = after
        .plugins()
        .flat_map(|locked| locked.dependencies.keys())
        .collect();
    needed.sort();
    needed.dedup();
    let conflicts = needed
        .into_iter()
        .filter_map(|id| conflict(id, before, after));
    conflicts.collect()
}

fn conflict(needed: &PluginId, before: &Lock, after: &Lock) -> Option<Conflict> {
    let available = after.get(needed.as_str()).map(|locked| &locked.version);
    let gone = before.get(needed.as_str());
    let requirers = requirers(needed, before, after);
    let unsatisfied: Vec<&Requirer> = requirers.iter().filter(|one| !one.satisfied).collect();
    if unsatisfied.is_empty() {
        return None;
    }
    let same = |version: Option<&Version>| version == gone.map(|locked| &locked.version);
    // What was forced, or broken, before is no reason to refuse something else now.
    if same(available) && unsatisfied.iter().all(|one| !one.new) {
        return None;
    }
    let kind = match (available, gone) {
        (Some(_), _) => ConflictKind::Version,
        (None, Some(_)) => ConflictKind::Removed,
        (None, None) => ConflictKind::Missing,
    };
    let pairs = requirers.iter().enumerate().flat_map(|(index, one)| {
        let rest = &requirers[index + 1..];
        rest.iter()
            .map(|other| overlap(&one.requires, &other.requires))
    });
    let can_agree = pairs.fold(Some(true), |all, pair| match (all, pair) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    });
    let mut conflict = Conflict {
        kind,
        needed: needed.to_string(),
        available: available.cloned(),
        requirers,
        can_agree,
        suggestions: Vec::new(),
    };
    conflict.suggestions = suggestions(&conflict);
    Some(conflict)
}

/// Who needs it: those who cannot do without, and those whose optional need a version does not meet.
fn requirers(needed: &PluginId, before: &Lock, after: &Lock) -> Vec<Requirer> {
    let available = after.get(needed.as_str()).map(|locked| &locked.version);
    let requirer = |locked: &Locked| {
        let need = locked.dependencies.get(needed)?;
        if need.optional {
            // It goes without, which the host says when it starts.
            return None;
        }
        Some(Requirer {
            plugin: locked.id.to_string(),
            version: locked.version.clone(),
            requires: need.versions.clone(),
            satisfied: available.is_some_and(|version| need.versions.matches(version)),
            new: before.get(locked.id.as_str()) != Some(locked),
        })
    };
    after.plugins().filter_map(requirer).collect()
}

fn suggestions(conflict: &Conflict) -> Vec<String> {
    let needed = &conflict.needed;
    let mut suggestions = Vec::new();
    let unsatisfied = || conflict.requirers.iter().filter(|one| !one.satisfied);
    match conflict.kind {
        ConflictKind::Missing => {
            let ranges = joined(unsatisfied().map(|one| one.requires.to_string()));
            suggestions.push(format!(
                "install {needed} {ranges} first: keyway install PATH-OR-URL"
            ));
        }
        ConflictKind::Removed => {
            let all: Vec<&str> = conflict
                .requirers
                .iter()
                .map(|one| one.plugin.as_str())
                .collect();
            suggestions.push(format!(
                "uninstall them too: keyway uninstall {} {needed}",
                all.join(" ")
            ));
        }
        ConflictKind::Version => {
            for one in conflict
                .requirers
                .iter()
                .filter(|one| !one.new && !one.satisfied)
            {
                let version = conflict.available.as_ref().map(ToString::to_string);
                suggestions.push(format!(
                    "update {} to a version that takes {needed} {}: keyway update {}",
                    one.plugin,
                    version.unwrap_or_default(),
                    one.plugin
                ));
            }
            if conflict.can_agree != Some(false) && unsatisfied().any(|one| one.new) {
                let ranges = joined(
                    conflict
                        .requirers
                        .iter()
                        .map(|one| one.requires.to_string()),
                );
                suggestions.push(format!(
                    "install a version of {needed} that is {ranges}: keyway install PATH-OR-URL"
                ));
            }
            for one in conflict.requirers.iter().filter(|one| !one.new) {
                suggestions.push(format!(
                    "do without {}: keyway uninstall {}",
                    one.plugin, one.plugin
                ));
            }
        }
    }
    let blocked = joined(unsatisfied().map(|one| one.plugin.clone()));
    suggestions.push(format!(
        "go on all the same with --force (risky: {blocked} will not start)"
    ));
    suggestions
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    let mut texts: Vec<String> = texts.collect();
    texts.dedup();
    texts.join(" and ")
}

/// Several lines, without an end of line after the last.
impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needed = &self.needed;
        let names: Vec<String> = self
            .requirers
            .iter()
            .map(|one| format!("{} {}", one.plugin, one.version))
            .collect();
        let width = names.iter().map(|name| name.chars().count()).max();
        for (one, name) in self.requirers.iter().zip(&names) {
            let when = if one.new {
                "to be installed"
            } else {
                "installed"
            };
            let width = width.unwrap_or(0);
            writeln!(
                f,
                "{name:width$}  requires {needed} {}  ({when})",
                one.requires
            )?;
        }
        match (self.kind, &self.available) {
            (ConflictKind::Removed, _) => writeln!(f, "{needed} would be removed")?,
            (_, Some(version)) => writeln!(f, "{needed} would be {version}")?,
            (_, None) => writeln!(f, "{needed} is not installed")?,
        }
        let ranges: Vec<String> = self
            .requirers
            .iter()
            .map(|one| one.requires.to_string())
            .collect();
        if self.requirers.len() > 1 && self.kind != ConflictKind::Removed {
            match self.can_agree {
                Some(false) => writeln!(
                    f,
                    "{} are incompatible: no version of {needed} does for all",
                    ranges.join(" and ")
                )?,
                _ => writeln!(
                    f,
                    "a version that does for all has to be {}",
                    ranges.join(" and ")
                )?,
            }
        }
        writeln!(f, "what can be done:")?;
        for (number, suggestion) in self.suggestions.iter().enumerate() {
            let end = if number + 1 == self.suggestions.len() {
                ""
            } else {
                "\n"
            };
            write!(f, "  {}. {suggestion}{end}", number + 1)?;
        }
        Ok(())
    }
}

/// The conflicts as one error: the first in its message, and all in its long text.
pub(crate) fn report(conflicts: &[Conflict]) -> InstallError {
    let mut text = String::new();
    for conflict in conflicts {
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "{conflict}");
    }
    let list = |satisfied: bool| {
        let of = conflicts.iter().flat_map(|conflict| &conflict.requirers);
        joined(
            of.filter(|one| satisfied || !one.satisfied)
                .map(|one| one.plugin.clone()),
        )
    };
    let needed = joined(conflicts.iter().map(|conflict| conflict.needed.clone()));
    let removed = |conflict: &Conflict| conflict.kind == ConflictKind::Removed;
    match conflicts.iter().all(removed) {
        true => InstallError::refused("needed", format!("{needed} is needed by {}", list(false))),
        false => InstallError::refused(
            "conflict",
            format!("{} would not have the {needed} that is needed", list(false)),
        ),
    }
    .details(text)
}
