//! Why the host's file was refused.

use std::error::Error;
use std::fmt;
use std::path::Path;

use keyway_manifest::{Diagnostic, PluginId, Severity};

use super::codes;
use crate::error::HostError;
use crate::finding::Finding;

/// Why the host's file was refused: all that is wrong with it, in the order of the text.
///
/// It never has the value of a plugin's setting in it, and of text that is not TOML it has nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    findings: Vec<Finding>,
    omitted: usize,
}

impl SettingsError {
    pub(super) fn unreadable(path: &Path, fault: &str) -> Self {
        SettingsError {
            findings: vec![codes::UNREADABLE.finding(fault).at(path)],
            omitted: 0,
        }
    }

    pub(super) fn refused(diagnostics: Vec<Diagnostic>, omitted: usize) -> Self {
        SettingsError {
            findings: diagnostics.into_iter().map(finding).collect(),
            omitted,
        }
    }

    /// What is wrong; at least one of it is an error, and there may be warnings.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many more problems there were, of which only the number is known.
    pub fn omitted(&self) -> usize {
        self.omitted
    }
}

/// A problem of the text, with its place in front.
pub(super) fn finding(problem: Diagnostic) -> Finding {
    let code = match problem.severity {
        Severity::Warning => &codes::UNKNOWN_KEY,
        _ => &codes::INVALID,
    };
    let place = format!("{}:{}:{}", problem.file, problem.line, problem.column);
    let mut message = format!("{place}: {}", problem.message);
    match (&problem.expected, &problem.found) {
        (Some(expected), Some(found)) => {
            message.push_str(&format!("; expected {expected}, found {found}"));
        }
        (Some(expected), None) => message.push_str(&format!("; expected {expected}")),
        (None, Some(found)) => message.push_str(&format!("; found {found}")),
        (None, None) => {}
    }
    let mut finding = code.finding(message);
    finding.hint = problem.hint;
    match plugin_of(&problem.path) {
        Some(id) => finding.of_plugin(id),
        None => finding,
    }
}

/// The plugin that a place in the model is about.
fn plugin_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("plugin.")?;
    let id = rest.split('.').next()?;
    PluginId::new(id).ok().map(|_| id)
}

/// One line for each problem; those that refuse nothing say that they are warnings.
impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.findings.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            if finding.severity() != crate::Severity::Error {
                write!(f, "{}: ", finding.severity())?;
            }
            write!(f, "{finding}")?;
        }
        match self.omitted {
            0 => Ok(()),
            1 => f.write_str("\nand 1 more problem"),
            more => write!(f, "\nand {more} more problems"),
        }
    }
}

impl Error for SettingsError {}

impl From<SettingsError> for HostError {
    fn from(error: SettingsError) -> Self {
        match &error.findings[..] {
            [only] if error.omitted == 0 => HostError::found(only.clone()),
            several => {
                let unreadable = several.iter().any(|one| *one.code == codes::UNREADABLE);
                let code = match unreadable {
                    true => &codes::UNREADABLE,
                    false => &codes::INVALID,
                };
                HostError::found(code.finding(error.to_string()))
            }
        }
    }
}
