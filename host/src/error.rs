//! The error of everything that a host does apart from calling plugins.

pub(crate) mod codes;

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyway::PluginError;
use keyway::abi::layout::LayoutError;

use crate::finding::{Code, Finding};
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
    /// The host's own file could not be read, or does not read.
    Settings,
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
    /// A stable identifier for programs and for looking the error up.
    pub fn code(self) -> &'static str {
        self.explained().id
    }

    /// What there is to say of every error of this kind.
    pub fn explained(self) -> &'static Code {
        match self {
            HostErrorKind::Inspect => &codes::INSPECT,
            HostErrorKind::Manifest => &codes::MANIFEST,
            HostErrorKind::Target => &codes::TARGET,
            HostErrorKind::PanicStrategy => &codes::PANIC_STRATEGY,
            HostErrorKind::Interface => &codes::INTERFACE,
            HostErrorKind::HostVersion => &codes::HOST_VERSION,
            HostErrorKind::Isolation => &codes::ISOLATION,
            HostErrorKind::Settings => &codes::SETTINGS,
            HostErrorKind::Config => &codes::CONFIG,
            HostErrorKind::Quarantined => &codes::QUARANTINED,
            HostErrorKind::Stage => &codes::STAGE,
            HostErrorKind::Open => &codes::OPEN,
            HostErrorKind::Descriptor => &codes::DESCRIPTOR,
            HostErrorKind::Layout => &codes::LAYOUT,
            HostErrorKind::Construct => &codes::CONSTRUCT,
            HostErrorKind::Prepare => &codes::PREPARE,
            HostErrorKind::Activate => &codes::ACTIVATE,
            HostErrorKind::Registration => &codes::REGISTRATION,
            HostErrorKind::Health => &codes::HEALTH,
            HostErrorKind::State => &codes::STATE,
            HostErrorKind::Reload => &codes::RELOAD,
            HostErrorKind::Stop => &codes::STOP,
            HostErrorKind::NotFound => &codes::NOT_FOUND,
            HostErrorKind::AlreadyLoaded => &codes::ALREADY_LOADED,
            HostErrorKind::Retained => &codes::RETAINED,
            HostErrorKind::Refused => &codes::REFUSED,
            HostErrorKind::Host => &codes::HOST,
        }
    }
}

/// An operation of the host that failed. The text says what, where, expected and found, and what
/// to do about it where that is known.
pub struct HostError {
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: HostErrorKind,
    plugin: Option<String>,
    path: Option<PathBuf>,
    message: String,
    hint: Option<String>,
    details: Option<String>,
    source: Option<Arc<dyn Error + Send + Sync>>,
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
        self.inner.source = Some(Arc::new(source));
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

    /// The same error once more, for somebody else who is told of it.
    pub(crate) fn again(&self) -> Self {
        HostError {
            inner: self.inner.clone(),
        }
    }

    /// What there is to say of it, where it is no longer an error of something that was asked for.
    pub fn finding(&self) -> Finding {
        let Inner {
            kind,
            path,
            message,
            hint,
            ..
        } = &*self.inner;
        // All codes that an error can have stand in the tables.
        let code = crate::finding::explain(self.code()).unwrap_or_else(|| kind.explained());
        let finding = code.finding(message);
        let finding = match path {
            Some(path) => finding.at(path),
            None => finding,
        };
        match hint {
            Some(hint) => finding.hint(hint),
            None => finding,
        }
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
