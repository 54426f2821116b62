//! Every message, word by word.

use super::check;
use super::world::World;

#[test]
fn a_missing_dependency_names_what_may_be_meant() {
    check(
        "weather 1.0.0 | needs geocodign ^1
         geocoding 1.0.0",
        "0: geocoding
         weather: error dependency-missing: needs 'geocodign' ^1, which is missing; hint: there is \
         'geocoding'; is that what is meant?",
    );
    check(
        "weather 1.0.0 | needs geocoding ^1",
        "weather: error dependency-missing: needs 'geocoding' ^1, which is missing; hint: install \
         'geocoding', or enable it if it is disabled",
    );
}

#[test]
fn a_version_that_does_not_fit_is_told_with_what_would() {
    check(
        "weather 1.0.0 | needs geocoding ^2
         geocoding 1.4.0",
        "0: geocoding
         weather: error dependency-version: needs 'geocoding' ^2, and 1.4.0 is there; hint: install a \
         version of 'geocoding' that fits all who need it: at least 2.0.0 and below 3.0.0",
    );
}

#[test]
fn ranges_that_cannot_hold_together_name_both_who_need_them() {
    check(
        "weather 1.0.0 | needs geocoding ^1.2
         maps 2.0.0 | needs geocoding ^2
         geocoding 2.1.0",
        "0: geocoding
         1: maps
         weather: error dependency-version: needs 'geocoding' ^1.2, and 'maps' needs 'geocoding' ^2: \
         no version fits both, and 2.1.0 is there; hint: use a version of 'weather' or of 'maps' that \
         goes with the same 'geocoding', or disable one of the two",
    );
    // Neither is served.
    check(
        "weather 1.0.0 | needs geocoding ^1
         maps 2.0.0 | needs geocoding ^2
         geocoding 3.0.0",
        "0: geocoding
         maps: error dependency-version: needs 'geocoding' ^2, and 'weather' needs 'geocoding' ^1: no \
         version fits both, and 3.0.0 is there; hint: use a version of 'maps' or of 'weather' that \
         goes with the same 'geocoding', or disable one of the two
         weather: error dependency-version: needs 'geocoding' ^1, and 'maps' needs 'geocoding' ^2: no \
         version fits both, and 3.0.0 is there; hint: use a version of 'weather' or of 'maps' that \
         goes with the same 'geocoding', or disable one of the two",
    );
}

#[test]
fn ranges_that_can_hold_together_are_answered_with_what_fits_all() {
    check(
        "weather 1.0.0 | needs geocoding ^1.4
         maps 2.0.0 | needs geocoding >=1, <1.9
         geocoding 1.2.0",
        "0: geocoding
         1: maps
         weather: error dependency-version: needs 'geocoding' ^1.4, and 1.2.0 is there, which fits \
         'maps' (>=1, <1.9); hint: install a version of 'geocoding' that fits all who need it: at \
         least 1.4.0 and below 1.9.0",
    );
}

#[test]
fn what_only_can_be_used_limits_nobody() {
    check(
        "weather 1.0.0 | needs geocoding ^1
         maps 2.0.0 | can-use geocoding ^2
         geocoding 1.0.0",
        "0: geocoding maps
         1: weather
         maps: note optional-unmet: goes without 'geocoding' ^2, which is optional, and 1.0.0 is there",
    );
}

#[test]
fn a_pre_release_that_would_fit_is_explained() {
    check(
        "weather 1.0.0 | needs geocoding ^2
         geocoding 2.0.0-beta.2",
        "0: geocoding
         weather: error dependency-version: needs 'geocoding' ^2, and 2.0.0-beta.2 is there; hint: \
         2.0.0-beta.2 is a pre-release, which only a requirement with a pre-release takes, such as \
         \">=2.0.0-beta.2\"",
    );
}

#[test]
fn ranges_with_pre_releases_are_not_combined() {
    check(
        "weather 1.0.0 | needs geocoding >=2.0.0-rc.1
         maps 1.0.0 | needs geocoding ^1
         geocoding 1.0.0",
        "0: geocoding
         1: maps
         weather: error dependency-version: needs 'geocoding' >=2.0.0-rc.1, and 1.0.0 is there, which \
         fits 'maps' (^1); hint: install a version of 'geocoding' that fits >=2.0.0-rc.1, or a version \
         of 'weather' that works with 1.0.0",
    );
}

#[test]
fn a_circle_is_told_once_from_its_smallest_member() {
    let world = "carol 1.0.0 | needs alice *
                 alice 1.0.0 | needs bob *
                 bob 1.0.0 | needs carol *";
    let hint = "hint: take one of these dependencies out, or make it optional";
    let text = "error dependency-cycle: is in a dependency cycle: alice -> bob -> carol -> alice";
    check(
        world,
        &format!("alice: {text}; {hint}\nbob: {text}; {hint}\ncarol: {text}; {hint}"),
    );
    let resolution = World::parse(world).resolve();
    assert_eq!(resolution.cycles(), [["alice", "bob", "carol"]]);
    let told: Vec<String> = resolution.findings().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [format!(
            "plugin 'alice': is in a dependency cycle: alice -> bob -> carol -> alice; {hint}"
        )]
    );
}

#[test]
fn a_plugin_that_needs_itself_is_a_circle() {
    check(
        "alice 1.0.0 | needs alice *",
        "alice: error dependency-cycle: is in a dependency cycle: alice -> alice; hint: take one of \
         these dependencies out, or make it optional",
    );
}

#[test]
fn several_circles_among_the_same_plugins_are_one_finding_with_one_of_them() {
    let world = "alice 1.0.0 | needs bob *
                 bob 1.0.0 | needs alice * | needs carol *
                 carol 1.0.0 | needs bob *
                 xenia 1.0.0 | needs yuri *
                 yuri 1.0.0 | needs xenia *";
    let resolution = World::parse(world).resolve();
    assert_eq!(resolution.cycles(), [["alice", "bob"], ["xenia", "yuri"]]);
    let told: Vec<&str> = resolution.findings().map(|f| f.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "is in a dependency cycle: alice -> bob -> alice; it is one of several among 3 plugins that \
             all need each other",
            "is in a dependency cycle: xenia -> yuri -> xenia",
        ]
    );
}

#[test]
fn a_circle_over_a_capability_says_which() {
    let hint = "hint: take one of these dependencies out, or make it optional";
    let text = "error dependency-cycle: is in a dependency cycle: blur -> gallery -> blur (offers \
                acme.filter)";
    check(
        "gallery 1.0.0 | requires acme.filter
         blur 1.0.0 | offers acme.filter blur | needs gallery *",
        &format!("blur: {text}; {hint}\ngallery: {text}; {hint}"),
    );
    // Both require what the other one offers, and each also what it offers itself.
    let text = "error dependency-cycle: is in a dependency cycle: left -> right (offers acme.half) -> \
                left (offers acme.half)";
    check(
        "left 1.0.0 | requires acme.half | offers acme.half left
         right 1.0.0 | requires acme.half | offers acme.half right",
        &format!("left: {text}; {hint}\nright: {text}; {hint}"),
    );
}

#[test]
fn who_needs_a_blocked_plugin_is_told_the_way_to_the_trouble() {
    check(
        "forecast 1.0.0 | needs weather *
         weather 1.0.0 | needs maps *
         maps 1.0.0 | needs geocoding ^1",
        "forecast: error dependency-blocked: needs 'weather', which needs 'maps', which needs \
         'geocoding' ^1, which is missing; hint: see what is found about 'maps'
         maps: error dependency-missing: needs 'geocoding' ^1, which is missing; hint: install \
         'geocoding', or enable it if it is disabled
         weather: error dependency-blocked: needs 'maps', which needs 'geocoding' ^1, which is \
         missing; hint: see what is found about 'maps'",
    );
}

#[test]
fn a_chain_ends_with_whatever_the_trouble_is() {
    for (trouble, told) in [
        (
            "maps 1.0.0 | needs clock ^2\nclock 1.0.0",
            "needs 'maps', which needs 'clock' ^2, and 1.0.0 is there",
        ),
        (
            "maps 1.0.0 | requires acme.places osm",
            "needs 'maps', which needs acme.places/1 named 'osm', which nobody offers",
        ),
        (
            "maps 1.0.0 | requires acme.places | offers acme.places local",
            "needs 'maps', which needs acme.places/1, which nobody else offers",
        ),
        (
            "maps 1.0.0\nmaps 1.1.0",
            "needs 'maps', which is there more than once",
        ),
        (
            "maps 1.0.0 | needs roads *\nroads 1.0.0 | needs maps *",
            "needs 'maps', which is in a dependency cycle",
        ),
        (
            "maps 1.0.0 | requires acme.places\nplaces 1.0.0 | offers acme.places a | needs gps *",
            "needs 'maps', which needs acme.places of 'places', which needs 'gps' *, which is missing",
        ),
    ] {
        let world = World::parse(&format!("weather 1.0.0 | needs maps *\n{trouble}"));
        let resolution = world.resolve();
        let findings = &resolution.blocked()["weather"];
        let messages: Vec<&str> = findings.iter().map(|f| f.message.as_str()).collect();
        assert_eq!(messages, [told]);
        assert_eq!(findings[0].code.id, "dependency-blocked");
    }
}

#[test]
fn a_plugin_is_told_of_everything_that_blocks_it() {
    check(
        "weather 1.0.0 | needs maps * | needs geocoding ^1 | needs roads ^2 | requires acme.sky
         maps 1.0.0 | needs weather *
         roads 1.0.0",
        "0: roads
         maps: error dependency-cycle: is in a dependency cycle: maps -> weather -> maps; hint: take \
         one of these dependencies out, or make it optional
         weather: error dependency-cycle: is in a dependency cycle: maps -> weather -> maps; hint: \
         take one of these dependencies out, or make it optional
         weather: error dependency-missing: needs 'geocoding' ^1, which is missing; hint: install \
         'geocoding', or enable it if it is disabled
         weather: error dependency-version: needs 'roads' ^2, and 1.0.0 is there; hint: install a \
         version of 'roads' that fits all who need it: at least 2.0.0 and below 3.0.0
         weather: error capability-missing: needs acme.sky/1, which nobody offers; hint: install a \
         plugin that offers it, or enable it if it is disabled",
    );
}

#[test]
fn a_missing_capability_names_what_may_be_meant() {
    check(
        "gallery 1.0.0 | requires acme.filter blurr
         album 1.0.0 | requires acme.fliter
         shelf 1.0.0 | requires acme.filter sharpen
         filters 1.0.0 | offers acme.filter blur",
        "0: filters
         album: error capability-missing: needs acme.fliter/1, which nobody offers; hint: there is \
         acme.filter; is that what is meant?
         gallery: error capability-missing: needs acme.filter/1 named 'blurr', which nobody offers; \
         hint: there is acme.filter named 'blur'; is that what is meant?
         shelf: error capability-missing: needs acme.filter/1 named 'sharpen', which nobody offers; \
         hint: install a plugin that offers it, or enable it if it is disabled",
    );
    check(
        "cache 1.0.0 | requires keyway.provider | offers keyway.provider cache",
        "cache: error capability-missing: needs keyway.provider/1, which nobody else offers; hint: it \
         is needed before this plugin can offer it; take it out of [plugin.requires], or make it \
         optional",
    );
}

#[test]
fn a_capability_whose_only_other_way_leads_back_is_told_so() {
    // What is behind the gallery is its own; the other one who offers filters is behind the gallery.
    check(
        "gallery 1.0.0 | requires acme.filter | offers acme.filter own | needs gpu *
         blur 1.0.0 | offers acme.filter blur | needs camera *
         camera 1.0.0 | needs lens *",
        "blur: error dependency-blocked: needs 'camera', which needs 'lens' *, which is missing; hint: \
         see what is found about 'camera'
         camera: error dependency-missing: needs 'lens' *, which is missing; hint: install 'lens', or \
         enable it if it is disabled
         gallery: error dependency-missing: needs 'gpu' *, which is missing; hint: install 'gpu', or \
         enable it if it is disabled
         gallery: error dependency-blocked: needs acme.filter, and all others who offer it are blocked",
    );
}

#[test]
fn the_same_id_twice_is_taken_by_nobody() {
    check(
        "weather 1.2.0
         weather 1.0.0
         forecast 1.0.0 | needs weather ^1.2
         clock 1.0.0 | can-use weather *",
        "0: clock
         forecast: error dependency-blocked: needs 'weather', which is there more than once; hint: \
         see what is found about 'weather'
         weather: error id-repeated: is given 2 times: 1.0.0, 1.2.0; hint: give the resolution one of \
         them
         clock: note optional-unmet: goes without 'weather' *, which is optional and blocked",
    );
}

#[test]
fn what_is_optional_and_not_there_is_a_note() {
    check(
        "weather 1.0.0 | can-use geocodign * | can-use maps * | can-require acme.sky blue
         clock 1.0.0 | can-require acme.dial | offers acme.dial clock
         gallery 1.0.0 | can-require acme.filter
         geocoding 1.0.0
         maps 1.0.0 | needs roads * | offers acme.filter map",
        "0: clock gallery geocoding weather
         maps: error dependency-missing: needs 'roads' *, which is missing; hint: install 'roads', or \
         enable it if it is disabled
         clock: note optional-unmet: goes without acme.dial/1, which is optional, and nobody else \
         offers it
         gallery: note optional-unmet: goes without acme.filter/1, which is optional, and everybody \
         who offers it is blocked
         weather: note optional-unmet: goes without 'geocodign' *, which is optional and missing; \
         hint: there is 'geocoding'; is that what is meant?
         weather: note optional-unmet: goes without 'maps' *, which is optional and blocked
         weather: note optional-unmet: goes without acme.sky/1 named 'blue', which is optional, and \
         nobody offers it",
    );
}

#[test]
fn long_chains_and_circles_leave_their_middle_out() {
    let chain = |last: &str| -> String {
        let link = |n| format!("p{n:02} 1.0.0 | needs p{:02} *\n", n + 1);
        (0..20).map(link).collect::<String>() + last
    };
    let resolution = World::parse(&chain("p20 1.0.0 | needs gone *")).resolve();
    assert_eq!(
        resolution.blocked()["p00"][0].message,
        "needs 'p01', which needs 'p02', which needs 'p03', which needs 'p04', which needs 'p05', which \
         needs 'p06', which needs 'p07', which needs 'p08', which needs 'p09', which needs 'p10', which \
         needs 'p11', which needs 'p12', and so on over 7 more plugins to 'p20', which needs 'gone' *, \
         which is missing"
    );
    assert!(resolution.blocked()["p06"][0].message.contains(
        "which needs 'p18', and so on over 1 more plugin to 'p20', which needs 'gone' *"
    ));
    assert!(
        resolution.blocked()["p07"][0]
            .message
            .contains("which needs 'p19', which needs 'p20', which needs 'gone' *")
    );
    let resolution = World::parse(&chain("p20 1.0.0 | needs p00 *")).resolve();
    assert_eq!(
        resolution.blocked()["p20"][0].message,
        "is in a dependency cycle: p00 -> p01 -> p02 -> p03 -> p04 -> p05 -> p06 -> p07 -> p08 -> p09 \
         -> p10 -> p11 -> (9 more) -> p00"
    );
    assert_eq!(resolution.cycles()[0].len(), 21, "nothing is left out here");
}
