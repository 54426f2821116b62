//! Chains and circles of plugins in words, with the middle of long ones left out.

use std::collections::HashMap;

use super::super::blame::Blame;
use super::super::circle::Knot;
use super::super::graph::{Found, Graph, What};
use super::MOST_NAMED;

/// The ways from plugins that cannot start to where the trouble is.
pub(super) struct Trails<'g, 'a> {
    graph: &'g Graph<'a>,
    blame: Blame,
    /// What is wrong with plugins at the end of a way, as far as it was asked for: many ways can end at
    /// one plugin, and it can have many wants to look through.
    troubles: HashMap<usize, String>,
}

impl<'g, 'a> Trails<'g, 'a> {
    pub(super) fn along(graph: &'g Graph<'a>, blame: Blame) -> Self {
        Trails {
            graph,
            blame,
            troubles: HashMap::new(),
        }
    }

    /// Whether the next step from a node is to this plugin.
    pub(super) fn leads_to(&self, node: usize, plugin: usize) -> bool {
        self.blame.next(node) == Some(plugin)
    }

    /// The way from a need, as what the plugin is told that has it, and the plugin at the end.
    pub(super) fn chain(&mut self, need: usize) -> (String, usize) {
        let end = self.blame.end(need);
        let mut text = String::new();
        let mut named = 0;
        let mut at = Some(need);
        while let Some(node) = at {
            // A port is named together with the plugin behind it.
            let (plugin, capability) = match (self.graph.port(node), self.blame.next(node)) {
                (Some(port), Some(plugin)) => (plugin, Some(port.capability)),
                _ => (node, None),
            };
            if named == MOST_NAMED && plugin != end {
                let left_out = self.blame.plugins_before_end(plugin);
                let plural = if left_out == 1 { "" } else { "s" };
                let end = self.id(end);
                text += &format!(", and so on over {left_out} more plugin{plural} to '{end}'");
                break;
            }
            text += match named {
                0 => "needs ",
                _ => ", which needs ",
            };
            if let Some(capability) = capability {
                text += &format!("{capability} of ");
            }
            text += &format!("'{}'", self.id(plugin));
            named += 1;
            at = self.blame.next(plugin);
        }
        let graph = self.graph;
        let trouble = self.troubles.entry(end);
        text += trouble.or_insert_with(|| trouble_of(graph, end));
        (text, end)
    }

    pub(super) fn circle(&self, knot: &Knot) -> String {
        let first = self.id(knot.circle[0].0);
        let mut text = format!("is in a dependency cycle: {first}");
        // The text ends with the member that it begins with.
        let steps = knot.circle.iter().skip(1).chain(knot.circle.first());
        let left_out = knot.circle.len().saturating_sub(MOST_NAMED);
        for (named, (member, through)) in (1..).zip(steps) {
            let is_last = named == knot.circle.len();
            if named >= MOST_NAMED && !is_last {
                continue;
            }
            if is_last && left_out > 0 {
                text += &format!(" -> ({left_out} more)");
            }
            text += &format!(" -> {}", self.id(*member));
            if let Some(port) = through.and_then(|port| self.graph.port(port)) {
                text += &format!(" (offers {})", port.capability);
            }
        }
        if knot.members.len() > knot.circle.len() {
            text += &format!(
                "; it is one of several among {} plugins that all need each other",
                knot.members.len()
            );
        }
        text
    }

    fn id(&self, plugin: usize) -> &'g str {
        self.graph.plugins[plugin].id
    }
}

/// What is wrong with the plugin where a chain ends: the first of it.
fn trouble_of(graph: &Graph<'_>, end: usize) -> String {
    let plugin = &graph.plugins[end];
    if plugin.is_duplicate() {
        return ", which is there more than once".to_owned();
    }
    let Some(want) = plugin.wants.iter().find(|want| want.is_fault()) else {
        return ", which is in a dependency cycle".to_owned();
    };
    let reason = match (want.found, want.what) {
        (Found::Unfit(other), _) => format!("and {} is there", graph.plugins[other].versions[0]),
        (Found::OnlyItself, _) => "which nobody else offers".to_owned(),
        (_, What::Plugin { .. }) => "which is missing".to_owned(),
        (_, What::Capability(_)) => "which nobody offers".to_owned(),
    };
    format!(", which needs {}, {reason}", want.what)
}
