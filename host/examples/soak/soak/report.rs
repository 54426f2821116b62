//! What was counted, as one line of JSON, and which promises it breaks.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::options::Work;
use super::stand::Left;
use super::times::{Times, milliseconds};

/// So much memory may the process have gained after it has warmed up, in kilobytes.
const MAX_GROWTH_KB: i64 = 5_000;

/// With fewer rounds all is warming up.
const ENOUGH_ROUNDS: u64 = 1_000;

/// What became of the triggers.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// Changes of the file that were noticed.
    pub(crate) triggers: u64,
    pub(crate) committed: u64,
    pub(crate) unchanged: u64,
    /// By phase.
    pub(crate) refused: BTreeMap<&'static str, u64>,
    pub(crate) rolled_back: u64,
    /// Outcomes that were not the ones to be expected, the first few in full.
    pub(crate) unexpected: u64,
    pub(crate) told: Vec<String>,
}

impl Outcomes {
    /// How many triggers have come to their end.
    pub(crate) fn ended(&self) -> u64 {
        self.committed + self.unchanged + self.refused.values().sum::<u64>()
    }

    pub(crate) fn unexpected(&mut self, what: String) {
        self.unexpected += 1;
        if self.told.len() < 5 {
            self.told.push(what);
        }
    }
}

/// What the process used at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) rss_kb: i64,
    pub(crate) allocated_kb: i64,
}

/// Before the first reload and after the last, with nobody calling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends<T> {
    pub(crate) before: T,
    pub(crate) after: T,
}

/// What was counted.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) work: Work,
    pub(crate) exclusive: bool,
    pub(crate) probation: Option<Duration>,
    pub(crate) callers: usize,
    pub(crate) rest: Duration,
    pub(crate) bytes: usize,
    pub(crate) outcomes: Outcomes,
    pub(crate) times: Times,
    /// After the warm-up and after each further tenth, with one version loaded.
    pub(crate) usage: Vec<Usage>,
    /// After the last one, when the allocator has given back what is free.
    pub(crate) trimmed: Usage,
    pub(crate) calls: u64,
    pub(crate) failed_calls: u64,
    pub(crate) failures: Vec<String>,
    pub(crate) visitors: u64,
    pub(crate) callers_panicked: usize,
    pub(crate) ancestors: u64,
    pub(crate) total: u64,
    pub(crate) added: u64,
    pub(crate) left: Left,
    pub(crate) keys: Ends<usize>,
    pub(crate) threads: Ends<usize>,
    pub(crate) files: Ends<usize>,
    pub(crate) took: Duration,
}

impl Report {
    /// How much the resident memory has grown since the warm-up.
    fn growth_kb(&self) -> i64 {
        match (self.usage.first(), self.usage.last()) {
            (Some(first), Some(last)) => last.rss_kb - first.rss_kb,
            _ => 0,
        }
    }

    fn leftover(&self) -> usize {
        self.left.mappings + self.left.libraries
    }

    /// One line.
    pub(crate) fn json(&self) -> String {
        let (work, rounds) = match self.work {
            Work::Reloads(rounds) => ("reloads", rounds),
            Work::Hammer(rounds) => ("hammer", rounds),
            Work::Broken(rounds) => ("broken", rounds),
        };
        let Outcomes {
            triggers,
            committed,
            unchanged,
            refused,
            rolled_back,
            unexpected,
            told: _,
        } = &self.outcomes;
        let counts = &self.left.counts;
        let rss: Vec<i64> = self.usage.iter().map(|usage| usage.rss_kb).collect();
        let allocated: Vec<i64> = self.usage.iter().map(|usage| usage.allocated_kb).collect();
        let ends = |ends: &Ends<usize>| json!({ "before": ends.before, "after": ends.after });
        let setup = json!({
            "profile": if cfg!(debug_assertions) { "debug" } else { "release" },
            "mode": if self.exclusive { "exclusive" } else { "snapshot" },
            "probation_ms": self.probation.map(milliseconds),
            "callers": self.callers,
            "caller_rest_ms": milliseconds(self.rest),
            "cores": std::thread::available_parallelism().map_or(0, usize::from),
            "plugin_bytes": self.bytes,
        });
        let state = json!({
            "ancestors": self.ancestors,
            "total": self.total,
            "added": self.added,
        });
        let memory = json!({
            "rss_kb": rss,
            "rss_trimmed_kb": self.trimmed.rss_kb,
            "allocated_kb": allocated,
        });
        let left = json!({
            "open": counts.open,
            "pinned": counts.pinned.len(),
            "retained": counts.retained.len(),
            "copies": self.left.copies,
            "destructors_run_by_reaper": counts.destructors_run,
            "keys_deleted": counts.keys_deleted,
        });
        let value = json!({
            "schema_version": 1,
            "work": work,
            "rounds": rounds,
            "setup": setup,
            "seconds": (self.took.as_secs_f64() * 10.0).round() / 10.0,
            "reloads": committed,
            "triggers": triggers,
            "unchanged": unchanged,
            "refused": refused,
            "rolled_back": rolled_back,
            "unexpected_outcomes": unexpected,
            "calls": self.calls,
            "failed_calls": self.failed_calls,
            "visitors": self.visitors,
            "state": state,
            "p50_ms": self.times.quantile_ms(0.50),
            "p90_ms": self.times.quantile_ms(0.90),
            "p99_ms": self.times.quantile_ms(0.99),
            "max_ms": self.times.quantile_ms(1.0),
            "rss_growth_kb": self.growth_kb(),
            "memory": memory,
            "unloads_verified": counts.unloaded,
            "leftover_mappings": self.leftover(),
            "left": left,
            "pthread_keys_free": ends(&self.keys),
            "threads": ends(&self.threads),
            "open_files": ends(&self.files),
        });
        value.to_string()
    }

    /// What does not hold, in words.
    pub(crate) fn broken_promises(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut promise = |holds: bool, text: String| {
            if !holds {
                broken.push(text);
            }
        };
        let Report {
            outcomes,
            left,
            keys,
            threads,
            files,
            ..
        } = self;
        promise(
            self.failed_calls == 0,
            format!(
                "no call fails: {} of {} failed, such as {:#?}",
                self.failed_calls, self.calls, self.failures
            ),
        );
        promise(
            outcomes.unexpected == 0,
            format!(
                "each build ends as it should: {} did not, such as {:#?}",
                outcomes.unexpected, outcomes.told
            ),
        );
        promise(
            outcomes.triggers == outcomes.ended(),
            format!(
                "each trigger ends in one outcome: {} triggers, {} outcomes",
                outcomes.triggers,
                outcomes.ended()
            ),
        );
        promise(
            self.callers_panicked == 0,
            format!("threads end in peace: {} panicked", self.callers_panicked),
        );
        promise(
            self.ancestors + outcomes.rolled_back == outcomes.committed,
            format!(
                "each version hands its state on: {} were taken over, {} handed on",
                outcomes.committed, self.ancestors
            ),
        );
        promise(
            !self.exclusive || self.total == self.added,
            format!(
                "in exclusive mode nothing is lost: {} was added, {} is there",
                self.added, self.total
            ),
        );
        promise(
            left.errors.is_empty(),
            format!("the plugins stop in order: {:#?}", left.errors),
        );
        promise(
            self.leftover() == 0 && left.counts.open == 0,
            format!(
                "all libraries are unloaded: {} lines in /proc/self/maps, {} libraries in the \
                 dynamic loader, {} open, {} pinned, {} retained, such as because {:?}",
                left.mappings,
                left.libraries,
                left.counts.open,
                left.counts.pinned.len(),
                left.counts.retained.len(),
                left.counts
                    .pinned
                    .values()
                    .chain(left.counts.retained.values())
                    .next(),
            ),
        );
        promise(
            left.copies == 0,
            format!("private copies are removed: {} are left", left.copies),
        );
        promise(
            self.growth_kb() < MAX_GROWTH_KB || self.work.rounds() < ENOUGH_ROUNDS,
            format!(
                "memory does not grow: {} kB since the warm-up, expected less than \
                 {MAX_GROWTH_KB}",
                self.growth_kb()
            ),
        );
        for (what, ends) in [
            ("pthread keys", keys),
            ("threads", threads),
            ("files", files),
        ] {
            promise(
                ends.before == ends.after,
                format!("no {what} are used up: {ends:?}"),
            );
        }
        broken
    }
}
