//! `keyway run`: all plugins that there are, until Ctrl-C.

use std::time::SystemTime;

use keyway_host::{Event, EventKind, Finding, Host, PluginStatus, Severity};

use crate::args::Run;
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::failure::Failure;
use crate::installation::Installation;
use crate::interrupt::Interrupt;
use crate::session::Session;
use crate::terminal::Terminal;

pub(crate) fn run(command: &Run, terminal: &Terminal) -> Outcome {
    let installation = Installation::open(command.config.as_deref())?;
    let builder = installation.host(&command.application)?;
    let interrupt = Interrupt::listen();
    for (id, error) in installation.missing() {
        terminal.failure(&Failure::from(&error).of_plugin(id.as_str()));
    }
    let is_whole = installation.missing().is_empty();
    // While it runs others may remove what nobody needs any more.
    let Installation { settings_file, .. } = installation;
    let builder = builder.hot_reload(!command.no_watch);
    let complete = Session::run(builder, &interrupt, terminal, |session| {
        let host = &session.host;
        let mut events = host.events();
        let started = session.until_interrupted(host.start_all())?;
        let report = started.map_err(Failure::from)?;
        session.remember_stage();
        let told = SystemTime::now();
        if host.records().is_empty() && is_whole {
            let message = "there are no plugins to run";
            let failure = Failure::new(exit::NOT_FOUND, "no-plugins", message).at(&settings_file);
            return Err(Ending::from(failure.hint("keyway install SOURCE gets one")));
        }
        for plugin in host.plugins() {
            show_started(&plugin, terminal);
        }
        for (id, error) in &report.failed {
            terminal.failure(&Failure::from(&**error).of_plugin(id.as_str()));
        }
        for finding in report.skipped.values() {
            terminal.finding(finding);
        }
        show_blocked(host, terminal);
        let serving = match host.plugins().len() {
            0 => "nothing, until a plugin can start".to_owned(),
            1 => "1 plugin".to_owned(),
            more => format!("{more} plugins"),
        };
        terminal.status("Serving", format_args!("{serving}; Ctrl-C ends it"));
        // To be interrupted is how it ends well.
        while let Ok(Some(event)) = session.until_interrupted(events.next()) {
            // What became of the start was told above, all in one place.
            if event.at > told
                && let Some(verb) = verb(&event.kind, terminal.is_verbose())
            {
                terminal.status(verb, line(&event, verb));
            }
        }
        Ok(is_whole && is_complete(host))
    })?;
    match complete {
        true => Ok(()),
        false => Err(Ending::Told(exit::FAILED)),
    }
}

/// Whether all plugins run that are to run, apart from those that wait to be needed.
fn is_complete(host: &Host) -> bool {
    let records = host.records();
    let mut used = records
        .iter()
        .filter(|record| record.id.is_some() && record.enablement.name() != "shadowed");
    used.all(|record| match record.enablement.name() {
        "enabled" => {
            record.runtime.is_active() || (record.lazy && record.runtime.name() == "resolved")
        }
        "blocked" => false,
        _ => true,
    })
}

fn show_started(plugin: &PluginStatus, terminal: &Terminal) {
    let offers = plugin.capabilities.iter().map(|offer| {
        let kind = offer.id.strip_prefix("keyway.").unwrap_or(&offer.id);
        format!("{kind} {}", offer.name)
    });
    let offers: Vec<String> = offers.collect();
    let offers = match offers.is_empty() {
        true => "offers nothing".to_owned(),
        false => offers.join(", "),
    };
    let line = format!(
        "{} v{} ({}): {offers}",
        plugin.name, plugin.version, plugin.shape
    );
    terminal.status_in_a_line("Started", &line);
    for warning in &plugin.warnings {
        terminal.finding(warning);
    }
}

/// Tells of the plugins that are not to run for what was found out about them.
fn show_blocked(host: &Host, terminal: &Terminal) {
    for record in host.records() {
        if record.id.is_some() && record.enablement.name() == "blocked" {
            let is_error = |finding: &&Finding| finding.severity() == Severity::Error;
            if let Some(finding) = record.findings.iter().find(is_error) {
                terminal.finding(finding);
            }
        }
    }
}

/// What there is to say after a verb, without saying the verb again.
fn line(event: &Event, verb: &str) -> String {
    let text = event.kind.to_string();
    let rest = text.strip_prefix(&verb.to_lowercase()).unwrap_or(&text);
    let rest = rest.trim_start_matches([':', ' ']);
    match &*event.plugin {
        "" => rest.to_owned(),
        plugin => format!("{plugin} {rest}"),
    }
}

/// The verb of what is worth a line; the steps in between are for those who ask for more.
fn verb(kind: &EventKind, verbose: bool) -> Option<&'static str> {
    Some(match kind {
        EventKind::Committed { .. } => "Reloaded",
        EventKind::Refused { .. } | EventKind::SettingsRefused { .. } => "Refused",
        EventKind::RolledBack { .. } => "Restored",
        EventKind::Lost { .. } => "Lost",
        EventKind::Failed { .. } | EventKind::Faulted { .. } | EventKind::GivenUp { .. } => {
            "Failed"
        }
        EventKind::Unhealthy { .. } => "Unhealthy",
        EventKind::Adjusted { adjustment } if adjustment.is_empty() => return None,
        EventKind::Adjusted { .. } => "Adjusted",
        EventKind::Missing { .. } => "Missing",
        EventKind::Missed { .. } => "Missed",
        _ if verbose => "Event",
        _ => return None,
    })
}
