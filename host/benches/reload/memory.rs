//! What generations weigh: one that is kept beside the one that serves, and those that are gone.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use keyway_host::Probation;

use crate::files::Template;
use crate::hosted::{Hosted, host_builder};
use crate::machine;
use crate::report::Row;

const KIB: f64 = 1024.0;

/// How often the weight of a kept generation is taken; the median counts.
const WEIGHINGS: usize = 7;

/// A version that is kept on probation.
pub(crate) fn kept(template: &Template, dir: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut weights = Vec::new();
    for weighing in 0..WEIGHINGS {
        let probation = Probation::of(Duration::from_secs(3600));
        let builder = host_builder().probation(probation);
        let mut keyway = Hosted::start(builder, template, &dir.join(weighing.to_string()))?;
        let Some((resident, anonymous)) = machine::memory() else {
            return Ok(Vec::new());
        };
        keyway.reload_by_hand()?;
        let Some((resident_after, anonymous_after)) = machine::memory() else {
            return Ok(Vec::new());
        };
        weights.push((resident_after - resident, anonymous_after - anonymous));
        keyway.host.block_on(keyway.host.shutdown());
        keyway.wait_for_open(0)?;
    }
    let label = template.label;
    let median = |of: fn(&(f64, f64)) -> f64| {
        let mut all: Vec<f64> = weights.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2] / KIB
    };
    Ok(vec![
        Row::amount(
            format!("{label}: one kept on probation, resident"),
            median(|it| it.0),
            "KiB",
        ),
        Row::amount(
            format!("{label}: one kept on probation, in no file"),
            median(|it| it.1),
            "KiB",
        ),
    ])
}

/// Reloads after which all that the process needs once is there.
const WARM_UP: usize = 500;

/// The design allows [`BUDGET`] bytes after so many reloads. With fewer, what the allocator keeps for
/// itself is most of what is seen: it came to 1 MB after 2,000 in some runs and to nothing in others.
pub(crate) const BUDGETED: usize = 10_000;

const BUDGET: f64 = 5e6;

/// What stays of versions that were replaced.
pub(crate) fn growth(
    template: &Template,
    reloads: usize,
    dir: &Path,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let keyway = Hosted::start(host_builder(), template, dir)?;
    let reload = |times: usize| -> Result<(), Box<dyn Error>> {
        for _ in 0..times {
            keyway.reload_unchanged()?;
        }
        Ok(keyway.wait_for_open(1)?)
    };
    reload(WARM_UP)?;
    let before = machine::memory();
    reload(reloads)?;
    let after = machine::memory();
    let counts = keyway.host.libraries();
    let gone = counts.unloaded == WARM_UP + reloads;
    let left = counts.pinned.len() + counts.retained.len();
    let mut rows = vec![
        Row::amount("libraries left in memory", left as f64, "").budget("0", gone && left == 0),
    ];
    if let (Some((before, _)), Some((after, _))) = (before, after) {
        let grown = after - before;
        let row = Row::amount("resident memory, growth in all", grown / KIB, "KiB");
        rows.push(if reloads == BUDGETED {
            row.budget("<= 5 MB", grown <= BUDGET)
        } else {
            row
        });
        let each = (grown / reloads as f64).round();
        rows.push(Row::amount("resident memory, growth per reload", each, "B"));
    }
    Ok(rows)
}
