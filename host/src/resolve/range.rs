//! The releases that a version requirement takes, as one range.

use semver::{Comparator, Op, VersionReq};

/// Major, minor and patch.
type Release = (u64, u64, u64);

/// From a release up, and below another one. Requirements are conjunctions of ranges, so each is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    lowest: Release,
    /// None if there is no bound.
    below: Option<Release>,
}

impl Range {
    /// None if the requirement has a pre-release in it: it then also takes versions that are not
    /// releases, and a range of releases says nothing of those.
    pub(super) fn of(requirement: &VersionReq) -> Option<Self> {
        let all = Range {
            lowest: (0, 0, 0),
            below: None,
        };
        let mut parts = requirement.comparators.iter().map(comparator);
        parts.try_fold(all, |range, part| Some(range.and(part?)))
    }

    pub(super) fn and(self, other: Self) -> Self {
        let below = match (self.below, other.below) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Range {
            lowest: self.lowest.max(other.lowest),
            below,
        }
    }

    /// Whether no release is in it.
    pub(super) fn is_empty(self) -> bool {
        self.below.is_some_and(|below| below <= self.lowest)
    }

    /// Such as `at least 1.4.0 and below 2.0.0`.
    pub(super) fn describe(self) -> String {
        let (major, minor, patch) = self.lowest;
        let lowest = format!("at least {major}.{minor}.{patch}");
        match self.below {
            None => lowest,
            Some((major, minor, patch)) => format!("{lowest} and below {major}.{minor}.{patch}"),
        }
    }

    pub(super) fn begins(self) -> Release {
        self.lowest
    }

    /// Whether this range ends at a lower release than the other one.
    pub(super) fn ends_before(self, other: Self) -> bool {
        match (self.below, other.below) {
            (Some(this), Some(other)) => this < other,
            (this, _) => this.is_some(),
        }
    }
}

/// The rules are those of Cargo, which `semver` documents at `Op`.
fn comparator(comparator: &Comparator) -> Option<Range> {
    if !comparator.pre.is_empty() {
        return None;
    }
    let (major, minor, patch) = (comparator.major, comparator.minor, comparator.patch);
    let lowest = (major, minor.unwrap_or(0), patch.unwrap_or(0));
    // The first release after all that begin with what is written: after 1.2 that is 1.3.0.
    let after = match (minor, patch) {
        (None, _) => next_major(lowest),
        (Some(_), None) => next_minor(lowest),
        (Some(_), Some(_)) => next_patch(lowest),
    };
    let from = |lowest| Range {
        lowest,
        below: None,
    };
    let until = |below| Range { lowest, below };
    let range = match comparator.op {
        Op::Exact | Op::Wildcard => until(after),
        // After the last release that there can be comes none, and this is as far as one can go.
        Op::Greater => from(after.unwrap_or((u64::MAX, u64::MAX, u64::MAX))),
        Op::GreaterEq => from(lowest),
        Op::Less => Range {
            lowest: (0, 0, 0),
            below: Some(lowest),
        },
        Op::LessEq => Range {
            lowest: (0, 0, 0),
            below: after,
        },
        Op::Tilde if minor.is_none() => until(next_major(lowest)),
        Op::Tilde => until(next_minor(lowest)),
        Op::Caret => until(match (major, minor, patch) {
            (0, None, _) => next_major(lowest),
            (0, Some(0), None) => next_minor(lowest),
            (0, Some(0), Some(_)) => next_patch(lowest),
            (0, Some(_), _) => next_minor(lowest),
            _ => next_major(lowest),
        }),
        // An operator that `semver` has learnt since: nothing is claimed of it.
        _ => return None,
    };
    Some(range)
}

fn next_major((major, _, _): Release) -> Option<Release> {
    Some((major.checked_add(1)?, 0, 0))
}

fn next_minor((major, minor, _): Release) -> Option<Release> {
    match minor.checked_add(1) {
        Some(minor) => Some((major, minor, 0)),
        None => next_major((major, 0, 0)),
    }
}

fn next_patch((major, minor, patch): Release) -> Option<Release> {
    match patch.checked_add(1) {
        Some(patch) => Some((major, minor, patch)),
        None => next_minor((major, minor, 0)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use semver::Version;

    use super::*;

    fn range(requirement: &str) -> Option<Range> {
        Range::of(&requirement.parse().expect("a requirement"))
    }

    #[test]
    fn a_requirement_is_described_as_the_range_that_it_is() {
        for (requirement, described) in [
            ("*", "at least 0.0.0"),
            ("1.2", "at least 1.2.0 and below 2.0.0"),
            ("~1.2.3", "at least 1.2.3 and below 1.3.0"),
            ("=0.0.1", "at least 0.0.1 and below 0.0.2"),
            (">1, <=3.4", "at least 2.0.0 and below 3.5.0"),
        ] {
            let range = range(requirement).expect("releases only");
            assert_eq!(range.describe(), described, "{requirement}");
        }
        assert_eq!(range(">=1.0.0-rc.1"), None, "takes more than releases");
    }

    #[test]
    fn a_requirement_that_nothing_meets_is_empty() {
        assert!(range(">2, <1").expect("releases only").is_empty());
        assert!(!range(">=1, <=1").expect("releases only").is_empty());
    }

    fn requirement() -> impl Strategy<Value = VersionReq> {
        let op = prop::sample::select(vec!["", "=", ">", ">=", "<", "<=", "~", "^"]);
        let version = prop_oneof![
            (0..3u64).prop_map(|major| format!("{major}")),
            (0..3u64, 0..3u64).prop_map(|(major, minor)| format!("{major}.{minor}")),
            (0..3u64, 0..3u64, 0..3u64).prop_map(|(a, b, c)| format!("{a}.{b}.{c}")),
            (0..3u64).prop_map(|major| format!("{major}.*")),
        ];
        let part = (op, version).prop_map(|(op, version)| {
            // A wildcard stands for itself.
            let op = if version.contains('*') { "" } else { op };
            format!("{op}{version}")
        });
        prop::collection::vec(part, 1..3)
            .prop_map(|parts| parts.join(", ").parse().expect("a requirement"))
    }

    proptest! {
        #[test]
        fn the_range_has_just_the_releases_that_match(requirement in requirement()) {
            let range = Range::of(&requirement).expect("releases only");
            for major in 0..4 {
                for minor in 0..4 {
                    for patch in 0..4 {
                        let release = (major, minor, patch);
                        let inside = range.lowest <= release
                            && range.below.is_none_or(|below| release < below);
                        let matches = requirement.matches(&Version::new(major, minor, patch));
                        prop_assert_eq!(inside, matches, "{:?} of {}", release, requirement);
                    }
                }
            }
        }
    }
}
