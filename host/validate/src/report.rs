//! What came of a validation.

use std::path::PathBuf;
use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

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
        let worst = self.checks.iter().map(Record::outcome).max();
        match worst {
            None | Some(Outcome::Skipped) => Outcome::Success,
            Some(worst) => worst,
        }
    }

    /// How many checks ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        let same = |record: &&Record| record.outcome() == outcome;
        self.checks.iter().filter(same).count()
    }

    /// What came of a check.
    pub fn check(&self, id: &str) -> Option<&Record> {
        self.checks.iter().find(|record| record.id == id)
    }
}

/// What came of one check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// The check.
    pub id: &'static str,
    /// What was found.
    pub verdict: Verdict,
    /// How long it took, with its process.
    pub took: Duration,
}

impl Record {
    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        self.verdict.outcome
    }

    /// How long it took, in milliseconds.
    pub(crate) fn milliseconds(&self) -> u64 {
        u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX)
    }
}

/// With the parts of the verdict beside the check's own, and those that are empty as well.
impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Verdict {
            outcome,
            message,
            hint,
            details,
            reproduce,
            timed_out,
        } = &self.verdict;
        let mut record = serializer.serialize_struct("Record", 8)?;
        record.serialize_field("id", self.id)?;
        record.serialize_field("outcome", outcome)?;
        record.serialize_field("message", message)?;
        record.serialize_field("hint", hint)?;
        record.serialize_field("details", details)?;
        record.serialize_field("reproduce", reproduce)?;
        record.serialize_field("timed_out", timed_out)?;
        record.serialize_field("milliseconds", &self.milliseconds())?;
        record.end()
    }
}
