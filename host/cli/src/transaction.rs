//! What the commands that change what is installed have in common: a plan is made and printed, somebody agrees,
//! and it is applied. A dry run prints the same.

mod progress;
mod report;

use keyway_install::{
    Action, Application, Home, InstallError, Installer, Plan, Registry, lock_beside,
};

use crate::args::{Change, Fetching, Place};
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::failure::Failure;
use crate::terminal::{self, Form, Terminal};
use report::Report;

/// What has to be known before something is agreed to.
pub(crate) const TRUST: &str = "native plugins are trusted code, and can do what the process can; in process \
                                this is consent and mediation, not a sandbox";

/// How a plan is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    force: bool,
    yes: bool,
    /// Whether the lockfile has to stay as it is.
    locked: bool,
}

impl Terms {
    pub(crate) fn of(change: &Change) -> Self {
        Terms {
            force: change.force,
            yes: change.yes,
            locked: false,
        }
    }

    /// Of a grant, which somebody has to agree to.
    pub(crate) fn grant(yes: bool) -> Self {
        Terms {
            force: false,
            yes,
            locked: false,
        }
    }

    /// Of commands that neither fetch nor remove anything.
    pub(crate) fn harmless() -> Self {
        Terms {
            force: false,
            yes: true,
            locked: false,
        }
    }

    pub(crate) fn locked(self, locked: bool) -> Self {
        Terms { locked, ..self }
    }
}

/// Makes a plan for the lockfile that the command line names, prints it, and does it.
///
/// The lockfile is held from before the plan is made, so that it is still the same when it is applied.
pub(crate) fn run(
    doing: &str,
    place: &Place,
    terms: Terms,
    terminal: &Terminal,
    fetching: Option<&Fetching>,
    plan: impl FnOnce(&Installer) -> Result<Plan, InstallError>,
) -> Outcome {
    let installer = installer(place, fetching, terminal)?;
    if place.dry_run {
        let plan = plan(&installer)?;
        Report::of(&plan, true).print(place.json, terminal)?;
        let failed = tell_failures(&plan, terminal);
        refuse(&plan, terms, terminal)?;
        terminal.note("nothing was changed, since this is a dry run");
        return failed;
    }
    let held = installer.hold(doing, |holder| {
        terminal.status("Waiting", format_args!("for {holder}"));
    })?;
    let plan = plan(&installer)?;
    let report = Report::of(&plan, false);
    if !place.json {
        report.print(false, terminal)?;
    }
    let failed = tell_failures(&plan, terminal);
    refuse(&plan, terms, terminal)?;
    agree(&plan, terms, terminal)?;
    let applied = installer.apply(plan, &held, terms.force)?;
    if place.json {
        terminal.json(&report.applied(applied.changed), Form::ForReader)?;
    }
    for step in report.steps() {
        if let Some(verb) = done(step.action) {
            terminal.status(verb, report::subject(step));
        }
    }
    failed
}

pub(crate) fn installer(
    place: &Place,
    fetching: Option<&Fetching>,
    terminal: &Terminal,
) -> Outcome<Installer> {
    let home = Home::of_user()?;
    let lock = match &place.config {
        Some(settings) => lock_beside(settings),
        None => home.lock_file(),
    };
    let mut installer = Installer::new(home, lock)?.show_builds(!terminal.is_quiet());
    if let Some(fetching) = fetching {
        installer = installer
            .offline(fetching.offline)
            .registry(registry(place, fetching)?);
        if let Some(line) = progress::line(terminal) {
            installer = installer.progress(line);
        }
        if let Some(version) = &fetching.host_version {
            installer = installer.application(Application {
                name: "keyway".to_owned(),
                version: version.clone(),
            });
        }
    }
    Ok(installer)
}

/// Where plugins are looked for by their names: what the command line says, or what stands beside the settings.
pub(crate) fn registry(
    place: &Place,
    fetching: &Fetching,
) -> Result<Option<Registry>, InstallError> {
    match (&fetching.registry, &place.config) {
        (Some(text), _) => text.parse().map(Some),
        (None, Some(settings)) => Registry::configured(settings),
        (None, None) => Registry::configured(&Home::of_user()?.settings_file()),
    }
}

/// Tells of plugins that could not be looked at; the first of them ends the run, after all else is done.
fn tell_failures(plan: &Plan, terminal: &Terminal) -> Outcome {
    let mut failures = plan.failures().map(|(id, error)| {
        let message = format!("cannot update plugin '{id}': {}", error.message());
        Failure::from(error).with_message(message)
    });
    let first = failures.next();
    for failure in failures {
        terminal.failure(&failure);
    }
    first.map_or(Ok(()), |failure| Err(Ending::from(failure)))
}

/// Ends the run where something stands against the plan.
fn refuse(plan: &Plan, terms: Terms, terminal: &Terminal) -> Outcome {
    if terms.locked && plan.changes_lock() {
        return Err(Failure::new(
            exit::REFUSED,
            "locked",
            "the lockfile would change, and --locked has it stay as it is",
        )
        .hint("leave --locked out")
        .into());
    }
    match plan.require_peace() {
        Ok(()) => Ok(()),
        Err(error) if terms.force => {
            terminal.warning(&format!("{}; --force goes on", error.message()));
            Ok(())
        }
        Err(error) => {
            let report = error.long_text().unwrap_or_default().to_owned();
            let mut failure = Failure::from(error);
            if !terminal.has_json_errors() {
                failure = failure.without_details();
            }
            // The error comes first, then what can be done about it.
            terminal.failure(&failure);
            terminal.lines(&report);
            Err(Ending::Told(failure.exit()))
        }
    }
}

/// Has somebody agree to what plugins newly ask for.
fn agree(plan: &Plan, terms: Terms, terminal: &Terminal) -> Outcome {
    if terms.yes || !plan.asks_for_permissions() {
        return Ok(());
    }
    let asking: Vec<&str> = plan
        .steps()
        .iter()
        .filter(|step| !step.permissions.added.is_empty())
        .map(|step| step.plugin.as_str())
        .collect();
    let asking = asking.join(", ");
    terminal.note(TRUST);
    match terminal::ask(&format!("Allow this to {asking}?")) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::new(exit::REFUSED, "not-agreed", "nothing was changed").into()),
        None => Err(Failure::new(
            exit::REFUSED,
            "not-agreed",
            format!("{asking} asks for permissions, and there is nobody to ask"),
        )
        .hint("--yes agrees to what --dry-run lists")
        .into()),
    }
}

/// What was done, as a verb; none for nothing.
fn done(action: Action) -> Option<&'static str> {
    Some(match action {
        Action::Install => "Installed",
        Action::Update => "Updated",
        Action::Remove => "Removed",
        Action::Restore => "Restored",
        Action::Pin => "Pinned",
        Action::Unpin => "Unpinned",
        Action::Grant => "Granted",
        Action::Revoke => "Revoked",
        _ => return None,
    })
}
