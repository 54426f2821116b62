//! What there is to say of each plugin, in JSON and for the table.

use std::path::{Path, PathBuf};

use keyway_host::{Enablement, Finding, PluginRecord, Severity};
use keyway_install::{InstallError, Locked};
use semver::Version;
use serde::Serialize;

use crate::installation::{Installation, Survey};

/// All that one run of `keyway list --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    pub(super) schema_version: u32,
    /// The settings file; it need not be there.
    pub(super) settings: &'a Path,
    pub(super) plugins: Vec<Row>,
    /// What there is to say of roots, and of nobody in particular.
    pub(super) findings: Vec<Said>,
}

/// One plugin, or a file that looks like one.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// None if its manifest does not read.
    pub(super) id: Option<String>,
    pub(super) version: Option<Version>,
    /// `enabled`, `disabled`, `blocked`, `slot-loser`, `shadowed` or `missing`.
    pub(super) status: &'static str,
    /// Why it is not to run, in one line; none if it is.
    pub(super) reason: Option<String>,
    /// Whether it starts only when it is first needed.
    pub(super) lazy: bool,
    pub(super) capabilities: Vec<Declared>,
    /// `installed`, `explicit`, `workspace`, `user` or `builtin`.
    pub(super) origin: &'static str,
    /// Where it was installed from, as the lockfile has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    /// Whether updates leave it alone.
    pub(super) pinned: bool,
    pub(super) path: Option<PathBuf>,
    /// The file that comes before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shadowed_by: Option<PathBuf>,
    pub(super) needs: Vec<String>,
    pub(super) needed_by: Vec<String>,
    /// How well it fits, all in all: `ok`, `advisory`, `legacy` or `error`.
    pub(super) signal: &'static str,
    pub(super) findings: Vec<Said>,
}

/// What a manifest declares of one kind.
#[derive(Debug, Serialize)]
pub(super) struct Declared {
    pub(super) id: String,
    pub(super) names: Vec<String>,
}

/// A finding.
#[derive(Debug, Serialize)]
pub(crate) struct Said {
    pub(crate) code: String,
    pub(crate) severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plugin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<PathBuf>,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

impl From<&Finding> for Said {
    fn from(finding: &Finding) -> Self {
        Said {
            code: finding.code.id.to_owned(),
            severity: finding.severity().name(),
            plugin: finding.plugin.clone(),
            path: finding.path.clone(),
            message: finding.message.clone(),
            hint: finding.hint.clone(),
        }
    }
}

/// Whether a row is shown without `--all`.
pub(super) fn is_listed(row: &Row) -> bool {
    row.id.is_some() && row.status != "shadowed"
}

impl Row {
    /// All plugins, by id; what has none comes last.
    pub(super) fn all(installation: &Installation, survey: &Survey) -> Vec<Row> {
        let records = survey.records.iter();
        let found = records.map(|record| Row::of(record, installation.locked(record)));
        let missing = survey.missing.iter().filter_map(|(id, error)| {
            let locked = installation.lock.get(id.as_str())?;
            Some(Row::missing(locked, error))
        });
        let mut rows: Vec<Row> = found.chain(missing).collect();
        let origins: Vec<(Option<PathBuf>, &'static str)> = rows
            .iter()
            .map(|row| (row.path.clone(), row.origin))
            .collect();
        for row in rows.iter_mut().filter(|row| row.shadowed_by.is_some()) {
            let by = origins.iter().find(|(path, _)| *path == row.shadowed_by);
            row.reason = by.map(|(_, origin)| format!("the {origin} one comes first"));
        }
        // It is stable: what counts of one id stays before what does not.
        rows.sort_by(|a, b| (a.id.is_none(), &a.id).cmp(&(b.id.is_none(), &b.id)));
        rows
    }

    fn of(record: &PluginRecord, locked: Option<&Locked>) -> Self {
        let ids = |ids: &[keyway_host::manifest::PluginId]| {
            ids.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let capabilities = record.manifest.iter().flat_map(|manifest| {
            manifest.capabilities.ids().map(|id| Declared {
                id: id.to_owned(),
                names: manifest.capabilities.names(id).to_vec(),
            })
        });
        Row {
            id: record.id.as_ref().map(ToString::to_string),
            version: record.version.clone(),
            status: record.enablement.name(),
            reason: reason(record),
            lazy: record.lazy,
            capabilities: capabilities.collect(),
            origin: match locked {
                Some(_) => "installed",
                None => record.origin.name(),
            },
            source: locked.map(|locked| locked.source.to_string()),
            pinned: locked.is_some_and(|locked| locked.pinned),
            path: Some(record.path.clone()),
            shadowed_by: match &record.enablement {
                Enablement::Shadowed { by, .. } => Some(by.clone()),
                _ => None,
            },
            needs: ids(&record.dependencies),
            needed_by: ids(&record.dependents),
            signal: record.signal().name(),
            findings: record.findings.iter().map(Said::from).collect(),
        }
    }

    /// A plugin of the lockfile that is not where it was installed.
    fn missing(locked: &Locked, error: &InstallError) -> Self {
        Row {
            id: Some(locked.id.to_string()),
            version: Some(locked.version.clone()),
            status: "missing",
            reason: Some(error.message().to_owned()),
            lazy: false,
            capabilities: Vec::new(),
            origin: "installed",
            source: Some(locked.source.to_string()),
            pinned: locked.pinned,
            path: None,
            shadowed_by: None,
            needs: Vec::new(),
            needed_by: Vec::new(),
            signal: "error",
            findings: vec![Said {
                code: error.code().to_owned(),
                severity: Severity::Error.name(),
                plugin: Some(locked.id.to_string()),
                path: error.path().map(Path::to_owned),
                message: error.message().to_owned(),
                hint: error.advice().map(str::to_owned),
            }],
        }
    }
}

/// Why a plugin is not to run.
fn reason(record: &PluginRecord) -> Option<String> {
    match &record.enablement {
        Enablement::Enabled => None,
        Enablement::Disabled { reason } => Some(reason.clone()),
        Enablement::SlotLoser { slot, winner } => Some(format!("'{winner}' has the slot {slot}")),
        Enablement::Shadowed { origin, .. } => Some(format!("the {origin} one comes first")),
        _ => {
            let is_error = |finding: &&Finding| finding.severity() == Severity::Error;
            let first = record.findings.iter().find(is_error)?;
            Some(first.message.clone())
        }
    }
}
