//! What can go wrong when plugins are installed.
//!
//! Each error says what went wrong, where, and what to do about it. The kind is for programs that decide
//! how to go on, the code for those that look a case up; both stay.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use keyway_host::inspect::{InspectError, InspectErrorKind};
use keyway_host::{Finding, HostError};

/// The kinds of [`InstallError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InstallErrorKind {
    /// What was asked for makes no sense: a source that nobody understands, options that exclude each other.
    Usage,
    /// There is nothing where something was expected: no file, no branch, no plugin of that id.
    NotFound,
    /// The package is not one that is installed: a hostile archive, a library that does not fit.
    Unfit,
    /// Cargo or git could not do their part.
    Build,
    /// What is installed, pinned or agreed to stands against it.
    Refused,
    /// The lockfile or the store is not what it should be.
    Damaged,
    /// The system could not do it: no space, no rights, no such device.
    System,
}

/// Why something was not installed. Nothing has changed then, unless the message says so.
#[derive(Debug)]
pub struct InstallError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: InstallErrorKind,
    code: &'static str,
    message: String,
    path: Option<PathBuf>,
    plugin: Option<String>,
    hint: Option<String>,
    details: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

pub(crate) type Result<T, E = InstallError> = std::result::Result<T, E>;

impl InstallError {
    pub(crate) fn new(
        kind: InstallErrorKind,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        InstallError(Box::new(Parts {
            kind,
            code,
            message: message.into(),
            path: None,
            plugin: None,
            hint: None,
            details: None,
            source: None,
        }))
    }

    pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(InstallErrorKind::Usage, code, message)
    }

    pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(InstallErrorKind::NotFound, code, message)
    }

    pub(crate) fn unfit(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(InstallErrorKind::Unfit, code, message)
    }

    pub(crate) fn build(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(InstallErrorKind::Build, code, message)
    }

    pub(crate) fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(InstallErrorKind::Refused, code, message)
    }

    pub(crate) fn damaged(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(InstallErrorKind::Damaged, code, message)
    }

    /// Something that the system could not do, with what is not named by a path.
    pub(crate) fn system(action: &str, error: io::Error) -> Self {
        let message = format!("cannot {action}: {error}");
        Self::new(InstallErrorKind::System, "io", message).source(error)
    }

    /// Something that the system could not do with a file; `action` is such as `write the lockfile`.
    pub(crate) fn io(action: &str, path: &Path, error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => InstallErrorKind::NotFound,
            _ => InstallErrorKind::System,
        };
        let hint = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Some("make room there, then do the same again: nothing was changed")
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Some("check who may write there, then do the same again: nothing was changed")
            }
            _ => None,
        };
        // The errors of `std::fs` are right here: they do not name the file, and this one does.
        let mut made = Self::new(kind, "io", format!("cannot {action}: {error}")).at(path);
        made.0.hint = hint.map(str::to_owned);
        made.source(error)
    }

    pub(crate) fn at(mut self, path: &Path) -> Self {
        self.0.path.get_or_insert_with(|| path.to_owned());
        self
    }

    pub(crate) fn of_plugin(mut self, plugin: impl fmt::Display) -> Self {
        self.0.plugin.get_or_insert_with(|| plugin.to_string());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    pub(crate) fn details(mut self, details: impl Into<String>) -> Self {
        self.0.details = Some(details.into()).filter(|details| !details.is_empty());
        self
    }

    pub(crate) fn source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// The same about what somebody named, of which a file in `copy` is a copy.
    pub(crate) fn instead_of(mut self, copy: &Path, named: &Path) -> Self {
        let path = self.0.path.take();
        self.0.path = Some(match path.as_deref().map(|path| path.strip_prefix(copy)) {
            Some(Ok(inside)) if named.is_dir() => named.join(inside),
            Some(Err(_)) => path.unwrap_or_default(),
            _ => named.to_owned(),
        });
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> InstallErrorKind {
        self.0.kind
    }

    /// The stable identifier of the case, in kebab case.
    pub fn code(&self) -> &str {
        self.0.code
    }

    /// What went wrong, without where and without the hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The file or directory that it is about.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The plugin that it is about, such as `'weather' v1.0.0`, as far as that is known.
    pub fn plugin(&self) -> Option<&str> {
        self.0.plugin.as_deref()
    }

    /// What to do about it, where that is known.
    pub fn advice(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The long text behind the message: what a program that was started has said.
    pub fn long_text(&self) -> Option<&str> {
        self.0.details.as_deref()
    }
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.plugin(), self.path()) {
            (Some(plugin), Some(path)) => write!(f, "plugin {plugin} ({}): ", path.display())?,
            (Some(plugin), None) => write!(f, "plugin {plugin}: ")?,
            (None, Some(path)) => write!(f, "{}: ", path.display())?,
            (None, None) => {}
        }
        f.write_str(self.message())?;
        self.advice()
            .map_or(Ok(()), |hint| write!(f, "; hint: {hint}"))
    }
}

impl Error for InstallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

impl From<InspectError> for InstallError {
    fn from(error: InspectError) -> Self {
        let kind = match error.kind() {
            InspectErrorKind::NotFound => InstallErrorKind::NotFound,
            InspectErrorKind::Io => InstallErrorKind::System,
            _ => InstallErrorKind::Unfit,
        };
        let mut made = Self::new(kind, "inspect", error.message());
        made.0.path = error.path().map(Path::to_owned);
        made.0.hint = error.hint().map(str::to_owned);
        made.source(error)
    }
}

impl From<&Finding> for InstallError {
    fn from(finding: &Finding) -> Self {
        let mut made = Self::unfit(finding.code.id, finding.message.clone());
        made.0.path.clone_from(&finding.path);
        made.0.plugin = finding.plugin.as_ref().map(|id| format!("'{id}'"));
        made.0.hint.clone_from(&finding.hint);
        made
    }
}

impl From<&HostError> for InstallError {
    fn from(error: &HostError) -> Self {
        let mut made = Self::unfit("unfit", error.message());
        made.0.path = error.path().map(Path::to_owned);
        made.0.plugin = error.plugin().map(str::to_owned);
        made.0.hint = error.advice().map(str::to_owned);
        made
    }
}
