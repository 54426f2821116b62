//! One process with so many plugins, which says what each step took. A process of its own begins with
//! nothing in its heap and nothing of an earlier run in its memory.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use keyway_host::resolve::{Dependency, Subject};
use keyway_host::{Discovery, Gates, Host, Origin, Root, discover, resolve};
use semver::Version;
use serde_json::json;

use crate::copies::{Kind, id};
use crate::machine;

/// Tells the benchmark to be such a process; kind, number and directory follow.
pub(crate) const ARGUMENT: &str = "--so-many-plugins";

/// What was measured: in all, and not yet for each plugin.
pub(crate) type Measures = BTreeMap<String, f64>;

/// Has another process do it.
pub(crate) fn start(kind: Kind, plugins: usize, dir: &Path) -> Result<Measures, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?)
        .args([ARGUMENT, kind.name(), &plugins.to_string()])
        .arg(dir)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the process with {plugins} plugins failed").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// How long to wait for libraries to be closed. It only decides when a run has failed.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != ARGUMENT);
    let mut next = || arguments.nth(1).ok_or("an argument is missing");
    let kind = next()?;
    let mut next = || arguments.next().ok_or("an argument is missing");
    let plugins: usize = next()?.parse()?;
    let dir = next()?;
    let kind = Kind::ALL.into_iter().find(|one| one.name() == kind);
    let kind = kind.ok_or("no such kind")?;
    let measures = measure(kind, plugins, Path::new(&dir))?;
    writeln!(std::io::stdout(), "{}", json!(measures))?;
    Ok(())
}

/// Resident bytes, those of them that no file backs, threads and open files.
#[derive(Clone, Copy)]
struct Weight([f64; 4]);

const WEIGHTS: [&str; 4] = ["resident", "in no file", "threads", "open files"];

impl Weight {
    fn now() -> Self {
        let (resident, anonymous) = machine::memory().unwrap_or_default();
        let entries = |dir: &str| std::fs::read_dir(dir).map_or(0.0, |all| all.count() as f64);
        let (threads, files) = (entries("/proc/self/task"), entries("/proc/self/fd"));
        Weight([resident, anonymous, threads, files])
    }

    fn since(self, before: Self, what: &str, measures: &mut Measures) {
        for ((name, now), before) in WEIGHTS.iter().zip(self.0).zip(before.0) {
            measures.insert(format!("{what}: {name}"), now - before);
        }
    }
}

fn measure(kind: Kind, plugins: usize, dir: &Path) -> Result<Measures, Box<dyn Error>> {
    let mut measures = Measures::new();
    let mut time = |what: &str, took: Duration| {
        measures.insert(what.to_owned(), took.as_nanos() as f64);
    };
    if kind == Kind::Plain {
        let clock = Instant::now();
        let discovery = discover(&[Root::new(Origin::User, dir)], &Gates::new());
        time("discover, first look", clock.elapsed());
        time("resolve", resolving(&discovery));
    }

    let host = Host::builder("bench", Version::new(1, 0, 0))
        .root(Origin::User, dir)
        .hot_reload(kind == Kind::Watched)
        .build()?;
    let empty = Weight::now();
    let clock = Instant::now();
    let found = host.block_on(host.discover())?.len();
    expect("found", found, plugins)?;
    time("the host looks, decides and shows", clock.elapsed());
    let again = least(|| drop(host.block_on(host.discover())));
    time("it looks again", again);
    let known = Weight::now();

    let report = host.block_on(host.start_all())?;
    if kind != Kind::Lazy {
        expect("started", report.done.len(), plugins)?;
        time("start", report.took);
    }
    let mut running = Weight::now();
    let clock = Instant::now();
    host.block_on(async {
        for number in 0..plugins {
            let answer = host.tool(&id(number))?.call(json!({})).await?;
            if answer["name"] != id(number) {
                return Err(format!("another plugin answers: {answer}").into());
            }
        }
        Ok::<(), Box<dyn Error>>(())
    })?;
    if kind == Kind::Lazy {
        time("the first call starts it", clock.elapsed());
        running = Weight::now();
    } else {
        time("first call", clock.elapsed());
    }
    if kind == Kind::Plain {
        time("the status of all", least(|| drop(host.plugins())));
    }

    let clock = Instant::now();
    let report = host.block_on(host.stop_all())?;
    expect("stopped", report.done.len(), plugins)?;
    let left = host.wait_for_unload(PATIENCE);
    time("stop and unload", clock.elapsed());
    expect("unloaded", left.unloaded, plugins)?;
    known.since(empty, "known", &mut measures);
    running.since(known, "running", &mut measures);
    Weight::now().since(known, "stopped", &mut measures);
    Ok(measures)
}

/// How long it takes to resolve what was found.
fn resolving(discovery: &Discovery) -> Duration {
    let manifests = discovery.found().filter_map(|one| one.manifest.as_deref());
    let subjects: Vec<Subject<'_>> = manifests
        .map(|manifest| {
            let mut subject = Subject::new(manifest.id.as_str(), &manifest.version);
            let dependencies = manifest.dependencies.iter();
            subject.dependencies = dependencies
                .map(|(id, dependency)| Dependency {
                    id: id.as_str(),
                    versions: &dependency.requirement,
                    optional: dependency.optional,
                })
                .collect();
            subject.provides = manifest.capabilities.declared().collect();
            subject
        })
        .collect();
    least(|| drop(resolve(&subjects, &[])))
}

/// The shortest of some times, for what is so short that it is otherwise the scheduler that is measured.
fn least(mut step: impl FnMut()) -> Duration {
    let mut times = Vec::new();
    for _ in 0..7 {
        let clock = Instant::now();
        step();
        times.push(clock.elapsed());
    }
    times.into_iter().min().unwrap_or_default()
}

fn expect(what: &str, found: usize, plugins: usize) -> Result<(), String> {
    match found == plugins {
        true => Ok(()),
        false => Err(format!("{found} of {plugins} plugins were {what}")),
    }
}
