//! Directed edges between numbered nodes, in two flat lists.

use std::ops::Range;

/// Where each node's edges lead. Nodes are numbered from 0; parallel edges stay apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edges {
    /// The edges of node `n` are `targets[starts[n]..starts[n + 1]]`.
    starts: Vec<usize>,
    targets: Vec<usize>,
}

impl Edges {
    /// The edges of each node come in the order of `pairs`.
    pub(super) fn new(nodes: usize, pairs: &[(usize, usize)]) -> Self {
        let mut starts = vec![0; nodes + 1];
        for (from, _) in pairs {
            starts[from + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut free = starts.clone();
        let mut targets = vec![0; pairs.len()];
        for (from, to) in pairs {
            targets[free[*from]] = *to;
            free[*from] += 1;
        }
        Edges { starts, targets }
    }

    /// The same edges the other way round.
    pub(super) fn reversed(&self) -> Self {
        let pairs: Vec<(usize, usize)> = self.pairs().map(|(from, to)| (to, from)).collect();
        Edges::new(self.nodes(), &pairs)
    }

    pub(super) fn nodes(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.nodes()).flat_map(|from| self.of(from).iter().map(move |to| (from, *to)))
    }

    pub(super) fn of(&self, node: usize) -> &[usize] {
        let range = self.range(node);
        #[cfg(test)]
        crate::steps::add(range.len() + 1);
        &self.targets[range]
    }

    /// Where a node's edges lie, for who looks at them one by one with [`at`](Self::at).
    pub(super) fn range(&self, node: usize) -> Range<usize> {
        self.starts[node]..self.starts[node + 1]
    }

    /// The target of the edge at this place.
    pub(super) fn at(&self, place: usize) -> usize {
        #[cfg(test)]
        crate::steps::add(1);
        self.targets[place]
    }
}
