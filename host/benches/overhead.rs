//! What Keyway costs, measured side by side in one run: `cargo bench -p keyway-host --bench
//! overhead`, with `-- --quick` for a fast look.
//!
//! It builds a small plugin in release, loads it as an application would, and compares calls into
//! it with what an application could do instead. The table goes to stdout, the same figures as
//! JSON to `target/keyway-bench/overhead.json`. The budgets are those of the project's design; a
//! figure over its budget is marked and named at the end, and is no failure, since nobody knows
//! what else the machine is doing.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use keyway_host::{Host, LoadOptions};

// Included instead of depended upon: a dev-dependency would be built for every test.
// Included instead of depended upon: a dev-dependency would be built for every test.
#[expect(unreachable_pub, reason = "in the plugin it is reachable")]
#[path = "../../tests/fixtures/bench-plugin/src/bare.rs"]
mod bare;
#[path = "shared/build.rs"]
mod build;
#[path = "../../tests/fixtures/bench-plugin/src/calls.rs"]
mod calls;
#[path = "shared/finish.rs"]
mod finish;
#[path = "overhead/futures.rs"]
mod futures;
#[path = "overhead/loading.rs"]
mod loading;
#[path = "shared/machine.rs"]
mod machine;
#[path = "overhead/measure.rs"]
mod measure;
#[path = "overhead/payloads.rs"]
mod payloads;
#[path = "overhead/plugin.rs"]
mod plugin;
#[path = "overhead/report.rs"]
mod report;
#[path = "overhead/sync.rs"]
mod sync;
#[path = "shared/table.rs"]
mod table;
#[path = "overhead/threads.rs"]
mod threads;

use calls::CallsHandle;
use measure::Effort;
use report::Report;

fn main() -> ExitCode {
    let has = |name: &str| std::env::args().any(|argument| argument == name);
    let done = if has(sync::PIPE_CHILD) {
        sync::serve_pipe().map_err(Into::into)
    } else if !has("--bench") {
        // `cargo test --benches` starts it too.
        Ok(())
    } else {
        run(has("--quick"))
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(quick: bool) -> Result<(), Box<dyn Error>> {
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    let path = plugin::build()?;
    let opened = plugin::open(&path)?;
    let host = plugin::host_builder().build()?;
    let handle = load(&host, &path)?;
    let limited_host = plugin::host_builder().max_concurrency(64).build()?;
    let limited = load(&limited_host, &path)?;
    let tool = host.tool("bench/measure")?;

    let mut report = Report::default();
    let calls = sync::rows(effort, &handle, &limited, &opened);
    report.section("a synchronous call, fn(u64, u64) -> Result<u64>", calls);
    let futures = futures::rows(effort, &handle);
    report.section(
        "an asynchronous call, async fn(u64, u64) -> Result<u64>",
        futures,
    );
    let payloads = payloads::rows(effort, &handle, &tool);
    report.section("payloads; the ratio is to 64 B", payloads);
    let threads = threads::rows(effort, &handle);
    report.section("two threads at once; the ratio is to one thread", threads);
    let loading = loading::rows(effort, &path)?;
    report.section("loading a small release plugin, warm", loading);

    let machine = machine::facts();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", report.table())?;
    match &*report.over() {
        [] => writeln!(out, "all budgets hold")?,
        over => writeln!(out, "OVER BUDGET: {}", over.join("; "))?,
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let dir = target.parent().unwrap_or(target).join("keyway-bench");
    std::fs::create_dir_all(&dir)?;
    let json = serde_json::to_string_pretty(&report.json(machine, quick))?;
    std::fs::write(dir.join("overhead.json"), json + "\n")?;
    writeln!(out, "the same as JSON: target/keyway-bench/overhead.json")?;
    Ok(())
}

fn load(host: &Host, path: &Path) -> Result<CallsHandle, keyway_host::HostError> {
    let options = LoadOptions::new().namespace("bench");
    host.block_on(host.load_with(path, options))?;
    host.capability("bench/calls")
}
