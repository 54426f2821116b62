//! The error of everything that a host does apart from calling plugins.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use keyway::PluginError;
use keyway::abi::layout::LayoutError;

use crate::finding::Finding;
use crate::inspect::InspectError;

/// What went wrong, for code that decides on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostErrorKind {
    /// The file could not be inspected, or is not a plugin.
    Inspect,
    /// The embedded manifest does not read.
    Manifest,
    /// The file is for another target.
    Target,
    /// The plugin would end the process on a panic.
    PanicStrategy,
    /// The interface versions of host and plugin do not fit.
    Interface,
    /// The plugin asks for another version of this application.
    HostVersion,
    /// The plugin asks for an isolation that does not exist.
    Isolation,
    /// The configuration does not fit what the plugin's manifest says of its settings.
    Config,
    /// An earlier process died while it loaded this very build of the plugin.
    Quarantined,
    /// The private copy could not be made.
    Stage,
    /// The dynamic loader refused the library.
    Open,
    /// What the library says of itself when loaded is not what its file says.
    Descriptor,
    /// Types or method tables of host and plugin differ.
    Layout,
    /// The plugin failed to make its root object.
    Construct,
    /// The plugin failed to prepare.
    Prepare,
    /// The plugin failed to activate.
    Activate,
    /// What the plugin registered is not what it may register.
    Registration,
    /// The plugin says that it cannot do its work.
    Health,
    /// The state of the version that serves could not be handed over.
    State,
    /// The plugin cannot be reloaded now.
    Reload,
    /// The plugin failed to end its work in order.
    Stop,
    /// There is no such plugin, tool or capability.
    NotFound,
    /// A plugin of this name is loaded already.
    AlreadyLoaded,
    /// So many libraries of stopped plugins stay in memory that no further one is opened.
    Retained,
    /// The host decided against the plugin, or against what was asked for: the code says why.
    Refused,
    /// The host's own options contradict each other, or its resources could not be had.
    Host,
}

impl HostErrorKind {
    /// All kinds, as they are declared.
    pub(crate) const ALL: &[HostErrorKind] = &[
        HostErrorKind::Inspect,
        HostErrorKind::Manifest,
        HostErrorKind::Target,
        HostErrorKind::PanicStrategy,
        HostErrorKind::Interface,
        HostErrorKind::HostVersion,
        HostErrorKind::Isolation,
        HostErrorKind::Config,
        HostErrorKind::Quarantined,
        HostErrorKind::Stage,
        HostErrorKind::Open,
        HostErrorKind::Descriptor,
        HostErrorKind::Layout,
        HostErrorKind::Construct,
        HostErrorKind::Prepare,
        HostErrorKind::Activate,
        HostErrorKind::Registration,
        HostErrorKind::Health,
        HostErrorKind::State,
        HostErrorKind::Reload,
        HostErrorKind::Stop,
        HostErrorKind::NotFound,
        HostErrorKind::AlreadyLoaded,
        HostErrorKind::Retained,
        HostErrorKind::Refused,
        HostErrorKind::Host,
    ];

    /// A stable identifier for programs and for looking the error up.
    pub fn code(self) -> &'static str {
        match self {
            HostErrorKind::Inspect => "inspect",
            HostErrorKind::Manifest => "manifest",
            HostErrorKind::Target => "target",
            HostErrorKind::PanicStrategy => "panic-strategy",
            HostErrorKind::Interface => "interface",
            HostErrorKind::HostVersion => "host-version",
            HostErrorKind::Isolation => "isolation",
            HostErrorKind::Config => "config",
            HostErrorKind::Quarantined => "quarantined",
            HostErrorKind::Stage => "stage",
            HostErrorKind::Open => "open",
            HostErrorKind::Descriptor => "descriptor",
            HostErrorKind::Layout => "layout",
            HostErrorKind::Construct => "construct",
            HostErrorKind::Prepare => "prepare",
            HostErrorKind::Activate => "activate",
            HostErrorKind::Registration => "registration",
            HostErrorKind::Health => "health",
            HostErrorKind::State => "state",
            HostErrorKind::Reload => "reload",
            HostErrorKind::Stop => "stop",
            HostErrorKind::NotFound => "not-found",
            HostErrorKind::AlreadyLoaded => "already-loaded",
            HostErrorKind::Retained => "retained",
            HostErrorKind::Refused => "refused",
            HostErrorKind::Host => "host",
        }
    }

    /// What the kind means, and what to do about it.
    pub(crate) fn explained(self) -> (&'static str, &'static str) {
        match self {
            HostErrorKind::Inspect => (
                "The file could not be read as a library, or has no note of Keyway's in it: it is damaged, incomplete, of another kind, or no plugin.",
                "Build the plugin again and give the host that file; `keyway inspect` shows what is in a file.",
            ),
            HostErrorKind::Manifest => (
                "The manifest that is embedded in the plugin does not read, or belongs to another plugin than the file it stands for.",
                "Rebuild the plugin; `export_plugin!` checks plugin.toml when it is compiled.",
            ),
            HostErrorKind::Target => (
                "The library was built for another processor or operating system.",
                "Build the plugin for the target of the host.",
            ),
            HostErrorKind::PanicStrategy => (
                "The plugin was built with `panic = \"abort\"`, so that a panic in it would end the host.",
                "Take `panic = \"abort\"` out of the profile that the plugin is built with.",
            ),
            HostErrorKind::Interface => (
                "Plugin and host speak versions of the interface that do not fit.",
                "Rebuild the plugin with the version of the `keyway` crate that the message names, or update the host.",
            ),
            HostErrorKind::HostVersion => (
                "The version of the application is outside the bounds in the plugin's manifest.",
                "Use a version of the plugin that is made for this version of the application.",
            ),
            HostErrorKind::Isolation => (
                "The manifest asks for `process` or `wasm`, which this version does not have.",
                "Set `isolation = \"native\"` if the plugin may run in the host's process.",
            ),
            HostErrorKind::Config => (
                "A setting is missing, or does not fit what the manifest says of it.",
                "Correct the settings that the message lists.",
            ),
            HostErrorKind::Quarantined => (
                "An earlier process died while it loaded, activated or reloaded this very build of the plugin.",
                "Build a version that does not, or release the quarantine: `keyway release`, `Host::release`.",
            ),
            HostErrorKind::Stage => (
                "The private copy of the file could not be made.",
                "Check the free space and the permissions of the directory for private copies; `HostBuilder::stage_dir` chooses another.",
            ),
            HostErrorKind::Open => (
                "The dynamic loader of the system refused the library, most often since a library that it needs is missing.",
                "`keyway inspect` lists what the library needs; install that, or link it statically.",
            ),
            HostErrorKind::Descriptor => (
                "What the library says of itself when it is open is not what its file says.",
                "Rebuild the plugin from clean sources; a linker or packer may have altered it.",
            ),
            HostErrorKind::Layout => (
                "Types or method tables of plugin and host differ.",
                "Rebuild the plugin against the version of `keyway`, and of the capability's crate, that the host uses.",
            ),
            HostErrorKind::Construct => (
                "The plugin failed, or panicked, when its library was entered.",
                "The message has the plugin's own error and its place.",
            ),
            HostErrorKind::Prepare => (
                "`Plugin::prepare` failed, panicked, or took longer than the lifecycle deadline.",
                "The message has the plugin's own error; check its settings.",
            ),
            HostErrorKind::Activate => (
                "`Plugin::activate` failed, panicked, or took longer than the lifecycle deadline.",
                "The message has the plugin's own error: often something it needs is taken or cannot be reached.",
            ),
            HostErrorKind::Registration => (
                "The plugin registered what its manifest does not declare, or what another plugin offers already.",
                "Correct [plugin.capabilities] in plugin.toml, or stop the other plugin, or load one of them under a namespace.",
            ),
            HostErrorKind::Health => (
                "The plugin says that it cannot do its work, or did not answer in time.",
                "The message has the plugin's own words.",
            ),
            HostErrorKind::State => (
                "The state of the version that serves could not be handed over to the new one.",
                "Teach the new version to migrate it, or say `state = \"prefer\"` or `\"reset\"` under [plugin.reload].",
            ),
            HostErrorKind::Reload => (
                "The plugin cannot be reloaded now.",
                "The message says what is in the way.",
            ),
            HostErrorKind::Stop => (
                "The plugin failed to end its work in order. It has ended all the same.",
                "The message has the plugin's own error.",
            ),
            HostErrorKind::NotFound => (
                "There is no such plugin, tool or capability, or what offered it was stopped.",
                "The message lists what there is; names with a namespace have it in front.",
            ),
            HostErrorKind::AlreadyLoaded => (
                "A plugin of this name is loaded already, or is being loaded.",
                "Stop it first, or load the other one under a namespace.",
            ),
            HostErrorKind::Retained => (
                "So many libraries of stopped plugins stay in memory that no further one is opened.",
                "`Host::libraries` and the log say why they stay; restart the process, or raise `HostBuilder::max_retained`.",
            ),
            HostErrorKind::Refused => (
                "The host decided against the plugin, or against what was asked for; the error's code is that of the finding which says why.",
                "Look that code up on this page.",
            ),
            HostErrorKind::Host => (
                "The options of the host contradict each other, a resource could not be had, or the host is shutting down.",
                "The message says which.",
            ),
        }
    }
}

/// An operation of the host that failed. The text says what, where, expected and found, and what
/// to do about it where that is known.
pub struct HostError {
    inner: Box<Inner>,
}

struct Inner {
    kind: HostErrorKind,
    plugin: Option<String>,
    path: Option<PathBuf>,
    message: String,
    hint: Option<String>,
    details: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
    /// More precise than the kind's own, where there is one.
    code: Option<&'static str>,
}

impl HostError {
    pub(crate) fn new(kind: HostErrorKind, message: impl Into<String>) -> Self {
        HostError {
            inner: Box::new(Inner {
                kind,
                plugin: None,
                path: None,
                message: message.into(),
                hint: None,
                details: None,
                source: None,
                code: None,
            }),
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    /// Says which plugin it is about, unless that is said already.
    pub(crate) fn of_plugin(mut self, plugin: &str) -> Self {
        self.inner.plugin.get_or_insert_with(|| plugin.to_owned());
        self
    }

    pub(crate) fn at(mut self, path: &Path) -> Self {
        self.inner.path.get_or_insert_with(|| path.to_owned());
        self
    }

    pub(crate) fn source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.inner.source = Some(Box::new(source));
        self
    }

    /// The error of whoever wanted to use what the finding is about.
    pub(crate) fn found(finding: Finding) -> Self {
        let mut own = HostError::new(HostErrorKind::Refused, finding.message);
        own.inner.plugin = finding.plugin.map(|plugin| format!("'{plugin}'"));
        own.inner.path = finding.path;
        own.inner.hint = finding.hint;
        own.inner.code = Some(finding.code.id);
        own
    }

    pub(crate) fn inspect(error: InspectError) -> Self {
        let own = HostError::new(HostErrorKind::Inspect, error.message());
        let own = match error.path() {
            Some(path) => own.at(path),
            None => own,
        };
        match error.hint() {
            Some(hint) => own.hint(hint),
            None => own,
        }
        .source(error)
    }

    pub(crate) fn layout(error: &LayoutError) -> Self {
        let mut own = HostError::new(HostErrorKind::Layout, error.to_string()).hint(
            "rebuild the plugin against the version of keyway, and of the capability's crate, \
             that the host uses",
        );
        own.inner.details = error.details().map(str::to_owned);
        own
    }

    pub(crate) fn from_plugin(kind: HostErrorKind, doing: &str, error: PluginError) -> Self {
        HostError::new(kind, format!("{doing} failed: {error:#}")).source(error)
    }

    /// What went wrong.
    pub fn kind(&self) -> HostErrorKind {
        self.inner.kind
    }

    /// The stable identifier of what went wrong, which [`explain`](crate::explain) explains: that of
    /// the finding that led to it, or else that of the kind.
    pub fn code(&self) -> &'static str {
        self.inner.code.unwrap_or_else(|| self.inner.kind.code())
    }

    /// The plugin that it is about, as far as that is known.
    pub fn plugin(&self) -> Option<&str> {
        self.inner.plugin.as_deref()
    }

    /// The file that it is about.
    pub fn path(&self) -> Option<&Path> {
        self.inner.path.as_deref()
    }

    /// What went wrong, without plugin, path and hint.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// What to do about it, where that is known; the display has it too.
    pub fn advice(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// The full report behind a one-line cause, such as a comparison of two type layouts.
    pub fn details(&self) -> Option<&str> {
        self.inner.details.as_deref()
    }

    /// The error of the plugin, if it was the plugin that failed.
    pub fn plugin_error(&self) -> Option<&PluginError> {
        self.inner.source.as_deref()?.downcast_ref()
    }

    /// What is wrong with the file, if it could not be inspected or is not a plugin.
    pub fn inspect_error(&self) -> Option<&InspectError> {
        self.inner.source.as_deref()?.downcast_ref()
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            plugin,
            path,
            message,
            hint,
            ..
        } = &*self.inner;
        match (plugin, path) {
            (Some(plugin), Some(path)) => write!(f, "plugin {plugin} ({}): ", path.display())?,
            (Some(plugin), None) => write!(f, "plugin {plugin}: ")?,
            (None, Some(path)) => write!(f, "{}: ", path.display())?,
            (None, None) => {}
        }
        f.write_str(message)?;
        hint.as_ref()
            .map_or(Ok(()), |hint| write!(f, "; hint: {hint}"))
    }
}

/// One line per part; the details only as their length, since they can be many pages.
impl fmt::Debug for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            plugin,
            path,
            message,
            hint,
            details,
            source,
            code: _,
        } = &*self.inner;
        let details = details
            .as_ref()
            .map(|details| format!("{} lines", details.lines().count()));
        f.debug_struct("HostError")
            .field("kind", kind)
            .field("plugin", plugin)
            .field("path", path)
            .field("message", message)
            .field("hint", hint)
            .field("details", &details)
            .field("source", source)
            .finish()
    }
}

impl Error for HostError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The display has the source's text already where it is a plugin's or an inspection's.
        let source = self.inner.source.as_deref()?;
        if source.is::<PluginError>() || source.is::<InspectError>() {
            return source.source();
        }
        Some(source)
    }
}
