//! Where a check works: hosts with the plugin in them, in a directory of the check's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyway_host::inspect::Inspection;
use keyway_host::keyway::capability::Capability;
use keyway_host::keyway::tool::ToolHandle;
use keyway_host::manifest::Manifest;
use keyway_host::settings::PluginSettings;
use keyway_host::{
    Host, HostBuilder, LibraryCounts, LoadOptions, PluginStatus, Probation, config_schema, inspect,
};
use semver::Version;
use serde_json::{Map, Value};

use crate::checks::{self, TOOL_INPUT};
use crate::generate::Schema;
use crate::grant::GrantLevel;
use crate::panics;
use crate::random::Random;
use crate::task::{Line, Reproduce, Task};
use crate::tools::Tool;
use crate::verdict::Verdict;

/// How long a call may take; tools with random input answer in far less, or refuse it.
pub(crate) const CALL: Duration = Duration::from_secs(5);
/// How long a library may stay open after its plugin was stopped. It takes milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How many cases of `tool-input` other checks look for input in.
const FEW: usize = 5;
/// How long thread-locals of threads that stay idle are waited for.
const IDLE: Duration = Duration::from_millis(50);

/// What a check has.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) task: Task,
    /// The case that the check is at, and what it begins with.
    case: Mutex<Option<(u64, String)>>,
}

/// What the file of the plugin says of it.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) inspection: Inspection,
    pub(crate) manifest: Manifest,
    /// Keys of the manifest that this build does not know.
    pub(crate) unknown: Vec<String>,
}

impl Bench {
    pub(crate) fn new(task: Task) -> Self {
        Bench {
            task,
            case: Mutex::default(),
        }
    }

    /// Says what comes next, for the case that this process does not live to tell.
    pub(crate) fn doing(&self, what: impl Into<String>) {
        let case = self.lock_case();
        let line = match &*case {
            None => Line::Doing {
                what: what.into(),
                reproduce: None,
            },
            Some((case, begun)) => Line::Doing {
                what: format!("{}, after {begun}", what.into()),
                reproduce: Some(self.reproduce(*case)),
            },
        };
        drop(case);
        line.write(&self.task.token);
    }

    /// The same for a case that can be run again. What is said after it belongs to it.
    pub(crate) fn doing_case(&self, case: u64, what: impl Into<String>) {
        let what = what.into();
        *self.lock_case() = Some((case, what.clone()));
        let line = Line::Doing {
            what,
            reproduce: Some(self.reproduce(case)),
        };
        line.write(&self.task.token);
    }

    /// What comes next belongs to no case any more.
    pub(crate) fn cases_done(&self) {
        *self.lock_case() = None;
    }

    fn lock_case(&self) -> MutexGuard<'_, Option<(u64, String)>> {
        self.case.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing has panicked so far, on whichever thread.
    pub(crate) fn no_panic(&self) -> Result<(), Verdict> {
        match panics::last() {
            None => Ok(()),
            Some(panic) => Err(panic.verdict()),
        }
    }

    /// The numbers of the cases to run, of so many.
    pub(crate) fn cases(&self, all: u64) -> std::ops::Range<u64> {
        match self.task.case {
            Some(case) => case..case.saturating_add(1),
            None => 0..all,
        }
    }

    pub(crate) fn random(&self, case: u64) -> Random {
        Random::of(self.task.seed, &self.task.check, case)
    }

    pub(crate) fn reproduce(&self, case: u64) -> String {
        Reproduce {
            check: self.task.check.clone(),
            seed: self.task.seed,
            case,
        }
        .to_string()
    }

    /// Reads the file. No code of the plugin runs.
    pub(crate) fn facts(&self) -> Result<Facts, Verdict> {
        read(&self.task.library)
    }

    /// A host whose plugin is not loaded yet.
    pub(crate) fn stand(&self) -> Result<Stand<'_>, Verdict> {
        self.stand_with(self.task.grant, |builder| builder)
    }

    /// The same with another grant, and a host with options of the check's own.
    pub(crate) fn stand_with(
        &self,
        grant: GrantLevel,
        set: impl FnOnce(HostBuilder) -> HostBuilder,
    ) -> Result<Stand<'_>, Verdict> {
        let manifest = self.facts()?.manifest;
        let version = match &self.task.host_version {
            Some(version) => Version::parse(version)
                .map_err(|error| Verdict::failed(format!("`{version}` is no version: {error}")))?,
            None => manifest.min_host_version.clone(),
        };
        let builder = Host::builder("keyway-validate", version)
            .stage_dir(self.dir("stage")?)
            .state_dir(self.dir("state")?)
            .work_dir(self.dir("work")?)
            .call_deadline(CALL)
            .idle_thread_deadline(IDLE)
            .probation(Probation::NONE)
            .max_retained(100_000)
            .health(None);
        let host = set(builder).build()?;
        let config = self.config(&manifest)?;
        let mut settings = PluginSettings::default();
        settings.permissions = Some(grant.of(&manifest.permissions));
        Ok(Stand {
            bench: self,
            threads: running(),
            name: manifest.id.to_string(),
            host,
            config,
            settings,
            manifest,
        })
    }

    /// A directory of the check's own.
    fn dir(&self, name: &str) -> Result<PathBuf, Verdict> {
        let dir = self.task.home.join(name);
        fs::create_dir_all(&dir)
            .map_err(|error| Verdict::failed(format!("{}: {error}", dir.display())))?;
        Ok(dir)
    }

    /// The settings that were given, and random ones for what is required besides.
    fn config(&self, manifest: &Manifest) -> Result<Map<String, Value>, Verdict> {
        let mut config = self.task.config.clone();
        let schema = config_schema(manifest);
        let required = schema["required"].as_array();
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if config.contains_key(name) {
                continue;
            }
            let property =
                Schema::new(schema["properties"][name].clone()).map_err(Verdict::failed)?;
            // The same for every check, whatever the seed.
            let value = property.valid(&mut Random::of(0, name, 0));
            config.extend(value.map(|value| (name.to_owned(), value)));
        }
        Ok(config)
    }
}

/// Reads the facts of a library, which has to be a plugin.
pub(crate) fn read(library: &std::path::Path) -> Result<Facts, Verdict> {
    let refused = |error: keyway_host::inspect::InspectError| {
        let failed = Verdict::failed(error.message());
        match error.hint() {
            Some(hint) => failed.hint(hint),
            None => failed,
        }
    };
    let inspection = inspect(library).map_err(refused)?;
    let note = inspection.require_note().map_err(refused)?;
    let (manifest, unknown) = Manifest::from_embedded(&note.manifest).map_err(|error| {
        let lines = error.rendered().to_string();
        Verdict::failed("the manifest in the library does not read")
            .details(lines.lines().map(str::to_owned))
    })?;
    let unknown = unknown.iter().map(ToString::to_string).collect();
    Ok(Facts {
        inspection,
        manifest,
        unknown,
    })
}

/// A host, and how the plugin is loaded into it.
#[derive(Debug)]
pub(crate) struct Stand<'a> {
    pub(crate) bench: &'a Bench,
    pub(crate) host: Host,
    pub(crate) name: String,
    pub(crate) manifest: Manifest,
    pub(crate) config: Map<String, Value>,
    settings: PluginSettings,
    /// The names of the threads that ran before there was a plugin, as far as the system says.
    threads: Vec<String>,
}

impl Stand<'_> {
    /// Loads the plugin.
    pub(crate) fn load(&self) -> Result<PluginStatus, Verdict> {
        Ok(self.load_with(self.config.clone())?)
    }

    /// The same with other settings.
    pub(crate) fn load_with(
        &self,
        config: Map<String, Value>,
    ) -> Result<PluginStatus, keyway_host::HostError> {
        self.bench.doing("loading the plugin");
        let options = LoadOptions::new().config(config).settings(&self.settings);
        let load = self.host.load_with(&self.bench.task.library, options);
        self.host.block_on(load)
    }

    /// Ends the plugin in order.
    pub(crate) fn stop(&self) -> Result<(), Verdict> {
        self.bench.doing("stopping the plugin");
        Ok(self.host.block_on(self.host.stop(&self.name))?)
    }

    /// Waits until nothing of the plugin is in memory any more; `threads` are those of its own that ran before
    /// it was stopped.
    pub(crate) fn unloaded(&self, threads: &[String]) -> Result<LibraryCounts, Verdict> {
        self.bench.doing("waiting for the library to be unloaded");
        let counts = self.host.wait_for_unload(PATIENCE);
        let kept = counts.pinned.values().chain(counts.retained.values());
        let mut causes: Vec<String> = kept.cloned().collect();
        causes.sort();
        causes.dedup();
        if counts.open > 0 {
            let failed = Verdict::failed(format!(
                "the library is still open {PATIENCE:?} after the plugin was stopped: expected that nothing \
                 holds it"
            ));
            // A thread may have had no name yet when the plugin was stopped.
            let mut others = running();
            for known in &self.threads {
                if let Some(at) = others.iter().position(|name| name == known) {
                    others.swap_remove(at);
                }
            }
            others.retain(|name| !name.starts_with("keyway-"));
            let threads = if others.is_empty() { threads } else { &others };
            let failed = match threads {
                [] => failed.hint(
                    "look for calls, streams or buffers that are never given back, and for threads that never end",
                ),
                threads => failed
                    .detail(format!("threads that hold it: {}", names(threads)))
                    .hint("end and join the plugin's threads in deactivate, or when its value is dropped"),
            };
            return Err(failed);
        }
        if !causes.is_empty() {
            return Err(Verdict::failed(
                "the library stays in memory after the plugin was stopped: expected that it is unloaded",
            )
            .details(causes));
        }
        Ok(counts)
    }

    /// The tools that may be called with random input.
    pub(crate) fn tools(&self) -> Result<Vec<Tool>, Verdict> {
        let mut tools = Vec::new();
        if self.bench.task.without_tools {
            return Ok(tools);
        }
        for offered in self.host.capabilities() {
            if offered.id != ToolHandle::ID {
                continue;
            }
            let tool = Tool::new(&self.host, &offered.name)?;
            if !tool.is_destructive() || self.bench.task.grant == GrantLevel::All {
                tools.push(tool);
            }
        }
        Ok(tools)
    }

    /// Loads the plugin and answers its tools; a plugin without any skips the check.
    pub(crate) fn load_for_tools(&self) -> Result<Vec<Tool>, Verdict> {
        self.load()?;
        let tools = self.tools()?;
        if tools.is_empty() {
            let offered = self.host.capabilities();
            let has_tools = offered.iter().any(|one| one.id == ToolHandle::ID);
            return Err(Verdict::skipped(match has_tools {
                true => {
                    "its tools say that they destroy something, and are called with --grant all only"
                }
                false => "it offers no tools",
            }));
        }
        Ok(tools)
    }

    /// Calls each tool with a few inputs that it takes, for checks that are about something else. They are the
    /// first that `tool-input` gives it, so what fails with them is found there.
    pub(crate) fn use_tools(&self, tools: &[Tool]) -> Result<u32, Verdict> {
        let mut answers = 0;
        let number = tools.len();
        for (at, tool) in tools.iter().enumerate() {
            let cases = (at as u64..).step_by(number);
            let inputs = cases.take(FEW).filter_map(|case| {
                let random = &mut Random::of(self.bench.task.seed, TOOL_INPUT, case);
                checks::is_valid_case(random).then(|| tool.schema.valid(random))?
            });
            for input in inputs {
                self.bench.doing(tool.calling(&input.to_string()));
                answers += u32::from(tool.call(&self.host, input)?);
            }
        }
        Ok(answers)
    }
}

/// The names of this process's threads; none where the system does not say.
fn running() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten();
    let name = |task: std::io::Result<fs::DirEntry>| {
        let name = fs::read_to_string(task.ok()?.path().join("comm")).ok()?;
        Some(name.trim_end().to_owned())
    };
    tasks.filter_map(name).collect()
}

/// Names of threads, each with its number.
fn names(threads: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for thread in threads {
        *counts.entry(thread).or_default() += 1;
    }
    let told = counts.into_iter().map(|(name, count)| match count {
        1 => name.to_owned(),
        count => format!("{name} ({count} times)"),
    });
    told.collect::<Vec<_>>().join(", ")
}
