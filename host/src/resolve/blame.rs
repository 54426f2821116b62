//! For each plugin that cannot start, the shortest way to one that has something wrong with itself.

use std::collections::VecDeque;

use super::graph::Graph;
use super::settle::Rounds;

/// The ways, one step for each node.
pub(super) struct Blame {
    steps: Vec<Option<Step>>,
}

#[derive(Clone, Copy)]
struct Step {
    /// Where the way goes on; none at its end.
    next: Option<usize>,
    /// The plugin at its end.
    end: usize,
    /// How many plugins are before that one, with this one.
    plugins: usize,
}

impl Blame {
    /// Goes backwards and breadth first from all plugins that are in trouble themselves. Everybody
    /// who cannot start is reached.
    pub(super) fn of(
        graph: &Graph<'_>,
        rounds: &Rounds,
        in_trouble: impl Fn(usize) -> bool,
    ) -> Self {
        let plugins = graph.plugins.len();
        let mut steps: Vec<Option<Step>> = vec![None; graph.nodes()];
        let mut waiting = VecDeque::new();
        for plugin in (0..plugins).filter(|plugin| in_trouble(*plugin)) {
            steps[plugin] = Some(Step {
                next: None,
                end: plugin,
                plugins: 0,
            });
            waiting.push_back(plugin);
        }
        // Ports cost nothing on the way, so who waits at one is reached together with it.
        while let Some(plugin) = waiting.pop_front() {
            let Some(Step {
                end, plugins: far, ..
            }) = steps[plugin]
            else {
                continue;
            };
            for user in graph.users.of(plugin).iter().copied() {
                if rounds.has(user) || steps[user].is_some() {
                    continue;
                }
                let is_plugin = user < plugins;
                steps[user] = Some(Step {
                    next: Some(plugin),
                    end,
                    plugins: far + usize::from(is_plugin),
                });
                if is_plugin {
                    waiting.push_back(user);
                    continue;
                }
                for behind in graph.users.of(user).iter().copied() {
                    if steps[behind].is_none() {
                        steps[behind] = Some(Step {
                            next: Some(user),
                            end,
                            plugins: far + 1,
                        });
                        waiting.push_back(behind);
                    }
                }
            }
        }
        Blame { steps }
    }

    /// Where the way from a node goes on; none at its end.
    pub(super) fn next(&self, node: usize) -> Option<usize> {
        self.steps[node]?.next
    }

    /// The plugin at the end of the way from a node that cannot be had.
    pub(super) fn end(&self, node: usize) -> usize {
        self.steps[node].map_or(node, |step| step.end)
    }

    /// How many plugins a way has before the one at its end.
    pub(super) fn plugins_before_end(&self, node: usize) -> usize {
        self.steps[node].map_or(0, |step| step.plugins)
    }
}
