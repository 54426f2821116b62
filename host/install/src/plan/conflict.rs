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
    /// Whether that version comes with the plan, too.
    pub available_is_new: bool,
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
    // Ranges of which each two meet have something in common to all of them.
    let pairs = requirers.iter().enumerate().flat_map(|(index, one)| {
        let rest = &requirers[index + 1..];
        rest.iter()
            .map(|other| overlap(&one.requires, &other.requires))
    });
    let pairs: Vec<Option<bool>> = pairs.collect();
    let can_agree = match pairs.contains(&Some(false)) {
        true => Some(false),
        false => (!pairs.contains(&None)).then_some(true),
    };
    let mut conflict = Conflict {
        kind,
        needed: needed.to_string(),
        available: available.cloned(),
        available_is_new: !same(available),
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
            let available = conflict.available.as_ref().map(ToString::to_string);
            let available = available.unwrap_or_default();
            for Requirer { plugin, new, .. } in unsatisfied() {
                suggestions.push(match new {
                    true => format!(
                        "install a version of {plugin} that accepts {needed} {available}: keyway install \
                         PATH-OR-URL"
                    ),
                    false => format!(
                        "update {plugin} to a version that accepts {needed} {available}: keyway update \
                         {plugin}"
                    ),
                });
            }
            if conflict.can_agree != Some(false) && unsatisfied().any(|one| one.new) {
                let ranges = joined(
                    conflict
                        .requirers
                        .iter()
                        .map(|one| one.requires.to_string()),
                );
                suggestions.push(format!(
                    "install {needed} in a version that is {ranges}: keyway install PATH-OR-URL"
                ));
            }
            for one in conflict.requirers.iter().filter(|one| !one.new) {
                suggestions.push(format!(
                    "uninstall {}: keyway uninstall {}",
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
            (_, Some(version)) if self.available_is_new => {
                writeln!(f, "{needed} {version} would be installed")?;
            }
            (_, Some(version)) => writeln!(f, "{needed} {version} is installed")?,
            (_, None) => writeln!(f, "{needed} is not installed")?,
        }
        let ranges = joined(self.requirers.iter().map(|one| one.requires.to_string()));
        if self.requirers.len() > 1 && self.kind != ConflictKind::Removed {
            let all = match self.requirers.len() {
                2 => "both",
                _ => "all of them",
            };
            match self.can_agree {
                Some(false) => writeln!(
                    f,
                    "{ranges} are incompatible: no version of {needed} satisfies {all}"
                )?,
                _ => writeln!(f, "to satisfy {all}, {needed} has to be {ranges}")?,
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

/// The conflicts as one error: the first in its message, and all in its long text, with why a search for other
/// versions found none.
pub(crate) fn report(conflicts: &[Conflict], explanation: &[String]) -> InstallError {
    let mut text = String::new();
    for conflict in conflicts {
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "{conflict}");
    }
    if !explanation.is_empty() {
        let _ = writeln!(text, "other versions were looked for, and none do:");
    }
    for line in explanation {
        let _ = writeln!(text, "  {line}");
    }
    let first = conflicts.first().map(headline).unwrap_or_default();
    let message = match conflicts.len() {
        0 | 1 => first,
        more => format!("{first}; and {} more", more - 1),
    };
    let removed = |conflict: &Conflict| conflict.kind == ConflictKind::Removed;
    let code = match conflicts.iter().all(removed) {
        true => "needed",
        false => "conflict",
    };
    InstallError::refused(code, message).details(text)
}

fn headline(conflict: &Conflict) -> String {
    let needed = &conflict.needed;
    let requirers = conflict.requirers.iter();
    match conflict.kind {
        ConflictKind::Removed => {
            let names = joined(requirers.map(|one| one.plugin.clone()));
            format!("{needed} is needed by {names}")
        }
        ConflictKind::Missing => {
            let wants =
                requirers.map(|one| format!("{} requires {needed} {}", one.plugin, one.requires));
            format!("{}, and {needed} is not installed", joined(wants))
        }
        ConflictKind::Version => {
            let wants = requirers.map(|one| format!("{} requires {}", one.plugin, one.requires));
            let wants = joined(wants);
            let available = conflict.available.as_ref().map(ToString::to_string);
            let available = available.unwrap_or_default();
            let is = match conflict.available_is_new {
                true => "would be",
                false => "is",
            };
            format!("conflict over {needed}: {wants}, and {available} {is} installed")
        }
    }
}
