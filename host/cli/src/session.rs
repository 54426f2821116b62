//! One run of a host: a plugin is loaded, its tools are called, and it is ended in order, whatever
//! happens in between.

use std::cell::OnceCell;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use keyway_host::keyway::capability::Capability;
use keyway_host::keyway::tool::{ToolHandle, ToolSpec};
use keyway_host::{
    Host, HostBuilder, HostError, HostErrorKind, LoadOptions, PluginStatus, RegisteredCapability,
    ToolClient,
};
use serde_json::{Map, Value};

use crate::args::{Application, StandIn};
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::logging::{Panic, take_panics};
use crate::terminal::Terminal;

/// A host with at most one plugin.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) host: Host,
    interrupt: Interrupt,
    /// The directory of the host's private copies, once one was made.
    stage: OnceCell<PathBuf>,
}

/// A host that is set up as the command line says, to be set up further.
pub(crate) fn host_builder(application: &Application) -> HostBuilder {
    Host::builder("keyway", application.host_version.clone())
}

/// The same for commands about all plugins that there are: of an application that nobody named, every version is
/// stood in for.
pub(crate) fn stand_in(application: &StandIn) -> HostBuilder {
    match &application.host_version {
        Some(version) => Host::builder("keyway", version.clone()),
        None => {
            let version = semver::Version::new(0, 0, 0);
            Host::builder("keyway", version).any_version()
        }
    }
}

/// With the user's state directory, so that a plugin which ends the process is refused the next
/// time. Where there is no such directory, there is no such guard.
pub(crate) fn with_state(builder: HostBuilder) -> HostBuilder {
    match state_dir() {
        Some(dir) => builder.state_dir(dir),
        None => builder,
    }
}

/// `$XDG_STATE_HOME/keyway`, or `~/.local/state/keyway`.
#[cfg(not(windows))]
fn state_dir() -> Option<PathBuf> {
    // The specification has relative paths ignored.
    let absolute = |dir: &PathBuf| dir.is_absolute();
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(absolute);
    let home = || std::env::home_dir().filter(absolute);
    let state = state.or_else(|| Some(home()?.join(".local/state")))?;
    Some(state.join("keyway"))
}

/// `%LOCALAPPDATA%\keyway\state`.
#[cfg(windows)]
fn state_dir() -> Option<PathBuf> {
    let local = std::env::var_os("LOCALAPPDATA").map(PathBuf::from);
    Some(local.filter(|dir| dir.is_absolute())?.join(r"keyway\state"))
}

impl Session {
    /// Does `work` with a new host, then ends all that it loaded.
    pub(crate) fn run<T>(
        builder: HostBuilder,
        interrupt: &Interrupt,
        terminal: &Terminal,
        work: impl FnOnce(&Session) -> Outcome<T>,
    ) -> Outcome<T> {
        let host = with_state(builder).build().map_err(Failure::from)?;
        let interrupt = interrupt.clone();
        let session = Session {
            host,
            interrupt,
            stage: OnceCell::new(),
        };
        let outcome = work(&session);
        let mut told = match &outcome {
            Err(Ending::Failed(failure)) => failure.whole(),
            _ => String::new(),
        };
        for error in session.host.block_on(session.host.shutdown()) {
            let error = error.to_string();
            terminal.warning(&error);
            told.push_str(&error);
        }
        tell_panics(&told, terminal);
        session.host.wait_for_unload(PATIENCE);
        let stage = session.stage.get().cloned();
        drop(session);
        if let Some(stage) = stage {
            wait_until_gone(&stage);
        }
        outcome
    }

    /// Loads a library.
    pub(crate) fn load(&self, library: &Path, config: Map<String, Value>) -> Outcome<PluginStatus> {
        let options = LoadOptions::new().config(config);
        let loaded = self.until_interrupted(self.host.load_with(library, options))?;
        let status = loaded.map_err(|error| refused(&error))?;
        self.remember_stage();
        Ok(status)
    }

    /// Learns where the host's private copies are, to wait for their end; once something was loaded.
    pub(crate) fn remember_stage(&self) {
        let staged = self
            .host
            .plugins()
            .into_iter()
            .find_map(|plugin| plugin.staged);
        if let Some(stage) = staged.as_deref().and_then(Path::parent) {
            self.stage.get_or_init(|| stage.to_owned());
        }
    }

    /// A tool of the loaded plugin.
    pub(crate) fn tool(&self, name: &str, plugin: &PluginStatus) -> Outcome<ToolClient> {
        Ok(self.host.tool(name).map_err(|error| {
            let message = format!(
                "plugin '{}' v{} offers no tool `{name}`",
                plugin.id, plugin.version
            );
            let failure = Failure::new(exit::NOT_FOUND, "unknown-tool", message);
            let advice = without_tools(&plugin.capabilities);
            match advice.or_else(|| error.advice().map(str::to_owned)) {
                Some(advice) => failure.hint(advice),
                None => failure,
            }
        })?)
    }

    /// Calls a tool.
    pub(crate) fn call(
        &self,
        tool: &ToolClient,
        name: &str,
        arguments: Value,
        deadline: Option<Duration>,
    ) -> Outcome<Value> {
        let limited = deadline.map(|deadline| tool.with_deadline(deadline));
        let call = call(limited.as_ref().unwrap_or(tool), name, arguments);
        Ok(self.until_interrupted(call)??)
    }

    pub(crate) fn until_interrupted<F: Future>(&self, work: F) -> Outcome<F::Output> {
        self.host.block_on(self.interrupt.or(work))
    }
}

/// How long the end of what is stopped may take: far longer than it does. What stays all the same, a later
/// host sweeps.
const PATIENCE: Duration = Duration::from_secs(1);

/// Waits for the end of a host's private copies. A reload that was on its way may hold the host for
/// a moment longer than the session, and takes them along when it ends; a process that ended before
/// would leave them behind.
fn wait_until_gone(stage: &Path) {
    let clock = Instant::now();
    while stage.exists() && clock.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Calls a tool, on any executor.
pub(crate) async fn call(
    tool: &ToolClient,
    name: &str,
    arguments: Value,
) -> Result<Value, Failure> {
    tool.call(arguments).await.map_err(|error| {
        let failure = Failure::of_tool(name, &error);
        let usage = tool.spec().ok().and_then(|spec| usage(&spec));
        match usage.filter(|_| failure.exit() == exit::USAGE) {
            Some(usage) => failure.hint(usage),
            None => failure,
        }
    })
}

/// Tells of the panics that were held back and that nothing in `told` says already.
pub(crate) fn tell_panics(told: &str, terminal: &Terminal) {
    for Panic { message, place } in take_panics() {
        if !told.contains(&place) {
            terminal.warning(&format!("{message} (at {place})"));
        }
    }
}

/// Why a plugin was not loaded, with what to do about it here.
pub(crate) fn refused(error: &HostError) -> Failure {
    let failure = Failure::from(error);
    match (error.kind(), error.path()) {
        (HostErrorKind::HostVersion, _) => failure.hint(
            "keyway stands in for the application; say which version of it with --host-version",
        ),
        (HostErrorKind::Quarantined, Some(path)) => failure.hint(format!(
            "mend it and build it anew, since another build is another plugin; to load this one \
             again: keyway release {}",
            path.display()
        )),
        _ => failure,
    }
}

/// What there is to say of a plugin that has nothing to call here; none if it offers tools.
fn without_tools(offers: &[RegisteredCapability]) -> Option<String> {
    if offers.iter().any(|offer| offer.id == ToolHandle::ID) {
        return None;
    }
    let offers: Vec<String> = offers
        .iter()
        .map(|offer| format!("{}/{} `{}`", offer.id, offer.major, offer.name))
        .collect();
    Some(if offers.is_empty() {
        "it offers nothing; what it registers in activate is offered".to_owned()
    } else {
        format!(
            "it offers no tools, only {}; the command line calls nothing but tools",
            offers.join(", ")
        )
    })
}

/// What a tool takes, as far as its schema says so in the usual way.
fn usage(spec: &ToolSpec) -> Option<String> {
    let schema = &spec.input_schema;
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|n| n == name));
    let properties = schema["properties"].as_object()?.iter();
    let arguments: Vec<String> = properties
        .map(|(name, property)| {
            let optional = if is_required(name) { "" } else { "?" };
            match type_of(property) {
                Some(ty) => format!("\"{name}\"{optional}: {ty}"),
                None => format!("\"{name}\"{optional}"),
            }
        })
        .collect();
    Some(format!("{} takes {{{}}}", spec.name, arguments.join(", ")))
}

/// The type of a property; that of an optional one is a list with `null` in it.
fn type_of(property: &Value) -> Option<&str> {
    match &property["type"] {
        Value::String(ty) => Some(ty),
        Value::Array(types) => types
            .iter()
            .filter_map(Value::as_str)
            .find(|ty| *ty != "null"),
        _ => None,
    }
}

/// Reads the arguments of a tool; `-` stands for stdin.
pub(crate) fn read_arguments(tool: &str, text: &str) -> Outcome<Value> {
    let mut piped = String::new();
    let from_stdin = text == "-";
    if from_stdin {
        std::io::stdin()
            .read_to_string(&mut piped)
            .map_err(|error| {
                Failure::new(
                    exit::USAGE,
                    "arguments",
                    format!("cannot read the arguments from stdin: {error}"),
                )
            })?;
    }
    let text = if from_stdin { &piped } else { text };
    serde_json::from_str(text).map_err(|error| {
        let failure = Failure::new(
            exit::USAGE,
            "arguments",
            format!(
                "the arguments of tool `{tool}` are not JSON: {error}, found {}",
                excerpt(text)
            ),
        );
        let failure = if from_stdin {
            failure
        } else {
            failure.hint("put the whole in single quotes: '{\"key\": \"value\"}'")
        };
        Ending::from(failure)
    })
}

/// The start of a text, short enough for a message.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    let text = text.trim();
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let start: String = text.chars().take(LONGEST).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("`{start}{more}`")
}
