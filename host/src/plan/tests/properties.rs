//! What holds for any plan.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Piece, piece, planned};
use crate::plan::{Reason, Trigger};

const IDS: [&str; 6] = ["ant", "bee", "cat", "dog", "eel", "fox"];
const CAPABILITIES: [&str; 3] = ["keyway.tool", "keyway.event-hook", "acme.filter"];
const NAMES: [&str; 2] = ["left", "right"];

fn trigger() -> impl Strategy<Value = Trigger<'static>> {
    let name = || prop::sample::select(&NAMES[..]);
    let id = prop::sample::select(&CAPABILITIES[..]);
    prop_oneof![
        Just(Trigger::Startup),
        name().prop_map(Trigger::Tool),
        (id, prop::option::of(name())).prop_map(|(id, name)| Trigger::Capability { id, name }),
        prop::sample::select(vec!["left", "left.right", "left.*", "*"]).prop_map(Trigger::Event),
    ]
}

/// Those that come first need those that come later, so there are no circles.
fn pieces() -> impl Strategy<Value = Vec<Piece<'static>>> {
    let declares = (
        prop::sample::select(&CAPABILITIES[..]),
        prop::sample::select(&NAMES[..]),
    );
    let wishes = (
        prop::collection::vec(declares, 0..2),
        prop::collection::vec(trigger(), 0..2),
        prop::collection::vec(prop::sample::select(&IDS[..]), 0..3),
        any::<bool>(),
    );
    prop::collection::vec(wishes, IDS.len()).prop_map(|wishes| {
        let pieces = IDS.iter().zip(wishes);
        let pieces = pieces.map(|(id, (declares, hints, needs, startup))| {
            let mut piece = piece(id, &declares, &hints);
            let later = needs.into_iter().filter(|needed| *needed > *id);
            piece.needs.extend(later);
            piece.facts.startup = startup;
            piece
        });
        pieces.collect()
    })
}

proptest! {
    #[test]
    fn it_can_be_executed_from_front_to_back_and_has_nothing_without_a_reason(
        trigger in trigger(),
        pieces in pieces(),
    ) {
        let plan = planned(trigger, &pieces);
        let mut started = BTreeSet::new();
        for entry in &plan.entries {
            let piece = pieces.iter().find(|p| p.facts.id == entry.plugin).expect("it is there");
            prop_assert!(piece.needs.iter().all(|needed| started.contains(needed)));
            prop_assert!(started.insert(piece.facts.id), "{} is there twice", entry.plugin);
            prop_assert!(!entry.reasons.is_empty());
            prop_assert!(entry.reasons.is_sorted());
            for reason in &entry.reasons {
                if let Reason::DependencyOf(user) = reason {
                    let user = pieces.iter().find(|p| p.facts.id == *user).expect("it is there");
                    prop_assert!(user.needs.contains(&entry.plugin.as_str()));
                    prop_assert!(plan.ids().any(|id| id == user.facts.id));
                }
            }
        }
        // Nobody is blocked here, so the only thing to find is that there is nobody.
        let is_told = !plan.findings.is_empty() || trigger == Trigger::Startup;
        prop_assert!(is_told || !plan.entries.is_empty());
        prop_assert!(plan.findings.is_empty() || plan.entries.is_empty());
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(
        trigger in trigger(),
        (pieces, shuffled) in pieces().prop_flat_map(|pieces| {
            let shuffled = Just(pieces.clone()).prop_shuffle();
            (Just(pieces), shuffled)
        }),
    ) {
        prop_assert_eq!(planned(trigger, &pieces), planned(trigger, &shuffled));
    }

    #[test]
    fn hinted_plugins_come_before_those_that_nobody_hinted_or_that_no_hinted_one_needs(
        trigger in trigger(),
        pieces in pieces(),
    ) {
        let plan = planned(trigger, &pieces);
        let is_hinted = |reasons: &[Reason]| matches!(reasons.first(), Some(Reason::Hint(_)));
        let last_hinted = plan.entries.iter().rposition(|entry| is_hinted(&entry.reasons));
        let before = &plan.entries[..last_hinted.map_or(0, |last| last + 1)];
        // From back to front everybody is hinted, or needed by one of those after him.
        let mut wanted: BTreeSet<&str> = BTreeSet::new();
        for entry in before.iter().rev() {
            prop_assert!(is_hinted(&entry.reasons) || wanted.contains(entry.plugin.as_str()));
            let piece = pieces.iter().find(|p| p.facts.id == entry.plugin).expect("it is there");
            wanted.extend(&piece.needs);
        }
    }
}

proptest! {
    #[test]
    fn a_topic_matches_itself_and_whatever_has_stars_for_parts(
        parts in prop::collection::vec("[a-z]{1,3}", 1..5),
        stars in prop::collection::vec(any::<bool>(), 5),
    ) {
        let pattern: Vec<&str> = parts
            .iter()
            .zip(stars)
            .map(|(part, star)| if star { "*" } else { part })
            .collect();
        prop_assert!(crate::plan::topic_matches(&parts.join("."), &parts.join(".")));
        prop_assert!(crate::plan::topic_matches(&pattern.join("."), &parts.join(".")));
        let longer = format!("{}.more", parts.join("."));
        prop_assert_eq!(
            crate::plan::topic_matches(&pattern.join("."), &longer),
            pattern.last() == Some(&"*")
        );
    }
}
