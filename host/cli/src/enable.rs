//! `keyway enable` and `keyway disable`: one key of the settings file, and what follows from it for others.

use std::collections::BTreeSet;
use std::path::Path;

use keyway_host::manifest::PluginId;
use keyway_host::{Finding, PluginRecord, Severity};
use keyway_install::Home;
use serde::Serialize;

use crate::args::{Disable, Enable, Place, StandIn};
use crate::edit::Edit;
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::failure::{Failure, SCHEMA_VERSION};
use crate::installation::{Installation, Survey, settings_file};
use crate::terminal::{Form, Terminal};

/// What is printed of a run.
#[derive(Debug, Serialize)]
struct Report<'a> {
    schema_version: u32,
    dry_run: bool,
    /// Whether the settings file says something else now.
    changed: bool,
    settings: &'a Path,
    steps: Vec<Step>,
    /// Plugins that are enabled, and would not start.
    blocked: Vec<Blocked>,
}

#[derive(Debug, Serialize)]
struct Step {
    /// `enable`, `disable` or `keep`.
    action: &'static str,
    plugin: String,
}

#[derive(Debug, Serialize)]
struct Blocked {
    plugin: String,
    reason: String,
}

/// One run of either command.
struct Switch<'a> {
    plugins: BTreeSet<&'a PluginId>,
    on: bool,
    force: bool,
    place: &'a Place,
    application: &'a StandIn,
}

pub(crate) fn enable(command: &Enable, terminal: &Terminal) -> Outcome {
    let switch = Switch {
        plugins: command.plugins.iter().collect(),
        on: true,
        force: false,
        place: &command.place,
        application: &command.application,
    };
    switch.run(terminal)
}

pub(crate) fn disable(command: &Disable, terminal: &Terminal) -> Outcome {
    let switch = Switch {
        plugins: command.plugins.iter().collect(),
        on: false,
        force: command.force,
        place: &command.place,
        application: &command.application,
    };
    switch.run(terminal)
}

impl Switch<'_> {
    fn verb(&self) -> &'static str {
        match self.on {
            true => "enable",
            false => "disable",
        }
    }

    fn run(&self, terminal: &Terminal) -> Outcome {
        let place = self.place;
        let doing = format!("keyway {}", self.verb());
        let file = settings_file(&Home::of_user()?, place.config.as_deref())?;
        // The turn comes first, so that what is read is what is changed.
        let mut edit = Edit::begin(&file, &doing, place.dry_run, terminal)?;
        let installation = Installation::open(place.config.as_deref())?;
        let before = installation.survey(self.application)?;
        let mut steps = Vec::new();
        for id in &self.plugins {
            self.require(&before, id)?;
            let said = installation.settings.plugin(id.as_str());
            let is_on = said.is_none_or(|said| said.is_enabled());
            if is_on != self.on {
                edit.set(id, &["enabled"], self.on.into())?;
            }
            steps.push(Step {
                action: if is_on == self.on {
                    "keep"
                } else {
                    self.verb()
                },
                plugin: id.to_string(),
            });
        }
        let after = installation.survey_with(&edit.settings()?, self.application)?;
        let blocked = self.blocked(&before, &after);
        let mut report = Report {
            schema_version: SCHEMA_VERSION,
            dry_run: place.dry_run,
            changed: false,
            settings: &installation.settings_file,
            steps,
            blocked,
        };
        if !place.json {
            terminal.text(&report.lines())?;
        } else if place.dry_run {
            terminal.json(&report, Form::ForReader)?;
        }
        self.refuse(&report, terminal)?;
        if place.dry_run {
            terminal.note("nothing was changed, since this is a dry run");
            return Ok(());
        }
        report.changed = edit.write()?;
        if place.json {
            terminal.json(&report, Form::ForReader)?;
        }
        for step in report.steps.iter().filter(|step| step.action != "keep") {
            let verb = if self.on { "Enabled" } else { "Disabled" };
            terminal.status(verb, &step.plugin);
        }
        Ok(())
    }

    /// A plugin has to be there, or to be named in the settings, from where it can be gone.
    fn require(&self, survey: &Survey, id: &PluginId) -> Outcome {
        let missing = |(one, _): &(PluginId, _)| one == id;
        match survey.missing.iter().any(missing) {
            true => Ok(()),
            false => survey.find(id).map(drop),
        }
    }

    /// The plugins that would be blocked: those that were not, and those that are to be enabled now.
    fn blocked(&self, before: &Survey, after: &Survey) -> Vec<Blocked> {
        let was_blocked: BTreeSet<&PluginId> = blocked(before).map(|(id, _)| id).collect();
        blocked(after)
            .filter(|(id, _)| !was_blocked.contains(id) || self.plugins.contains(id))
            .map(|(id, record)| Blocked {
                plugin: id.to_string(),
                reason: reason(record),
            })
            .collect()
    }

    /// Whether something that works would not any more.
    fn refuse(&self, report: &Report<'_>, terminal: &Terminal) -> Outcome {
        if report.blocked.is_empty() {
            return Ok(());
        }
        let others: Vec<&str> = report.blocked.iter().map(|one| &*one.plugin).collect();
        let others = others.join(", ");
        let named: Vec<&str> = self.plugins.iter().map(|id| id.as_str()).collect();
        if self.on {
            for Blocked { plugin, reason } in &report.blocked {
                terminal.warning(&format!("{plugin} is enabled and will not start: {reason}"));
            }
            return Ok(());
        }
        let message = format!("{} is needed by {others}", named.join(", "));
        if self.force {
            terminal.warning(&format!("{message}; --force goes on"));
            return Ok(());
        }
        let also: Vec<&str> = others.split(", ").chain(named).collect();
        let failure = Failure::new(exit::REFUSED, "needed", message).hint(format!(
            "disable them too: keyway disable {}; or go on all the same with --force (risky: {others} will \
             not start)",
            also.join(" ")
        ));
        Err(Ending::from(failure))
    }
}

fn blocked(survey: &Survey) -> impl Iterator<Item = (&PluginId, &PluginRecord)> {
    let records = survey.records.iter();
    records
        .filter(|record| record.enablement.name() == "blocked")
        .filter_map(|record| Some((record.id.as_ref()?, record)))
}

/// The first thing that speaks against a plugin.
fn reason(record: &PluginRecord) -> String {
    let is_error = |finding: &&Finding| finding.severity() == Severity::Error;
    let first = record.findings.iter().find(is_error);
    first.map_or_else(
        || record.enablement.to_string(),
        |finding| finding.message.clone(),
    )
}

impl Report<'_> {
    fn lines(&self) -> String {
        let lines = self.steps.iter().map(|Step { action, plugin }| {
            let why = match *action {
                "keep" => "  as it is already",
                _ => "",
            };
            format!("{action:<7}  {plugin}{why}\n")
        });
        lines.collect()
    }
}
