//! Subjects as a graph with numbers in place of names.
//!
//! Plugins are numbered in the order of their ids, so that nothing depends on the order of the input.
//! After them come the *ports*: one for each capability that somebody requires, between those who
//! require it and those who offer it. Without ports a capability that a hundred plugins offer and a
//! thousand require would be a hundred thousand edges.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use semver::{Version, VersionReq};

use super::edges::Edges;
use super::{Requirement, Subject};

/// The subjects, and how they hang together by what they cannot do without.
pub(super) struct Graph<'a> {
    /// In the order of ids; a plugin's node is its index.
    pub(super) plugins: Vec<Plugin<'a>>,
    /// A port's node is its index after that of the last plugin.
    pub(super) ports: Vec<Port<'a>>,
    /// From each plugin to what it cannot do without, as far as that is there: plugins and ports; all
    /// of them have to be met. From each port to those who offer it; one of them will do.
    pub(super) needs: Edges,
    /// The same edges from the other end.
    pub(super) users: Edges,
}

pub(super) struct Plugin<'a> {
    pub(super) id: &'a str,
    /// More than one if the id was given more than once: then the plugin wants nothing and is not
    /// taken.
    pub(super) versions: Vec<&'a Version>,
    pub(super) wants: Vec<Want<'a>>,
}

/// Something that a plugin needs or can use, and what there is of it.
pub(super) struct Want<'a> {
    pub(super) what: What<'a>,
    pub(super) optional: bool,
    pub(super) found: Found,
}

/// The order of variants and fields is the order of findings.
#[derive(Clone, Copy)]
pub(super) enum What<'a> {
    Plugin {
        id: &'a str,
        versions: &'a VersionReq,
    },
    Capability(Requirement<'a>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A plugin that fits, or a port that somebody else offers.
    Node(usize),
    Nothing,
    /// A plugin of another version.
    Unfit(usize),
    /// A capability that nobody offers but the plugin that requires it.
    OnlyItself,
}

/// A capability, under one name or under any.
pub(super) struct Port<'a> {
    pub(super) capability: &'a str,
    /// Plugins that offer it, in order.
    pub(super) providers: Vec<usize>,
    /// Whether the application offers it.
    pub(super) given: bool,
}

impl Plugin<'_> {
    pub(super) fn is_duplicate(&self) -> bool {
        self.versions.len() > 1
    }

    /// Whether something is wrong with the plugin that no other plugin's start would mend.
    pub(super) fn has_fault(&self) -> bool {
        self.is_duplicate() || self.wants.iter().any(Want::is_fault)
    }
}

impl Want<'_> {
    /// Whether the plugin needs this, and there is nothing that could become it.
    pub(super) fn is_fault(&self) -> bool {
        !self.optional && !matches!(self.found, Found::Node(_))
    }
}

type PortKey<'a> = (&'a str, Option<&'a str>);

impl<'a> Graph<'a> {
    pub(super) fn of(subjects: &[Subject<'a>], application: &[(&'a str, &'a str)]) -> Self {
        let mut by_id: BTreeMap<&str, Vec<&Subject<'a>>> = BTreeMap::new();
        for subject in subjects {
            by_id.entry(subject.id).or_default().push(subject);
        }
        let numbers: HashMap<&str, usize> = by_id.keys().copied().zip(0..).collect();

        let required = subjects.iter().flat_map(|subject| &subject.requires);
        let keys: BTreeSet<PortKey<'a>> = required.map(|r| (r.capability, r.name)).collect();
        let mut ports: Vec<Port<'a>> = keys
            .iter()
            .map(|(capability, _)| Port {
                capability,
                providers: Vec::new(),
                given: false,
            })
            .collect();
        let ports_by_key: HashMap<PortKey<'a>, usize> = keys.into_iter().zip(0..).collect();
        let offered_at = |capability, name| {
            let keys = [(capability, None), (capability, Some(name))];
            keys.into_iter()
                .filter_map(|key| ports_by_key.get(&key).copied())
        };
        for (capability, name) in application {
            for port in offered_at(capability, name) {
                ports[port].given = true;
            }
        }
        for (number, same_id) in by_id.values().enumerate() {
            for (capability, name) in same_id.iter().flat_map(|subject| &subject.provides) {
                for port in offered_at(capability, name) {
                    let providers = &mut ports[port].providers;
                    // A plugin's offers follow one another, so this is enough against duplicates.
                    if providers.last() != Some(&number) {
                        providers.push(number);
                    }
                }
            }
        }

        let look_up = LookUp {
            by_id: &by_id,
            numbers: &numbers,
            ports: &ports,
            ports_by_key: &ports_by_key,
        };
        let plugins: Vec<Plugin<'a>> = by_id
            .iter()
            .map(|(id, same_id)| {
                let mut versions: Vec<_> = same_id.iter().map(|subject| subject.version).collect();
                versions.sort();
                let wants = match same_id.as_slice() {
                    [subject] => look_up.wants(numbers[id], subject),
                    _ => Vec::new(),
                };
                Plugin {
                    id,
                    versions,
                    wants,
                }
            })
            .collect();

        let mut pairs = Vec::new();
        for (number, plugin) in plugins.iter().enumerate() {
            for want in plugin.wants.iter().filter(|want| !want.optional) {
                if let Found::Node(node) = want.found {
                    pairs.push((number, node));
                }
            }
        }
        for (port, node) in ports.iter().zip(plugins.len()..) {
            pairs.extend(port.providers.iter().map(|provider| (node, *provider)));
        }
        let needs = Edges::new(plugins.len() + ports.len(), &pairs);
        let users = needs.reversed();
        Graph {
            plugins,
            ports,
            needs,
            users,
        }
    }

    pub(super) fn nodes(&self) -> usize {
        self.plugins.len() + self.ports.len()
    }

    /// The port at this node; none if there is a plugin.
    pub(super) fn port(&self, node: usize) -> Option<&Port<'a>> {
        node.checked_sub(self.plugins.len())
            .map(|index| &self.ports[index])
    }
}

struct LookUp<'g, 'a> {
    by_id: &'g BTreeMap<&'a str, Vec<&'g Subject<'a>>>,
    numbers: &'g HashMap<&'a str, usize>,
    ports: &'g [Port<'a>],
    ports_by_key: &'g HashMap<PortKey<'a>, usize>,
}

impl<'a> LookUp<'_, 'a> {
    /// In an order that is not that of the input: plugins by id, then capabilities.
    fn wants(&self, number: usize, subject: &Subject<'a>) -> Vec<Want<'a>> {
        let mut dependencies = subject.dependencies.clone();
        dependencies.sort_by_cached_key(|d| (d.id, d.optional, d.versions.to_string()));
        let mut requires = subject.requires.clone();
        requires.sort();
        let plugins = dependencies.into_iter().map(|dependency| Want {
            what: What::Plugin {
                id: dependency.id,
                versions: dependency.versions,
            },
            optional: dependency.optional,
            found: self.plugin(dependency.id, dependency.versions),
        });
        let capabilities = requires.into_iter().map(|requirement| Want {
            what: What::Capability(requirement),
            optional: requirement.optional,
            found: self.capability(number, requirement),
        });
        plugins.chain(capabilities).collect()
    }

    fn plugin(&self, id: &str, versions: &VersionReq) -> Found {
        let Some(number) = self.numbers.get(id) else {
            return Found::Nothing;
        };
        match self.by_id[id].as_slice() {
            [subject] if !versions.matches(subject.version) => Found::Unfit(*number),
            // Of several with one id nobody can say which version it would be; none is taken.
            _ => Found::Node(*number),
        }
    }

    fn capability(&self, number: usize, requirement: Requirement<'a>) -> Found {
        let index = self.ports_by_key[&(requirement.capability, requirement.name)];
        let port = &self.ports[index];
        match port.providers.as_slice() {
            _ if port.given => {}
            [] => return Found::Nothing,
            [only] if *only == number => return Found::OnlyItself,
            _ => {}
        }
        Found::Node(self.by_id.len() + index)
    }
}
