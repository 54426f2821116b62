//! Who can start at all: the smallest set in which everybody finds what he needs among those who
//! started before him.

use std::collections::VecDeque;

use super::graph::Graph;

/// For each node the round in which it can be had, if it ever can.
///
/// A plugin comes one round after the last of what it needs, in round 0 if it needs nothing; a
/// port in the round of the first who offers it. So a plugin in a circle never comes, and neither does
/// who needs it.
pub(super) struct Rounds {
    rounds: Vec<Option<usize>>,
}

impl Rounds {
    /// Lets everybody start but those that `refused` says.
    pub(super) fn of(graph: &Graph<'_>, refused: impl Fn(usize) -> bool) -> Self {
        let plugins = graph.plugins.len();
        let mut rounds: Vec<Option<usize>> = vec![None; graph.nodes()];
        // How much of what it needs each plugin still waits for.
        let mut awaited: Vec<usize> = (0..plugins).map(|p| graph.needs.range(p).len()).collect();
        for (port, node) in graph.ports.iter().zip(plugins..) {
            if port.given {
                rounds[node] = Some(0);
                for user in graph.users.of(node) {
                    awaited[*user] -= 1;
                }
            }
        }
        let mut ready: VecDeque<usize> = VecDeque::new();
        for plugin in 0..plugins {
            if awaited[plugin] == 0 && !refused(plugin) {
                rounds[plugin] = Some(0);
                ready.push_back(plugin);
            }
        }
        // First in, first out: so rounds come in order, and what completes a plugin's needs is the
        // last of them also by round.
        while let Some(plugin) = ready.pop_front() {
            let next = rounds[plugin].map(|round| round + 1);
            let mut met = |user: usize, rounds: &mut Vec<Option<usize>>| {
                awaited[user] -= 1;
                if awaited[user] == 0 && !refused(user) {
                    rounds[user] = next;
                    ready.push_back(user);
                }
            };
            for user in graph.users.of(plugin) {
                if *user < plugins {
                    met(*user, &mut rounds);
                } else if rounds[*user].is_none() {
                    rounds[*user] = rounds[plugin];
                    for behind in graph.users.of(*user) {
                        met(*behind, &mut rounds);
                    }
                }
            }
        }
        Rounds { rounds }
    }

    pub(super) fn has(&self, node: usize) -> bool {
        self.rounds[node].is_some()
    }

    /// Who is taken to offer a port: of those who come first, the one with the smallest id. None if
    /// nobody does, or the application.
    pub(super) fn chosen(&self, graph: &Graph<'_>, port: usize) -> Option<usize> {
        if graph.port(port)?.given {
            return None;
        }
        let providers = graph.needs.of(port).iter().copied();
        let (_, chosen) = providers.filter_map(|p| Some((self.rounds[p]?, p))).min()?;
        Some(chosen)
    }
}
