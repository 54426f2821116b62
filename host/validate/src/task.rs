//! What the process of a check is told, and what it answers.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::bench::Bench;
use crate::checks;
use crate::grant::GrantLevel;
use crate::panics::{self, Panic};
use crate::verdict::{Outcome, Verdict};

/// One case of one check, as messages write it: `tool-input:7:31`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reproduce {
    /// The check.
    pub check: String,
    /// What the random input was made of.
    pub seed: u64,
    /// The number of the case.
    pub case: u64,
}

impl fmt::Display for Reproduce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.check, self.seed, self.case)
    }
}

impl FromStr for Reproduce {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let read = || -> Option<Reproduce> {
            let (check, seed, case) = (parts.next()?, parts.next()?, parts.next()?);
            let read = Reproduce {
                check: check.to_owned(),
                seed: seed.parse().ok()?,
                case: case.parse().ok()?,
            };
            parts.next().is_none().then_some(read)
        };
        let mut read = read;
        read().ok_or_else(|| {
            format!("expected CHECK:SEED:CASE such as tool-input:1:17, found `{text}`")
        })
    }
}

/// What one check is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) check: String,
    /// Absolute.
    pub(crate) library: PathBuf,
    /// A directory of the check's own, which is removed after it.
    pub(crate) home: PathBuf,
    pub(crate) seed: u64,
    pub(crate) cases: u64,
    /// The only case to run.
    pub(crate) case: Option<u64>,
    pub(crate) config: Map<String, Value>,
    /// The version of the application; none for the oldest that the plugin works with.
    pub(crate) host_version: Option<String>,
    pub(crate) grant: GrantLevel,
    /// Whether its tools are left alone, since they are known to fail.
    pub(crate) without_tools: bool,
    /// Tells the check's own lines from what the plugin prints.
    pub(crate) token: String,
}

/// A line that the process of a check writes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Line {
    /// What it is about to do.
    Doing {
        what: String,
        /// The case that it belongs to.
        reproduce: Option<String>,
    },
    /// What came of it; the last line.
    Verdict(Verdict),
}

impl Line {
    /// The line in a text of lines that may be anybody's.
    pub(crate) fn read(line: &str, token: &str) -> Option<Self> {
        let json = line.strip_prefix(token)?.strip_prefix(' ')?;
        serde_json::from_str(json).ok()
    }

    pub(crate) fn write(&self, token: &str) {
        let Ok(json) = serde_json::to_string(self) else {
            return;
        };
        // What the plugin has printed may have no line end. Nobody is there to be told of a failure: the
        // validator sees that there is no verdict.
        let mut stdout = std::io::stdout().lock();
        let _ = writeln!(stdout, "\n{token} {json}");
        let _ = stdout.flush();
    }
}

/// Runs one check in this process, as the task on stdin says, and writes its verdict to stdout.
///
/// It is for the program that [`Validator::new`](crate::Validator::new) names, to be called first thing in
/// `main`: it installs a subscriber of its own for `tracing`. The code says whether there is a verdict, not
/// what it is.
#[must_use]
pub fn child() -> ExitCode {
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    let task = read
        .map_err(|error| error.to_string())
        .and_then(|_| serde_json::from_str::<Task>(&text).map_err(|error| error.to_string()));
    let found = task.and_then(|task| match checks::find(&task.check) {
        Some(check) => Ok((task, check)),
        None => Err(format!("there is no check `{}`", task.check)),
    });
    let (task, check) = match found {
        Ok(found) => found,
        Err(what) => {
            let _ = writeln!(
                std::io::stderr(),
                "this runs one check of `keyway validate`, which starts it: expected a task on stdin: {what}"
            );
            return ExitCode::from(2);
        }
    };
    no_core_dump();
    panics::watch();
    let token = task.token.clone();
    let bench = Bench::new(task);
    let verdict = (check.run)(&bench).unwrap_or_else(|verdict| verdict);
    Line::Verdict(with_panics(verdict, panics::take())).write(&token);
    ExitCode::SUCCESS
}

/// A panic is a fault wherever it happened, also if nothing that the check looks at has shown it.
fn with_panics(verdict: Verdict, mut panics: Vec<Panic>) -> Verdict {
    let mut seen = BTreeSet::new();
    panics.retain(|panic| seen.insert(panic.place.clone()));
    let told = |verdict: &Verdict, panic: &Panic| {
        let mut texts = std::iter::once(&verdict.message).chain(&verdict.details);
        texts.any(|text| text.contains(&panic.place))
    };
    let verdict = match panics.first() {
        Some(first) if verdict.outcome < Outcome::Failed => first
            .verdict()
            .detail(format!("apart from that: {}", verdict.message)),
        _ => verdict,
    };
    panics.retain(|panic| !told(&verdict, panic));
    let more = panics
        .iter()
        .map(|panic| format!("{} (at {})", panic.message, panic.place));
    verdict.details(more)
}

/// A plugin that ends the process leaves no file behind.
#[cfg(unix)]
fn no_core_dump() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
}

#[cfg(not(unix))]
fn no_core_dump() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_reads_as_it_is_written() {
        let case: Reproduce = "tool-input:7:31".parse().expect("a case");
        assert_eq!((&*case.check, case.seed, case.case), ("tool-input", 7, 31));
        assert_eq!(case.to_string(), "tool-input:7:31");
        for text in [
            "",
            "tool-input",
            "tool-input:7",
            "tool-input:7:x",
            "a:1:2:3",
        ] {
            text.parse::<Reproduce>().expect_err(text);
        }
    }

    #[test]
    fn lines_of_the_plugin_are_not_taken_for_those_of_the_check() {
        let json = r#"{"verdict":{"outcome":"success","message":"fine"}}"#;
        assert!(Line::read(&format!("token {json}"), "token").is_some());
        assert!(Line::read(json, "token").is_none());
        assert!(Line::read(&format!("other {json}"), "token").is_none());
    }

    #[test]
    fn a_contained_panic_makes_a_success_a_failure_and_is_told_once() {
        let panic = Panic {
            message: "plugin 'p' panicked: boom".to_owned(),
            place: "src/lib.rs:1:2".to_owned(),
        };
        let verdict = with_panics(Verdict::success("fine"), vec![panic.clone(), panic.clone()]);
        assert_eq!(verdict.outcome, Outcome::Failed);
        assert!(
            verdict
                .message
                .starts_with("plugin 'p' panicked: boom (at src/lib.rs:1:2)")
        );
        assert_eq!(verdict.details, ["apart from that: fine"]);
        let failed = Verdict::failed("tool `t` panicked: boom (at src/lib.rs:1:2)");
        assert_eq!(with_panics(failed.clone(), vec![panic]), failed);
    }
}
