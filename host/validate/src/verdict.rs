//! What a check says of a plugin.

use std::fmt;

use keyway_host::HostError;
use serde::{Deserialize, Serialize};

/// How a check ended; the worse, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The plugin does what is expected.
    Success,
    /// The check does not apply to this plugin or this system, or another one has failed that it needs.
    Skipped,
    /// The plugin works, and something about it is not in order.
    Warning,
    /// The plugin does not do what is expected, or took too long.
    Failed,
    /// The plugin ended the process.
    Crashed,
}

impl Outcome {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::Skipped => "skipped",
            Outcome::Warning => "warning",
            Outcome::Failed => "failed",
            Outcome::Crashed => "crashed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a check found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verdict {
    /// How it ended.
    pub outcome: Outcome,
    /// What was found, and where it is not in order also what was expected.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// More, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// The case that it happened with, to be given to [`Validator::reproduce`](crate::Validator::reproduce).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reproduce: Option<String>,
    /// Whether it took longer than it may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timed_out: bool,
}

impl Verdict {
    fn new(outcome: Outcome, message: impl Into<String>) -> Self {
        Verdict {
            outcome,
            message: message.into(),
            hint: None,
            details: Vec::new(),
            reproduce: None,
            timed_out: false,
        }
    }

    pub(crate) fn success(message: impl Into<String>) -> Self {
        Verdict::new(Outcome::Success, message)
    }

    pub(crate) fn skipped(reason: impl Into<String>) -> Self {
        Verdict::new(Outcome::Skipped, reason)
    }

    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Verdict::new(Outcome::Warning, message)
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Verdict::new(Outcome::Failed, message)
    }

    pub(crate) fn crashed(message: impl Into<String>) -> Self {
        Verdict::new(Outcome::Crashed, message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    pub(crate) fn details(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }

    pub(crate) fn reproduce(mut self, case: String) -> Self {
        self.reproduce = Some(case);
        self
    }

    pub(crate) fn timed_out(mut self) -> Self {
        self.timed_out = true;
        self
    }
}

/// The host refused what the check needs of the plugin.
impl From<HostError> for Verdict {
    fn from(error: HostError) -> Self {
        let failed = Verdict::failed(error.message());
        let failed = match error.advice() {
            Some(advice) => failed.hint(advice),
            None => failed,
        };
        let details = error.details().unwrap_or_default().lines();
        failed.details(details.map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome;

    #[test]
    fn the_worse_outcome_is_the_greater_one() {
        let all = [
            Outcome::Success,
            Outcome::Skipped,
            Outcome::Warning,
            Outcome::Failed,
            Outcome::Crashed,
        ];
        assert!(all.is_sorted());
    }
}
