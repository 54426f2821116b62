//! Which of several candidates with one id is used. Pure.
//!
//! The first that is in order. One that was refused takes no id: else whoever can put a broken file
//! into a root that comes first could switch any plugin off. But that another one is used instead
//! of it is never silent, since it may be an older version.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use keyway_manifest::PluginId;

use super::read::MANIFESTS;
use super::{Candidate, Verdict, codes, names};
use crate::finding::{Code, Finding, Severity};

/// Decides on candidates, given in the order of precedence.
pub(super) fn decide(candidates: &mut [Candidate]) {
    let mut used: HashMap<PluginId, usize> = HashMap::new();
    let mut refused: BTreeMap<PluginId, Vec<usize>> = BTreeMap::new();
    for index in 0..candidates.len() {
        let (before, rest) = candidates.split_at_mut(index);
        let Some(candidate) = rest.first_mut() else {
            break;
        };
        if candidate.verdict == Verdict::Refused {
            if let Some(id) = candidate
                .id
                .clone()
                .or_else(|| presumed_id(&candidate.path))
            {
                refused.entry(id).or_default().push(index);
            }
            continue;
        }
        let Some(id) = candidate.id.clone() else {
            continue;
        };
        if let Some(winner) = used.get(&id).and_then(|&winner| before.get(winner)) {
            shadow(candidate, winner);
            continue;
        }
        for &one in refused.get(&id).into_iter().flatten() {
            #[cfg(test)]
            crate::steps::add(1);
            if let Some(refused) = before.get(one) {
                let finding = stands_in(candidate, refused);
                candidate.findings.push(finding);
            }
        }
        used.insert(id, index);
    }
}

fn shadow(candidate: &mut Candidate, winner: &Candidate) {
    let by = winner.path.clone();
    let (here, there) = (version(candidate), version(winner));
    let code: &'static Code = match winner.root == candidate.root {
        true => &codes::DUPLICATE_ID,
        false => &codes::SHADOWED,
    };
    let message = format!(
        "{here} is not used: {} ({}) comes first with {there}",
        by.display(),
        winner.origin
    );
    let mut finding = code.finding(message).at(&candidate.path);
    if winner.version < candidate.version {
        finding = finding.hint(format!(
            "the one that is used is older; remove it to use {here}"
        ));
    }
    if let Some(id) = &candidate.id {
        finding = finding.of_plugin(id.as_str());
    }
    candidate.findings.push(finding);
    candidate.verdict = Verdict::Shadowed {
        by,
        origin: winner.origin,
    };
}

fn stands_in(candidate: &Candidate, refused: &Candidate) -> Finding {
    let is_error = |finding: &&Finding| finding.severity() == Severity::Error;
    let cause = refused.findings.iter().find(is_error);
    let cause = cause.map_or("refused", |finding| finding.code.id);
    let message = format!(
        "{} is used instead of {} ({}), which comes first and was refused: {cause}",
        version(candidate),
        refused.path.display(),
        refused.origin
    );
    let finding = codes::STANDS_IN
        .finding(message)
        .at(&candidate.path)
        .hint("repair or remove the one that was refused");
    match &candidate.id {
        Some(id) => finding.of_plugin(id.as_str()),
        None => finding,
    }
}

fn version(candidate: &Candidate) -> String {
    match &candidate.version {
        Some(version) => format!("v{version}"),
        None => "it".to_owned(),
    }
}

/// The id that goes by a path: of a file that does not read, nothing else is known.
fn presumed_id(path: &Path) -> Option<PluginId> {
    let name = path.file_name()?;
    let name = if names::is_library(name) {
        names::id_of_library(name.to_str()?)
    } else if MANIFESTS.iter().any(|manifest| name == *manifest) {
        path.parent()?.file_name()?.to_str()?.to_owned()
    } else {
        name.to_str()?.to_owned()
    };
    PluginId::new(&name).ok()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use semver::Version;

    use super::super::Origin;
    use super::super::names::library_of;
    use super::*;

    fn candidate(origin: Origin, path: &str, id: Option<&str>, version: &str) -> Candidate {
        let root = format!("/{origin}");
        Candidate {
            id: id.map(|id| PluginId::new(id).expect("an id")),
            version: id.map(|_| Version::parse(version).expect("a version")),
            ..Candidate::new(origin, Path::new(&root), PathBuf::from(path))
        }
    }

    fn refused(mut candidate: Candidate) -> Candidate {
        candidate
            .findings
            .push(codes::LIBRARY_DAMAGED.finding("truncated"));
        candidate.verdict = Verdict::Refused;
        candidate
    }

    fn decided(mut candidates: Vec<Candidate>) -> Vec<String> {
        decide(&mut candidates);
        let line = |candidate: &Candidate| match &candidate.verdict {
            Verdict::Found => "found".to_owned(),
            Verdict::Refused => "refused".to_owned(),
            Verdict::Shadowed { by, origin } => format!("shadowed by {} ({origin})", by.display()),
        };
        candidates.iter().map(line).collect()
    }

    fn findings(mut candidates: Vec<Candidate>) -> Vec<String> {
        decide(&mut candidates);
        let findings = candidates.iter().flat_map(|one| &one.findings);
        findings
            .filter(|finding| finding.code != &codes::LIBRARY_DAMAGED)
            .map(|finding| format!("{}: {finding}", finding.code))
            .collect()
    }

    #[test]
    fn the_first_of_an_id_is_used_and_the_others_say_by_whom_they_are_shadowed() {
        let candidates = vec![
            candidate(Origin::Workspace, "/ws/a/plugin.toml", Some("a"), "1.0.0"),
            candidate(Origin::User, "/user/b/plugin.toml", Some("b"), "1.0.0"),
            candidate(Origin::User, "/user/a/plugin.toml", Some("a"), "2.0.0"),
            candidate(Origin::Builtin, "/opt/a/plugin.toml", Some("a"), "0.9.0"),
        ];
        assert_eq!(
            decided(candidates.clone()),
            [
                "found",
                "found",
                "shadowed by /ws/a/plugin.toml (workspace)",
                "shadowed by /ws/a/plugin.toml (workspace)",
            ]
        );
        assert_eq!(
            findings(candidates),
            [
                "shadowed: plugin 'a' (/user/a/plugin.toml): v2.0.0 is not used: \
                 /ws/a/plugin.toml (workspace) comes first with v1.0.0; hint: the one that is used \
                 is older; remove it to use v2.0.0",
                "shadowed: plugin 'a' (/opt/a/plugin.toml): v0.9.0 is not used: \
                 /ws/a/plugin.toml (workspace) comes first with v1.0.0",
            ]
        );
    }

    #[test]
    fn two_of_an_id_in_one_root_are_a_warning() {
        let candidates = vec![
            candidate(Origin::User, "/user/a/plugin.toml", Some("a"), "1.0.0"),
            candidate(Origin::User, "/user/b/plugin.toml", Some("a"), "1.0.0"),
        ];
        assert_eq!(
            findings(candidates),
            [
                "duplicate-id: plugin 'a' (/user/b/plugin.toml): v1.0.0 is not used: \
                 /user/a/plugin.toml (user) comes first with v1.0.0"
            ]
        );
    }

    #[test]
    fn who_was_refused_takes_no_id_and_who_is_used_instead_says_so() {
        let first = candidate(Origin::Workspace, "/ws/a/plugin.toml", Some("a"), "2.0.0");
        let candidates = vec![
            refused(first),
            candidate(Origin::User, "/user/a/plugin.toml", Some("a"), "1.0.0"),
            candidate(Origin::Builtin, "/opt/a/plugin.toml", Some("a"), "0.9.0"),
        ];
        assert_eq!(
            decided(candidates.clone()),
            ["refused", "found", "shadowed by /user/a/plugin.toml (user)"]
        );
        assert_eq!(
            findings(candidates)[0],
            "stands-in: plugin 'a' (/user/a/plugin.toml): v1.0.0 is used instead of \
             /ws/a/plugin.toml (workspace), which comes first and was refused: library-damaged; \
             hint: repair or remove the one that was refused"
        );
    }

    #[test]
    fn who_was_refused_after_the_one_that_is_used_changes_nothing() {
        let last = candidate(Origin::User, "/user/a/plugin.toml", Some("a"), "2.0.0");
        let first = candidate(Origin::Workspace, "/ws/a/plugin.toml", Some("a"), "1.0.0");
        let candidates = vec![first, refused(last)];
        assert_eq!(decided(candidates.clone()), ["found", "refused"]);
        assert!(findings(candidates).is_empty());
    }

    #[test]
    fn of_what_does_not_read_the_id_goes_by_the_name() {
        let library = format!("/ws/{}", library_of("text-filter"));
        for path in ["/ws/text-filter/plugin.toml", "/ws/text-filter", &library] {
            let first = candidate(Origin::Workspace, path, None, "0.0.0");
            let second = candidate(Origin::User, "/user/x.so", Some("text-filter"), "1.0.0");
            let found = findings(vec![refused(first), second]);
            assert_eq!(found.len(), 1, "{path}");
            assert!(found[0].contains(path), "{found:?}");
        }
    }
}
