//! What a host with very many plugins costs, from the files to the last library that is closed:
//! `cargo bench -p keyway-host --bench platform`, with `-- --quick` for a fast look,
//! and with `-- plain`, `-- watched`, `-- lazy` or `-- with-runtime` for one kind of plugin.
//!
//! It builds one small plugin in release, makes 100, 1,000 and 4,000 plugins of it that have ids of their
//! own and need each other, and has a process for each number find, start, call and stop them. The
//! table goes to stdout, the same figures as JSON to `target/keyway-bench/platform.json`. What one
//! plugin costs among many may be 1.5 times what it costs among few; a figure over that is marked and named
//! at the end, and is no failure, since nobody knows what else the machine is doing.
//!
//! The files of 4,000 plugins and their private copies are 6 GB, which a disk does not take at the rate at which
//! they are made. `TMPDIR=/dev/shm` keeps them in memory, and shows what the steps cost without that.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

#[path = "shared/build.rs"]
mod build;
#[path = "platform/child.rs"]
mod child;
#[path = "platform/copies.rs"]
mod copies;
#[path = "shared/machine.rs"]
mod machine;
#[path = "platform/report.rs"]
mod report;
#[path = "shared/table.rs"]
mod table;

use copies::{Kind, Template};
use report::Report;

fn main() -> ExitCode {
    let has = |name: &str| std::env::args().any(|argument| argument == name);
    let done = if has(child::ARGUMENT) {
        child::run()
    } else if has("--bench") {
        run(has("--quick"))
    } else {
        // `cargo test --benches` starts it too.
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

/// So many plugins are compared with so many.
const FULL: [usize; 3] = [100, 1_000, 4_000];
const QUICK: [usize; 2] = [100, 1_000];

/// Of so many runs the median counts.
const ROUNDS: usize = 3;

fn run(quick: bool) -> Result<(), Box<dyn Error>> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let results = target.parent().unwrap_or(target).join("keyway-bench");
    std::fs::create_dir_all(&results)?;
    let numbers: &[usize] = if quick { &QUICK } else { &FULL };
    let rounds = if quick { 1 } else { ROUNDS };
    let mut report = Report::default();
    let named = |kind: &Kind| std::env::args().any(|argument| argument == kind.name());
    let all = !Kind::ALL.iter().any(named);
    for kind in Kind::ALL.into_iter().filter(|kind| all || named(kind)) {
        let template = Template::build(kind)?;
        // Two threads for each of 4,000 plugins are more than many systems let one process have.
        let most = if kind == Kind::WithRuntime {
            2
        } else {
            numbers.len()
        };
        let numbers = &numbers[..most.min(numbers.len())];
        let title = format!("{kind}, {} KiB each", template.len() / 1024);
        let mut runs = Vec::new();
        for &number in numbers {
            let home = match std::env::var_os("TMPDIR") {
                Some(place) => tempfile::tempdir_in(place)?,
                None => tempfile::tempdir_in(&results)?,
            };
            template.copy(number, home.path())?;
            let rounds: Result<Vec<_>, _> = (0..rounds)
                .map(|_| child::start(kind, number, home.path()))
                .collect();
            runs.push((number, rounds?));
        }
        report.section(title, &runs);
    }

    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", report.table())?;
    writeln!(out, "{NOTES}\n")?;
    match &*report.over() {
        [] => writeln!(out, "no step is more than linear")?,
        over => writeln!(out, "MORE THAN LINEAR: {}", over.join("; "))?,
    }
    let json = serde_json::to_string_pretty(&report.json(machine::facts(), quick))?;
    std::fs::write(results.join("platform.json"), json + "\n")?;
    writeln!(out, "the same as JSON: target/keyway-bench/platform.json")?;
    Ok(())
}

/// What the figures stand for.
const NOTES: &str = "\
Each plugin is a file of its own with one tool, and needs the plugin whose number is an eighth of its own, so
that they start in four or five levels. Figures are for one plugin; the ratio is to the smaller number before.
What changes nothing is done seven times, and the shortest time counts.
A first look finds nothing in its own cache; the files were just written, so that the system has them. A start
is everything: private copy, hash, inspection, dlopen, layouts, prepare, activate, registration. Stopping
ends when the last library is closed and out of memory. Resident memory counts what the private copies
have in memory, which the system can take back, and what belongs to nothing but the process. The processes
run one after the other on a machine that may do other things.";
