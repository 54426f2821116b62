//! What is resolved and what is said, case by case.

mod messages;
mod properties;
mod reference;
mod scale;
mod world;

use super::resolve;
use world::World;

/// Resolves the plugins and compares all that comes out.
#[track_caller]
fn check(plugins: &str, expected: &str) {
    assert_eq!(World::parse(plugins).report(), trimmed(expected));
}

/// Without the indentation that a text in the middle of code has.
fn trimmed(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn levels_are_by_the_longest_way_and_sorted_within() {
    check(
        "weather 1.0.0 | needs geocoding ^1 | needs storage ^2
         forecast 1.0.0 | needs weather * | needs storage *
         geocoding 1.2.0 | needs network ^0.3
         network 0.3.1
         storage 2.0.0",
        "0: network storage
         1: geocoding
         2: weather
         3: forecast",
    );
}

#[test]
fn nothing_resolves_to_nothing() {
    let resolution = resolve(&[], &[]);
    assert_eq!(resolution.levels().count(), 0);
    assert_eq!(resolution.order().count(), 0);
    assert_eq!(resolution.findings().count(), 0);
}

#[test]
fn a_plugin_starts_after_its_optional_dependency() {
    check(
        "weather 1.0.0 | can-use geocoding ^1
         geocoding 1.2.0",
        "0: geocoding
         1: weather",
    );
}

#[test]
fn a_capability_is_met_by_whoever_offers_it_and_all_of_them_start_earlier() {
    check(
        "gallery 1.0.0 | requires acme.filter
         blur 1.0.0 | offers acme.filter blur
         sharpen 1.0.0 | offers acme.filter sharpen | needs gpu *
         gpu 1.0.0",
        "0: blur gpu
         1: sharpen
         2: gallery",
    );
}

#[test]
fn a_capability_under_a_name_needs_that_name() {
    check(
        "gallery 1.0.0 | requires acme.filter blur
         blur 1.0.0 | offers acme.filter blur | needs gpu *
         sharpen 1.0.0 | offers acme.filter sharpen | needs blur *
         gpu 1.0.0",
        "0: gpu
         1: blur
         2: gallery sharpen",
    );
}

#[test]
fn one_who_offers_a_capability_is_enough_if_another_is_blocked() {
    check(
        "gallery 1.0.0 | requires acme.filter
         blur 1.0.0 | offers acme.filter blur | needs gpu-driver *
         sharpen 1.0.0 | offers acme.filter sharpen",
        "0: sharpen
         1: gallery
         blur: error dependency-missing: needs 'gpu-driver' *, which is missing; hint: install \
         'gpu-driver', or enable it if it is disabled",
    );
}

#[test]
fn who_offers_a_capability_may_need_the_one_who_requires_it_if_there_is_another() {
    check(
        "gallery 1.0.0 | requires acme.filter
         blur 1.0.0 | offers acme.filter blur
         presets 1.0.0 | offers acme.filter presets | needs gallery *",
        "0: blur
         1: gallery
         2: presets",
    );
}

#[test]
fn what_a_plugin_offers_does_not_meet_its_own_requirement() {
    check(
        "cache 1.0.0 | requires keyway.provider | offers keyway.provider cache
         remote 1.0.0 | offers keyway.provider remote",
        "0: remote
         1: cache",
    );
}

#[test]
fn the_application_meets_requirements_too() {
    let world = World::parse(
        "gallery 1.0.0 | requires acme.filter blur
         album 1.0.0 | requires acme.filter sharpen",
    );
    let resolution = resolve(&world.subjects(), &[("acme.filter", "blur")]);
    assert_eq!(resolution.order().collect::<Vec<_>>(), ["gallery"]);
    assert!(resolution.blocked().contains_key("album"));
}

#[test]
fn an_optional_dependency_on_a_circle_decides_nothing() {
    check(
        "weather 1.0.0 | can-use geocoding ^1
         geocoding 1.2.0 | needs weather *",
        "0: weather
         1: geocoding
         weather: note optional-cycle: does not wait for 'geocoding' ^1, which is optional: the two \
         are in a cycle",
    );
    check(
        "cache 1.0.0 | can-require keyway.provider | offers keyway.provider cache
         remote 1.0.0 | offers keyway.provider remote",
        "0: cache remote
         cache: note optional-cycle: does not wait for keyway.provider/1, which is optional: it and \
         those who offer it are in a cycle",
    );
}

#[test]
fn the_order_says_what_restarts_with_a_plugin_and_what_it_stands_on() {
    let world = World::parse(
        "network 1.0.0
         geocoding 1.0.0 | needs network * | offers acme.places osm
         places 1.0.0 | offers acme.places local | needs geocoding *
         weather 1.0.0 | requires acme.places
         forecast 1.0.0 | needs weather * | needs network *
         clock 1.0.0 | can-use network *",
    );
    let resolution = resolve(&world.subjects(), &[]);
    let levels: Vec<&[String]> = resolution.levels().collect();
    assert_eq!(
        levels,
        [
            &["network"][..],
            &["clock", "geocoding"],
            &["places"],
            &["weather"],
            &["forecast"]
        ]
    );
    assert_eq!(
        resolution.dependents_of("network"),
        ["geocoding", "places", "weather", "forecast"],
        "the clock can do without"
    );
    assert_eq!(
        resolution.dependencies_of("forecast"),
        ["network", "geocoding", "weather"],
        "geocoding is the first of those who offer places"
    );
    assert!(resolution.dependents_of("places").is_empty());
    assert!(resolution.dependencies_of("nobody").is_empty());
    assert!(resolution.contains("clock") && !resolution.contains("nobody"));
}

#[test]
fn pre_releases_match_as_in_cargo() {
    check(
        "weather 1.0.0 | needs geocoding >=2.0.0-beta.1
         geocoding 2.0.0-beta.2",
        "0: geocoding
         1: weather",
    );
}
