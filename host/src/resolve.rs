//! Which plugins can run together, and in which order they start.
//!
//! [`resolve`] takes plain values, as manifests have them, and answers plain values: it opens no file,
//! runs no plugin, and gives the same answer for the same plugins in any order. Its work grows with the
//! number of plugins and of what they need, and not faster.
//!
//! # What counts
//!
//! - A *dependency* is met by the plugin of that id, if its version matches by Cargo's rules and it
//!   can start itself.
//! - A *requirement* is met by whoever else offers the capability: the application, or any plugin
//!   that can start. A manifest does not say the major versions of what a plugin offers, so
//!   requirements are matched by id and name, and the major is compared when the plugins are loaded.
//!   Of several plugins the one of the lowest level is taken, and of those the one with the smallest
//!   id; it counts like a dependency. The others start earlier too, where that closes no circle.
//! - What is *optional* never blocks. It decides who starts first if it is there, fits, and is
//!   not part of a circle.
//!
//! ```
//! use keyway_host::resolve::{Dependency, Subject, resolve};
//! use semver::{Version, VersionReq};
//!
//! let version = Version::new(1, 4, 0);
//! let (one, two) = (VersionReq::parse("^1")?, VersionReq::parse("^2")?);
//! let needs = |id, versions| Dependency { id, versions, optional: false };
//!
//! let geocoding = Subject::new("geocoding", &version);
//! let mut weather = Subject::new("weather", &version);
//! weather.dependencies.push(needs("geocoding", &one));
//! let mut maps = Subject::new("maps", &version);
//! maps.dependencies.push(needs("geocoding", &two));
//!
//! let resolution = resolve(&[weather, maps, geocoding], &[]);
//! assert_eq!(resolution.order().collect::<Vec<_>>(), ["geocoding", "weather"]);
//! assert_eq!(resolution.dependents_of("geocoding"), ["weather"]);
//! assert_eq!(
//!     resolution.blocked()["maps"][0].message,
//!     "needs 'geocoding' ^2, and 'weather' needs 'geocoding' ^1: no version fits both, and 1.4.0 is \
//!      there",
//! );
//! # Ok::<(), semver::Error>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use semver::{Version, VersionReq};

use crate::finding::Finding;

mod arrange;
mod blame;
mod circle;
pub(crate) mod codes;
mod edges;
mod explain;
mod graph;
mod range;
mod rivals;
mod settle;
mod similar;
#[cfg(test)]
mod tests;

use edges::Edges;
use graph::{Graph, What};
use settle::Rounds;
use similar::Similar;

/// A plugin that is to run, as far as others matter for that.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// Its id. Each should be given once; of those that are not, none is taken.
    pub id: &'a str,
    /// Its version.
    pub version: &'a Version,
    /// The plugins that it names.
    pub dependencies: Vec<Dependency<'a>>,
    /// The capabilities that it requires of whoever offers them.
    pub requires: Vec<Requirement<'a>>,
    /// What it offers itself: capability ids and names, as
    /// [`Capabilities::declared`](keyway_manifest::Capabilities::declared) has them.
    pub provides: Vec<(&'a str, &'a str)>,
}

impl<'a> Subject<'a> {
    /// A plugin that needs nothing and offers nothing.
    pub fn new(id: &'a str, version: &'a Version) -> Self {
        Subject {
            id,
            version,
            dependencies: Vec::new(),
            requires: Vec::new(),
            provides: Vec::new(),
        }
    }
}

/// What a plugin needs, or can use, of another one.
#[derive(Clone, Copy, Debug)]
pub struct Dependency<'a> {
    /// The id of the other plugin.
    pub id: &'a str,
    /// The versions of it that will do, by Cargo's rules.
    pub versions: &'a VersionReq,
    /// Whether the plugin also works without it.
    pub optional: bool,
}

/// A capability that a plugin needs, or can use, whoever offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement<'a> {
    /// The id of the capability, such as `keyway.tool`.
    pub capability: &'a str,
    /// The name under which it has to be offered; any will do where there is none.
    pub name: Option<&'a str>,
    /// Its major version. It stands in messages and is not compared: manifests do not say which
    /// majors a plugin offers.
    pub major: u32,
    /// Whether the plugin also works without it.
    pub optional: bool,
}

impl fmt::Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Plugin { id, versions } => write!(f, "'{id}' {versions}"),
            What::Capability(requirement) => {
                write!(f, "{}/{}", requirement.capability, requirement.major)?;
                requirement
                    .name
                    .iter()
                    .try_for_each(|name| write!(f, " named '{name}'"))
            }
        }
    }
}

/// Who starts, in which order, and who cannot. Each plugin is either in a level or blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// All that start, in order: by level, and by id within a level. A plugin's *place* is its index.
    order: Vec<String>,
    /// Where each level begins, and the end of the last.
    bounds: Vec<usize>,
    places: BTreeMap<String, usize>,
    /// From each place to the places of what that plugin cannot do without.
    needs: Edges,
    needed_by: Edges,
    blocked: BTreeMap<String, Vec<Finding>>,
    notes: Vec<Finding>,
    circles: Vec<Vec<String>>,
}

/// Decides which of these plugins can start, and in which order. `application` is what the application
/// itself offers: capability ids and names.
///
/// See the [module](self) for the rules. Nothing is an error: who cannot start is
/// [blocked](Resolution::blocked), with every reason that there is, and the others start without.
pub fn resolve(subjects: &[Subject<'_>], application: &[(&str, &str)]) -> Resolution {
    let graph = Graph::of(subjects, application);
    let rounds = Rounds::of(&graph, |plugin| graph.plugins[plugin].has_fault());
    let arrangement = arrange::arrange(&graph, &rounds);
    let similar = Similar::to(subjects, application);
    let explained = explain::explain(&graph, &rounds, &arrangement, similar);

    let deepest = arrangement.levels.iter().flatten().max();
    let mut levels: Vec<Vec<usize>> = vec![Vec::new(); deepest.map_or(0, |level| level + 1)];
    for (plugin, level) in arrangement.levels.iter().enumerate() {
        if let Some(level) = level {
            levels[*level].push(plugin);
        }
    }
    let mut bounds = vec![0];
    for level in &levels {
        bounds.push(bounds[bounds.len() - 1] + level.len());
    }
    let starting = levels.concat();
    let mut place_of = vec![0; graph.plugins.len()];
    for (place, plugin) in starting.iter().enumerate() {
        place_of[*plugin] = place;
    }
    let needs = arrangement.needs.pairs();
    let mut needs: Vec<(usize, usize)> = needs.map(|(p, q)| (place_of[p], place_of[q])).collect();
    // One plugin can be needed for several reasons.
    needs.sort_unstable();
    needs.dedup();
    let needs = Edges::new(starting.len(), &needs);
    let names = starting.iter().map(|plugin| graph.plugins[*plugin].id);
    let order: Vec<String> = names.map(str::to_owned).collect();
    Resolution {
        bounds,
        places: order.iter().cloned().zip(0..).collect(),
        order,
        needed_by: needs.reversed(),
        needs,
        blocked: explained.blocked,
        notes: explained.notes,
        circles: explained.circles,
    }
}

/// Whether some release satisfies both requirements; none where that cannot be told, since one of them takes
/// pre-releases.
///
/// ```
/// use keyway_host::resolve::overlap;
///
/// let requirement = |text: &str| text.parse().expect("a requirement");
/// assert_eq!(overlap(&requirement("^1"), &requirement(">=1.5")), Some(true));
/// assert_eq!(overlap(&requirement("^1"), &requirement("^2")), Some(false));
/// assert_eq!(overlap(&requirement("^1"), &requirement("=2.0.0-rc.1")), None);
/// ```
pub fn overlap(one: &VersionReq, other: &VersionReq) -> Option<bool> {
    let (one, other) = (range::Range::of(one)?, range::Range::of(other)?);
    Some(!one.and(other).is_empty())
}

/// That of no plugins at all.
impl Default for Resolution {
    fn default() -> Self {
        resolve(&[], &[])
    }
}

impl Resolution {
    /// The plugins that can start at the same time, level after level: all that a plugin needs is in
    /// levels before its own. Within a level they are in the order of their ids.
    pub fn levels(&self) -> impl DoubleEndedIterator<Item = &[String]> + ExactSizeIterator {
        let bounds = self.bounds.windows(2);
        bounds.map(|bounds| &self.order[bounds[0]..bounds[1]])
    }

    /// The levels of some plugins, with nobody else in them and without those that are empty. It takes as
    /// long as there are plugins among these, however many there are in all.
    pub(crate) fn levels_of<'s>(&'s self, ids: impl Iterator<Item = &'s str>) -> Vec<Vec<&'s str>> {
        let places: BTreeSet<usize> = ids.filter_map(|id| self.places.get(id).copied()).collect();
        let level_of = |place: usize| self.bounds.partition_point(|begin| *begin <= place);
        let mut levels: Vec<Vec<&str>> = Vec::new();
        let mut last = None;
        for place in places {
            let level = level_of(place);
            if last.replace(level) != Some(level) {
                levels.push(Vec::new());
            }
            let id = self.order[place].as_str();
            if let Some(members) = levels.last_mut() {
                members.push(id);
            }
        }
        levels
    }

    /// All plugins that start, each after what it needs.
    pub fn order(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.order.iter().map(String::as_str)
    }

    /// Whether this plugin starts.
    pub fn contains(&self, id: &str) -> bool {
        self.places.contains_key(id)
    }

    /// Those that cannot start, by id, each with every reason; there is at least one.
    pub fn blocked(&self) -> &BTreeMap<String, Vec<Finding>> {
        &self.blocked
    }

    /// What plugins that start go without, in the order of their ids.
    pub fn notes(&self) -> &[Finding] {
        &self.notes
    }

    /// For each group of plugins that need each other one of the shortest circles through the plugin
    /// with the smallest id. Each plugin needs the one after it, the last one the first. All plugins of
    /// the group are blocked, with one text for the same circle; that leaves out the middle of a long
    /// one.
    pub fn cycles(&self) -> &[Vec<String>] {
        &self.circles
    }

    /// All that is to be said: of those that are blocked, and then the notes. What is found about a
    /// circle is there once, with the first of its plugins.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let mut circles = BTreeSet::new();
        let blocked = self.blocked.values().flatten().filter(move |finding| {
            *finding.code != codes::DEPENDENCY_CYCLE || circles.insert(finding.message.as_str())
        });
        blocked.chain(&self.notes)
    }

    /// What a plugin itself cannot do without, without what that needs in turn. Empty if the plugin does
    /// not start.
    pub fn needs_of(&self, id: &str) -> impl Iterator<Item = &str> {
        self.next_to(id, &self.needs)
    }

    /// The plugins that have this one among their [needs](Self::needs_of), in the order in which they start.
    pub fn users_of(&self, id: &str) -> impl Iterator<Item = &str> {
        self.next_to(id, &self.needed_by)
    }

    /// What a plugin cannot do without, at any remove, in the order in which it starts. A capability
    /// that several offer stands for the one plugin that was taken. Empty if the plugin does not start.
    pub fn dependencies_of(&self, id: &str) -> Vec<&str> {
        self.reach(id, &self.needs)
    }

    /// The plugins that have this one among their [dependencies](Self::dependencies_of), in the
    /// order in which they start: what has to be restarted with it. Who only can use it is not
    /// among them. Who is left when it is *gone* is for another resolution to say, since another plugin
    /// may offer the same.
    pub fn dependents_of(&self, id: &str) -> Vec<&str> {
        self.reach(id, &self.needed_by)
    }

    fn next_to<'s>(&'s self, id: &str, edges: &'s Edges) -> impl Iterator<Item = &'s str> {
        let place = self.places.get(id);
        let next = place.map_or(&[][..], |place| edges.of(*place));
        next.iter().map(|place| self.order[*place].as_str())
    }

    fn reach(&self, id: &str, edges: &Edges) -> Vec<&str> {
        let Some(place) = self.places.get(id) else {
            return Vec::new();
        };
        let mut reached = BTreeSet::new();
        let mut open = vec![*place];
        while let Some(place) = open.pop() {
            let next = edges.of(place).iter().copied();
            open.extend(next.filter(|next| reached.insert(*next)));
        }
        reached
            .iter()
            .map(|place| self.order[*place].as_str())
            .collect()
    }

    /// These plugins as far as they start, one after the other, each after what it needs; everybody once.
    /// One walk for all of them, whatever they have in common.
    pub(crate) fn in_turn<'s>(&'s self, ids: impl Iterator<Item = &'s str>) -> Vec<&'s str> {
        let mut taken = vec![false; self.order.len()];
        let mut turns = Vec::new();
        for id in ids {
            let mut open: Vec<usize> = self.places.get(id).copied().into_iter().collect();
            let begin = turns.len();
            while let Some(place) = open.pop() {
                if !taken[place] {
                    taken[place] = true;
                    turns.push(place);
                    open.extend(self.needs.of(place));
                }
            }
            turns[begin..].sort_unstable();
        }
        turns
            .iter()
            .map(|place| self.order[*place].as_str())
            .collect()
    }
}
