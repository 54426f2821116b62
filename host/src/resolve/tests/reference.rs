//! The same rules in the plainest code, for small worlds.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{Spec, World};

/// A plugin, or a port: a capability that is required, under a name or under any.
type Node = (String, Option<Option<String>>);

fn plugin(id: &str) -> Node {
    (id.to_owned(), None)
}

pub(super) struct Reference {
    pub(super) levels: Vec<Vec<String>>,
    pub(super) blocked: BTreeSet<String>,
    /// How many groups of plugins there are that need each other.
    pub(super) knots: usize,
    /// What each plugin that starts needs directly.
    pub(super) needs: BTreeMap<String, BTreeSet<String>>,
}

impl Spec {
    fn offers(&self, capability: &str, name: &Option<String>) -> bool {
        let mut offered = self.provides.iter();
        offered.any(|(id, offered)| id == capability && name.as_ref().is_none_or(|n| n == offered))
    }
}

impl Reference {
    pub(super) fn of(world: &World) -> Self {
        let specs = &world.specs;
        let rounds = rounds(specs, false);
        let mended = rounds_that_only_circles_stop(specs);

        let mut edges: BTreeSet<(Node, Node)> = BTreeSet::new();
        let mut soft: BTreeSet<(Node, Node)> = BTreeSet::new();
        let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for spec in specs.iter().filter(|spec| rounds.contains_key(&spec.id)) {
            let mine = needs.entry(spec.id.clone()).or_default();
            for (id, versions, optional) in &spec.dependencies {
                if *optional {
                    let there = specs.iter().find(|other| other.id == *id);
                    if there
                        .is_some_and(|o| rounds.contains_key(id) && versions.matches(&o.version))
                    {
                        soft.insert((plugin(&spec.id), plugin(id)));
                    }
                } else {
                    mine.insert(id.clone());
                }
            }
            for (capability, name, optional) in &spec.requires {
                let port = (capability.clone(), Some(name.clone()));
                soft.insert((plugin(&spec.id), port.clone()));
                let who = specs.iter().filter(|other| other.offers(capability, name));
                let who = who.filter(|other| rounds.contains_key(&other.id));
                for other in who.clone() {
                    edges.insert((port.clone(), plugin(&other.id)));
                }
                if !optional {
                    let first = who.min_by_key(|other| (rounds[&other.id], &other.id));
                    mine.insert(first.expect("somebody offers it").id.clone());
                }
            }
            let mine = mine.iter().map(|id| (plugin(&spec.id), plugin(id)));
            edges.extend(mine);
        }
        let reach = reach(edges.union(&soft).cloned().collect());
        edges.extend(
            soft.into_iter()
                .filter(|(from, to)| from != to && !reach.contains(&(to.clone(), from.clone()))),
        );

        let mut depth: BTreeMap<Node, usize> = BTreeMap::new();
        let all: BTreeSet<Node> = edges
            .iter()
            .flat_map(|(a, b)| [a.clone(), b.clone()])
            .collect();
        let all: BTreeSet<Node> = all
            .into_iter()
            .chain(rounds.keys().map(|id| plugin(id)))
            .collect();
        for _ in 0..=all.len() {
            for node in &all {
                let below = edges.iter().filter(|(from, _)| from == node);
                let below = below
                    .filter_map(|(_, to)| depth.get(to))
                    .max()
                    .copied()
                    .unwrap_or(0);
                depth.insert(node.clone(), below + usize::from(node.1.is_none()));
            }
        }
        let deepest = depth.values().max().copied().unwrap_or(0);
        let at = |level: usize| {
            let here = rounds.keys().filter(|id| depth[&plugin(id)] == level + 1);
            here.cloned().collect()
        };
        let ids: BTreeSet<&String> = specs.iter().map(|spec| &spec.id).collect();
        Reference {
            levels: (0..deepest).map(at).collect(),
            blocked: ids
                .into_iter()
                .filter(|id| !rounds.contains_key(*id))
                .cloned()
                .collect(),
            knots: knots(specs, &mended),
            needs,
        }
    }
}

/// In which round each plugin starts, if everybody starts as soon as all that he needs has.
fn rounds(specs: &[Spec], faults_are_mended: bool) -> BTreeMap<String, usize> {
    let mut started: BTreeMap<String, usize> = BTreeMap::new();
    for round in 0.. {
        let starts = |spec: &&Spec| {
            let twice = specs.iter().filter(|other| other.id == spec.id).count() > 1;
            if twice || started.contains_key(&spec.id) {
                return twice && faults_are_mended && !started.contains_key(&spec.id);
            }
            let dependencies = spec.dependencies.iter().filter(|(.., optional)| !optional);
            let mut dependencies = dependencies.map(|(id, versions, _)| {
                let same: Vec<&Spec> = specs.iter().filter(|other| other.id == *id).collect();
                match same.as_slice() {
                    [] => faults_are_mended,
                    [one] if !versions.matches(&one.version) => faults_are_mended,
                    _ => started.contains_key(id),
                }
            });
            let requires = spec.requires.iter().filter(|(.., optional)| !optional);
            let mut requires = requires.map(|(capability, name, _)| {
                let others = specs.iter().filter(|other| other.id != spec.id);
                let mut others = others
                    .filter(|other| other.offers(capability, name))
                    .peekable();
                match others.peek() {
                    None => faults_are_mended,
                    Some(_) => others.any(|other| started.contains_key(&other.id)),
                }
            });
            dependencies.all(|met| met) && requires.all(|met| met)
        };
        let next: Vec<String> = specs
            .iter()
            .filter(starts)
            .map(|spec| spec.id.clone())
            .collect();
        if next.is_empty() {
            return started;
        }
        started.extend(next.into_iter().map(|id| (id, round)));
    }
    started
}

fn rounds_that_only_circles_stop(specs: &[Spec]) -> BTreeMap<String, usize> {
    rounds(specs, true)
}

fn knots(specs: &[Spec], mended: &BTreeMap<String, usize>) -> usize {
    let stuck: Vec<&Spec> = specs
        .iter()
        .filter(|spec| !mended.contains_key(&spec.id))
        .collect();
    let mut edges = BTreeSet::new();
    for spec in &stuck {
        for other in &stuck {
            let depends = spec.dependencies.iter().any(|(id, versions, optional)| {
                !optional && *id == other.id && versions.matches(&other.version)
            });
            let requires = spec.requires.iter().any(|(capability, name, optional)| {
                let mut offering = specs.iter().filter(|s| s.offers(capability, name));
                !optional
                    && spec.id != other.id
                    && other.offers(capability, name)
                    && offering.all(|s| !mended.contains_key(&s.id))
            });
            if depends || requires {
                edges.insert((plugin(&spec.id), plugin(&other.id)));
            }
        }
    }
    let reach = reach(edges);
    let both = |a: &Node, b: &Node| {
        reach.contains(&(a.clone(), b.clone())) && reach.contains(&(b.clone(), a.clone()))
    };
    let nodes: BTreeSet<Node> = stuck.iter().map(|spec| plugin(&spec.id)).collect();
    // One for each first member.
    let leads =
        |node: &&Node| both(node, node) && !nodes.iter().any(|o| o < *node && both(o, node));
    nodes.iter().filter(leads).count()
}

fn reach(edges: BTreeSet<(Node, Node)>) -> BTreeSet<(Node, Node)> {
    let mut reach = edges.clone();
    loop {
        let further = reach.iter().flat_map(|(a, b)| {
            let on = edges.iter().filter(move |(from, _)| from == b);
            on.map(move |(_, c)| (a.clone(), c.clone()))
        });
        let further: BTreeSet<(Node, Node)> = further.collect();
        let before = reach.len();
        reach.extend(further);
        if reach.len() == before {
            return reach;
        }
    }
}
