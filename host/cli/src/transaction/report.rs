//! A plan as it is printed: as lines for people, as one JSON object for programs.

use std::fmt::Write;

use keyway_install::{Action, Conflict, Plan, Step};
use serde::Serialize;

use crate::ending::Outcome;
use crate::failure::SCHEMA_VERSION;
use crate::terminal::{Form, Terminal, printable};

/// What is printed of a plan.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema_version: u32,
    dry_run: bool,
    /// Whether the lockfile says something else now.
    changed: bool,
    steps: Vec<Step>,
    conflicts: Vec<Conflict>,
    failures: Vec<Failed>,
}

/// A plugin that could not be looked at.
#[derive(Debug, Serialize)]
struct Failed {
    plugin: String,
    code: String,
    message: String,
}

impl Report {
    pub(super) fn of(plan: &Plan, dry_run: bool) -> Self {
        let failures = plan.failures().map(|(id, error)| Failed {
            plugin: id.to_string(),
            code: error.code().to_owned(),
            message: error.message().to_owned(),
        });
        Report {
            schema_version: SCHEMA_VERSION,
            dry_run,
            changed: false,
            steps: plan.steps().to_vec(),
            conflicts: plan.conflicts().to_vec(),
            failures: failures.collect(),
        }
    }

    pub(super) fn applied(&self, changed: bool) -> Report {
        Report {
            schema_version: self.schema_version,
            dry_run: self.dry_run,
            changed,
            steps: self.steps.clone(),
            conflicts: self.conflicts.clone(),
            failures: Vec::new(),
        }
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn print(&self, json: bool, terminal: &Terminal) -> Outcome {
        match json {
            true => terminal.json(self, Form::ForReader),
            false => terminal.text(&printable(&self.lines())),
        }
    }

    fn lines(&self) -> String {
        if self.steps.is_empty() {
            return "nothing to do\n".to_owned();
        }
        let subjects: Vec<String> = self.steps.iter().map(subject).collect();
        let width = subjects.iter().map(|subject| subject.chars().count()).max();
        let width = width.unwrap_or(0);
        let mut lines = String::new();
        for (step, subject) in self.steps.iter().zip(&subjects) {
            let about = about(step);
            let line = format!("{:<7}  {subject:<width$}  {about}", word(step.action));
            let _ = writeln!(lines, "{}", line.trim_end());
            for (sign, permissions) in [
                ('+', &step.permissions.added),
                ('-', &step.permissions.removed),
            ] {
                for permission in permissions {
                    let _ = writeln!(lines, "         {sign} {permission}");
                }
            }
        }
        lines
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Install => "install",
        Action::Update => "update",
        Action::Remove => "remove",
        Action::Restore => "restore",
        Action::Pin => "pin",
        Action::Unpin => "unpin",
        Action::Grant => "grant",
        Action::Revoke => "revoke",
        _ => "keep",
    }
}

/// Such as `weather 1.0.0 -> 1.1.0`.
pub(super) fn subject(step: &Step) -> String {
    let Step {
        plugin, from, to, ..
    } = step;
    match (from, to) {
        (Some(from), Some(to)) if from != to => format!("{plugin} {from} -> {to}"),
        (Some(version), _) | (None, Some(version)) => format!("{plugin} {version}"),
        (None, None) => plugin.clone(),
    }
}

/// Where it comes from, if something comes, or why nothing does.
fn about(step: &Step) -> String {
    let revision = step.revision.as_deref().map_or(String::new(), |revision| {
        let start: String = revision.chars().take(12).collect();
        // The hash of an archive says nothing to people.
        match revision.contains(':') {
            true => String::new(),
            false => format!(" at {start}"),
        }
    });
    match step.action {
        Action::Install | Action::Restore => format!("from {}{revision}", step.source),
        Action::Update if step.from == step.to => {
            let what = step.reason.as_deref().unwrap_or("another build");
            format!("{what}, from {}{revision}", step.source)
        }
        Action::Update => format!("from {}{revision}", step.source),
        _ => step.reason.clone().unwrap_or_default(),
    }
}
