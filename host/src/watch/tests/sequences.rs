//! Any sequence of what can happen to files, with and without events, ends in one report for what
//! they are in the end.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::story::Story;
use crate::watch::Settle;
use crate::watch::state::{FileState, Sign};

const NAMES: [&str; 3] = ["a", "b", "c"];

/// How often files are looked at where there are no events, in milliseconds.
const INTERVAL: u64 = 100;

#[derive(Clone, Copy, Debug)]
enum Act {
    /// Opens the file if it is not open, or creates it, and writes.
    Write,
    Close,
    /// Deletes it and puts a hard link in its place.
    Link,
    Rename,
    Delete,
    Touch,
    Chmod,
}

fn act() -> impl Strategy<Value = Act> {
    prop::sample::select(vec![
        Act::Write,
        Act::Write,
        Act::Close,
        Act::Link,
        Act::Rename,
        Act::Delete,
        Act::Touch,
        Act::Chmod,
    ])
}

/// Acts on files, each with the pause before it.
fn acts() -> impl Strategy<Value = Vec<(u64, usize, Act)>> {
    let pause = prop_oneof![4 => 0..4u64, 3 => 4..60u64, 2 => 60..600u64, 1 => 600..3000u64];
    prop::collection::vec((pause, 0..NAMES.len(), act()), 1..40)
}

/// A file as it really is.
#[derive(Clone, Copy, Default)]
struct Truth {
    state: Option<FileState>,
    open: bool,
    /// When its content last changed.
    changed: u64,
    /// How many reports there were before that; none if it never has.
    reports_before: Option<usize>,
}

struct World {
    story: Story,
    truths: BTreeMap<&'static str, Truth>,
    /// So that no two contents are the same.
    serial: u64,
    events: bool,
    /// How much of the story's log was checked.
    checked: usize,
    pending: BTreeMap<String, bool>,
}

impl World {
    fn new(events: bool) -> Self {
        let present = Some(FileState::made_up(1, 1, 1, false));
        let baseline = [("a", present), ("b", present), ("c", None)];
        let truth = |state| Truth {
            state,
            ..Truth::default()
        };
        World {
            story: Story::new(&baseline),
            truths: baseline.map(|(name, state)| (name, truth(state))).into(),
            serial: 1,
            events,
            checked: 0,
            pending: BTreeMap::new(),
        }
    }

    fn act(&mut self, name: &'static str, act: Act) {
        self.serial += 1;
        let serial = self.serial;
        let before = self.truths[name];
        let inode = |state: Option<FileState>| {
            // A file that has other names is unlinked by whoever writes it, as linkers do.
            state
                .filter(|state| !state.linked)
                .map_or(1000 + serial, |state| state.inode())
        };
        let (state, signs): (_, &[Sign]) = match (act, before.state) {
            (Act::Write, None) => (
                Some(FileState::made_up(1000 + serial, serial, serial, false)),
                &[Sign::Created, Sign::Written],
            ),
            (Act::Write, old) => (
                Some(FileState::made_up(inode(old), serial, serial, false)),
                &[Sign::Written],
            ),
            (Act::Close, old) if before.open => (old, &[Sign::Closed]),
            (Act::Link, old) => (
                Some(FileState::made_up(1000 + serial, serial, serial, true)),
                if old.is_some() {
                    &[Sign::Left, Sign::Created]
                } else {
                    &[Sign::Created]
                },
            ),
            (Act::Rename, _) => (
                Some(FileState::made_up(1000 + serial, serial, serial, false)),
                &[Sign::Arrived],
            ),
            (Act::Delete, Some(_)) => (None, &[Sign::Left]),
            (Act::Touch, Some(old)) => (Some(old.touched(serial)), &[Sign::Touched]),
            (Act::Chmod, old @ Some(_)) => (old, &[Sign::Touched]),
            (Act::Close | Act::Delete | Act::Touch | Act::Chmod, old) => (old, &[]),
        };
        let changed = state.map(|state| state.content) != before.state.map(|state| state.content);
        let truth = Truth {
            state,
            open: match act {
                Act::Write => true,
                Act::Close | Act::Link | Act::Rename | Act::Delete => false,
                Act::Touch | Act::Chmod => before.open,
            },
            changed: if changed {
                self.story.now()
            } else {
                before.changed
            },
            reports_before: if changed {
                Some(self.story.log.len())
            } else {
                before.reports_before
            },
        };
        self.truths.insert(name, truth);
        self.story.find(name, state);
        if self.events {
            signs.iter().for_each(|sign| self.story.sign(name, *sign));
        }
    }

    /// Lets time pass; without events, with the looks that replace them.
    fn pass(&mut self, pause: u64) {
        let until = self.story.now() + pause;
        while !self.events {
            let next = (self.story.now() / INTERVAL + 1) * INTERVAL;
            if next > until {
                break;
            }
            self.story.pass(next);
            self.look();
            self.check();
        }
        self.story.pass(until);
        self.check();
    }

    fn look(&mut self) {
        for name in NAMES {
            self.story.sign(name, Sign::Look);
        }
        self.story.settle();
    }

    /// What was reported since the last time must be true now: nothing has happened since.
    fn check(&mut self) {
        let times = Settle::default();
        for line in &self.story.log[self.checked..] {
            let mut words = line.split(' ');
            let at: u64 = words.next().expect("a time").parse().expect("a number");
            let what = words.next().expect("a word");
            for word in words {
                let name = word.split('@').next().expect("a name");
                let truth = self.truths[name];
                let pending = self.pending.entry(name.to_owned()).or_default();
                let held = u128::from(at - truth.changed);
                match what {
                    "detected" => {
                        assert!(!*pending, "detected twice: {line}");
                        *pending = true;
                        continue;
                    }
                    "missing" => {
                        assert!(truth.state.is_none(), "it is there: {line}");
                        // Without events, it may have come and gone meanwhile.
                        let long = held >= times.missing.as_millis() || !self.events;
                        assert!(long, "too early: {line}");
                    }
                    _ => {
                        assert!(truth.state.is_some(), "it is not there: {line}");
                        if truth.open {
                            assert!(held >= times.held.as_millis(), "too early: {line}");
                        }
                    }
                }
                assert!(*pending, "an end without a beginning: {line}");
                *pending = false;
            }
        }
        self.checked = self.story.log.len();
    }

    fn end(mut self) {
        if !self.events {
            self.pass(INTERVAL);
        }
        self.story.end();
        self.check();
        for name in NAMES {
            let truth = self.truths[name];
            assert!(
                !self.pending.get(name).copied().unwrap_or_default(),
                "{name} has no end"
            );
            let is_end = |line: &&String| {
                line.split([' ', '@']).any(|word| word == name) && !line.contains("detected")
            };
            let reports_before = truth.reports_before.unwrap_or_default();
            let ends = self.story.log[reports_before..]
                .iter()
                .filter(is_end)
                .count();
            // Without events, what comes and goes between two looks is not seen.
            let seen = self.events || truth.state.is_some();
            if truth.reports_before.is_some() && seen {
                assert_eq!(ends, 1, "{name}: {:#?}", self.story.log);
            }
            let rested = self.story.log.len();
            self.story.sign(name, Sign::Look);
            assert_eq!(self.story.log.len(), rested, "{name} has changed unseen");
        }
    }
}

proptest! {

    #[test]
    fn with_events_the_last_content_of_each_file_is_reported_once(acts in acts()) {
        let mut world = World::new(true);
        for (pause, file, act) in acts {
            world.pass(pause);
            world.act(NAMES[file], act);
        }
        world.end();
    }

    #[test]
    fn without_events_the_last_content_of_each_file_is_reported_once(acts in acts()) {
        let mut world = World::new(false);
        for (pause, file, act) in acts {
            world.pass(pause);
            world.act(NAMES[file], act);
        }
        world.end();
    }
}
