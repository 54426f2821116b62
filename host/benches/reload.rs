//! What a reload takes, what callers notice of it, and what is left of the old versions, measured
//! side by side in one run: `cargo bench -p keyway-host --bench reload`, with `-- --quick` for a
//! fast look, and `-- latency`, `-- callers` or `-- memory` for one part.
//!
//! It builds a small plugin in release, in three sizes, and replaces its file as cargo does. The
//! table goes to stdout, the same figures as JSON to `target/keyway-bench/reload.json`. The budgets
//! are those of the project's design; a figure over its budget is marked and named at the end, and
//! is no failure, since nobody knows what else the machine is doing.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

#[path = "shared/build.rs"]
mod build;
#[path = "reload/callers.rs"]
mod callers;
// Included instead of depended upon: a dev-dependency would be built for every test.
#[path = "../../tests/fixtures/bench-plugin/src/calls.rs"]
mod calls;
#[path = "reload/files.rs"]
mod files;
#[path = "shared/finish.rs"]
mod finish;
#[path = "reload/histogram.rs"]
mod histogram;
#[path = "reload/hosted.rs"]
mod hosted;
#[path = "reload/latency.rs"]
mod latency;
#[path = "shared/machine.rs"]
mod machine;
#[path = "reload/memory.rs"]
mod memory;
#[path = "reload/others.rs"]
mod others;
#[path = "reload/output.rs"]
mod output;
#[path = "reload/report.rs"]
mod report;
#[path = "shared/table.rs"]
mod table;

use files::Template;
use latency::Rounds;
use others::HotLibReloader;
use report::Report;

fn main() -> ExitCode {
    let has = |name: &str| std::env::args().any(|argument| argument == name);
    // `cargo test --benches` starts it too.
    let done = if has("--bench") {
        run(has("--quick"))
    } else {
        Ok(())
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How much is measured.
struct Effort {
    /// Reloads of each size, in each way.
    rounds: [usize; 3],
    /// Reloads by hot-lib-reloader with its default debounce, each of which takes a second.
    slow_rounds: usize,
    /// How long a caller is observed in one go.
    slice: Duration,
    slices: usize,
    /// Reloads after which memory is looked at.
    reloads: usize,
}

impl Effort {
    const FULL: Effort = Effort {
        rounds: [301, 301, 101],
        slow_rounds: 15,
        slice: Duration::from_secs(1),
        slices: 4,
        reloads: memory::BUDGETED,
    };
    const QUICK: Effort = Effort {
        rounds: [31, 31, 11],
        slow_rounds: 3,
        slice: Duration::from_millis(300),
        slices: 1,
        reloads: 2_000,
    };
}

fn run(quick: bool) -> Result<(), Box<dyn Error>> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let results = target.parent().unwrap_or(target).join("keyway-bench");
    std::fs::create_dir_all(&results)?;
    let home = tempfile::tempdir_in(&results)?;
    let scene = Scene {
        effort: if quick { Effort::QUICK } else { Effort::FULL },
        templates: Template::build(home.path())?,
        home: home.path(),
    };
    let parts: [(&str, Part<'_>); 3] = [
        ("latency", Scene::latency),
        ("callers", Scene::callers),
        ("memory", Scene::memory),
    ];
    let named = |name: &str| std::env::args().any(|argument| argument == name);
    let all = !parts.iter().any(|(name, _)| named(name));
    let mut report = Report::default();
    for (name, part) in parts {
        if all || named(name) {
            part(&scene, &mut report)?;
        }
    }

    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", report.table())?;
    writeln!(out, "{NOTES}\n")?;
    match &*report.over() {
        [] => writeln!(out, "all budgets hold")?,
        over => writeln!(out, "OVER BUDGET: {}", over.join("; "))?,
    }
    let json = serde_json::to_string_pretty(&report.json(machine::facts(), quick))?;
    std::fs::write(results.join("reload.json"), json + "\n")?;
    writeln!(out, "the same as JSON: target/keyway-bench/reload.json")?;
    Ok(())
}

/// What all parts share.
struct Scene<'a> {
    effort: Effort,
    /// The plugin in three sizes, and the one that is only longer.
    templates: [Template; 4],
    /// Removed at the end.
    home: &'a Path,
}

type Part<'a> = fn(&Scene<'a>, &mut Report) -> Result<(), Box<dyn Error>>;

impl Scene<'_> {
    fn dir(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    fn latency(&self, report: &mut Report) -> Result<(), Box<dyn Error>> {
        let program = HotLibReloader::build()?;
        let [small, middle, large, appended] = &self.templates;
        let mut comparisons = Vec::new();
        for (template, rounds) in [small, middle, large].into_iter().zip(self.effort.rounds) {
            let label = template.label;
            let found = Rounds::run(template, rounds, &program, &self.dir(label))?;
            let kib = template.len() / 1024;
            let title = format!("a reload of {label} ({kib} KiB), watching, {rounds} times");
            report.section(title, found.phases(template));
            let title = format!("file of {label} complete to new code answering");
            comparisons.push((title, found.comparison()));
        }
        let rounds = self.effort.rounds[1];
        let rows = latency::appended(appended, rounds, &self.dir("appended"))?;
        report.section(format!("{}: {rounds} times", appended.label), rows);
        let dir = self.dir("default-debounce");
        let rounds = self.effort.slow_rounds;
        let slow = latency::with_default_debounce(middle, rounds, &program, &dir)?;
        comparisons[1].1.push(slow);
        for (title, rows) in comparisons {
            report.section(title, rows);
        }
        Ok(())
    }

    fn callers(&self, report: &mut Report) -> Result<(), Box<dyn Error>> {
        let [small, ..] = &self.templates;
        let Effort { slice, slices, .. } = self.effort;
        let rows = callers::rows(small, slice, slices, &self.dir("callers"))?;
        let title = "one call, timed each; one caller, and the other thing on a second thread";
        report.section(title, rows);
        Ok(())
    }

    fn memory(&self, report: &mut Report) -> Result<(), Box<dyn Error>> {
        let [small, middle, large, _] = &self.templates;
        let reloads = self.effort.reloads;
        // First the growth, before anything else has left holes in the heap.
        let growth = memory::growth(small, reloads, &self.dir("growth"))?;
        let mut rows = Vec::new();
        for template in [small, middle, large] {
            let dir = self.dir(&format!("kept-{}", template.label));
            rows.extend(memory::kept(template, &dir)?);
        }
        rows.extend(growth);
        let title = format!("memory; growth over {reloads} reloads without probation");
        report.section(title, rows);
        Ok(())
    }
}

/// What the figures stand for.
const NOTES: &str = "\
Sizes: the larger libraries have constants that are mapped, with as many relocated pointers as libstd
has for its size. Appended bytes would only be copied and hashed; one section shows the difference.
Each reload is of a new file with other content, linked into place as cargo does it; the time starts
before the link, and ends when the new build has answered a call.

libloading here is the least one can do: it is told that the file is complete, and closes the old
library before it opens the new one, so nothing serves meanwhile. Nothing is hashed or checked: not
that the file is whole, nor that it is the right library, nor that the symbol has the type it is used
as. A call that is still inside, a pointer or string that was kept, a thread of the library or a
thread-local with a destructor is a crash, or keeps the library in memory unnoticed. No state is
carried over, a panic is the end of the process, and there is no way back.

hot-lib-reloader finds changes by itself, and takes a change for complete when no event came for the
time of its debouncer and the CRC of the file is another. The rest is as above: close, copy, open,
without a check of what is opened. What is called must not run meanwhile, which its macro sees to
with a lock around each call; here nothing is called. A library that fails to open leaves nothing
that serves.";
