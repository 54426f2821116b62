//! Which of the candidates run, and in which order. Pure: what has to be read was read before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use keyway_manifest::{PluginId, capability_id};

use super::{Enablement, codes, has_error};
use crate::discovery::{Candidate, Verdict};
use crate::finding::Finding;
use crate::inspect::ContentHash;
use crate::resolve::{Dependency, Requirement, Resolution, Subject, resolve};
use crate::settings::Settings;

/// What it is decided by.
pub(crate) struct Grounds<'a> {
    /// In the order of precedence.
    pub(crate) candidates: &'a [Candidate],
    pub(crate) settings: &'a Settings,
    /// What was said while the host runs, which counts before the settings.
    pub(crate) said: &'a BTreeMap<PluginId, bool>,
    /// Plugins that were stopped for good.
    pub(crate) given_up: &'a BTreeMap<PluginId, Finding>,
    /// Capabilities that one plugin at a time may offer, by id.
    pub(crate) exclusive: &'a BTreeSet<String>,
    /// What speaks against a candidate by the host's own rules, of versions and the like.
    pub(crate) misfit: &'a dyn Fn(&Candidate) -> Option<Finding>,
    /// The hash of a candidate's library.
    pub(crate) hash: &'a dyn Fn(&Candidate) -> Option<ContentHash>,
}

/// What is decided.
#[derive(Default)]
pub(crate) struct Decision {
    /// For each candidate, in their order.
    pub(crate) enablements: Vec<Enablement>,
    /// What was found out about each of them beyond what discovery has.
    pub(crate) findings: Vec<Vec<Finding>>,
    /// What was found out about nobody in particular.
    pub(crate) general: Vec<Finding>,
    /// The order of those that run.
    pub(crate) resolution: Arc<Resolution>,
}

pub(crate) fn decide(grounds: &Grounds<'_>) -> Decision {
    let candidates = grounds.candidates;
    let mut decision = Decision {
        enablements: candidates.iter().map(verdict).collect(),
        findings: vec![Vec::new(); candidates.len()],
        ..Decision::default()
    };
    for (index, candidate) in candidates.iter().enumerate() {
        if let Some(id) = &candidate.id
            && decision.enablements[index].is_enabled()
        {
            let (enablement, finding) = single(grounds, candidate, id);
            decision.enablements[index] = enablement;
            decision.findings[index].extend(finding);
        }
    }
    slots(grounds, &mut decision);
    let subjects: Vec<Subject<'_>> = candidates
        .iter()
        .zip(&decision.enablements)
        .filter(|(_, enablement)| enablement.is_enabled())
        .filter_map(|(candidate, _)| subject(candidate))
        .collect();
    decision.resolution = Arc::new(resolve(&subjects, &[]));
    let mut notes: HashMap<&str, Vec<&Finding>> = HashMap::new();
    for note in decision.resolution.notes() {
        #[cfg(test)]
        crate::steps::add(1);
        let about = note.plugin.as_deref().unwrap_or_default();
        notes.entry(about).or_default().push(note);
    }
    for (index, candidate) in candidates.iter().enumerate() {
        let Some(id) = &candidate.id else { continue };
        if !decision.enablements[index].is_enabled() {
            continue;
        }
        if let Some(blocked) = decision.resolution.blocked().get(id.as_str()) {
            decision.enablements[index] = Enablement::Blocked;
            decision.findings[index].extend(blocked.iter().cloned());
        }
        let own = notes.get(id.as_str()).into_iter().flatten();
        decision.findings[index].extend(own.copied().cloned());
    }
    decision
}

fn verdict(candidate: &Candidate) -> Enablement {
    match &candidate.verdict {
        Verdict::Shadowed { by, origin } => Enablement::Shadowed {
            by: by.clone(),
            origin: *origin,
        },
        Verdict::Found if !has_error(&candidate.findings) => Enablement::Enabled,
        _ => Enablement::Blocked,
    }
}

/// What is decided about a plugin without a look at others.
fn single(
    grounds: &Grounds<'_>,
    candidate: &Candidate,
    id: &PluginId,
) -> (Enablement, Option<Finding>) {
    let disabled = |reason: &str| Enablement::Disabled {
        reason: reason.to_owned(),
    };
    if let Err(finding) = grounds
        .settings
        .plugins
        .admit(id, (grounds.hash)(candidate).as_ref())
    {
        return (Enablement::Blocked, Some(finding));
    }
    let in_file = grounds.settings.plugin.get(id);
    match grounds.said.get(id) {
        Some(false) => return (disabled("it was disabled while the host ran"), None),
        None if in_file.is_some_and(|own| !own.is_enabled()) => {
            let reason = format!("`plugin.{id}.enabled` is false in the host's file");
            return (disabled(&reason), None);
        }
        _ => {}
    }
    let against = (grounds.misfit)(candidate).or_else(|| grounds.given_up.get(id).cloned());
    match against {
        Some(finding) => (Enablement::Blocked, Some(finding.of_plugin(id.as_str()))),
        None => (Enablement::Enabled, None),
    }
}

/// Leaves one plugin for each capability that one at a time may offer.
fn slots(grounds: &Grounds<'_>, decision: &mut Decision) {
    let wanted = wanted(grounds, decision);
    for slot in grounds.exclusive {
        let offers = |candidate: &Candidate| {
            let manifest = candidate.manifest.as_ref();
            manifest.is_some_and(|manifest| !manifest.capabilities.names(slot).is_empty())
        };
        let rivals: Vec<(usize, PluginId)> = grounds
            .candidates
            .iter()
            .enumerate()
            .filter(|(index, candidate)| {
                decision.enablements[*index].is_enabled() && offers(candidate)
            })
            .filter_map(|(index, candidate)| Some((index, candidate.id.clone()?)))
            .collect();
        let named = wanted.get(slot.as_str());
        if let Some(named) = named.filter(|named| !rivals.iter().any(|(_, id)| id == **named)) {
            let message = format!(
                "the slot for {slot} is for '{named}', which is not there, not enabled, or does not \
                 offer it"
            );
            decision.general.push(codes::SLOT_UNKNOWN.finding(message));
        }
        let winner = rivals.iter().find(|(_, id)| Some(&id) == named);
        let Some((_, winner)) = winner.or(rivals.first()) else {
            continue;
        };
        if named != Some(&winner) && rivals.len() > 1 {
            let all: Vec<&str> = rivals.iter().map(|(_, id)| id.as_str()).collect();
            let message = format!(
                "{} offer {slot}, which one plugin at a time may: '{winner}' does, since it was \
                 found first",
                all.join(", ")
            );
            let hint = format!(
                "say which one is wanted: `{} = \"{winner}\"` under [slots]",
                short(slot)
            );
            decision
                .general
                .push(codes::SLOT_CONTESTED.finding(message).hint(hint));
        }
        for (index, _) in rivals.iter().filter(|(_, id)| id != winner) {
            decision.enablements[*index] = Enablement::SlotLoser {
                slot: slot.clone(),
                winner: winner.clone(),
            };
        }
    }
}

/// Which plugin is wanted for a capability, by the capability's id.
fn wanted<'a>(grounds: &Grounds<'a>, decision: &mut Decision) -> BTreeMap<&'a str, &'a PluginId> {
    let mut wanted = BTreeMap::new();
    for (name, id) in &grounds.settings.slots {
        let slot = grounds
            .exclusive
            .iter()
            .find(|slot| *slot == name || short(slot) == name || capability_id(name) == Some(slot));
        match slot {
            Some(slot) => {
                wanted.insert(slot.as_str(), id);
            }
            None => {
                let known: Vec<&str> = grounds.exclusive.iter().map(|slot| short(slot)).collect();
                let message = format!(
                    "there is no slot `{name}`: expected {}",
                    match known.is_empty() {
                        true => "none, since no capability is exclusive".to_owned(),
                        false => known.join(" or "),
                    }
                );
                let finding = codes::SLOT_UNKNOWN.finding(message);
                let similar = crate::suggest::suggestion(name, known.into_iter());
                decision.general.push(match similar {
                    Some(similar) => finding.hint(format!("did you mean `{similar}`?")),
                    None => finding,
                });
            }
        }
    }
    wanted
}

/// How a slot is called in the host's file: `memory` for `keyway.memory-backend`, and the whole id for
/// an application's own.
fn short(slot: &str) -> &str {
    match slot.strip_prefix("keyway.") {
        Some(own) => own.split('-').next().unwrap_or(own),
        None => slot,
    }
}

fn subject(candidate: &Candidate) -> Option<Subject<'_>> {
    let manifest = candidate.manifest.as_deref()?;
    let mut subject = Subject::new(manifest.id.as_str(), &manifest.version);
    let dependencies = manifest.dependencies.iter();
    subject.dependencies = dependencies
        .map(|(id, dependency)| Dependency {
            id: id.as_str(),
            versions: &dependency.requirement,
            optional: dependency.optional,
        })
        .collect();
    let requires = manifest.requires.iter();
    subject.requires = requires
        .map(|(capability, requirement)| Requirement {
            capability,
            name: requirement.name.as_deref(),
            major: requirement.major,
            optional: requirement.optional,
        })
        .collect();
    subject.provides = manifest.capabilities.declared().collect();
    Some(subject)
}
