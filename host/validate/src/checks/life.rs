//! The plugin's life: from its start to its end, and again.

use keyway_host::{ReloadOptions, ReloadOutcome};

use crate::bench::{Bench, Stand};
use crate::tools::Tool;
use crate::verdict::Verdict;

/// How often it is done.
const TIMES: u64 = 8;
/// How many threads call at the same time.
const THREADS: usize = 4;

/// What other checks are about, or what was asked for.
const NOT_HERE: [&str; 3] = [
    "capability-unregistered",
    "permission-not-granted",
    "config-undeclared",
];

pub(super) fn loads(bench: &Bench) -> Result<Verdict, Verdict> {
    let stand = bench.stand()?;
    let loaded = stand.load_with(stand.config.clone());
    let status = loaded.map_err(|error| {
        let failed = Verdict::from(error);
        match (failed.hint.is_some(), stand.manifest.permissions.is_empty()) {
            (false, false) => failed.hint(
                "if it needs what it is not granted: --grant all grants what it asks for; what it reads by \
                 relative paths has to be beside the library",
            ),
            (false, true) if !stand.manifest.config.is_empty() => {
                failed.hint("if it needs other settings: give them with --config KEY=JSON")
            }
            _ => failed,
        }
    })?;
    bench.doing("asking for its health");
    stand.host.block_on(stand.host.health_check(&stand.name))?;
    let minor = status.interface_minor;
    stand.stop()?;
    let warnings = status.warnings.iter();
    let warnings = warnings.filter(|warning| !NOT_HERE.contains(&warning.code.id));
    let mut warnings: Vec<String> = warnings.map(|warning| warning.message.clone()).collect();
    if !warnings.is_empty() {
        return Ok(Verdict::warning(warnings.remove(0)).details(warnings));
    }
    Ok(Verdict::success(format!(
        "it speaks interface {}.{minor}",
        keyway_host::keyway::version::INTERFACE.major
    )))
}

pub(super) fn unloads(bench: &Bench) -> Result<Verdict, Verdict> {
    if !can_unload() {
        return Ok(Verdict::skipped("on this system libraries stay in memory"));
    }
    let stand = bench.stand()?;
    for _ in 0..TIMES {
        stand.load()?;
        let tools = stand.tools()?;
        stand.use_tools(&tools)?;
        from_threads(&stand, &tools)?;
        let threads = stand.host.plugin(&stand.name)?.threads;
        stand.stop()?;
        stand.unloaded(&threads)?;
    }
    Ok(Verdict::success(format!(
        "gone from memory each of {TIMES} times"
    )))
}

/// Whether this system can unload at all; see `PLATFORM.md`.
pub(super) fn can_unload() -> bool {
    cfg!(all(target_os = "linux", target_env = "gnu"))
}

/// Calls the tools on threads that end while the plugin is loaded.
pub(super) fn from_threads(stand: &Stand<'_>, tools: &[Tool]) -> Result<(), Verdict> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| scope.spawn(|| stand.use_tools(tools).map(drop)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(done) => done,
                Err(_) => Err(Verdict::failed("a thread of the check has panicked")),
            })
    })
}

pub(super) fn reloads(bench: &Bench) -> Result<Verdict, Verdict> {
    let stand = bench.stand()?;
    stand.load()?;
    for time in 1..=TIMES {
        stand.use_tools(&stand.tools()?)?;
        reload(&stand, time)?;
    }
    stand.use_tools(&stand.tools()?)?;
    let threads = stand.host.plugin(&stand.name)?.threads;
    stand.stop()?;
    if can_unload() {
        stand.unloaded(&threads)?;
    }
    Ok(Verdict::success(format!("taken over {TIMES} times")))
}

/// Reloads from the same file.
pub(super) fn reload(stand: &Stand<'_>, time: u64) -> Result<(), Verdict> {
    stand.bench.doing(format!("reload {time}"));
    let reload = stand
        .host
        .reload_with(&stand.name, ReloadOptions::new().force());
    let report = stand.host.block_on(reload)?;
    let not_taken_over = |what: &str, reason: &keyway_host::HostError| {
        let failed = Verdict::failed(format!(
            "reload {time} was {what}: {}; expected that the new version takes over",
            reason.message()
        ));
        match reason.advice() {
            Some(advice) => failed.hint(advice),
            None => failed,
        }
    };
    match &report.outcome {
        ReloadOutcome::Committed => Ok(()),
        ReloadOutcome::Refused { phase, reason } => {
            Err(not_taken_over(&format!("refused in phase {phase}"), reason))
        }
        ReloadOutcome::Lost { phase, reason, .. } => Err(not_taken_over(
            &format!("the end of both versions, in phase {phase}"),
            reason,
        )),
        other => Err(Verdict::failed(format!(
            "reload {time} ended as {other:?}; expected that the new version takes over"
        ))),
    }
}
