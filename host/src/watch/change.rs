//! One file's way from the first sign of a change to being complete or missing.
//!
//! Pure: what was seen comes in with the time it was seen, and what to do next is asked for.

use std::time::{Duration, Instant};

use super::Settle;
use super::state::{Content, FileState, Sign};

/// One look at a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    /// When the sign was given.
    pub(super) at: Instant,
    /// When the state was read: later than `at`, by as much as the thread is behind.
    pub(super) now: Instant,
    pub(super) sign: Sign,
    /// None: there is no file.
    pub(super) state: Option<FileState>,
}

/// What an observation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noticed {
    /// A change has begun.
    Change(Instant),
    /// The file has been gone for long enough to say so.
    Missing,
}

/// A watched file.
#[derive(Clone, Debug)]
pub(super) struct Tracked {
    /// What was last reported, or found when the watching began. None: missing.
    known: Option<Content>,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Quiet,
    /// Deleted, and not back.
    Gone {
        detected: Instant,
        missing_at: Instant,
    },
    Changing(Change),
}

/// A change that has not been reported as settled.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// The first sign.
    pub(super) detected: Instant,
    /// The last sign that something was done to the file.
    pub(super) last: Instant,
    content: Content,
    evidence: Evidence,
    /// If the file is still the same at this time, it is complete.
    due: Instant,
    /// When it was found to be complete.
    pub(super) ready: Option<Instant>,
}

/// What is known of those who may still write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// Nothing.
    Open,
    /// A writer closed the file, and nobody has written since.
    Closed,
    /// It took its name when it was complete: by a hard link or a rename.
    Whole,
}

impl Tracked {
    pub(super) fn new(baseline: Option<FileState>) -> Self {
        Tracked {
            known: baseline.map(|state| state.content),
            phase: Phase::Quiet,
        }
    }

    pub(super) fn observe(&mut self, seen: Observation, times: &Settle) -> Option<Noticed> {
        match (&mut self.phase, seen.state) {
            (Phase::Quiet, None) => {
                self.known?;
                self.phase = Phase::Gone {
                    detected: seen.at,
                    missing_at: seen.now + times.missing,
                };
                Some(Noticed::Change(seen.at))
            }
            (Phase::Quiet, Some(state)) => {
                // Two writes within one tick of the file system's clock look the same afterwards,
                // so that a write counts whatever the look says.
                if self.known == Some(state.content) && seen.sign != Sign::Written {
                    return None;
                }
                let change = Change::begin(seen.at, seen, state, self.known, times);
                self.phase = Phase::Changing(change);
                Some(Noticed::Change(seen.at))
            }
            (Phase::Gone { missing_at, .. }, None) => {
                if seen.now < *missing_at {
                    return None;
                }
                self.known = None;
                self.phase = Phase::Quiet;
                Some(Noticed::Missing)
            }
            (Phase::Gone { detected, .. }, Some(state)) => {
                let change = Change::begin(*detected, seen, state, self.known, times);
                self.phase = Phase::Changing(change);
                None
            }
            (Phase::Changing(change), None) => {
                self.phase = Phase::Gone {
                    detected: change.detected,
                    missing_at: seen.now + times.missing,
                };
                None
            }
            (Phase::Changing(change), Some(state)) => {
                change.observe(seen, state, times);
                None
            }
        }
    }

    /// Whether nothing happens to it, and nothing has to be said of it.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(self.phase, Phase::Quiet)
    }

    /// When to look at it next without being told to.
    pub(super) fn next_look(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Quiet => None,
            Phase::Gone { missing_at, .. } => Some(*missing_at),
            Phase::Changing(change) => change.ready.is_none().then_some(change.due),
        }
    }

    /// When it was found to be complete, if it was and that is not reported yet.
    pub(super) fn ready(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Changing(change) => change.ready,
            Phase::Quiet | Phase::Gone { .. } => None,
        }
    }

    /// Whether somebody is in the middle of replacing or writing it.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.phase, Phase::Quiet) && self.ready().is_none()
    }

    /// Ends the change of a file that is ready.
    pub(super) fn take_ready(&mut self) -> Option<Change> {
        self.ready()?;
        match std::mem::replace(&mut self.phase, Phase::Quiet) {
            Phase::Changing(change) => {
                self.known = Some(change.content);
                Some(change)
            }
            Phase::Quiet | Phase::Gone { .. } => None,
        }
    }
}

impl Change {
    fn begin(
        detected: Instant,
        seen: Observation,
        state: FileState,
        before: Option<Content>,
        times: &Settle,
    ) -> Self {
        let evidence = Evidence::of(seen.sign, state, before);
        Change {
            detected,
            last: seen.at,
            content: state.content,
            evidence,
            due: seen.now + evidence.patience(times),
            ready: None,
        }
    }

    fn observe(&mut self, seen: Observation, state: FileState, times: &Settle) {
        let before = self.content;
        let same = before == state.content;
        let told = Evidence::of(seen.sign, state, Some(before));
        let evidence = match seen.sign {
            Sign::Written => Some(Evidence::Open),
            // It was renamed while its writer had it open.
            Sign::Closed if same && self.evidence == Evidence::Whole => Some(Evidence::Whole),
            Sign::Closed => Some(Evidence::Closed),
            _ if same && (told == Evidence::Open || told == self.evidence) => None,
            // `cp -p` and the like: the time of modification is set when all is written.
            Sign::Touched if self.evidence == Evidence::Closed && before.differs_in_time(state) => {
                Some(Evidence::Closed)
            }
            _ => Some(told),
        };
        if let Some(evidence) = evidence {
            self.content = state.content;
            self.evidence = evidence;
            self.last = seen.at;
            self.due = seen.now + evidence.patience(times);
            self.ready = None;
        }
        if seen.now >= self.due && self.ready.is_none() {
            self.ready = Some(seen.now);
        }
    }
}

impl Content {
    /// Whether the other is the same file with the same size.
    fn differs_in_time(self, other: FileState) -> bool {
        self.identity == other.content.identity && self.size == other.content.size
    }
}

impl Evidence {
    /// What a sign, and another file under the name, tell.
    fn of(sign: Sign, state: FileState, before: Option<Content>) -> Self {
        let replaced = before.is_none_or(|before| before.identity != state.content.identity);
        match sign {
            Sign::Arrived => Evidence::Whole,
            Sign::Closed => Evidence::Closed,
            Sign::Written => Evidence::Open,
            Sign::Created if state.linked => Evidence::Whole,
            // The event was late, lost, or never there, but this is what cargo leaves behind.
            _ if state.linked && replaced => Evidence::Whole,
            _ => Evidence::Open,
        }
    }

    fn patience(self, times: &Settle) -> Duration {
        match self {
            Evidence::Open => times.held,
            Evidence::Closed => times.quiet,
            Evidence::Whole => times.coalesce,
        }
    }
}
