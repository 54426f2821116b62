//! In which order those start who can: levels, with everybody after what he needs and, where that
//! closes no circle, after what he can use.

use std::collections::VecDeque;

use super::circle::components;
use super::edges::Edges;
use super::graph::{Found, Graph, Want};
use super::settle::Rounds;

/// The order, and what it could not follow.
pub(super) struct Arrangement<'g, 'a> {
    /// The level of each plugin, from 0 up; none for those that cannot start.
    pub(super) levels: Vec<Option<usize>>,
    /// From each plugin to those that it cannot do without. Who needs a capability has the one that
    /// was chosen for it here.
    pub(super) needs: Edges,
    /// Optional wants that are there and decide nothing, by the plugin that has them.
    pub(super) dropped: Vec<(usize, &'g Want<'a>)>,
}

/// Arranges all that have a round.
///
/// Besides what it needs, a plugin starts after its optional dependencies, and after everybody who
/// offers a capability that it requires. Such an edge is left out if it lies on a circle: each of them,
/// so that it does not matter in which order one looks.
pub(super) fn arrange<'g, 'a>(graph: &'g Graph<'a>, rounds: &Rounds) -> Arrangement<'g, 'a> {
    let plugins = graph.plugins.len();
    let mut needs = Vec::new();
    let mut soft: Vec<(usize, usize, &Want<'a>)> = Vec::new();
    let chosen: Vec<Option<usize>> = (plugins..graph.nodes())
        .map(|port| rounds.chosen(graph, port))
        .collect();
    for (number, plugin) in graph.plugins.iter().enumerate() {
        if !rounds.has(number) {
            continue;
        }
        for want in &plugin.wants {
            let Found::Node(node) = want.found else {
                continue;
            };
            if want.optional || node >= plugins {
                soft.push((number, node, want));
            }
            if !want.optional {
                let provider = node.checked_sub(plugins).map(|port| chosen[port]);
                needs.extend(provider.unwrap_or(Some(node)).map(|to| (number, to)));
            }
        }
    }
    soft.retain(|(_, node, _)| rounds.has(*node));
    let offers = (plugins..graph.nodes()).flat_map(|port| {
        let providers = graph.needs.of(port).iter().copied();
        providers.filter(|p| rounds.has(*p)).map(move |p| (port, p))
    });

    let mut firm = needs.clone();
    firm.extend(offers);
    let mut all = firm.clone();
    all.extend(soft.iter().map(|(from, to, _)| (*from, *to)));
    let component = components(&Edges::new(graph.nodes(), &all));
    let mut dropped = Vec::new();
    for (from, to, want) in soft {
        if component[from] != component[to] {
            firm.push((from, to));
        } else if want.optional {
            dropped.push((from, want));
        }
    }
    let depths = depths(&Edges::new(graph.nodes(), &firm), |node| node < plugins);
    let levels = (0..plugins).map(|p| rounds.has(p).then(|| depths[p] - 1));
    Arrangement {
        levels: levels.collect(),
        needs: Edges::new(plugins, &needs),
        dropped,
    }
}

/// How many nodes that count are on the longest way from each node, with itself. There are no circles.
fn depths(edges: &Edges, counts: impl Fn(usize) -> bool) -> Vec<usize> {
    let back = edges.reversed();
    let nodes = edges.nodes();
    let mut awaited: Vec<usize> = (0..nodes).map(|node| edges.range(node).len()).collect();
    let mut depths = vec![0; nodes];
    let mut ready: VecDeque<usize> = (0..nodes).filter(|node| awaited[*node] == 0).collect();
    while let Some(node) = ready.pop_front() {
        depths[node] += usize::from(counts(node));
        for user in back.of(node) {
            depths[*user] = depths[*user].max(depths[node]);
            awaited[*user] -= 1;
            if awaited[*user] == 0 {
                ready.push_back(*user);
            }
        }
    }
    depths
}
