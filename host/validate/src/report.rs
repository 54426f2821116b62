//! What came of a validation.

use std::path::PathBuf;

use serde::Serialize;

use crate::verdict::{Outcome, Verdict};

/// What came of all checks of one library.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The library.
    pub library: PathBuf,
    /// The plugin's id, as far as its file says it.
    pub plugin: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// What the random input was made of.
    pub seed: u64,
    /// How many random inputs each tool got.
    pub cases: u64,
    /// What came of each check, in the order of the table of checks.
    pub checks: Vec<Record>,
}

impl Report {
    /// The worst of the outcomes; that of no checks at all is success, and so is that of checks which were
    /// skipped.
    pub fn outcome(&self) -> Outcome {
        let worst = self.checks.iter().map(|record| record.outcome).max();
        match worst {
            None | Some(Outcome::Skipped) => Outcome::Success,
            Some(worst) => worst,
        }
    }

    /// How many checks ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        let same = |record: &&Record| record.outcome == outcome;
        self.checks.iter().filter(same).count()
    }

    /// What came of a check.
    pub fn check(&self, id: &str) -> Option<&Record> {
        self.checks.iter().find(|record| record.id == id)
    }
}

/// What came of one check.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Record {
    /// The check.
    pub id: &'static str,
    /// How it ended, as in the verdict.
    pub outcome: Outcome,
    /// What was found.
    #[serde(skip)]
    pub verdict: Verdict,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    details: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reproduce: Option<String>,
    timed_out: bool,
    /// How long it took, with its process.
    pub milliseconds: u64,
}

impl Record {
    pub(crate) fn new(id: &'static str, verdict: Verdict, milliseconds: u64) -> Self {
        let Verdict {
            outcome,
            message,
            hint,
            details,
            reproduce,
            timed_out,
        } = verdict.clone();
        Record {
            id,
            outcome,
            verdict,
            message,
            hint,
            details,
            reproduce,
            timed_out,
            milliseconds,
        }
    }
}
