//! Which plugins have to be started before something can be used, and why.
//!
//! [`plan`] takes what manifests say and a [`Resolution`], and answers the plugins in the order in which
//! to start them. It runs no plugin, and does not know which ones are running already: to start those
//! again is for the caller to leave out.
//!
//! # Who is started
//!
//! - Plugins whose manifest has a matching hint, `[plugin.activation] on`: they want to be there
//!   when it is used, so they come first.
//! - Plugins that declare what is used. For an event these are the plugins with event hooks that say
//!   in no hint which topics they listen to: that is known only when they are loaded. With one or more
//!   `event:` hints a plugin is started for those topics and no others.
//! - Before each of them what it cannot do without, in the order of the resolution.
//!
//! A hint for a whole capability stands for all of its names, and a lookup of a whole capability for all
//! who offer it under any name: `tool:redact` is the capability `keyway.tool` under the name `redact`.
//!
//! ```
//! use keyway_host::plan::{Facts, Trigger, plan};
//! use keyway_host::resolve::{Dependency, Subject, resolve};
//! use semver::{Version, VersionReq};
//!
//! let (version, any) = (Version::new(1, 0, 0), VersionReq::STAR);
//! let storage = Subject::new("storage", &version);
//! let mut notes = Subject::new("notes", &version);
//! notes.dependencies.push(Dependency { id: "storage", versions: &any, optional: false });
//! let resolution = resolve(&[notes, storage], &[]);
//!
//! let mut notes = Facts::new("notes");
//! notes.declares.push(("keyway.tool", "remember"));
//! let facts = [notes, Facts::new("storage")];
//!
//! let plan = plan(Trigger::Tool("remember"), &facts, &resolution);
//! assert_eq!(plan.ids().collect::<Vec<_>>(), ["storage", "notes"]);
//! assert_eq!(plan.entries[0].reasons[0].to_string(), "dependency of 'notes'");
//! assert_eq!(plan.entries[1].reasons[0].to_string(), "declares keyway.tool 'remember'");
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Finding;
use crate::resolve::Resolution;
use crate::suggest::suggestion;

pub(crate) mod codes;
mod reason;
#[cfg(test)]
mod tests;
mod trigger;

pub use keyway::event::topic_matches;
pub use reason::Reason;
pub use trigger::Trigger;

use trigger::Meaning;

const EVENT_HOOK: &str = "keyway.event-hook";

/// How many names a text lists.
const MOST_NAMED: usize = 8;

/// What a plugin's manifest says of when it is needed.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Its id.
    pub id: &'a str,
    /// What it offers: capability ids and names, as
    /// [`Capabilities::declared`](keyway_manifest::Capabilities::declared) has them.
    pub declares: Vec<(&'a str, &'a str)>,
    /// What it wants to be started for, beyond what it declares.
    pub hints: Vec<Trigger<'a>>,
    /// Whether it starts with the host, and not when it is first needed.
    pub startup: bool,
}

impl<'a> Facts<'a> {
    /// A plugin that declares nothing and starts with the host, which is what a manifest means that
    /// says nothing.
    pub fn new(id: &'a str) -> Self {
        Facts {
            id,
            declares: Vec::new(),
            hints: Vec::new(),
            startup: true,
        }
    }
}

/// What is to be started, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The plugins, each after what it needs: first those with a matching hint, by id, then
    /// the others that match, by id.
    pub entries: Vec<Entry>,
    /// Who would be in the plan and is blocked; and if nobody would be, that.
    pub findings: Vec<Finding>,
}

/// One plugin of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its id.
    pub plugin: String,
    /// Every reason for it, in order; there is at least one.
    pub reasons: Vec<Reason>,
}

impl Plan {
    /// The plugins alone.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.entries.iter().map(|entry| entry.plugin.as_str())
    }
}

/// Plans what has to be started before this can be used. `facts` are of all plugins that are enabled,
/// which are the ones that `resolution` is about.
///
/// See the [module](self) for the rules. The work grows with what `facts` hold, so plan when nobody
/// serves what was asked for, and not for each call.
pub fn plan(trigger: Trigger<'_>, facts: &[Facts<'_>], resolution: &Resolution) -> Plan {
    let mut matching: BTreeMap<&str, BTreeSet<Reason>> = BTreeMap::new();
    for facts in facts {
        let reasons = facts.reasons(trigger.meaning());
        if !reasons.is_empty() {
            matching.entry(facts.id).or_default().extend(reasons);
        }
    }
    let mut findings = Vec::new();
    if matching.is_empty() {
        findings.extend(nobody(trigger, facts));
    }
    matching.retain(|id, _| {
        let starts = resolution.contains(id);
        if !starts {
            findings.push(blocked(trigger, id, resolution));
        }
        starts
    });

    let is_hint = |reason: &Reason| matches!(reason, Reason::Hint(_));
    let (hinted, others): (Vec<&str>, Vec<&str>) = matching
        .iter()
        .map(|(id, reasons)| (*id, reasons.iter().any(is_hint)))
        .fold(
            Default::default(),
            |(mut hinted, mut others), (id, hint)| {
                if hint { &mut hinted } else { &mut others }.push(id);
                (hinted, others)
            },
        );
    let order = resolution.in_turn(hinted.into_iter().chain(others));
    let mut reasons: BTreeMap<&str, BTreeSet<Reason>> = matching;
    for id in &order {
        for needed in resolution.needs_of(id) {
            let reason = Reason::DependencyOf((*id).to_owned());
            reasons.entry(needed).or_default().insert(reason);
        }
    }
    let entries = order.into_iter().map(|id| Entry {
        plugin: id.to_owned(),
        reasons: reasons.remove(id).unwrap_or_default().into_iter().collect(),
    });
    Plan {
        entries: entries.collect(),
        findings,
    }
}

impl Facts<'_> {
    /// Whether it would be started for this on its own account.
    pub(crate) fn wants(&self, trigger: Trigger<'_>) -> bool {
        !self.reasons(trigger.meaning()).is_empty()
    }

    fn reasons(&self, wanted: Meaning<'_>) -> Vec<Reason> {
        let hints = self.hints.iter().filter(|hint| covers(**hint, wanted));
        let mut reasons: Vec<Reason> = hints.map(|hint| Reason::Hint(hint.to_string())).collect();
        match wanted {
            Meaning::Startup if self.startup => reasons.push(Reason::Startup),
            Meaning::Startup => {}
            Meaning::Offer(id, name) => {
                let declared = self.declares.iter().filter(|(capability, declared)| {
                    *capability == id && name.is_none_or(|name| name == *declared)
                });
                reasons.extend(declared.map(|(capability, name)| Reason::Declares {
                    capability: (*capability).to_owned(),
                    name: (*name).to_owned(),
                }));
            }
            Meaning::Event(_) => {
                let mut declared = self.declares.iter();
                let has_hooks = declared.any(|(capability, _)| *capability == EVENT_HOOK);
                let mut hints = self.hints.iter();
                if has_hooks && !hints.any(|hint| matches!(hint, Trigger::Event(_))) {
                    reasons.push(Reason::UnhintedHooks);
                }
            }
        }
        reasons
    }
}

fn covers(hint: Trigger<'_>, wanted: Meaning<'_>) -> bool {
    match (hint.meaning(), wanted) {
        (Meaning::Offer(hinted, hinted_name), Meaning::Offer(id, name)) => {
            let same_name = hinted_name
                .zip(name)
                .is_none_or(|(hinted, name)| hinted == name);
            hinted == id && same_name
        }
        (Meaning::Event(pattern), Meaning::Event(topic)) => topic_matches(pattern, topic),
        _ => false,
    }
}

fn blocked(trigger: Trigger<'_>, id: &str, resolution: &Resolution) -> Finding {
    let described = trigger.described();
    let reason = resolution.blocked().get(id).and_then(|all| all.first());
    let finding = codes::ACTIVATION_BLOCKED.finding(match reason {
        Some(reason) => format!(
            "would be started for {described}, and is blocked: {}",
            reason.message
        ),
        None => format!("would be started for {described}, and was not resolved with the others"),
    });
    let hint = reason.and_then(|reason| reason.hint.clone());
    finding
        .hint(hint.unwrap_or_else(|| "plan with the plugins that were resolved".to_owned()))
        .of_plugin(id)
}

/// That nobody has to do with what was asked for; none if there is nothing wrong with that.
fn nobody(trigger: Trigger<'_>, facts: &[Facts<'_>]) -> Option<Finding> {
    let described = trigger.described();
    match trigger.meaning() {
        Meaning::Startup => None,
        Meaning::Event(topic) => {
            let hints = facts.iter().flat_map(|facts| &facts.hints);
            let topics = hints.filter_map(|hint| match hint {
                Trigger::Event(topic) => Some(*topic),
                _ => None,
            });
            let finding = codes::NO_LISTENER.finding(format!("no plugin listens to {described}"));
            Some(match suggestion(topic, topics) {
                Some(meant) => finding.hint(format!(
                    "there are hooks for '{meant}'; is that what is meant?"
                )),
                None => finding,
            })
        }
        Meaning::Offer(id, name) => {
            let message = format!("no plugin declares {described}, or asks to be started for it");
            let hint = similar(id, name, facts);
            Some(codes::NOTHING_TO_ACTIVATE.finding(message).hint(hint))
        }
    }
}

/// What may be meant, or else what there is.
fn similar(id: &str, name: Option<&str>, facts: &[Facts<'_>]) -> String {
    let mut declared: Vec<(&str, &str)> = Vec::new();
    for facts in facts {
        let of_kind = facts
            .declares
            .iter()
            .filter_map(|(capability, declared)| match name {
                Some(_) => (*capability == id).then_some(*declared),
                None => Some(*capability),
            });
        declared.extend(of_kind.map(|declared| (declared, facts.id)));
    }
    declared.sort_unstable();
    declared.dedup_by_key(|(name, _)| *name);
    let names = declared.iter().map(|(name, _)| *name);
    if let Some(meant) = suggestion(name.unwrap_or(id), names.clone()) {
        let owner = declared.iter().find(|(name, _)| *name == meant);
        let owner = owner.map_or("", |(_, owner)| owner);
        return format!("'{owner}' has '{meant}'; is that what is meant?");
    }
    let kind = match name {
        Some(_) => format!("of {id}"),
        None => "at all".to_owned(),
    };
    if declared.is_empty() {
        return format!("no plugin declares anything {kind}; install or enable one that does");
    }
    let more = if declared.len() > MOST_NAMED {
        ", .."
    } else {
        ""
    };
    let named: Vec<&str> = names.take(MOST_NAMED).collect();
    let all = if name.is_some() {
        "names"
    } else {
        "capabilities"
    };
    format!("there are these {all}: {}{more}", named.join(", "))
}
