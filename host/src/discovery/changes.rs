//! What is different between two looks at the same roots. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use keyway_manifest::PluginId;

use super::{Candidate, Discovery};
use crate::finding::Finding;

/// The difference between two scans.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Changes {
    /// Candidates that were not there before, in the order of precedence.
    pub appeared: Vec<Candidate>,
    /// Candidates that are not there any more.
    pub vanished: Vec<Candidate>,
    /// Candidates that are there still, and of which anything is different: a file was written or
    /// replaced, even by the same content, or the verdict or the findings are others.
    pub changed: Vec<Changed>,
    /// The ids for which another candidate is used now, or one for the first time, or none any
    /// more; in the order of ids.
    pub successions: Vec<Succession>,
    /// What is said now of roots, and was not before.
    pub findings: Vec<Finding>,
}

/// One candidate, before and after.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Changed {
    /// As it was.
    pub before: Candidate,
    /// As it is.
    pub after: Candidate,
}

/// Which candidate is used for an id, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Succession {
    /// The plugin.
    pub id: PluginId,
    /// The [`path`](Candidate::path) of the one that was used, if there was one.
    pub before: Option<PathBuf>,
    /// The path of the one that is used now, if there is one.
    pub after: Option<PathBuf>,
}

impl Changes {
    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self == &Changes::default()
    }

    pub(super) fn between(before: &Discovery, after: &Discovery) -> Self {
        let old = by_path(before);
        let new = by_path(after);
        let mut changes = Changes::default();
        for candidate in &after.candidates {
            match old.get(candidate.path.as_path()) {
                None => changes.appeared.push(candidate.clone()),
                Some(&before) if before != candidate => changes.changed.push(Changed {
                    before: before.clone(),
                    after: candidate.clone(),
                }),
                Some(_) => {}
            }
        }
        let gone = before
            .candidates
            .iter()
            .filter(|candidate| !new.contains_key(candidate.path.as_path()));
        changes.vanished = gone.cloned().collect();
        changes.successions = successions(before, after);
        let said: HashSet<_> = before.findings.iter().map(key).collect();
        let is_new = |finding: &&Finding| !said.contains(&key(finding));
        changes.findings = after.findings.iter().filter(is_new).cloned().collect();
        changes
    }
}

/// What a finding says; its hint follows from that.
fn key(finding: &Finding) -> (&'static str, Option<&Path>, &str) {
    (finding.code.id, finding.path.as_deref(), &finding.message)
}

fn by_path(discovery: &Discovery) -> HashMap<&Path, &Candidate> {
    let candidates = discovery.candidates.iter();
    candidates.map(|one| (one.path.as_path(), one)).collect()
}

fn successions(before: &Discovery, after: &Discovery) -> Vec<Succession> {
    let mut used: BTreeMap<&PluginId, (Option<&Path>, Option<&Path>)> = BTreeMap::new();
    for candidate in before.found() {
        if let Some(id) = &candidate.id {
            used.entry(id).or_default().0 = Some(&candidate.path);
        }
    }
    for candidate in after.found() {
        if let Some(id) = &candidate.id {
            used.entry(id).or_default().1 = Some(&candidate.path);
        }
    }
    used.into_iter()
        .filter(|(_, (before, after))| before != after)
        .map(|(id, (before, after))| Succession {
            id: id.clone(),
            before: before.map(Path::to_owned),
            after: after.map(Path::to_owned),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::super::{Origin, Verdict, precedence};
    use super::*;

    fn discovery(plugins: &[(Origin, &str, &str)]) -> Discovery {
        let candidate = |&(origin, id, version): &(Origin, &str, &str)| {
            let path = PathBuf::from(format!("/{origin}/{id}/plugin.toml"));
            Candidate {
                id: Some(PluginId::new(id).expect("an id")),
                version: Some(Version::parse(version).expect("a version")),
                ..Candidate::new(origin, Path::new(origin.name()), path)
            }
        };
        let mut candidates: Vec<_> = plugins.iter().map(candidate).collect();
        precedence::decide(&mut candidates);
        Discovery {
            candidates,
            findings: Vec::new(),
        }
    }

    fn paths(candidates: &[Candidate]) -> Vec<String> {
        let path = |one: &Candidate| one.path.display().to_string();
        candidates.iter().map(path).collect()
    }

    fn lines(successions: &[Succession]) -> Vec<String> {
        let text = |path: &Option<PathBuf>| match path {
            Some(path) => path.display().to_string(),
            None => "none".to_owned(),
        };
        let line =
            |one: &Succession| format!("{}: {} -> {}", one.id, text(&one.before), text(&one.after));
        successions.iter().map(line).collect()
    }

    #[test]
    fn between_equal_scans_nothing_is_different() {
        let one = discovery(&[(Origin::User, "a", "1.0.0")]);
        assert!(Changes::between(&one, &one.clone()).is_empty());
    }

    #[test]
    fn what_comes_goes_and_changes_is_told_apart() {
        let before = discovery(&[
            (Origin::User, "a", "1.0.0"),
            (Origin::User, "b", "1.0.0"),
            (Origin::User, "c", "1.0.0"),
        ]);
        let after = discovery(&[
            (Origin::User, "b", "1.0.0"),
            (Origin::User, "c", "1.1.0"),
            (Origin::User, "d", "1.0.0"),
        ]);
        let changes = Changes::between(&before, &after);
        assert_eq!(paths(&changes.appeared), ["/user/d/plugin.toml"]);
        assert_eq!(paths(&changes.vanished), ["/user/a/plugin.toml"]);
        let changed: Vec<_> = changes
            .changed
            .iter()
            .map(|one| &one.after.version)
            .collect();
        assert_eq!(changed, [&Some(Version::new(1, 1, 0))]);
        assert_eq!(
            lines(&changes.successions),
            [
                "a: /user/a/plugin.toml -> none",
                "d: none -> /user/d/plugin.toml",
            ]
        );
    }

    #[test]
    fn a_new_one_that_comes_first_takes_over_and_gives_back() {
        let alone = discovery(&[(Origin::Builtin, "a", "1.0.0")]);
        let both = discovery(&[
            (Origin::Workspace, "a", "2.0.0"),
            (Origin::Builtin, "a", "1.0.0"),
        ]);
        let taken = Changes::between(&alone, &both);
        assert_eq!(
            lines(&taken.successions),
            ["a: /builtin/a/plugin.toml -> /workspace/a/plugin.toml"]
        );
        let verdicts: Vec<_> = taken.changed.iter().map(|one| &one.after.verdict).collect();
        assert_eq!(
            verdicts,
            [&Verdict::Shadowed {
                by: PathBuf::from("/workspace/a/plugin.toml"),
                origin: Origin::Workspace
            }]
        );
        let given_back = Changes::between(&both, &alone);
        assert_eq!(
            lines(&given_back.successions),
            ["a: /workspace/a/plugin.toml -> /builtin/a/plugin.toml"]
        );
    }
}
