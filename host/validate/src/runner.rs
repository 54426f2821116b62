//! Running checks: which, in which order, each in a process of its own.

mod process;

use std::ffi::OsString;
use std::num::NonZero;
use std::path::{Path, PathBuf, absolute};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use semver::Version;
use serde_json::{Map, Value};

use crate::bench;
use crate::checks::{self, CHECKS, Check, INSPECTS, LOADS, Needs, TOOL_INPUT};
use crate::error::ValidateError;
use crate::grant::GrantLevel;
use crate::report::{Record, Report};
use crate::task::{Reproduce, Task};
use crate::verdict::{Outcome, Verdict};

use process::Process;

/// Validates plugins: which checks, with what, and how long each may take.
#[derive(Clone, Debug)]
#[must_use]
pub struct Validator {
    program: PathBuf,
    arguments: Vec<OsString>,
    seed: u64,
    cases: u64,
    time_limit: Duration,
    jobs: usize,
    only: Vec<String>,
    skip: Vec<String>,
    reproduce: Option<Reproduce>,
    config: Map<String, Value>,
    host_version: Option<Version>,
    grant: GrantLevel,
    stop: Stop,
}

/// How far a validation has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A check begins.
    Begun(&'static Check),
    /// A check has ended.
    Ended(&'a Record),
}

/// Ends a validation from another thread. Clones end the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends the checks that run; [`Validator::run`] answers an error then.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Validator {
    /// How many random inputs each tool gets, unless [`cases`](Self::cases) says otherwise.
    pub const CASES: u64 = 100;
    /// What random input is made of, unless [`seed`](Self::seed) says otherwise.
    pub const SEED: u64 = 1;
    /// How long each check may take, unless [`time_limit`](Self::time_limit) says otherwise.
    pub const TIME_LIMIT: Duration = Duration::from_secs(60);

    /// All checks, each run by this program with these arguments, which calls [`child`](crate::child).
    pub fn new<A: Into<OsString>>(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Validator {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            seed: Self::SEED,
            cases: Self::CASES,
            time_limit: Self::TIME_LIMIT,
            jobs: std::thread::available_parallelism().map_or(1, NonZero::get),
            only: Vec::new(),
            skip: Vec::new(),
            reproduce: None,
            config: Map::new(),
            host_version: None,
            grant: GrantLevel::default(),
            stop: Stop::default(),
        }
    }

    /// What random input is made of.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many random inputs each tool gets.
    pub fn cases(mut self, cases: u64) -> Self {
        self.cases = cases;
        self
    }

    /// How long each check may take.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// How many checks run at the same time; at least one. Default: as many as there are processors.
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs.max(1);
        self
    }

    /// Runs these checks alone. Nothing named is all of them.
    pub fn only<S: Into<String>>(mut self, checks: impl IntoIterator<Item = S>) -> Self {
        self.only.extend(checks.into_iter().map(Into::into));
        self
    }

    /// Leaves these checks out.
    pub fn skip<S: Into<String>>(mut self, checks: impl IntoIterator<Item = S>) -> Self {
        self.skip.extend(checks.into_iter().map(Into::into));
        self
    }

    /// Runs one case of one check alone, with the seed that it says.
    pub fn reproduce(mut self, case: Reproduce) -> Self {
        self.reproduce = Some(case);
        self
    }

    /// The plugin's settings. What it requires besides is made up.
    pub fn config(mut self, config: Map<String, Value>) -> Self {
        self.config = config;
        self
    }

    /// The version of the application that the hosts stand in for. Default: the oldest that the plugin works
    /// with.
    pub fn host_version(mut self, version: Version) -> Self {
        self.host_version = Some(version);
        self
    }

    /// How much of what the plugin asks for it gets.
    pub fn grant(mut self, grant: GrantLevel) -> Self {
        self.grant = grant;
        self
    }

    /// What ends this validator's runs from another thread.
    pub fn stop_handle(&self) -> Stop {
        self.stop.clone()
    }

    /// Runs the checks on a library; `tell` hears of each, on whichever thread it ran.
    ///
    /// # Errors
    ///
    /// When there is no check of a name that was given, when a process cannot be started, or when the run was
    /// [stopped](Stop). What is wrong with the plugin is in the report.
    pub fn run(
        &self,
        library: &Path,
        tell: &(dyn Fn(Progress<'_>) + Sync),
    ) -> Result<Report, ValidateError> {
        let selected = self.selected()?;
        let whole = absolute(library)
            .map_err(|error| ValidateError::io("the working directory cannot be had", error))?;
        let facts = bench::read(&whole).ok();
        let plugin = facts.as_ref().map(|facts| facts.manifest.id.to_string());
        let version = facts
            .as_ref()
            .map(|facts| facts.manifest.version.to_string());
        let run = Run {
            validator: self,
            library: whole,
            tell,
        };
        let checks = run.all(&selected)?;
        Ok(Report {
            library: library.to_owned(),
            plugin,
            version,
            seed: self.reproduce.as_ref().map_or(self.seed, |case| case.seed),
            cases: self.cases,
            checks,
        })
    }

    fn selected(&self) -> Result<Vec<&'static Check>, ValidateError> {
        let reproduced = self.reproduce.as_ref().map(|case| &case.check);
        for id in self.only.iter().chain(&self.skip).chain(reproduced) {
            if checks::find(id).is_none() {
                let ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
                return Err(ValidateError::new(format!("there is no check `{id}`"))
                    .hint(format!("the checks are: {}", ids.join(", "))));
            }
        }
        let wanted = |check: &&Check| match reproduced {
            Some(only) => check.id == only,
            None => {
                let is_named = |ids: &[String]| ids.iter().any(|id| id == check.id);
                (self.only.is_empty() || is_named(&self.only)) && !is_named(&self.skip)
            }
        };
        let selected: Vec<&'static Check> = CHECKS.iter().filter(wanted).collect();
        match selected.is_empty() {
            true => Err(ValidateError::new("no check is left to run")),
            false => Ok(selected),
        }
    }
}

/// One run over one library.
struct Run<'a> {
    validator: &'a Validator,
    library: PathBuf,
    tell: &'a (dyn Fn(Progress<'_>) + Sync),
}

impl Run<'_> {
    /// What others rely on comes first and alone; the rest as many at a time as there may be.
    fn all(&self, selected: &[&'static Check]) -> Result<Vec<Record>, ValidateError> {
        let is_first = |check: &&&Check| [INSPECTS, LOADS, TOOL_INPUT].contains(&check.id);
        let (first, rest): (Vec<_>, Vec<_>) = selected.iter().partition(is_first);
        let mut records: Vec<Record> = Vec::new();
        for check in first {
            records.push(self.one_after(check, &records)?);
        }
        let records = records;
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<(usize, Result<Record, ValidateError>)>> = Mutex::default();
        let work = || {
            while let Some(check) = {
                let at = next.fetch_add(1, Ordering::Relaxed);
                rest.get(at).map(|check| (at, check))
            } {
                let (at, check) = check;
                let record = self.one_after(check, &records);
                let ended = record.is_err();
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                done.push((at, record));
                if ended {
                    // Nobody needs the others any more.
                    next.store(rest.len(), Ordering::Relaxed);
                }
            }
        };
        std::thread::scope(|scope| {
            let others = self.validator.jobs.min(rest.len()).saturating_sub(1);
            for _ in 0..others {
                scope.spawn(work);
            }
            work();
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(at, _)| *at);
        let mut records = records;
        for (_, record) in done {
            records.push(record?);
        }
        records.sort_by_key(|record| selected.iter().position(|check| check.id == record.id));
        Ok(records)
    }

    /// Runs a check, unless those before it say that there is nothing to find.
    fn one_after(&self, check: &'static Check, before: &[Record]) -> Result<Record, ValidateError> {
        (self.tell)(Progress::Begun(check));
        let clock = Instant::now();
        let without_tools = has_failed(TOOL_INPUT, before);
        let verdict = match missing(check, before) {
            Some(reason) => Verdict::skipped(reason),
            None => {
                let verdict = self.one(check, without_tools)?;
                match without_tools && check.needs == Needs::Loaded {
                    true => verdict.detail(format!("its tools were not called; see {TOOL_INPUT}")),
                    false => verdict,
                }
            }
        };
        let record = Record {
            id: check.id,
            verdict,
            took: clock.elapsed(),
        };
        (self.tell)(Progress::Ended(&record));
        Ok(record)
    }

    fn one(&self, check: &'static Check, without_tools: bool) -> Result<Verdict, ValidateError> {
        let validator = self.validator;
        let home = tempfile::Builder::new()
            .prefix("keyway-validate-")
            .tempdir()
            .map_err(|error| ValidateError::io("no directory for a check", error))?;
        let reproduce = validator.reproduce.as_ref();
        let task = Task {
            check: check.id.to_owned(),
            library: self.library.clone(),
            home: home.path().to_owned(),
            seed: reproduce.map_or(validator.seed, |case| case.seed),
            cases: validator.cases,
            case: reproduce.map(|case| case.case),
            config: validator.config.clone(),
            host_version: validator.host_version.as_ref().map(Version::to_string),
            grant: validator.grant,
            without_tools,
            token: token(home.path()),
        };
        Process {
            program: &validator.program,
            arguments: &validator.arguments,
            limit: validator.time_limit,
            stop: &validator.stop,
        }
        .run(&task)
    }
}

/// Why a check need not be run, as far as those before it say.
fn missing(check: &Check, before: &[Record]) -> Option<String> {
    let reasons = [
        (INSPECTS, "it is no plugin"),
        (LOADS, "it does not load and end in order"),
        (TOOL_INPUT, "its tools fail"),
    ];
    let counts = match check.needs {
        Needs::Nothing => 0,
        Needs::Plugin => 1,
        Needs::Loaded => 2,
        Needs::Tools => 3,
    };
    let mut reasons = reasons.into_iter().take(counts);
    let (id, reason) = reasons.find(|(id, _)| has_failed(id, before))?;
    Some(format!("{reason}; see {id}"))
}

fn has_failed(id: &str, records: &[Record]) -> bool {
    let record = records.iter().find(|record| record.id == id);
    record.is_some_and(|record| record.outcome() >= Outcome::Failed)
}

/// A word that the plugin does not know: the name of the directory is random.
fn token(home: &Path) -> String {
    let name = home.file_name().unwrap_or_default().to_string_lossy();
    format!("@{name}")
}
