//! What went wrong, in parts: for people line by line, for programs as JSON.

use std::fmt::{Display, Write};
use std::path::{Path, PathBuf};

use keyway_host::inspect::{InspectError, InspectErrorKind};
use keyway_host::keyway::{ErrorKind, PluginError};
use keyway_host::{Finding, HostError, HostErrorKind};
use keyway_install::{InstallError, InstallErrorKind};
use serde::Serialize;

use crate::exit;

/// The version of everything that `keyway` prints as JSON.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// Something that went wrong, with all that is known of it.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    #[serde(rename = "exit_code")]
    exit: u8,
    /// A stable identifier.
    code: String,
    /// What went wrong, what was expected and what was found.
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<String>,
    /// Where a panic happened in the plugin's source.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    /// Whether doing the same again can succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    retryable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The long text behind the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: u8, code: impl Into<String>, message: impl Into<String>) -> Self {
        Failure {
            exit,
            code: code.into(),
            message: message.into(),
            path: None,
            plugin: None,
            location: None,
            causes: Vec::new(),
            retryable: None,
            hint: None,
            details: None,
        }
    }

    pub(crate) fn at(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// About this plugin, unless it is known to be about one.
    pub(crate) fn of_plugin(mut self, plugin: &str) -> Self {
        self.plugin.get_or_insert_with(|| plugin.to_owned());
        self
    }

    pub(crate) fn with_message(mut self, message: String) -> Self {
        self.message = message;
        self
    }

    /// Without the long text, which is shown in another way.
    pub(crate) fn without_details(mut self) -> Self {
        self.details = None;
        self
    }

    /// A tool that did not answer.
    pub(crate) fn of_tool(tool: &str, error: &PluginError) -> Self {
        let code = error.error_code();
        // Arguments that do not fit say which tool they are for.
        let (exit, doing) = match error.kind() {
            ErrorKind::InvalidInput if code == "invalid-arguments" => (exit::USAGE, None),
            ErrorKind::DeadlineExceeded => (exit::TIMEOUT, Some("did not answer")),
            ErrorKind::Panicked => (exit::FAILED, Some("panicked")),
            _ => (exit::FAILED, Some("failed")),
        };
        let message = match doing {
            Some(doing) => format!("tool `{tool}` {doing}: {}", error.message()),
            None => error.message().to_owned(),
        };
        Failure {
            location: error.location().map(str::to_owned),
            causes: error.causes().to_vec(),
            retryable: Some(error.is_retryable()),
            ..Failure::new(exit, code, message)
        }
    }

    /// The number that the process ends with.
    pub(crate) fn exit(&self) -> u8 {
        self.exit
    }

    /// What went wrong, without where.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(crate) fn details(&self) -> Option<&str> {
        self.details.as_deref()
    }

    /// Whether it is a panic in the plugin.
    pub(crate) fn is_panic(&self) -> bool {
        self.location.is_some()
    }

    /// What there is to add to the message, one line each.
    pub(crate) fn notes(&self) -> impl Iterator<Item = (&str, &dyn Display)> {
        let location = self.location.iter().map(|at| ("at", at as &dyn Display));
        let causes = self.causes.iter();
        location.chain(causes.map(|cause| ("caused by", cause as &dyn Display)))
    }

    /// What and where, in one line.
    pub(crate) fn headline(&self) -> String {
        let Failure {
            message,
            path,
            plugin,
            ..
        } = self;
        // Where somebody is goes without saying.
        let path = path.as_ref().filter(|path| path.as_os_str() != ".");
        match (plugin, path.map(|path| path.display())) {
            (Some(plugin), Some(path)) => format!("plugin {plugin} ({path}): {message}"),
            (Some(plugin), None) => format!("plugin {plugin}: {message}"),
            (None, Some(path)) => format!("{path}: {message}"),
            (None, None) => message.clone(),
        }
    }

    /// The headline with all that there is to add.
    pub(crate) fn whole(&self) -> String {
        let mut text = self.headline();
        for (what, note) in self.notes() {
            let _ = write!(text, "\n{what}: {note}");
        }
        text
    }

    /// The whole as one line of JSON.
    pub(crate) fn to_json(&self) -> String {
        serde_json::json!({ "schema_version": SCHEMA_VERSION, "error": self }).to_string()
    }
}

impl From<&HostError> for Failure {
    fn from(error: &HostError) -> Self {
        let plugin_error = error.plugin_error();
        Failure {
            path: error.path().map(Path::to_owned),
            plugin: error.plugin().map(str::to_owned),
            retryable: plugin_error.map(PluginError::is_retryable),
            hint: error.advice().map(str::to_owned),
            details: error.details().map(str::to_owned),
            ..Failure::new(exit_of_host(error), error.code(), error.message())
        }
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Failure::from(&error)
    }
}

impl From<&Finding> for Failure {
    fn from(finding: &Finding) -> Self {
        Failure {
            path: finding.path.clone(),
            plugin: finding.plugin.clone(),
            hint: finding.hint.clone(),
            ..Failure::new(exit::UNFIT, finding.code.id, finding.message.clone())
        }
    }
}

impl From<InspectError> for Failure {
    fn from(error: InspectError) -> Self {
        Failure {
            path: error.path().map(Path::to_owned),
            hint: error.hint().map(str::to_owned),
            ..Failure::new(exit_of_inspect(&error), "inspect", error.message())
        }
    }
}

impl From<&InstallError> for Failure {
    fn from(error: &InstallError) -> Self {
        use InstallErrorKind as Kind;
        let exit = match error.kind() {
            Kind::Usage => exit::USAGE,
            Kind::NotFound => exit::NOT_FOUND,
            Kind::Unfit => exit::UNFIT,
            Kind::Build => exit::BUILD,
            Kind::Refused => exit::REFUSED,
            _ => exit::HOST,
        };
        Failure {
            path: error.path().map(Path::to_owned),
            plugin: error.plugin().map(str::to_owned),
            hint: error.advice().map(str::to_owned),
            details: error.long_text().map(str::to_owned),
            ..Failure::new(exit, error.code(), error.message())
        }
    }
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        Failure::from(&error)
    }
}

fn exit_of_inspect(error: &InspectError) -> u8 {
    match error.kind() {
        InspectErrorKind::NotFound | InspectErrorKind::Io => exit::NOT_FOUND,
        _ => exit::UNFIT,
    }
}

fn exit_of_host(error: &HostError) -> u8 {
    use HostErrorKind as Kind;
    let timed_out = |error: &PluginError| error.kind() == ErrorKind::DeadlineExceeded;
    if error.plugin_error().is_some_and(timed_out) {
        return exit::TIMEOUT;
    }
    match error.kind() {
        Kind::Inspect => error.inspect_error().map_or(exit::UNFIT, exit_of_inspect),
        Kind::Manifest
        | Kind::Target
        | Kind::PanicStrategy
        | Kind::Interface
        | Kind::HostVersion
        | Kind::Isolation
        | Kind::Open
        | Kind::Descriptor
        | Kind::Layout => exit::UNFIT,
        Kind::Config => exit::USAGE,
        Kind::Quarantined => exit::QUARANTINED,
        Kind::NotFound => exit::NOT_FOUND,
        Kind::Stage | Kind::AlreadyLoaded | Kind::Retained | Kind::Host => exit::HOST,
        _ => exit::FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_of_a_tool_tells_whose_fault_it_is() {
        let cases = [
            (ErrorKind::Failed, exit::FAILED),
            (ErrorKind::Panicked, exit::FAILED),
            (ErrorKind::InvalidInput, exit::FAILED),
            (ErrorKind::DeadlineExceeded, exit::TIMEOUT),
        ];
        for (kind, expected) in cases {
            let failure = Failure::of_tool("tool", &PluginError::of(kind, "no"));
            assert_eq!(failure.exit(), expected, "{kind}");
        }
        let misfit = PluginError::invalid_input("no").code("invalid-arguments");
        assert_eq!(Failure::of_tool("tool", &misfit).exit(), exit::USAGE);
    }

    #[test]
    fn the_headline_says_which_plugin_and_where() {
        let mut failure = Failure::new(exit::FAILED, "code", "it broke");
        assert_eq!(failure.headline(), "it broke");
        failure = failure.at(Path::new("lib.so"));
        assert_eq!(failure.headline(), "lib.so: it broke");
        failure.plugin = Some("'p' v1.0.0".to_owned());
        assert_eq!(failure.headline(), "plugin 'p' v1.0.0 (lib.so): it broke");
    }
}
