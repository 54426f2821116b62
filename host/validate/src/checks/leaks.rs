//! What is left behind by rounds of loading, calling and unloading. Counted, never timed.

use crate::bench::Bench;
use crate::checks::life::can_unload;
use crate::verdict::Verdict;

/// What comes before the first measurement: allocators and caches fill up.
const WARM_UP: u64 = 20;
/// How many rounds lie between two measurements.
const ROUNDS: u64 = 40;
/// How often in a row something has to grow to be called growing.
const WINDOWS: usize = 3;
/// How many bytes one round may leave behind. Host and plugin together leave a few hundred.
const BYTES: u64 = 32 * 1024;

/// What the process has.
#[derive(Clone, Copy, Debug)]
struct Usage {
    /// Resident memory, in bytes.
    memory: u64,
    threads: u64,
    files: u64,
}

pub(super) fn leaks(bench: &Bench) -> Result<Verdict, Verdict> {
    if !can_unload() {
        return Ok(Verdict::skipped("on this system libraries stay in memory"));
    }
    if usage().is_none() {
        return Ok(Verdict::skipped(
            "this system does not tell what a process has (no /proc)",
        ));
    }
    let stand = bench.stand()?;
    let round = || -> Result<(), Verdict> {
        stand.load()?;
        stand.use_tools(&stand.tools()?)?;
        let threads = stand.host.plugin(&stand.name)?.threads;
        stand.stop()?;
        stand.unloaded(&threads).map(drop)
    };
    let rounds = |number: u64| -> Result<Usage, Verdict> {
        (0..number).try_for_each(|_| round())?;
        usage().ok_or_else(|| Verdict::failed("what the process has can no longer be read"))
    };
    let mut seen = vec![rounds(WARM_UP)?];
    for _ in 0..WINDOWS {
        seen.push(rounds(ROUNDS)?);
        // What stands still once does not grow.
        if grown(&seen).is_none() {
            break;
        }
    }
    let (first, last) = (seen[0], seen[seen.len() - 1]);
    let all = ROUNDS * (seen.len() as u64 - 1);
    match grown(&seen) {
        None => Ok(Verdict::success("no more memory, threads or files than before").detail(format!(
            "after {all} rounds: memory {} KiB, before {} KiB; threads {}, before {}; files {}, before {}",
            last.memory / 1024,
            first.memory / 1024,
            last.threads,
            first.threads,
            last.files,
            first.files
        ))),
        Some((what, from, to, unit)) => Err(Verdict::failed(format!(
            "{what} grew in each of {} times {ROUNDS} rounds of loading, calling and unloading: expected that it stays, \
             found {from} {unit} at first and {to} {unit} at last",
            seen.len() - 1
        ))
        .hint("look for what is put into statics, leaked on purpose, or never joined or closed")),
    }
}

/// What has grown from each measurement to the next: its name, its first and its last value, and the unit.
fn grown(seen: &[Usage]) -> Option<(&'static str, u64, u64, &'static str)> {
    let steadily = |of: fn(&Usage) -> u64, least: u64| {
        seen.windows(2)
            .all(|pair| of(&pair[1]) > of(&pair[0]) + least)
    };
    let (first, last) = (seen.first()?, seen.last()?);
    if steadily(|usage| usage.memory, BYTES * ROUNDS) {
        return Some((
            "the resident memory",
            first.memory / 1024,
            last.memory / 1024,
            "KiB",
        ));
    }
    if steadily(|usage| usage.threads, ROUNDS / 2) {
        return Some((
            "the number of threads",
            first.threads,
            last.threads,
            "threads",
        ));
    }
    steadily(|usage| usage.files, ROUNDS / 2).then_some((
        "the number of open files",
        first.files,
        last.files,
        "files",
    ))
}

/// None where the system does not say.
fn usage() -> Option<Usage> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let number = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':')
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    };
    Some(Usage {
        memory: number("VmRSS")? * 1024,
        threads: number("Threads")?,
        files: std::fs::read_dir("/proc/self/fd").ok()?.count() as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_memory(memory: &[u64]) -> Vec<Usage> {
        let usage = |memory: &u64| Usage {
            memory: *memory,
            threads: 5,
            files: 9,
        };
        memory.iter().map(usage).collect()
    }

    #[test]
    fn only_what_grows_each_time_and_by_enough_grows() {
        let step = BYTES * ROUNDS + 1;
        assert!(grown(&with_memory(&[step, 2 * step, 3 * step, 4 * step])).is_some());
        assert!(grown(&with_memory(&[step, 2 * step, 2 * step])).is_none());
        assert!(grown(&with_memory(&[step, step + 1, step + 2])).is_none());
        assert!(grown(&with_memory(&[2 * step, step])).is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_something() {
        let Usage {
            memory,
            threads,
            files,
        } = usage().expect("it is told");
        assert!(memory > 0 && threads > 0 && files > 0);
    }
}
