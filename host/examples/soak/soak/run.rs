//! From a rehearsal, after which all that a process makes only once is there, to the report.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use keyway_host::EventKind;
use keyway_host::inspect::hash_bytes;

use super::broken::Flaw;
use super::builds::NAME;
use super::callers::{Callers, Manner, Seen};
use super::calls::Soak;
use super::meter;
use super::options::{Options, Work};
use super::report::{Ends, Outcomes, Report, Usage};
use super::stand::{NoEvent, PATIENCE, Stand};
use super::tell;
use super::times::Times;

/// A good build comes after so many broken ones.
const GOOD_EVERY: u64 = 50;

pub(crate) fn run(options: &Options) -> Result<Report, String> {
    let manner = Manner {
        threads: options.threads,
        rest: options.rest,
        panics: options.probation.is_none(),
        exact_total: options.exclusive,
    };
    rehearse(options, manner)?;
    wait_for_threads(2);
    let before = Counted::now()?;
    let stand = Stand::new(options)?;
    let clock = Instant::now();
    let mut callers = Callers::start(&stand.soak, &stand.nests, manner);
    let mut soak = Running {
        stand,
        rounds: options.work.rounds(),
        outcomes: Outcomes::default(),
        times: Times::default(),
        usage: Vec::new(),
        seen: Arc::clone(&callers.seen),
    };
    // Whatever comes of it, the callers end before what they call.
    let worked = soak.work(options.work);
    soak.stand.settle();
    meter::trim();
    let trimmed = Usage::now()?;
    let callers_panicked = callers.stop();
    let took = clock.elapsed();
    worked?;
    let Running {
        stand,
        outcomes,
        times,
        usage,
        seen,
        ..
    } = soak;
    let answer = |answer: keyway::Result<u64>| answer.map_err(|error| error.to_string());
    let ancestors = answer(stand.soak.ancestors())?;
    let total = answer(stand.soak.add(0))?;
    let left = stand.end()?;
    let bytes = stand.builds.bytes();
    drop(stand);
    wait_for_threads(before.threads);
    let after = Counted::now()?;
    let failures = seen.failures.lock().unwrap_or_else(PoisonError::into_inner);
    let report = Report {
        work: options.work,
        exclusive: options.exclusive,
        probation: options.probation,
        callers: options.threads,
        rest: options.rest,
        bytes,
        outcomes,
        times,
        usage,
        trimmed,
        calls: seen.calls.load(Ordering::Relaxed),
        failed_calls: seen.failed.load(Ordering::Relaxed),
        failures: failures.clone(),
        visitors: seen.visitors.load(Ordering::Relaxed),
        callers_panicked,
        ancestors,
        total,
        added: seen.added.load(Ordering::Relaxed),
        left,
        keys: before.keys.until(after.keys),
        threads: before.threads.until(after.threads),
        files: before.files.until(after.files),
        took,
    };
    Ok(report)
}

/// A whole life of the plugin in a host of its own.
fn rehearse(options: &Options, manner: Manner) -> Result<(), String> {
    tell(format_args!("building the plugin, and a rehearsal"));
    let stand = Stand::new(options)?;
    let mut callers = Callers::start(&stand.soak, &stand.nests, manner);
    while callers.seen.calls.load(Ordering::Relaxed) < 1_000 {
        std::thread::sleep(Duration::from_millis(1));
    }
    callers.stop();
    let left = stand.end()?;
    match left.counts.unloaded {
        1 => Ok(()),
        _ => Err(format!("the rehearsal has left a library behind: {left:?}")),
    }
}

/// What the whole process has, with nobody calling.
struct Counted {
    keys: usize,
    threads: usize,
    files: usize,
}

impl Counted {
    fn now() -> Result<Self, String> {
        let read = |error: std::io::Error| error.to_string();
        Ok(Counted {
            keys: meter::free_keys(),
            threads: meter::threads().map_err(read)?,
            files: meter::files().map_err(read)?,
        })
    }
}

trait Until: Sized {
    fn until(self, after: Self) -> Ends<Self>;
}

impl Until for usize {
    fn until(self, after: Self) -> Ends<Self> {
        Ends {
            before: self,
            after,
        }
    }
}

/// The threads of a host end a moment after it.
fn wait_for_threads(expected: usize) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline && meter::threads().is_ok_and(|threads| threads > expected) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Usage {
    fn now() -> Result<Self, String> {
        Ok(Usage {
            rss_kb: meter::rss_kb().map_err(|error| error.to_string())?,
            allocated_kb: meter::allocated_kb(),
        })
    }
}

/// A soak that is going on.
struct Running {
    stand: Stand,
    rounds: u64,
    outcomes: Outcomes,
    times: Times,
    usage: Vec<Usage>,
    seen: Arc<Seen>,
}

/// What became of one build.
enum Ended {
    Committed,
    Refused(Flaw),
    Otherwise(String),
}

impl Running {
    fn work(&mut self, work: Work) -> Result<(), String> {
        for round in 1..=self.rounds {
            match work {
                Work::Reloads(_) => self.replace()?,
                Work::Hammer(_) => self.hammer()?,
                Work::Broken(_) => {
                    let flaw = Flaw::ALL[round as usize % Flaw::ALL.len()];
                    self.put_broken(flaw)?;
                    if round.is_multiple_of(GOOD_EVERY) || round == self.rounds {
                        self.replace()?;
                    }
                }
            }
            self.look(round, work)?;
        }
        match work {
            Work::Hammer(_) => self.finish_hammering(),
            _ => Ok(()),
        }
    }

    /// Takes the measure after each tenth.
    fn look(&mut self, round: u64, work: Work) -> Result<(), String> {
        let tenth = self.rounds / 10;
        if !round.is_multiple_of(tenth) && round != self.rounds {
            return Ok(());
        }
        if !matches!(work, Work::Hammer(_)) {
            self.stand.settle();
        }
        let usage = Usage::now()?;
        let (failed, calls) = (&self.seen.failed, &self.seen.calls);
        tell(format_args!(
            "{round} of {}: {} kB resident, {} kB allocated, {} of {} calls failed, p50 {} ms, \
             {} unexpected outcomes",
            self.rounds,
            usage.rss_kb,
            usage.allocated_kb,
            failed.load(Ordering::Relaxed),
            calls.load(Ordering::Relaxed),
            self.times.quantile_ms(0.5).unwrap_or_default(),
            self.outcomes.unexpected,
        ));
        self.usage.push(usage);
        Ok(())
    }

    /// Puts a good build in place and waits until it serves.
    fn replace(&mut self) -> Result<(), String> {
        let complete = self.stand.builds.put_good();
        let complete = complete.map_err(|error| format!("cannot replace the plugin: {error}"))?;
        let (at, ended) = self.ended(None)?;
        match ended {
            Ended::Committed => self.times.add(at.saturating_duration_since(complete)),
            Ended::Refused(_) => {}
            Ended::Otherwise(what) => self.outcomes.unexpected(format!("a good build: {what}")),
        }
        Ok(())
    }

    /// Puts a broken build in place and waits until it is refused.
    fn put_broken(&mut self, flaw: Flaw) -> Result<(), String> {
        let put = self.stand.builds.put_broken(flaw);
        put.map_err(|error| format!("cannot replace the plugin: {error}"))?;
        let (_, ended) = self.ended(Some(flaw))?;
        match ended {
            Ended::Refused(found) if found == flaw => {}
            Ended::Refused(_) | Ended::Committed => {
                self.outcomes.unexpected(format!("{flaw:?} was taken over"));
            }
            Ended::Otherwise(what) => self.outcomes.unexpected(format!("{flaw:?}: {what}")),
        }
        Ok(())
    }

    /// Waits for the outcome of the build that was put in place last.
    fn ended(&mut self, flaw: Option<Flaw>) -> Result<(Instant, Ended), String> {
        loop {
            let (at, kind) = self.stand.next(PATIENCE).map_err(no_outcome)?;
            self.note(&kind);
            let ended = match kind {
                EventKind::Committed { .. } => Ended::Committed,
                EventKind::Refused { phase, reason, .. } => {
                    let reason = reason.to_string();
                    let is_so =
                        |flaw: &Flaw| phase == flaw.phase() && reason.contains(flaw.reason());
                    match flaw.filter(is_so) {
                        Some(flaw) => Ended::Refused(flaw),
                        None => Ended::Otherwise(format!("refused in {phase}: {reason}")),
                    }
                }
                EventKind::RolledBack { reason, .. } => {
                    Ended::Otherwise(format!("rolled back: {reason}"))
                }
                _ => continue,
            };
            return Ok((at, ended));
        }
    }

    /// Counts what is an outcome or a trigger.
    fn note(&mut self, kind: &EventKind) {
        let outcomes = &mut self.outcomes;
        match kind {
            EventKind::Settled { .. } => outcomes.triggers += 1,
            EventKind::Committed { .. } => outcomes.committed += 1,
            EventKind::Unchanged { .. } => outcomes.unchanged += 1,
            EventKind::Refused { phase, .. } => {
                *outcomes.refused.entry(phase.name()).or_default() += 1;
            }
            EventKind::RolledBack { .. } => outcomes.rolled_back += 1,
            _ => {}
        }
    }

    /// Puts a good build in place and does not wait.
    fn hammer(&mut self) -> Result<(), String> {
        let put = self.stand.builds.put_good();
        put.map_err(|error| format!("cannot replace the plugin: {error}"))?;
        self.hear_all(Duration::ZERO)
    }

    /// Waits until the newest build serves, and all triggers have ended.
    fn finish_hammering(&mut self) -> Result<(), String> {
        let file = self.stand.builds.file();
        let newest = std::fs::read(&file).map_err(|error| error.to_string())?;
        let newest = hash_bytes(&newest);
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.hear_all(Duration::from_millis(200))?;
            let status = self.stand.host.plugin(NAME);
            let status = status.map_err(|error| error.to_string())?;
            let is_over = self.outcomes.triggers == self.outcomes.ended();
            if is_over && status.hash == Some(newest) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let what = format!("the newest build does not serve: {:?}", status.last_reload);
                self.outcomes.unexpected(what);
                return Ok(());
            }
        }
    }

    /// Takes note of all that was told, until nothing is told for this long.
    fn hear_all(&mut self, quiet: Duration) -> Result<(), String> {
        loop {
            match self.stand.next(quiet) {
                Ok((_, kind)) => self.note(&kind),
                Err(NoEvent::InTime) => return Ok(()),
                Err(other) => return Err(no_outcome(other)),
            }
        }
    }
}

fn no_outcome(why: NoEvent) -> String {
    match why {
        NoEvent::InTime => {
            format!("a build was put in place, and nothing came of it in {PATIENCE:?}")
        }
        NoEvent::AnyMore => "the host is gone".to_owned(),
        NoEvent::Missed(events) => format!("{events} events were missed, so nothing is known"),
    }
}
