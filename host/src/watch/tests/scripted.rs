//! What a table of events must lead to.

use super::story::Story;
use crate::watch::state::{FileState, Sign};
use Sign::{Arrived, Closed, Created, Left, Look, Touched, Written};

/// A file of one name. Different numbers are different contents.
fn plain(inode: u64, age: u64) -> Option<FileState> {
    Some(FileState::made_up(inode, 100, age, false))
}

/// A file that has another name too.
fn linked(inode: u64, age: u64) -> Option<FileState> {
    Some(FileState::made_up(inode, 100, age, true))
}

type Event = (u64, &'static str, Sign, Option<FileState>);

/// Both files have the content `plain(1, 1)` at the beginning.
#[track_caller]
fn check(events: &[Event], expected: &[&str]) {
    check_from(plain(1, 1), events, expected);
}

#[track_caller]
fn check_from(baseline: Option<FileState>, events: &[Event], expected: &[&str]) {
    let mut story = Story::new(&[("a", baseline), ("b", baseline)]);
    for &(at, path, sign, state) in events {
        story.pass(at);
        story.find(path, state);
        story.sign(path, sign);
    }
    story.end();
    assert_eq!(story.log, expected);
}

#[test]
fn a_hard_link_over_a_deleted_file_is_complete_at_once() {
    check(
        &[(10, "a", Left, None), (12, "a", Created, linked(2, 2))],
        &["10 detected a", "15 settled a@12"],
    );
}

#[test]
fn a_hard_link_is_known_from_its_state_if_events_are_late_or_lost() {
    // The look after the deletion finds the new file already; then its own event comes.
    check(
        &[
            (10, "a", Left, linked(2, 2)),
            (11, "a", Created, linked(2, 2)),
        ],
        &["10 detected a", "13 settled a@10"],
    );
    check(
        &[(10, "a", Look, linked(2, 2))],
        &["10 detected a", "13 settled a@10"],
    );
}

#[test]
fn an_inode_that_is_used_again_does_not_hide_a_hard_link() {
    check(
        &[(10, "a", Left, None), (11, "a", Created, linked(1, 2))],
        &["10 detected a", "14 settled a@11"],
    );
}

#[test]
fn a_renamed_file_is_complete_at_once() {
    check(
        &[(10, "a", Arrived, plain(2, 2))],
        &["10 detected a", "13 settled a@10"],
    );
}

#[test]
fn a_file_that_is_renamed_while_it_is_open_is_complete_until_it_is_written() {
    check(
        &[
            (10, "a", Arrived, plain(2, 2)),
            (12, "a", Closed, plain(2, 2)),
        ],
        &["10 detected a", "15 settled a@12"],
    );
    check(
        &[
            (10, "a", Arrived, plain(2, 2)),
            (12, "a", Written, plain(2, 3)),
            (80, "a", Closed, plain(2, 3)),
        ],
        &["10 detected a", "90 settled a@80"],
    );
}

#[test]
fn a_writer_is_waited_for_until_it_closes() {
    check(
        &[
            (10, "a", Written, plain(1, 2)),
            (200, "a", Written, plain(1, 3)),
            (600, "a", Written, plain(1, 4)),
            (610, "a", Closed, plain(1, 4)),
        ],
        &["10 detected a", "620 settled a@610"],
    );
}

#[test]
fn a_new_file_that_is_written_is_not_taken_for_a_hard_link() {
    check_from(
        None,
        &[
            (10, "a", Created, plain(2, 2)),
            (11, "a", Written, plain(2, 3)),
            (99, "a", Written, plain(2, 4)),
            (100, "a", Closed, plain(2, 4)),
        ],
        &["10 detected a", "110 settled a@100"],
    );
}

#[test]
fn a_writer_that_opens_again_before_the_quiet_is_over_is_waited_for() {
    check(
        &[
            (10, "a", Written, plain(1, 2)),
            (20, "a", Closed, plain(1, 2)),
            (25, "a", Written, plain(1, 3)),
            (60, "a", Closed, plain(1, 3)),
        ],
        &["10 detected a", "70 settled a@60"],
    );
}

#[test]
fn a_file_that_nobody_closes_is_complete_when_it_has_held_still() {
    check(
        &[
            (10, "a", Written, plain(1, 2)),
            (300, "a", Written, plain(1, 3)),
        ],
        &["10 detected a", "800 settled a@300"],
    );
}

#[test]
fn writing_through_a_mapping_is_seen_by_looking() {
    let mut story = Story::new(&[("a", plain(1, 1))]);
    story.find("a", plain(2, 2));
    story.sign("a", Created);
    // The look at 500 finds it changed, though no event said so; the one at 1000 does not.
    story.pass(400);
    story.find("a", plain(2, 3));
    story.end();
    assert_eq!(story.log, ["0 detected a", "1000 settled a@500"]);
}

#[test]
fn writing_that_goes_on_is_never_complete() {
    let mut story = Story::new(&[("a", plain(1, 1))]);
    for round in 0..100 {
        story.pass(round * 450);
        story.find("a", plain(1, 2 + round));
        story.sign("a", Written);
    }
    assert_eq!(story.log, ["0 detected a"]);
}

#[test]
fn two_writes_within_one_tick_of_the_clock_are_a_change() {
    check(
        &[
            (10, "a", Written, plain(1, 1)),
            (11, "a", Closed, plain(1, 1)),
        ],
        &["10 detected a", "21 settled a@11"],
    );
}

#[test]
fn a_touch_is_reported_once() {
    // With open and close, as touch(1) does it; by path alone; and after a copy, as `cp -p` may.
    check(
        &[
            (10, "a", Touched, plain(1, 2)),
            (11, "a", Closed, plain(1, 2)),
        ],
        &["10 detected a", "21 settled a@11"],
    );
    check(
        &[(10, "a", Touched, plain(1, 2))],
        &["10 detected a", "510 settled a@10"],
    );
    check(
        &[
            (10, "a", Written, plain(1, 2)),
            (20, "a", Closed, plain(1, 2)),
            (21, "a", Touched, plain(1, 3)),
        ],
        &["10 detected a", "31 settled a@21"],
    );
}

#[test]
fn what_leaves_the_content_alone_is_no_change() {
    for sign in [Touched, Closed, Look, Created, Arrived, Left] {
        check(
            &[(10, "a", sign, plain(1, 1)), (20, "a", sign, linked(1, 1))],
            &[],
        );
    }
}

#[test]
fn a_file_that_comes_back_in_time_was_never_missing() {
    check(
        &[(10, "a", Left, None), (900, "a", Arrived, plain(1, 1))],
        &["10 detected a", "903 settled a@900"],
    );
}

#[test]
fn a_file_that_stays_away_is_missing_once_and_its_return_is_a_change() {
    check(
        &[
            (10, "a", Left, None),
            (500, "a", Look, None),
            (5000, "a", Look, None),
            (6000, "a", Arrived, plain(1, 1)),
        ],
        &[
            "10 detected a",
            "1010 missing a",
            "6000 detected a",
            "6003 settled a@6000",
        ],
    );
}

#[test]
fn a_file_that_never_was_is_not_missing() {
    check_from(None, &[(10, "a", Look, None), (2000, "a", Left, None)], &[]);
}

#[test]
fn a_file_that_appears_and_vanishes_is_missing() {
    check_from(
        None,
        &[(10, "a", Created, plain(2, 2)), (20, "a", Left, None)],
        &["10 detected a", "1020 missing a"],
    );
}

#[test]
fn a_file_that_is_deleted_while_it_is_written_begins_anew() {
    check(
        &[
            (10, "a", Written, plain(1, 2)),
            (20, "a", Left, None),
            (30, "a", Created, plain(3, 3)),
            (40, "a", Closed, plain(3, 4)),
        ],
        &["10 detected a", "50 settled a@40"],
    );
}

#[test]
fn files_that_are_complete_at_about_the_same_time_are_one_set() {
    check(
        &[
            (10, "a", Left, None),
            (11, "a", Created, linked(2, 2)),
            (12, "b", Left, None),
            (14, "b", Created, linked(3, 3)),
        ],
        &["10 detected a", "12 detected b", "17 settled a@11 b@14"],
    );
}

#[test]
fn files_that_change_one_after_the_other_are_two_sets() {
    check(
        &[
            (10, "a", Arrived, plain(2, 2)),
            (20, "b", Arrived, plain(3, 3)),
        ],
        &[
            "10 detected a",
            "13 settled a@10",
            "20 detected b",
            "23 settled b@20",
        ],
    );
}

#[test]
fn a_complete_file_waits_for_one_that_is_written() {
    check(
        &[
            (10, "b", Written, plain(1, 2)),
            (20, "a", Arrived, plain(2, 2)),
            (400, "b", Written, plain(1, 3)),
            (600, "b", Closed, plain(1, 3)),
        ],
        &["10 detected b", "20 detected a", "610 settled a@20 b@600"],
    );
}

#[test]
fn a_complete_file_waits_for_one_that_was_deleted() {
    check(
        &[
            (10, "b", Left, None),
            (20, "a", Arrived, plain(2, 2)),
            (300, "b", Created, linked(3, 3)),
        ],
        &["10 detected b", "20 detected a", "303 settled a@20 b@300"],
    );
    check(
        &[(10, "b", Left, None), (20, "a", Arrived, plain(2, 2))],
        &[
            "10 detected b",
            "20 detected a",
            "1010 missing b",
            "1010 settled a@20",
        ],
    );
}

#[test]
fn nobody_waits_for_more_than_a_second_and_not_twice_for_the_same() {
    let mut events = vec![
        (10, "a", Arrived, plain(2, 2)),
        (5000, "a", Arrived, plain(3, 3)),
    ];
    events.extend((0..20).map(|round| (round * 400, "b", Written, plain(1, round + 2))));
    events.sort_by_key(|event| event.0);
    check(
        &events,
        &[
            "0 detected b",
            "10 detected a",
            "1013 settled a@10",
            "5000 detected a",
            "5003 settled a@5000",
            "8100 settled b@7600",
        ],
    );
}

#[test]
fn a_file_that_changes_while_it_waits_is_complete_anew() {
    check(
        &[
            (10, "b", Written, plain(1, 2)),
            (20, "a", Arrived, plain(2, 2)),
            (100, "a", Written, plain(2, 3)),
            (150, "b", Closed, plain(1, 2)),
            (400, "a", Closed, plain(2, 3)),
        ],
        &["10 detected b", "20 detected a", "410 settled a@400 b@150"],
    );
}

#[test]
fn a_look_that_comes_late_is_not_taken_for_two() {
    use crate::watch::Settle;
    use crate::watch::change::{Noticed, Observation, Tracked};
    use std::time::{Duration, Instant};

    let times = Settle::default();
    let mut tracked = Tracked::new(plain(1, 1));
    let at = Instant::now();
    let now = at + Duration::from_secs(5);
    let seen = Observation {
        at,
        now,
        sign: Written,
        state: plain(1, 2),
    };
    assert_eq!(tracked.observe(seen, &times), Some(Noticed::Change(at)));
    assert_eq!(tracked.ready(), None);
    assert_eq!(tracked.next_look(), Some(now + times.held));
}
