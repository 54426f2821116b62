//! What the host tells of reloads, for the person at the terminal.

use keyway_host::{
    Event, EventKind, HostError, HostErrorKind, PluginStatus, ReloadOutcome, ReloadPhase,
    ReloadReport,
};
use semver::Version;

use super::{Cycle, Serving};
use crate::dev::show::{show_changed_offers, show_time};
use crate::ending::Outcome;
use crate::session::{refused, tell_panics};

impl Cycle<'_> {
    pub(super) fn hear(&mut self, event: Event) -> Outcome {
        match event.kind {
            EventKind::Staged { .. } => self.reloading = self.serving.is_some(),
            EventKind::Committed { report } => self.committed(&report)?,
            EventKind::Refused { phase, reason, .. } => self.was_refused(phase, &reason),
            EventKind::Lost { report } => self.was_lost(&report),
            EventKind::RolledBack {
                from, to, reason, ..
            } => self.rolled_back(&from, &to, &reason),
            EventKind::Unchanged { .. } => {
                self.reloading = false;
                if let Some(Serving { status, .. }) = &self.serving {
                    let (name, version) = (&status.name, &status.version);
                    let line = format_args!("{name} v{version}: the library is what it was");
                    self.terminal.status("Unchanged", line);
                }
            }
            EventKind::Pinned { version, cause } | EventKind::Retained { version, cause }
                if self.terminal.is_verbose() =>
            {
                self.terminal
                    .note(&format!("v{version} stays in memory: {cause}"));
            }
            // The host logs what else a person wants to know.
            _ => {}
        }
        Ok(())
    }

    fn committed(&mut self, report: &ReloadReport) -> Outcome {
        self.reloading = false;
        let took = show_time(report.times.total);
        self.terminal.status(
            "Serving",
            format_args!(
                "generation {}, {took} after the file was complete",
                report.generation
            ),
        );
        for warning in &report.warnings {
            self.terminal.warning(&warning.to_string());
        }
        self.refresh(|before, now| {
            show_changed_offers(
                &before.capabilities,
                &now.capabilities,
                self.session,
                self.terminal,
            );
        });
        tell_panics("", self.terminal);
        self.start_round()
    }

    fn was_refused(&mut self, phase: ReloadPhase, reason: &HostError) {
        self.reloading = false;
        let failure = refused(reason);
        if reason.kind() == HostErrorKind::Reload {
            // Nothing is wrong with the plugin.
            self.terminal.warning(&failure.headline());
        } else {
            self.terminal.failure(&failure);
        }
        tell_panics(&failure.whole(), self.terminal);
        self.tell_goes_on(&format!("the new version was refused in phase {phase}"));
    }

    fn was_lost(&mut self, report: &ReloadReport) {
        self.reloading = false;
        if let ReloadOutcome::Lost {
            reason, restart, ..
        } = &report.outcome
        {
            self.terminal.failure(&refused(reason));
            self.terminal.failure(&refused(restart));
            tell_panics(&format!("{reason}{restart}"), self.terminal);
        }
        self.terminal.status(
            "Stopped",
            format_args!(
                "{} serves no more: v{} could not be started again; mend it to go on",
                report.plugin, report.from
            ),
        );
    }

    fn rolled_back(&mut self, from: &Version, to: &Version, reason: &HostError) {
        self.terminal.failure(&refused(reason));
        self.refresh(|before, now| {
            show_changed_offers(
                &before.capabilities,
                &now.capabilities,
                self.session,
                self.terminal,
            );
        });
        if let Some(Serving { status, .. }) = &self.serving {
            self.terminal.status(
                "Restored",
                format_args!(
                    "{} v{to} (generation {}); mend v{from} to try again",
                    status.name, status.generation
                ),
            );
        }
    }

    /// Asks the host what serves now.
    fn refresh(&mut self, told: impl FnOnce(&PluginStatus, &PluginStatus)) {
        let Some(serving) = &mut self.serving else {
            return;
        };
        // It is loaded until the session ends.
        if let Ok(now) = self.session.host.plugin(&serving.status.name) {
            told(&serving.status, &now);
            serving.status = now;
            serving.warned = false;
        }
    }
}
