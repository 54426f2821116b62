//! Who may be needed for a use, found without a look at all plugins: of a thousand plugins that start when
//! they are needed each would look at all the others.

use std::collections::{BTreeSet, HashMap};

use keyway_manifest::TriggerKind;

use crate::discovery::Candidate;
use crate::plan::Trigger;

/// The numbers of candidates, by the names that their manifests have.
#[derive(Default)]
pub(super) struct Uses {
    /// Whatever somebody offers under this name, or asks to be started for.
    named: HashMap<String, Vec<usize>>,
    /// Who asks to be started for a capability under any name, or for an event, whose topic may be a
    /// pattern.
    any_name: Vec<usize>,
}

impl Uses {
    pub(super) fn of(candidates: &[Candidate]) -> Self {
        let mut uses = Uses::default();
        for (index, candidate) in candidates.iter().enumerate() {
            let Some(manifest) = candidate.manifest.as_deref() else {
                continue;
            };
            let mut names: BTreeSet<&str> =
                manifest.capabilities.declared().map(|one| one.1).collect();
            let mut has_any_name = false;
            for hint in &manifest.activation.on {
                match hint.kind {
                    TriggerKind::Tool
                    | TriggerKind::Command
                    | TriggerKind::Channel
                    | TriggerKind::Provider => drop(names.insert(&hint.name)),
                    _ => has_any_name = true,
                }
            }
            if has_any_name {
                uses.any_name.push(index);
            }
            for name in names {
                uses.named.entry(name.to_owned()).or_default().push(index);
            }
        }
        uses
    }

    /// The candidates that may be needed for this use, and perhaps more, in order; none where that may be
    /// any.
    pub(super) fn candidates(&self, trigger: Trigger<'_>) -> Option<Vec<usize>> {
        let name = match trigger {
            Trigger::Tool(name)
            | Trigger::Command(name)
            | Trigger::Channel(name)
            | Trigger::Provider(name)
            | Trigger::Capability {
                name: Some(name), ..
            } => name,
            _ => return None,
        };
        let named = self.named.get(name).into_iter().flatten();
        let all: BTreeSet<usize> = named.chain(&self.any_name).copied().collect();
        Some(all.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::facts_of;
    use super::*;
    use crate::discovery::{Gates, Origin, Root, discover};
    use crate::plan::{Facts, plan};
    use crate::resolve::{Subject, resolve};

    /// What each plugin offers, and what it asks to be started for.
    const PLUGINS: [(&str, &str); 6] = [
        ("tools = [\"weather\"]\ncommands = [\"ask\"]", ""),
        (
            "providers = [\"small\"]",
            "\"tool:weather\", \"command:other\"",
        ),
        ("event_hooks = [\"hook\"]", "\"event:message.*\""),
        ("channels = [\"mail\"]", "\"capability:keyway.tool\""),
        (
            "\"acme.filter\" = [\"weather\"]",
            "\"channel:mail\", \"provider:small\"",
        ),
        ("tools = [\"other\"]", ""),
    ];

    #[test]
    fn a_plan_from_those_that_may_be_needed_is_the_plan_from_all() {
        let home = tempfile::tempdir().expect("a directory");
        for (number, (offers, hints)) in PLUGINS.iter().enumerate() {
            let dir = home.path().join(format!("p{number}"));
            std::fs::create_dir(&dir).expect("a directory");
            let manifest = format!(
                "[plugin]\nid = \"p{number}\"\nversion = \"1.0.0\"\nmin_host_version = \"1.0.0\"\n\
                 [plugin.capabilities]\n{offers}\n[plugin.activation]\non = [{hints}]\n"
            );
            std::fs::write(dir.join("plugin.toml"), manifest).expect("a file");
        }
        // They have no libraries, and so are refused; what their manifests say is there all the same.
        let found = discover(&[Root::new(Origin::User, home.path())], &Gates::new());
        let manifests: Vec<_> = found
            .candidates
            .iter()
            .filter_map(|one| one.manifest.as_deref())
            .collect();
        assert_eq!(manifests.len(), PLUGINS.len());
        let subjects: Vec<Subject<'_>> = manifests
            .iter()
            .map(|one| Subject::new(one.id.as_str(), &one.version))
            .collect();
        let resolution = resolve(&subjects, &[]);
        let all: Vec<Facts<'_>> = manifests.iter().map(|one| facts_of(one)).collect();
        let uses = Uses::of(&found.candidates);
        let names = [
            "weather", "other", "ask", "small", "mail", "hook", "nothing",
        ];
        let of = |name| {
            let capability = |id, name| Trigger::Capability { id, name };
            [
                Trigger::Tool(name),
                Trigger::Command(name),
                Trigger::Channel(name),
                Trigger::Provider(name),
                Trigger::Event(name),
                capability("acme.filter", Some(name)),
                capability("keyway.tool", Some(name)),
                capability("keyway.tool", None),
            ]
        };
        let mut fewer = 0;
        for trigger in names.into_iter().flat_map(of) {
            let some = uses
                .candidates(trigger)
                .unwrap_or_else(|| (0..all.len()).collect());
            fewer += all.len() - some.len();
            let some: Vec<_> = some.into_iter().map(|index| all[index].clone()).collect();
            let (planned, whole) = (
                plan(trigger, &some, &resolution),
                plan(trigger, &all, &resolution),
            );
            assert_eq!(planned.entries, whole.entries, "{trigger}");
        }
        assert!(fewer > 100, "most are left out, not {fewer}");
    }
}
