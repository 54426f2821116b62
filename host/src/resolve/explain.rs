//! Why a plugin cannot start, and what it goes without, in words.
//!
//! What is said of one plugin is bounded, however many others are behind it.

use std::collections::BTreeMap;

use semver::{Version, VersionReq};

use crate::finding::Finding;

use super::arrange::Arrangement;
use super::blame::Blame;
use super::circle::knots;
use super::codes;
use super::graph::{Found, Graph, Want, What};
use super::rivals::Rivals;
use super::settle::Rounds;
use super::similar::Similar;

mod trail;

use trail::Trails;

/// How many plugins or versions a text names before it leaves some out.
const MOST_NAMED: usize = 12;

/// The findings about all plugins, and the circles among them.
pub(super) struct Explained {
    pub(super) blocked: BTreeMap<String, Vec<Finding>>,
    pub(super) notes: Vec<Finding>,
    pub(super) circles: Vec<Vec<String>>,
}

pub(super) fn explain<'a>(
    graph: &Graph<'a>,
    rounds: &Rounds,
    arrangement: &Arrangement<'_, 'a>,
    similar: Similar<'a>,
) -> Explained {
    // What would not start even if all else was in order is held up by a circle.
    let mended = Rounds::of(graph, |_| false);
    let (knots, knot_of) = knots(graph, |node| !mended.has(node));
    let troubled = |plugin: usize| knot_of[plugin].is_some() || graph.plugins[plugin].has_fault();
    let blame = Blame::of(graph, rounds, troubled);
    let mut explainer = Explainer {
        graph,
        rounds,
        trails: Trails::along(graph, blame),
        rivals: Rivals::of(graph),
        knot_of,
        serving: (graph.plugins.len()..graph.nodes())
            .map(|port| {
                let providers = graph.needs.of(port).iter();
                providers.filter(|provider| rounds.has(**provider)).count()
            })
            .collect(),
        similar,
    };
    let circles: Vec<String> = knots
        .iter()
        .map(|knot| explainer.trails.circle(knot))
        .collect();

    let mut blocked = BTreeMap::new();
    let mut notes = Vec::new();
    let mut dropped = arrangement.dropped.iter().peekable();
    for (number, plugin) in graph.plugins.iter().enumerate() {
        let mut findings = Vec::new();
        if plugin.is_duplicate() {
            findings.push(duplicate(&plugin.versions));
        }
        if let Some(knot) = explainer.knot_of[number] {
            let finding = codes::DEPENDENCY_CYCLE.finding(circles[knot].clone());
            findings.push(finding.hint("take one of these dependencies out, or make it optional"));
        }
        let resolved = rounds.has(number);
        for want in &plugin.wants {
            match (want.optional, resolved) {
                (true, true) => findings.extend(explainer.goes_without(number, want)),
                (false, false) => findings.extend(explainer.lacks(number, want)),
                // What a plugin could use does not matter while it is blocked.
                _ => {}
            }
        }
        while let Some((_, want)) = dropped.next_if(|(from, _)| *from == number) {
            findings.extend(explainer.does_not_wait(number, want));
        }
        let id = plugin.id;
        let findings = findings.into_iter().map(|finding| finding.of_plugin(id));
        if resolved {
            notes.extend(findings);
        } else {
            blocked.insert(id.to_owned(), findings.collect());
        }
    }
    let circles = knots.iter().map(|knot| {
        let members = knot.circle.iter();
        members
            .map(|(member, _)| graph.plugins[*member].id.to_owned())
            .collect()
    });
    Explained {
        blocked,
        notes,
        circles: circles.collect(),
    }
}

struct Explainer<'g, 'a> {
    graph: &'g Graph<'a>,
    rounds: &'g Rounds,
    trails: Trails<'g, 'a>,
    rivals: Rivals<'a>,
    /// For each node the number of its knot.
    knot_of: Vec<Option<usize>>,
    /// For each port, how many of those who offer it can start.
    serving: Vec<usize>,
    similar: Similar<'a>,
}

impl Explainer<'_, '_> {
    fn id(&self, plugin: usize) -> &str {
        self.graph.plugins[plugin].id
    }

    /// Why a need of a blocked plugin is not met; none if it is, or if that is the knot's to say.
    fn lacks(&mut self, number: usize, want: &Want<'_>) -> Option<Finding> {
        match (want.found, want.what) {
            (Found::Node(node), _) => self.blocked_by(number, node),
            (Found::Unfit(other), What::Plugin { id, versions }) => {
                Some(self.unfit(number, other, id, versions))
            }
            (_, What::Plugin { id, versions }) => {
                let message = format!("needs '{id}' {versions}, which is missing");
                let hint = match self.similar.plugin(id) {
                    Some(meant) => format!("there is '{meant}'; is that what is meant?"),
                    None => format!("install '{id}', or enable it if it is disabled"),
                };
                Some(codes::DEPENDENCY_MISSING.finding(message).hint(hint))
            }
            (Found::OnlyItself, _) => {
                let message = format!("needs {}, which nobody else offers", want.what);
                Some(codes::CAPABILITY_MISSING.finding(message).hint(
                    "it is needed before this plugin can offer it; take it out of [plugin.requires], \
                     or make it optional",
                ))
            }
            (_, What::Capability(_)) => {
                let message = format!("needs {}, which nobody offers", want.what);
                let hint = self.similar_offer(want.what).unwrap_or_else(|| {
                    "install a plugin that offers it, or enable it if it is disabled".to_owned()
                });
                Some(codes::CAPABILITY_MISSING.finding(message).hint(hint))
            }
        }
    }

    fn similar_offer(&mut self, what: What<'_>) -> Option<String> {
        let What::Capability(requirement) = what else {
            return None;
        };
        let meant = self
            .similar
            .offer(requirement.capability, requirement.name)?;
        Some(format!("there is {meant}; is that what is meant?"))
    }

    /// That a plugin is there in a version that does not fit, and what would.
    fn unfit(&self, number: usize, other: usize, id: &str, versions: &VersionReq) -> Finding {
        let found = self.graph.plugins[other].versions[0];
        let (me, needs) = (self.id(number), format!("needs '{id}' {versions}"));
        if let Some((rival, theirs)) = self.rivals.against(number, other, versions) {
            let rival = self.id(rival);
            let message = format!(
                "{needs}, and '{rival}' needs '{id}' {theirs}: no version fits both, and {found} is \
                 there"
            );
            return codes::DEPENDENCY_VERSION.finding(message).hint(format!(
                "use a version of '{me}' or of '{rival}' that goes with the same '{id}', or disable \
                 one of the two"
            ));
        }
        let message = match self.rivals.served(other) {
            Some((rival, theirs)) => format!(
                "{needs}, and {found} is there, which fits '{}' ({theirs})",
                self.id(rival)
            ),
            None => format!("{needs}, and {found} is there"),
        };
        let release = Version::new(found.major, found.minor, found.patch);
        let hint = if versions.matches(&release) {
            // Cargo's rule, and the one that people trip over.
            format!(
                "{found} is a pre-release, which only a requirement with a pre-release takes, such as \
                 \">={found}\""
            )
        } else if let Some(range) = self.rivals.common(other) {
            format!(
                "install a version of '{id}' that fits all who need it: {}",
                range.describe()
            )
        } else {
            format!(
                "install a version of '{id}' that fits {versions}, or a version of '{me}' that works \
                 with {found}"
            )
        };
        codes::DEPENDENCY_VERSION.finding(message).hint(hint)
    }

    /// What is behind a need that is there and cannot start.
    fn blocked_by(&mut self, number: usize, node: usize) -> Option<Finding> {
        let knot = self.knot_of[number];
        if self.rounds.has(node) || (knot.is_some() && self.knot_of[node] == knot) {
            return None;
        }
        let code = &codes::DEPENDENCY_BLOCKED;
        if let Some(port) = self
            .graph
            .port(node)
            .filter(|_| self.trails.leads_to(node, number))
        {
            // What is behind the others who offer it is told of them.
            let capability = port.capability;
            let message = format!("needs {capability}, and all others who offer it are blocked");
            return Some(code.finding(message));
        }
        let (message, end) = self.trails.chain(node);
        let hint = format!("see what is found about '{}'", self.id(end));
        Some(code.finding(message).hint(hint))
    }

    /// What is to be said of something that a plugin can use; none if it has it.
    fn goes_without(&mut self, number: usize, want: &Want<'_>) -> Option<Finding> {
        let what = want.what;
        let (reason, meant) = match want.found {
            Found::Node(node) if self.has_other(number, node) => return None,
            Found::Node(node) if self.graph.port(node).is_some() => {
                (", and everybody who offers it is blocked".to_owned(), None)
            }
            Found::Node(_) => (" and blocked".to_owned(), None),
            Found::Unfit(other) => {
                let found = self.graph.plugins[other].versions[0];
                (format!(", and {found} is there"), None)
            }
            Found::OnlyItself => (", and nobody else offers it".to_owned(), None),
            Found::Nothing => match what {
                What::Plugin { id, .. } => {
                    let meant = self.similar.plugin(id);
                    let hint = meant.map(|id| format!("there is '{id}'; is that what is meant?"));
                    (" and missing".to_owned(), hint)
                }
                What::Capability(_) => (
                    ", and nobody offers it".to_owned(),
                    self.similar_offer(what),
                ),
            },
        };
        let message = format!("goes without {what}, which is optional{reason}");
        let finding = codes::OPTIONAL_UNMET.finding(message);
        Some(match meant {
            Some(hint) => finding.hint(hint),
            None => finding,
        })
    }

    /// Whether this plugin or port can be had, and from somebody else than the one who wants it.
    fn has_other(&self, number: usize, node: usize) -> bool {
        let Some(port) = self.graph.port(node).filter(|port| !port.given) else {
            return self.rounds.has(node);
        };
        let by_itself = port.providers.binary_search(&number).is_ok();
        let serving = self.serving[node - self.graph.plugins.len()];
        serving > usize::from(by_itself)
    }

    fn does_not_wait(&self, number: usize, want: &Want<'_>) -> Option<Finding> {
        let Found::Node(node) = want.found else {
            return None;
        };
        if !self.has_other(number, node) {
            return None;
        }
        let message = if self.graph.port(node).is_none() {
            format!(
                "does not wait for {}, which is optional: the two are in a cycle",
                want.what
            )
        } else {
            format!(
                "does not wait for {}, which is optional: it and those who offer it are in a cycle",
                want.what
            )
        };
        Some(codes::OPTIONAL_CYCLE.finding(message))
    }
}

fn duplicate(versions: &[&Version]) -> Finding {
    let named: Vec<String> = versions
        .iter()
        .take(MOST_NAMED)
        .map(|v| v.to_string())
        .collect();
    let more = if versions.len() > named.len() {
        ", .."
    } else {
        ""
    };
    let message = format!(
        "is given {} times: {}{more}",
        versions.len(),
        named.join(", ")
    );
    codes::DUPLICATE_ID
        .finding(message)
        .hint("give the resolution one of them")
}
