//! From a file that is complete to the first answer of the new code.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use keyway_host::ReloadTimes;

use crate::files::Template;
use crate::hosted::{Hosted, Reloaded, host_builder};
use crate::others::{DEFAULT_DEBOUNCE, HotLibReloader, Plain, SHORT_DEBOUNCE};
use crate::report::{Row, Times};

/// What was found for one size of the library, in rounds: all ways took turns, so that a ratio is
/// one of neighbours, and whatever else the machine did met all of them.
pub(crate) struct Rounds {
    watched: Vec<Reloaded>,
    by_hand: Vec<Reloaded>,
    plain: Vec<Duration>,
    hot: Vec<Duration>,
}

/// The first rounds find what later ones need not do: threads, memory, caches.
const WARM_UP: usize = 3;

impl Rounds {
    pub(crate) fn run(
        template: &Template,
        rounds: usize,
        program: &Path,
        dir: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let builder = host_builder().hot_reload(true);
        let mut watched = Hosted::start(builder, template, &dir.join("watched"))?;
        let mut by_hand = Hosted::start(host_builder(), template, &dir.join("by-hand"))?;
        let mut plain = Plain::start(template, &dir.join("plain"))?;
        let hot_dir = dir.join("hot-lib-reloader");
        let mut hot = HotLibReloader::start(program, SHORT_DEBOUNCE, template, &hot_dir)?;
        let mut found = Rounds {
            watched: Vec::new(),
            by_hand: Vec::new(),
            plain: Vec::new(),
            hot: Vec::new(),
        };
        for round in 0..WARM_UP + rounds {
            let counts = round >= WARM_UP;
            for way in 0..4 {
                // Who comes after whom stays, who begins changes.
                match (round + way) % 4 {
                    0 => {
                        let reloaded = watched.reload_by_watcher()?;
                        watched.wait_for_open(1)?;
                        found.watched.extend(counts.then_some(reloaded));
                    }
                    1 => found.plain.extend(Some(plain.reload()?).filter(|_| counts)),
                    2 => {
                        let reloaded = by_hand.reload_by_hand()?;
                        by_hand.wait_for_open(1)?;
                        found.by_hand.extend(counts.then_some(reloaded));
                    }
                    _ => found.hot.extend(Some(hot.reload()?).filter(|_| counts)),
                }
            }
        }
        Ok(found)
    }

    /// What each phase takes.
    pub(crate) fn phases(&self, template: &Template) -> Vec<Row> {
        type Of = fn(&ReloadTimes) -> Duration;
        let phases: [(&str, Of); 9] = [
            ("settle: nothing else is linked", |times| times.settle),
            ("stage: private copy and its hash", |times| times.load.stage),
            ("inspect the copy, decide", |times| times.load.inspect),
            ("open: dlopen, check layouts", |times| times.load.open),
            ("construct, prepare", |times| times.load.prepare),
            ("state", |times| times.state),
            ("activate", |times| times.load.activate),
            ("health", |times| times.health),
            ("commit", |times| times.commit),
        ];
        let mut rows: Vec<Row> = phases
            .iter()
            .map(|(what, of)| Row::times(*what, spread(&self.watched, |(_, it)| of(&it.times))))
            .collect();
        let rest = spread(&self.watched, |(whole, it)| {
            let phases = phases.iter().map(|(_, of)| of(&it.times));
            whole.saturating_sub(phases.sum())
        });
        rows.push(Row::times("between them: events, threads waking", rest));
        let whole = spread(&self.watched, |(whole, _)| *whole);
        let row = Row::times("total: file complete to new answer", whole);
        rows.push(if template.label == BUDGETED {
            let holds = whole.p50 <= 10e6 && whole.p99 <= 30e6;
            row.budget("p50 <= 10 ms, p99 <= 30 ms", holds)
        } else {
            row
        });
        rows.push(Row::times(
            "the same without watching, by Host::reload",
            spread(&self.by_hand, |(whole, _)| *whole),
        ));
        rows
    }

    /// Side by side with other ways.
    pub(crate) fn comparison(&self) -> Vec<Row> {
        let plain = spread(&self.plain, |taken| *taken);
        let watched: Vec<Duration> = self.watched.iter().map(|(whole, _)| *whole).collect();
        let by_hand: Vec<Duration> = self.by_hand.iter().map(|(whole, _)| *whole).collect();
        let against = |what: &str, taken: &[Duration]| {
            let times = spread(taken, |taken| *taken);
            Row::times(what, times).ratio(ratio(taken, &self.plain))
        };
        vec![
            Row::times("told: libloading, close, copy, reopen (baseline)", plain),
            against("told: Keyway, Host::reload", &by_hand),
            against("watching: Keyway", &watched),
            against("watching: hot-lib-reloader, debounce 3 ms", &self.hot),
        ]
    }
}

/// The size that the budget of the design is for.
const BUDGETED: &str = "5 MB";

/// hot-lib-reloader as it is without any setting. Few rounds tell all, since it waits.
pub(crate) fn with_default_debounce(
    template: &Template,
    rounds: usize,
    program: &Path,
    dir: &Path,
) -> Result<Row, Box<dyn Error>> {
    let mut hot = HotLibReloader::start(program, DEFAULT_DEBOUNCE, template, dir)?;
    hot.reload()?;
    let taken: Result<Vec<Duration>, _> = (0..rounds).map(|_| hot.reload()).collect();
    let times = spread(&taken?, |taken| *taken);
    Ok(Row::times(
        "watching: hot-lib-reloader, debounce 500 ms (default)",
        times,
    ))
}

/// Only the phases that depend on whether the content is mapped.
pub(crate) fn appended(
    template: &Template,
    rounds: usize,
    dir: &Path,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut keyway = Hosted::start(host_builder(), template, dir)?;
    let mut reloads = Vec::new();
    for round in 0..WARM_UP + rounds {
        let reloaded = keyway.reload_by_hand()?;
        keyway.wait_for_open(1)?;
        if round >= WARM_UP {
            reloads.push(reloaded);
        }
    }
    Ok(vec![
        Row::times("stage", spread(&reloads, |(_, it)| it.times.load.stage)),
        Row::times("open", spread(&reloads, |(_, it)| it.times.load.open)),
        Row::times(
            "total, by Host::reload",
            spread(&reloads, |(whole, _)| *whole),
        ),
    ])
}

fn spread<T>(all: &[T], of: impl Fn(&T) -> Duration) -> Times {
    Times::of(all.iter().map(|one| nanoseconds(of(one))).collect())
}

/// The median of the ratios of neighbours.
fn ratio(taken: &[Duration], baseline: &[Duration]) -> f64 {
    let pairs = taken.iter().zip(baseline);
    let ratios = pairs.map(|(taken, base)| nanoseconds(*taken) / nanoseconds(*base));
    Times::of(ratios.collect()).p50
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_nanos() as f64
}
