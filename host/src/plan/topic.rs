//! Which topics a pattern means.

/// Whether a topic, such as `message.received`, is one of those that a pattern means.
///
/// Both are parts joined by `.`. A part `*` of the pattern stands for any one part of the topic; as the
/// last part it stands for one or more, so `message.*` means `message.received` and
/// `message.received.late`, but not `message`. `*` alone means every topic. All else means itself.
///
/// ```
/// use keyway_host::plan::topic_matches;
///
/// assert!(topic_matches("message.*", "message.received"));
/// assert!(!topic_matches("message.*", "message"));
/// ```
pub fn topic_matches(pattern: &str, topic: &str) -> bool {
    let mut parts = topic.split('.');
    let mut pattern = pattern.split('.').peekable();
    while let Some(expected) = pattern.next() {
        let Some(part) = parts.next() else {
            return false;
        };
        if expected == "*" {
            if pattern.peek().is_none() {
                return true;
            }
        } else if expected != part {
            return false;
        }
    }
    parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_is_one_part_and_the_last_one_is_all_the_rest() {
        for (pattern, topic, matches) in [
            ("*", "message", true),
            ("*", "message.received", true),
            ("message.*", "message.received", true),
            ("message.*", "message.received.late", true),
            ("message.*", "message", false),
            ("message.*", "messages.received", false),
            ("message.*.late", "message.received.late", true),
            ("message.*.late", "message.received.early", false),
            ("message.*.late", "message.late", false),
            ("message", "message", true),
            ("message", "message.received", false),
            ("message.rec*", "message.received", false),
            ("message.rec*", "message.rec*", true),
        ] {
            assert_eq!(
                topic_matches(pattern, topic),
                matches,
                "{pattern} and {topic}"
            );
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
            prop_assert!(topic_matches(&parts.join("."), &parts.join(".")));
            prop_assert!(topic_matches(&pattern.join("."), &parts.join(".")));
            let longer = format!("{}.more", parts.join("."));
            prop_assert_eq!(
                topic_matches(&pattern.join("."), &longer),
                pattern.last() == Some(&"*")
            );
        }
    }
}
