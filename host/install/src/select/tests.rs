use proptest::prelude::*;

use super::*;

fn id(text: &str) -> PluginId {
    PluginId::new(text).expect("an id")
}

fn candidate(version: &str, needs: &[(&str, &str)]) -> Candidate {
    let needs = needs.iter().map(|(needed, requirement)| {
        (
            id(needed),
            VersionReq::parse(requirement).expect("a requirement"),
        )
    });
    Candidate {
        version: Version::parse(version).expect("a version"),
        needs: needs.collect(),
    }
}

/// By plugin, the best first.
type World = BTreeMap<PluginId, Vec<Candidate>>;

fn world(plugins: &[(&str, &[Candidate])]) -> World {
    let plugins = plugins.iter();
    plugins
        .map(|(name, all)| (id(name), all.to_vec()))
        .collect()
}

fn chosen(world: &World, wanted: &[&str]) -> Selection {
    let wanted: Vec<PluginId> = wanted.iter().map(|name| id(name)).collect();
    let available =
        |id: &PluginId, _: Option<&PluginId>| Ok(world.get(id).cloned().unwrap_or_default());
    select(&wanted, &available).expect("nothing fails")
}

fn versions(selection: &Selection) -> Vec<String> {
    match selection {
        Selection::Chosen(chosen) => {
            let chosen = chosen.iter();
            chosen
                .map(|(id, version)| format!("{id} {version}"))
                .collect()
        }
        Selection::Impossible(why) => panic!("{why:?}"),
    }
}

#[test]
fn the_best_is_taken_unless_something_else_needs_another() {
    let world = world(&[
        (
            "weather",
            &[
                candidate("2.0.0", &[("geo", "^2")]),
                candidate("1.0.0", &[("geo", "^1")]),
            ],
        ),
        ("maps", &[candidate("1.0.0", &[("geo", "^1")])]),
        (
            "geo",
            &[
                candidate("2.0.0", &[]),
                candidate("1.4.0", &[]),
                candidate("1.3.0", &[]),
            ],
        ),
    ]);
    assert_eq!(
        versions(&chosen(&world, &["weather"])),
        ["geo 2.0.0", "weather 2.0.0"]
    );
    assert_eq!(
        versions(&chosen(&world, &["maps", "weather"])),
        ["geo 1.4.0", "maps 1.0.0", "weather 1.0.0"]
    );
    assert_eq!(versions(&chosen(&world, &["geo"])), ["geo 2.0.0"]);
}

#[test]
fn where_no_choice_does_the_facts_say_why() {
    let world = world(&[
        (
            "weather",
            &[
                candidate("2.0.0", &[("geo", "^2")]),
                candidate("1.9.0", &[("geo", "^2")]),
            ],
        ),
        ("maps", &[candidate("1.0.0", &[("geo", "^1")])]),
        ("geo", &[candidate("2.0.0", &[]), candidate("1.4.0", &[])]),
    ]);
    let Selection::Impossible(why) = chosen(&world, &["maps", "weather"]) else {
        panic!("there is no such choice");
    };
    assert_eq!(
        why,
        [
            "weather 1.9.0, 2.0.0 requires geo ^2",
            "maps 1.0.0 requires geo ^1",
            "geo can be had as 1.4.0, 2.0.0",
            "maps can be had as 1.0.0",
            "weather can be had as 1.9.0, 2.0.0",
        ]
    );
}

#[test]
fn what_is_needed_and_nowhere_to_be_had_is_told() {
    let world = world(&[("weather", &[candidate("1.0.0", &[("geo", "^1")])])]);
    let Selection::Impossible(why) = chosen(&world, &["weather"]) else {
        panic!("there is no such choice");
    };
    assert_eq!(
        why,
        [
            "weather 1.0.0 requires geo ^1",
            "geo cannot be had at all",
            "weather can be had as 1.0.0",
        ]
    );
}

#[test]
fn pre_releases_are_taken_where_a_requirement_names_them_and_circles_are_no_obstacle() {
    let world = world(&[
        ("one", &[candidate("1.0.0", &[("two", ">=2.0.0-rc.1")])]),
        (
            "two",
            &[
                candidate("3.0.0-beta.1", &[("one", "^1")]),
                candidate("2.0.0-rc.2", &[("one", "^1")]),
                candidate("1.0.0", &[]),
            ],
        ),
    ]);
    assert_eq!(
        versions(&chosen(&world, &["one"])),
        ["one 1.0.0", "two 2.0.0-rc.2"]
    );
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const VERSIONS: [&str; 4] = ["1.0.0", "1.1.0", "2.0.0", "2.0.1-rc.1"];
const REQUIREMENTS: [&str; 7] = ["*", "^1", "=1.0.0", ">=1.1", "^2", "<2", ">=2.0.1-rc.1"];

/// Small worlds, with what is needed and not there, circles, and versions in any order of preference.
fn worlds() -> impl Strategy<Value = World> {
    let needs = prop::collection::btree_map(0..NAMES.len(), 0..REQUIREMENTS.len(), 0..3);
    let plugin = prop::collection::btree_map(0..VERSIONS.len(), needs, 0..4).prop_shuffle_values();
    prop::collection::vec(plugin, NAMES.len()).prop_map(|plugins| {
        let plugins = NAMES.iter().zip(plugins).map(|(name, all)| {
            let all = all.into_iter().map(|(version, needs)| {
                let needs: Vec<(&str, &str)> = needs
                    .into_iter()
                    .map(|(needed, requirement)| (NAMES[needed], REQUIREMENTS[requirement]))
                    .collect();
                candidate(VERSIONS[version], &needs)
            });
            (id(name), all.collect())
        });
        plugins.collect()
    })
}

trait Shuffle: Strategy {
    /// The entries of a map, in any order.
    fn prop_shuffle_values<K, V>(self) -> impl Strategy<Value = Vec<(K, V)>>
    where
        Self: Strategy<Value = BTreeMap<K, V>> + Sized,
        K: fmt::Debug + Clone,
        V: fmt::Debug + Clone,
    {
        self.prop_map(|map| map.into_iter().collect::<Vec<_>>())
            .prop_shuffle()
    }
}

impl<S: Strategy> Shuffle for S {}

/// Whether a choice has what is wanted and what each of it needs.
fn does(world: &World, wanted: &[PluginId], choice: &BTreeMap<PluginId, Version>) -> bool {
    let has = |id: &PluginId| choice.contains_key(id);
    let is_met = |(needed, requirement): (&PluginId, &VersionReq)| {
        choice
            .get(needed)
            .is_some_and(|version| requirement.matches(version))
    };
    wanted.iter().all(has)
        && choice.iter().all(|(id, version)| {
            let candidate = world[id].iter().find(|one| one.version == *version);
            candidate.is_some_and(|one| one.needs.iter().all(is_met))
        })
}

/// All choices that there are, good or not.
fn choices(world: &World) -> Vec<BTreeMap<PluginId, Version>> {
    let mut choices = vec![BTreeMap::new()];
    for (id, candidates) in world {
        let with = choices
            .iter()
            .flat_map(|choice: &BTreeMap<PluginId, Version>| {
                candidates.iter().map(|one| {
                    let mut choice = choice.clone();
                    choice.insert(id.clone(), one.version.clone());
                    choice
                })
            });
        let with: Vec<_> = with.collect();
        choices.extend(with);
    }
    choices
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_choice_is_found_if_there_is_one_and_has_all_and_nothing_else(
        world in worlds(),
        count in 1..3_usize,
    ) {
        let wanted: Vec<PluginId> = NAMES[..count].iter().map(|name| id(name)).collect();
        let exists = choices(&world).iter().any(|choice| does(&world, &wanted, choice));
        match chosen(&world, &NAMES[..count]) {
            Selection::Chosen(choice) => {
                prop_assert!(does(&world, &wanted, &choice), "{choice:?}");
                for id in choice.keys().filter(|id| !wanted.contains(id)) {
                    let mut without = choice.clone();
                    without.remove(id);
                    prop_assert!(!does(&world, &wanted, &without), "{id} in {choice:?}");
                }
            }
            Selection::Impossible(why) => {
                prop_assert!(!exists, "{why:?}");
                prop_assert!(!why.is_empty());
            }
        }
    }
}
