//! Who else needs a plugin, and whether one version of it could serve all of them.

use semver::VersionReq;

use super::graph::{Found, Graph, What};
use super::range::Range;

/// What there is to know of the requirements on each plugin, so that each further look costs the same
/// however many there are. Optional ones do not count.
pub(super) struct Rivals<'a> {
    wanted: Vec<Wanted<'a>>,
}

#[derive(Clone, Default)]
struct Wanted<'a> {
    /// Whose range begins highest, and whose ends lowest: if a range is disjoint from any, then from
    /// one of these.
    highest: Option<Rival<'a>>,
    lowest: Option<Rival<'a>>,
    /// The first whom the version that is there serves.
    served: Option<(usize, &'a VersionReq)>,
    /// Whether something is required that is no range of releases.
    beyond_ranges: bool,
}

#[derive(Clone, Copy)]
struct Rival<'a> {
    plugin: usize,
    versions: &'a VersionReq,
    range: Range,
}

impl<'a> Rivals<'a> {
    pub(super) fn of(graph: &Graph<'a>) -> Self {
        let mut wanted = vec![Wanted::default(); graph.plugins.len()];
        for (plugin, wants) in graph.plugins.iter().map(|plugin| &plugin.wants).enumerate() {
            for want in wants.iter().filter(|want| !want.optional) {
                let What::Plugin { versions, .. } = want.what else {
                    continue;
                };
                match want.found {
                    Found::Node(other) => {
                        wanted[other].served.get_or_insert((plugin, versions));
                        wanted[other].add(plugin, versions);
                    }
                    Found::Unfit(other) => wanted[other].add(plugin, versions),
                    Found::Nothing | Found::OnlyItself => {}
                }
            }
        }
        Rivals { wanted }
    }

    /// Somebody who needs a version of `other` that can never be one of these.
    pub(super) fn against(
        &self,
        plugin: usize,
        other: usize,
        versions: &VersionReq,
    ) -> Option<(usize, &'a VersionReq)> {
        let range = Range::of(versions).filter(|range| !range.is_empty())?;
        let wanted = &self.wanted[other];
        [wanted.lowest, wanted.highest]
            .into_iter()
            .flatten()
            .find(|rival| rival.plugin != plugin && rival.range.and(range).is_empty())
            .map(|rival| (rival.plugin, rival.versions))
    }

    /// Somebody whom the version of `other` that is there serves.
    pub(super) fn served(&self, other: usize) -> Option<(usize, &'a VersionReq)> {
        self.wanted[other].served
    }

    /// The releases of `other` that would serve everybody, if there are several who need it and there
    /// can be such a release.
    pub(super) fn common(&self, other: usize) -> Option<Range> {
        let wanted = &self.wanted[other];
        let (highest, lowest) = (wanted.highest?, wanted.lowest?);
        let range = highest.range.and(lowest.range);
        (!wanted.beyond_ranges && !range.is_empty()).then_some(range)
    }
}

impl<'a> Wanted<'a> {
    fn add(&mut self, plugin: usize, versions: &'a VersionReq) {
        let Some(range) = Range::of(versions) else {
            self.beyond_ranges = true;
            return;
        };
        let rival = Rival {
            plugin,
            versions,
            range,
        };
        if self
            .highest
            .is_none_or(|highest| range.begins() > highest.range.begins())
        {
            self.highest = Some(rival);
        }
        if self
            .lowest
            .is_none_or(|lowest| range.ends_before(lowest.range))
        {
            self.lowest = Some(rival);
        }
    }
}
