//! Why a file cannot be inspected, or cannot be a plugin.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use keyway::abi::note::NoteError;

/// What went wrong, for code that decides on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InspectErrorKind {
    /// There is no such file.
    NotFound,
    /// The file could not be read.
    Io,
    /// The file is something else than a dynamic library: text, a directory, an executable, an
    /// object file, an archive.
    NotALibrary,
    /// The file may be a library, but in a format that is not read here.
    UnsupportedFormat,
    /// The file ends before its content does: it is still being written, or was cut.
    Truncated {
        /// The least length in bytes that its headers ask for.
        expected: u64,
        /// Its length in bytes.
        found: u64,
    },
    /// A structure of the library contradicts itself or the file.
    Malformed,
    /// Reading the file would take more memory than an inspection may use.
    TooLarge,
    /// The library has no note, so it is not a plugin.
    NoNote,
    /// The note cannot be read.
    BadNote,
    /// The library has the notes of several plugins.
    SeveralNotes,
}

/// An inspection that failed. The text says what, where, expected and found, and a hint where there
/// is one.
#[derive(Debug)]
pub struct InspectError {
    path: Option<PathBuf>,
    fault: Box<Fault>,
}

impl InspectError {
    pub(super) fn new(path: Option<&Path>, fault: Fault) -> Self {
        Self {
            path: path.map(Path::to_path_buf),
            fault: Box::new(fault),
        }
    }

    /// The same about another file, of which the inspected one is a copy.
    pub(crate) fn with_path(self, path: &Path) -> Self {
        Self {
            path: Some(path.to_path_buf()),
            ..self
        }
    }

    /// What went wrong.
    pub fn kind(&self) -> InspectErrorKind {
        self.fault.kind
    }

    /// The file, unless bytes were inspected.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What went wrong, without path and hint.
    pub fn message(&self) -> &str {
        &self.fault.text
    }

    /// What to do about it, where that is known; the display has it too.
    pub fn hint(&self) -> Option<&'static str> {
        self.fault.hint
    }

    /// Whether the file may become a good one by itself, because it is absent or still being
    /// written.
    pub fn is_incomplete(&self) -> bool {
        matches!(
            self.kind(),
            InspectErrorKind::NotFound | InspectErrorKind::Truncated { .. }
        )
    }
}

impl fmt::Display for InspectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {}", path.display(), self.fault.text)?,
            None => f.write_str(&self.fault.text)?,
        }
        self.fault
            .hint
            .map_or(Ok(()), |hint| write!(f, "; hint: {hint}"))
    }
}

impl std::error::Error for InspectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.fault.cause.as_ref()? {
            Cause::Io(error) => Some(error),
            Cause::Note(error) => Some(error),
        }
    }
}

/// An error before it is known which file it is about.
#[derive(Debug)]
pub(super) struct Fault {
    kind: InspectErrorKind,
    text: String,
    hint: Option<&'static str>,
    cause: Option<Cause>,
}

#[derive(Debug)]
enum Cause {
    Io(io::Error),
    Note(NoteError),
}

impl Fault {
    fn new(kind: InspectErrorKind, text: impl Into<String>, hint: Option<&'static str>) -> Self {
        Self {
            kind,
            text: text.into(),
            hint,
            cause: None,
        }
    }

    pub(super) fn io(action: &str, error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => InspectErrorKind::NotFound,
            _ => InspectErrorKind::Io,
        };
        let text = format!("cannot {action}: {error}");
        Self {
            cause: Some(Cause::Io(error)),
            ..Self::new(kind, text, None)
        }
    }

    /// Something that a wrong crate type makes.
    pub(super) fn wrong_crate_type(found: impl fmt::Display) -> Self {
        let hint =
            r#"build a dynamic library: set crate-type = ["cdylib"] under [lib] in Cargo.toml"#;
        Self::not_a_library(found, Some(hint))
    }

    pub(super) fn not_a_library(found: impl fmt::Display, hint: Option<&'static str>) -> Self {
        let text =
            format!("not a dynamic library: expected an ELF, Mach-O or PE library, found {found}");
        Self::new(InspectErrorKind::NotALibrary, text, hint)
    }

    pub(super) fn unsupported(found: &str, hint: Option<&'static str>) -> Self {
        let text =
            format!("unsupported format: expected an ELF, Mach-O or PE library, found {found}");
        Self::new(InspectErrorKind::UnsupportedFormat, text, hint)
    }

    pub(super) fn truncated(what: &str, expected: u64, found: u64) -> Self {
        Self::new(
            InspectErrorKind::Truncated { expected, found },
            format!(
                "truncated: expected at least {expected} bytes (to the end of {what}), \
                 found {found}"
            ),
            Some("wait for the build or the copy to finish, or do it again"),
        )
    }

    pub(super) fn malformed(text: impl Into<String>) -> Self {
        let text = format!("malformed library: {}", text.into());
        Self::new(
            InspectErrorKind::Malformed,
            text,
            Some("build the library again"),
        )
    }

    pub(super) fn too_large(wanted: u64, limit: u64) -> Self {
        let text = format!(
            "too large to inspect: expected tables of at most {limit} bytes in all, \
             found one of {wanted} more"
        );
        Self::new(InspectErrorKind::TooLarge, text, None)
    }

    pub(super) fn no_note(section: &str) -> Self {
        Self::new(
            InspectErrorKind::NoNote,
            format!("not a Keyway plugin: expected a note in section {section}, found none"),
            Some("if this is your plugin: call keyway::export_plugin! in its crate"),
        )
    }

    pub(super) fn bad_note(section: &str, error: NoteError) -> Self {
        let text = format!("bad Keyway note in section {section}: {error}");
        let hint = Some("build the plugin again");
        Self {
            cause: Some(Cause::Note(error)),
            ..Self::new(InspectErrorKind::BadNote, text, hint)
        }
    }

    pub(super) fn several_notes(section: &str, symbols: &[String], count: usize) -> Self {
        let more = if count > symbols.len() { ", .." } else { "" };
        Self::new(
            InspectErrorKind::SeveralNotes,
            format!(
                "several plugins in one file: expected one note in section {section}, \
                 found {count} ({}{more})",
                symbols.join(", ")
            ),
            Some("a plugin crate must not link another; depend on its interface instead"),
        )
    }
}
