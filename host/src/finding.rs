//! What there is to say of a plugin or of a file, with a code that stays.
//!
//! Every part of the host that decides about plugins says why, as a [`Finding`]. Its [`Code`] is for
//! programs and for looking it up: `DIAGNOSTICS.md`, at the root of Keyway's repository, lists all
//! of them with cause and cure, and is written from the tables that are used here.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::HostError;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Good to know; nothing is to be done.
    Note,
    /// Not in order, and no reason to go on without the plugin.
    Warning,
    /// The plugin, or what the finding is about, is not used.
    Error,
}

impl Severity {
    /// The word for it: `note`, `warning` or `error`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How well a plugin fits its host, all in all: the worst of what was found out about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Nothing is to be done.
    Ok,
    /// It works, and something could be better: it was built for an older interface, it says more or less
    /// than it does, it does without something that it asked for.
    Advisory,
    /// It works by something that is on its way out, and will not work for ever.
    Legacy,
    /// It is not used.
    Error,
}

impl Signal {
    /// Of a plugin about which this was found out.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let signals = findings.into_iter().map(|finding| finding.code.signal);
        signals.max().unwrap_or(Signal::Ok)
    }

    /// The word for it: `ok`, `advisory`, `legacy` or `error`.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Ok => "ok",
            Signal::Advisory => "advisory",
            Signal::Legacy => "legacy",
            Signal::Error => "error",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A kind of finding. There is one value of it for each code, so two are the same if their ids are.
#[derive(Debug)]
#[non_exhaustive]
pub struct Code {
    /// The stable identifier, in kebab case.
    pub id: &'static str,
    /// How much findings of this kind matter.
    pub severity: Severity,
    /// What it makes of a plugin, which is told apart from its severity: a note may be about something old.
    pub signal: Signal,
    /// What it means and where it comes from.
    pub cause: &'static str,
    /// What to do about it.
    pub cure: &'static str,
}

impl Code {
    /// Of something that is good to know, and of nothing that is to be done. The texts for cause and cure are whole
    /// sentences; an application whose own checks answer findings makes codes of its own with these functions.
    pub const fn note(id: &'static str, cause: &'static str, cure: &'static str) -> Self {
        Self::of(Severity::Note, Signal::Ok, id, cause, cure)
    }

    /// Of something that is not in order, and no reason to go on without the plugin.
    pub const fn warning(id: &'static str, cause: &'static str, cure: &'static str) -> Self {
        Self::of(Severity::Warning, Signal::Advisory, id, cause, cure)
    }

    /// Of something that works as it should, and could be newer.
    pub const fn advisory(id: &'static str, cause: &'static str, cure: &'static str) -> Self {
        Self::of(Severity::Note, Signal::Advisory, id, cause, cure)
    }

    /// Of something that works, and will not for ever.
    pub const fn legacy(id: &'static str, cause: &'static str, cure: &'static str) -> Self {
        Self::of(Severity::Warning, Signal::Legacy, id, cause, cure)
    }

    /// Of something for which the plugin, or what it is about, is not used.
    pub const fn error(id: &'static str, cause: &'static str, cure: &'static str) -> Self {
        Self::of(Severity::Error, Signal::Error, id, cause, cure)
    }

    const fn of(
        severity: Severity,
        signal: Signal,
        id: &'static str,
        cause: &'static str,
        cure: &'static str,
    ) -> Self {
        Code {
            id,
            severity,
            signal,
            cause,
            cure,
        }
    }

    /// A finding of this kind.
    pub fn finding(&'static self, message: impl Into<String>) -> Finding {
        Finding {
            code: self,
            plugin: None,
            path: None,
            message: message.into(),
            hint: None,
        }
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Code {}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// One thing that is to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of thing.
    pub code: &'static Code,
    /// The plugin that it is about, as far as that is known.
    pub plugin: Option<String>,
    /// The file or directory that it is about.
    pub path: Option<PathBuf>,
    /// What was found, in one line.
    pub message: String,
    /// What to do about it in this very case, where that is known.
    pub hint: Option<String>,
}

impl Finding {
    /// About this plugin, unless it is about one already.
    #[must_use]
    pub fn of_plugin(mut self, plugin: impl Into<String>) -> Self {
        self.plugin.get_or_insert_with(|| plugin.into());
        self
    }

    /// About this file or directory, unless it is about one already.
    #[must_use]
    pub fn at(mut self, path: &Path) -> Self {
        self.path.get_or_insert_with(|| path.to_owned());
        self
    }

    /// With what to do about it in this very case.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Finding {
    /// How much it matters.
    pub fn severity(&self) -> Severity {
        self.code.severity
    }
}

/// One line: who and where, what, and what to do; without code and severity.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.plugin, &self.path) {
            (Some(plugin), Some(path)) => write!(f, "plugin '{plugin}' ({}): ", path.display())?,
            (Some(plugin), None) => write!(f, "plugin '{plugin}': ")?,
            (None, Some(path)) => write!(f, "{}: ", path.display())?,
            (None, None) => {}
        }
        f.write_str(&self.message)?;
        self.hint
            .iter()
            .try_for_each(|hint| write!(f, "; hint: {hint}"))
    }
}

/// All codes, grouped by what they are about.
static TABLES: &[(&str, &[&Code])] = &[
    ("The host's own file", crate::settings::codes::ALL),
    ("Discovery", crate::discovery::codes::ALL),
    ("Which plugins run", crate::platform::codes::ALL),
    ("Versions of the interface", crate::compat::CODES),
    ("Plugins that run", crate::status::codes::ALL),
    ("Dependencies", crate::resolve::codes::ALL),
    ("Permissions", crate::permission::codes::ALL),
    ("Services of the host", crate::mediate::codes::ALL),
    ("Activation", crate::plan::codes::ALL),
    ("Extension points", crate::extension::codes::ALL),
    ("Loading and running", crate::error::codes::ALL),
    ("Compatibility", crate::deprecation::CODES),
];

/// Every code that a host answers, in findings and in errors, grouped by what they are about.
pub fn reference() -> impl Iterator<Item = (&'static str, &'static [&'static Code])> {
    TABLES.iter().copied()
}

/// What a code means, and what to do about it.
pub fn explain(code: &str) -> Option<&'static Code> {
    let mut all = reference().flat_map(|(_, codes)| codes);
    all.find(|known| known.id == code).copied()
}

impl From<Finding> for HostError {
    fn from(finding: Finding) -> Self {
        HostError::found(finding)
    }
}
