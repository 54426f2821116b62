//! What a caller notices of reloads: each call is timed, while nothing else happens, while another
//! thread opens and closes libraries without Keyway, and while the plugin that is called reloads.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use keyway::Result as Answer;

use crate::calls::Calls;
use crate::files::Template;
use crate::finish::finish;
use crate::histogram::Histogram;
use crate::hosted::{Hosted, host_builder};
use crate::others::Plain;
use crate::report::Row;

/// What one caller has met.
#[derive(Default)]
struct Met {
    calls: Histogram,
    failed: u64,
    /// Reloads, or whatever happened beside the calls.
    beside: u64,
}

pub(crate) fn rows(
    template: &Template,
    slice: Duration,
    rounds: usize,
    dir: &Path,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let keyway = Hosted::start(host_builder(), template, &dir.join("keyway"))?;
    let mut plain = Plain::start(template, &dir.join("plain"))?;
    let handle = &keyway.handle;
    let mut rows = Vec::new();
    let mut clock = Met::default();
    observe(slice, &mut clock, &|sum, _| Ok(sum), &mut || pause())?;
    rows.push(Row::times(
        "the clock alone, which all below contain",
        clock.calls.times(),
    ));
    type Call<'a> = &'a (dyn Fn(u64, u64) -> Answer<u64> + Sync);
    let calls: [(&str, Call<'_>); 3] = [
        ("sync call", &|a, b| handle.add(a, b)),
        ("async call, ready at once", &|a, b| {
            finish(handle.add_ready(a, b))
        }),
        ("async call, pending once", &|a, b| {
            finish(handle.add_pending(a, b))
        }),
    ];
    for (what, call) in calls {
        let mut met: [Met; 3] = Default::default();
        let [alone, opening, reloading] = &mut met;
        for _ in 0..rounds {
            observe(slice, alone, call, &mut || pause())?;
            observe(slice, opening, call, &mut || plain.reopen().map(drop))?;
            observe(slice, reloading, call, &mut || keyway.reload_unchanged())?;
        }
        let base = alone.calls.times();
        let times = |what: String, met: &Met| {
            let times = met.calls.times();
            Row::times(what, times).ratio(times.p50 / base.p50)
        };
        let [alone, opening, reloading] = &met;
        rows.push(Row::times(format!("{what}: alone (baseline)"), base));
        let others = format!("{what}: beside {} dlopens without Keyway", opening.beside);
        rows.push(times(others, opening));
        let reloads = format!("{what}: during {} reloads of its plugin", reloading.beside);
        rows.push(times(reloads, reloading));
        let (failed, made) = (alone.failed + reloading.failed, reloading.calls.calls());
        let millions = made as f64 / 1e6;
        let failures = format!("{what}: failed, of {millions:.1} million during reloads");
        rows.push(Row::amount(failures, failed as f64, "").budget("0", failed == 0));
    }
    keyway.wait_for_open(1)?;
    Ok(rows)
}

fn pause() -> Result<(), Box<dyn Error>> {
    thread::sleep(Duration::from_millis(10));
    Ok(())
}

/// Calls on a thread of its own, and does something else on this one.
fn observe(
    slice: Duration,
    met: &mut Met,
    call: &(dyn Fn(u64, u64) -> Answer<u64> + Sync),
    beside: &mut dyn FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let caller = scope.spawn(|| caller(&stop, call));
        let clock = Instant::now();
        let mut went_wrong = Ok(());
        while clock.elapsed() < slice && went_wrong.is_ok() {
            went_wrong = beside();
            met.beside += 1;
        }
        stop.store(true, Ordering::Relaxed);
        let (calls, failed) = caller.join().map_err(|_| "the caller has panicked")?;
        met.calls.add(&calls);
        met.failed += failed;
        went_wrong
    })
}

fn caller(stop: &AtomicBool, call: &(dyn Fn(u64, u64) -> Answer<u64> + Sync)) -> (Histogram, u64) {
    let mut calls = Histogram::default();
    let mut failed = 0;
    let mut sum = 0;
    while !stop.load(Ordering::Relaxed) {
        let clock = Instant::now();
        let answer = call(sum, 1);
        calls.record(clock.elapsed());
        match answer {
            Ok(next) => sum = next,
            Err(_) => failed += 1,
        }
    }
    std::hint::black_box(sum);
    (calls, failed)
}
