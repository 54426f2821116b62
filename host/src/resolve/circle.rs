//! Circles in a graph: which nodes reach each other, and one concrete circle among them.

use std::collections::{HashMap, HashSet, VecDeque};

use super::edges::Edges;
use super::graph::Graph;

/// The strongly connected component of each node: two nodes reach each other if and only if theirs is
/// the same.
///
/// Tarjan's algorithm, with a stack of its own: a chain of a hundred thousand plugins would overflow
/// that of the thread.
pub(super) fn components(edges: &Edges) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let nodes = edges.nodes();
    let mut component = vec![NONE; nodes];
    let mut found = vec![NONE; nodes];
    let mut lowest = vec![NONE; nodes];
    let mut open: Vec<usize> = Vec::new();
    // A node, and the place of its edge that is looked at next.
    let mut path: Vec<(usize, usize)> = Vec::new();
    let (mut finds, mut components) = (0, 0);
    for root in 0..nodes {
        if found[root] != NONE {
            continue;
        }
        path.push((root, edges.range(root).start));
        while let Some((node, place)) = path.pop() {
            if found[node] == NONE {
                found[node] = finds;
                lowest[node] = finds;
                finds += 1;
                open.push(node);
            }
            if place < edges.range(node).end {
                let target = edges.at(place);
                path.push((node, place + 1));
                if found[target] == NONE {
                    path.push((target, edges.range(target).start));
                } else if component[target] == NONE {
                    lowest[node] = lowest[node].min(found[target]);
                }
                continue;
            }
            if let Some((parent, _)) = path.last() {
                lowest[*parent] = lowest[*parent].min(lowest[node]);
            }
            if lowest[node] == found[node] {
                while let Some(member) = open.pop() {
                    component[member] = components;
                    if member == node {
                        break;
                    }
                }
                components += 1;
            }
        }
    }
    component
}

/// Plugins that need each other, so that none can start first.
#[derive(Debug)]
pub(super) struct Knot {
    /// All plugins of it, in order.
    pub(super) members: Vec<usize>,
    /// One of its shortest circles through its first member, which comes first and is not repeated at
    /// the end. Each plugin has the port by which the one before it (for the first, the last)
    /// needs it, if it is by one.
    pub(super) circle: Vec<(usize, Option<usize>)>,
}

/// The knots among these nodes, in the order of their first members, and for each node the number of
/// its knot.
pub(super) fn knots(
    graph: &Graph<'_>,
    among: impl Fn(usize) -> bool,
) -> (Vec<Knot>, Vec<Option<usize>>) {
    let inside = |(from, to): &(usize, usize)| among(*from) && among(*to);
    let pairs: Vec<(usize, usize)> = graph.needs.pairs().filter(inside).collect();
    let edges = Edges::new(graph.nodes(), &pairs);
    let component = components(&edges);
    let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
    let plugins = (0..graph.plugins.len()).filter(|plugin| among(*plugin));
    for plugin in plugins {
        members.entry(component[plugin]).or_default().push(plugin);
    }
    // A single plugin is a knot if it needs itself; if it only offers what it requires of others, that
    // is no circle.
    members.retain(|_, members| match members.as_slice() {
        [only] => edges.of(*only).contains(only),
        _ => true,
    });
    let mut members: Vec<Vec<usize>> = members.into_values().collect();
    members.sort();
    let mut knot_of_component = HashMap::new();
    let mut knots = Vec::new();
    for members in members {
        let home = component[members[0]];
        knot_of_component.insert(home, knots.len());
        let circle = shortest(graph, &edges, &component, members[0]);
        knots.push(Knot { members, circle });
    }
    let knot_of = component
        .iter()
        .map(|component| knot_of_component.get(component).copied())
        .collect();
    (knots, knot_of)
}

/// The shortest way from a plugin back to itself within its component, breadth first.
fn shortest(
    graph: &Graph<'_>,
    edges: &Edges,
    component: &[usize],
    first: usize,
) -> Vec<(usize, Option<usize>)> {
    let is_port = |node: usize| node >= graph.plugins.len();
    let here = |node: &usize| component[*node] == component[first];
    // From where each node was reached. Ports are left at once, so only plugins wait.
    let mut reached_from: HashMap<usize, usize> = HashMap::new();
    let mut waiting = VecDeque::from([first]);
    // Those who use a plugin are plugins and the ports at which it offers something.
    let at_first: HashSet<usize> = graph.users.of(first).iter().copied().collect();
    while let Some(plugin) = waiting.pop_front() {
        for node in edges.of(plugin).iter().copied().filter(here) {
            // What the first plugin offers and requires itself is no way back to it.
            let closes = if is_port(node) {
                plugin != first && at_first.contains(&node)
            } else {
                node == first
            };
            if closes {
                let mut circle = Vec::new();
                let mut at = plugin;
                while at != first {
                    let before = reached_from[&at];
                    if is_port(before) {
                        circle.push((at, Some(before)));
                        at = reached_from[&before];
                    } else {
                        circle.push((at, None));
                        at = before;
                    }
                }
                circle.push((first, is_port(node).then_some(node)));
                circle.reverse();
                return circle;
            }
            if reached_from.contains_key(&node) {
                continue;
            }
            reached_from.insert(node, plugin);
            if !is_port(node) {
                waiting.push_back(node);
                continue;
            }
            for provider in edges.of(node).iter().copied().filter(here) {
                if provider != first && !reached_from.contains_key(&provider) {
                    reached_from.insert(provider, node);
                    waiting.push_back(provider);
                }
            }
        }
    }
    // Not reached: the members of a knot reach each other.
    vec![(first, None)]
}
