//! From a file to a plugin that serves, phase by phase, and what a loaded copy weighs.

use std::path::Path;
use std::time::{Duration, Instant};

use keyway_host::{Host, HostError, LoadOptions, LoadTimes, inspect};

use crate::machine;
use crate::measure::{Effort, Quantiles};
use crate::plugin::host_builder;
use crate::report::Row;

/// Loads whose times are not counted.
const WARM_UP: usize = 10;

pub(crate) fn rows(effort: Effort, path: &Path) -> Result<Vec<Row>, HostError> {
    let inspected = (0..effort.loads)
        .map(|_| {
            let clock = Instant::now();
            let facts = inspect::inspect(path);
            let taken = clock.elapsed();
            assert!(facts.is_ok(), "the plugin inspects: {facts:?}");
            taken
        })
        .map(nanoseconds);
    let inspected = Quantiles::of(inspected.collect());
    let file = std::fs::metadata(path).map_or(0, |metadata| metadata.len());

    let host = host_builder().build()?;
    let load = |number: usize| -> Result<(LoadTimes, Duration), HostError> {
        let options = LoadOptions::new().namespace(name(number));
        let clock = Instant::now();
        let status = host.block_on(host.load_with(path, options))?;
        Ok((status.times, clock.elapsed()))
    };
    // The first loads warm the file cache, start the threads that later ones find, and take from
    // the system the memory that later ones are given again. On a virtual machine the first touch
    // of a page that the hypervisor has not backed yet takes microseconds, and would be measured
    // as the cost of writing the private copy.
    let mut loads: Vec<(LoadTimes, Duration)> = Vec::with_capacity(effort.loads);
    for number in 0..effort.loads + WARM_UP {
        let loaded = load(number)?;
        if number >= WARM_UP {
            loads.push(loaded);
        }
        unload(&host, number)?;
    }
    let before = machine::memory();
    let mut kept = Vec::with_capacity(effort.loads);
    for number in 0..effort.loads {
        kept.push(load(number)?);
    }
    let after = machine::memory();

    let median = |of: &dyn Fn(&(LoadTimes, Duration)) -> Duration| {
        Quantiles::of(loads.iter().map(of).map(nanoseconds).collect())
    };
    let whole = median(&|(_, whole)| *whole);
    let kept = Quantiles::of(kept.iter().map(|(_, whole)| nanoseconds(*whole)).collect());
    let mut rows = vec![
        Row::amount("size of the library", file as f64 / 1024.0, "KiB"),
        Row::time("inspect (nothing is loaded)", inspected)
            .budget("< 0.1 ms", inspected.median < 1e5),
        Row::time(
            "load: private copy and its hash",
            median(&|(times, _)| times.stage),
        ),
        Row::time(
            "load: inspect the copy, decide",
            median(&|(times, _)| times.inspect),
        ),
        Row::time(
            "load: dlopen, check layouts",
            median(&|(times, _)| times.open),
        ),
        Row::time(
            "load: construct, prepare",
            median(&|(times, _)| times.prepare),
        ),
        Row::time(
            "load: activate, register",
            median(&|(times, _)| times.activate),
        ),
        Row::time("load: whole", whole).budget("< 1 ms", whole.median < 1e6),
        Row::time("load: whole, into memory nobody used before", kept),
    ];
    if let (Some((resident, anonymous)), Some((resident_after, anonymous_after))) = (before, after)
    {
        let per_load = |before: f64, after: f64| (after - before) / effort.loads as f64 / 1024.0;
        let resident = per_load(resident, resident_after);
        rows.push(Row::amount(
            "memory per loaded copy, resident",
            resident,
            "KiB",
        ));
        let anonymous = per_load(anonymous, anonymous_after);
        let what = "memory per loaded copy, in no file";
        rows.push(Row::amount(what, anonymous, "KiB"));
    }
    host.block_on(host.shutdown());
    Ok(rows)
}

fn name(number: usize) -> String {
    format!("copy{number}")
}

/// Stops a plugin, and waits until its library is gone.
fn unload(host: &Host, number: usize) -> Result<(), HostError> {
    host.block_on(host.stop(&format!("{}/bench-plugin", name(number))))?;
    let left = host.wait_for_unload(Duration::from_secs(30));
    assert_eq!(left.open, 0, "the library is unloaded: {left:?}");
    Ok(())
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_nanos() as f64
}
