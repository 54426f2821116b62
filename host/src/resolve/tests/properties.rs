//! What holds for any plugins.

use std::collections::BTreeSet;

use proptest::prelude::*;
use semver::{Version, VersionReq};

use super::reference::Reference;
use super::world::{Spec, World};
use crate::finding::{Finding, Severity};
use crate::resolve::Resolution;

const IDS: [&str; 7] = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu"];
const CAPABILITIES: [&str; 2] = ["zoo.legs", "zoo.wings"];
const NAMES: [&str; 2] = ["left", "right"];

fn version() -> impl Strategy<Value = Version> {
    prop::sample::select(vec!["1.0.0", "1.4.0", "2.0.0-rc.1"])
        .prop_map(|v| v.parse().expect("valid"))
}

fn versions() -> impl Strategy<Value = VersionReq> {
    prop::sample::select(vec!["*", "^1", "^1", "^1.2", "^2"])
        .prop_map(|v| v.parse().expect("valid"))
}

fn spec() -> impl Strategy<Value = Spec> {
    let id = |ids: &'static [&'static str]| prop::sample::select(ids).prop_map(str::to_owned);
    let dependency = (id(&IDS), versions(), prop::bool::weighted(0.3));
    let name = prop::option::of(id(&NAMES));
    let requirement = (id(&CAPABILITIES), name, prop::bool::weighted(0.4));
    (
        id(&IDS),
        version(),
        prop::collection::vec(dependency, 0..3),
        prop::collection::vec(requirement, 0..3),
        prop::collection::vec((id(&CAPABILITIES), id(&NAMES)), 0..3),
    )
        .prop_map(|(id, version, dependencies, requires, provides)| Spec {
            id,
            version,
            dependencies,
            requires,
            provides,
        })
}

/// Mostly without the same id twice, so that something resolves.
fn world() -> impl Strategy<Value = World> {
    (
        prop::collection::vec(spec(), 0..9),
        prop::bool::weighted(0.8),
    )
        .prop_map(|(mut specs, unique)| {
            if unique {
                let mut seen = BTreeSet::new();
                specs.retain(|spec| seen.insert(spec.id.clone()));
            }
            World { specs }
        })
}

fn levels(resolution: &Resolution) -> Vec<Vec<String>> {
    resolution.levels().map(<[String]>::to_vec).collect()
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code.id).collect()
}

/// Everybody whose fate may have to do with this plugin.
fn touched_by(world: &World, id: &str) -> BTreeSet<String> {
    let mut touched = BTreeSet::from([id.to_owned()]);
    loop {
        let before = touched.len();
        for spec in &world.specs {
            let names = spec
                .dependencies
                .iter()
                .any(|(id, ..)| touched.contains(id));
            let offerers = world
                .specs
                .iter()
                .filter(|other| touched.contains(&other.id));
            let offers: BTreeSet<&String> = offerers
                .flat_map(|o| o.provides.iter().map(|(c, _)| c))
                .collect();
            let requires = spec
                .requires
                .iter()
                .any(|(capability, ..)| offers.contains(capability));
            if names || requires {
                touched.insert(spec.id.clone());
            }
        }
        if touched.len() == before {
            return touched;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn it_agrees_with_the_plainest_code(world in world()) {
        let (resolution, reference) = (world.resolve(), Reference::of(&world));
        prop_assert_eq!(levels(&resolution), reference.levels);
        let blocked: BTreeSet<String> = resolution.blocked().keys().cloned().collect();
        prop_assert_eq!(blocked, reference.blocked);
        prop_assert_eq!(resolution.cycles().len(), reference.knots);
        for (id, needs) in &reference.needs {
            let mut all = needs.clone();
            for place in resolution.order() {
                if all.contains(place) {
                    continue;
                }
                let users = resolution.dependents_of(place);
                if needs.iter().any(|need| users.contains(&need.as_str())) {
                    all.insert(place.to_owned());
                }
            }
            let found = resolution.dependencies_of(id).into_iter().map(str::to_owned);
            prop_assert_eq!(found.collect::<BTreeSet<_>>(), all);
        }
    }

    #[test]
    fn the_levels_of_some_are_all_levels_without_the_others(world in world()) {
        let resolution = world.resolve();
        for every in 1..4 {
            let is_one = |id: &&str| id.bytes().map(usize::from).sum::<usize>().is_multiple_of(every);
            let some: Vec<&str> = resolution.order().rev().filter(is_one).collect();
            let levels = resolution.levels().map(|level| {
                level.iter().map(String::as_str).filter(is_one).collect::<Vec<_>>()
            });
            let levels: Vec<_> = levels.filter(|level| !level.is_empty()).collect();
            prop_assert_eq!(resolution.levels_of(some.into_iter()), levels);
        }
    }

    #[test]
    fn everybody_is_in_one_level_or_blocked_with_a_reason(world in world()) {
        let resolution = world.resolve();
        let mut seen = BTreeSet::new();
        for id in resolution.order() {
            prop_assert!(seen.insert(id.to_owned()), "{} starts twice", id);
            prop_assert!(resolution.contains(id));
        }
        for (id, findings) in resolution.blocked() {
            prop_assert!(seen.insert(id.clone()), "{} starts and is blocked", id);
            prop_assert!(!findings.is_empty());
            prop_assert!(findings.iter().all(|f| f.severity() == Severity::Error));
            prop_assert!(findings.iter().all(|f| f.plugin.as_deref() == Some(id)));
        }
        let all: BTreeSet<String> = world.specs.iter().map(|spec| spec.id.clone()).collect();
        prop_assert_eq!(seen, all);
        prop_assert!(resolution.notes().iter().all(|f| f.severity() == Severity::Note));
    }

    #[test]
    fn what_a_plugin_needs_fits_and_starts_earlier(world in world()) {
        let resolution = world.resolve();
        let levels = levels(&resolution);
        let level = |id: &str| levels.iter().position(|level| level.iter().any(|i| i == id));
        for spec in world.specs.iter().filter(|spec| resolution.contains(&spec.id)) {
            let mine = level(&spec.id).expect("it starts");
            for (id, versions, _) in spec.dependencies.iter().filter(|(.., optional)| !optional) {
                let other = world.specs.iter().find(|other| other.id == *id).expect("it is there");
                prop_assert!(versions.matches(&other.version));
                prop_assert!(level(id).is_some_and(|theirs| theirs < mine));
                prop_assert!(resolution.dependencies_of(&spec.id).contains(&id.as_str()));
                prop_assert!(resolution.dependents_of(id).contains(&spec.id.as_str()));
            }
            for (capability, name, _) in spec.requires.iter().filter(|(.., optional)| !optional) {
                let offers = |other: &&str| world.specs.iter().any(|s| {
                    s.id == **other && s.provides.iter().any(|(c, n)| {
                        c == capability && name.as_ref().is_none_or(|name| name == n)
                    })
                });
                let before = resolution.dependencies_of(&spec.id);
                let offerer = before.iter().find(|other| offers(other));
                prop_assert!(offerer.is_some_and(|o| level(o).is_some_and(|theirs| theirs < mine)));
            }
        }
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(
        (world, shuffled) in world().prop_flat_map(|world| {
            let shuffled = Just(world.specs.clone()).prop_shuffle();
            (Just(world), shuffled)
        }),
        reverse in any::<bool>(),
    ) {
        let mut shuffled = World { specs: shuffled };
        if reverse {
            for spec in &mut shuffled.specs {
                spec.dependencies.reverse();
                spec.requires.reverse();
                spec.provides.reverse();
            }
        }
        prop_assert_eq!(world.resolve(), shuffled.resolve());
    }

    #[test]
    fn without_a_blocked_plugin_nothing_changes_for_the_others(world in world()) {
        let resolution = world.resolve();
        for gone in resolution.blocked().keys() {
            let mut rest = world.clone();
            rest.specs.retain(|spec| spec.id != *gone);
            let after = rest.resolve();
            prop_assert_eq!(levels(&resolution), levels(&after));
            let touched = touched_by(&world, gone);
            for (id, findings) in resolution.blocked() {
                prop_assert_eq!(id != gone, after.blocked().contains_key(id));
                if !touched.contains(id) {
                    prop_assert_eq!(codes(findings), codes(&after.blocked()[id]));
                }
            }
        }
    }

    #[test]
    fn a_circle_is_a_circle_and_begins_with_its_smallest_member(world in world()) {
        let resolution = world.resolve();
        for circle in resolution.cycles() {
            prop_assert_eq!(circle.iter().min(), circle.first());
            prop_assert_eq!(circle.iter().collect::<BTreeSet<_>>().len(), circle.len());
            for (member, next) in circle.iter().zip(circle.iter().cycle().skip(1)) {
                let findings = codes(&resolution.blocked()[member]);
                prop_assert!(findings.contains(&"dependency-cycle"));
                let find = |id: &String| world.specs.iter().find(|spec| spec.id == *id).expect("it is there");
                let (from, to) = (find(member), find(next));
                let depends = from.dependencies.iter().any(|(id, versions, optional)| {
                    id == next && !optional && versions.matches(&to.version)
                });
                let requires = member != next && from.requires.iter().any(|(capability, name, optional)| {
                    !optional && to.provides.iter().any(|(c, n)| {
                        c == capability && name.as_ref().is_none_or(|name| name == n)
                    })
                });
                prop_assert!(depends || requires, "{} does not need {}", member, next);
            }
        }
    }
}
