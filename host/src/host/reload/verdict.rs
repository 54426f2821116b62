//! How attempts end: with one report each.

use std::sync::Arc;

use super::attempt::Attempt;
use crate::error::{HostError, HostErrorKind};
use crate::event::EventKind;
use crate::host::plugin::Refusal;
use crate::reload::{ReloadOutcome, ReloadPhase, ReloadReport};

/// Why an attempt ends before it is committed.
pub(super) enum Verdict {
    Unchanged,
    Refused(ReloadPhase, HostError),
    /// It failed, and so did the attempt to start the old version again.
    Lost(ReloadPhase, HostError, HostError),
}

impl Verdict {
    /// The same after everything was given back to the old version, or could not be.
    pub(super) fn after(self, undone: Result<(), HostError>) -> Self {
        match (self, undone) {
            (Verdict::Refused(phase, error), Err(restart)) => Verdict::Lost(phase, error, restart),
            (verdict, _) => verdict,
        }
    }
}

impl Attempt {
    /// The end of an attempt that is not committed.
    pub(super) fn end(self, verdict: Verdict) -> Arc<ReloadReport> {
        let (name, bus) = (Arc::clone(&self.plugin.name), self.host.inner.bus.clone());
        let serving = self.old.generation.version.clone();
        match verdict {
            Verdict::Unchanged => {
                tracing::debug!("Plugin '{name}' is unchanged");
                let report = self.report(ReloadOutcome::Unchanged);
                let told = Arc::clone(&report);
                bus.tell(&name, EventKind::Unchanged { report: told });
                report
            }
            Verdict::Refused(phase, error) => {
                tracing::warn!(
                    "Plugin '{name}' was not reloaded, v{serving} serves on: {phase}: {}",
                    self.in_short(&error)
                );
                let reason = self.remember(phase, error);
                let report = self.report(ReloadOutcome::Refused {
                    phase,
                    reason: Arc::clone(&reason),
                });
                let kind = EventKind::Refused {
                    phase,
                    reason,
                    report: Arc::clone(&report),
                };
                bus.tell(&name, kind);
                report
            }
            Verdict::Lost(phase, error, restart) => {
                tracing::error!(
                    "Plugin '{name}' serves no more: {phase}: {}; and v{serving} could not be \
                     started again: {}",
                    self.in_short(&error),
                    restart.message()
                );
                let reason = self.remember(phase, error);
                let report = self.report(ReloadOutcome::Lost {
                    phase,
                    reason,
                    restart: Arc::new(restart),
                });
                let told = Arc::clone(&report);
                bus.tell(&name, EventKind::Lost { report: told });
                report
            }
        }
    }

    /// An error in a line that names the plugin already.
    fn in_short(&self, error: &HostError) -> String {
        let version = self.to.as_ref().map(|to| format!("v{to}: "));
        let version = version.unwrap_or_default();
        match error.advice() {
            Some(advice) => format!("{version}{}; hint: {advice}", error.message()),
            None => format!("{version}{}", error.message()),
        }
    }

    /// Remembers a file that need not be tried again.
    fn remember(&self, phase: ReloadPhase, error: HostError) -> Arc<HostError> {
        let reason = Arc::new(error);
        if let Some(hash) = self.hash.filter(|_| is_of_the_file(phase, &reason)) {
            self.plugin.state().refused = Some(Refusal {
                hash,
                phase,
                reason: Arc::clone(&reason),
            });
        }
        reason
    }

    pub(super) fn report(mut self, outcome: ReloadOutcome) -> Arc<ReloadReport> {
        self.times.total = self.began.elapsed();
        let report = Arc::new(ReloadReport {
            plugin: self.plugin.name.to_string(),
            trigger: self.trigger,
            outcome,
            from: self.old.generation.version.clone(),
            to: self.to.clone(),
            hash: self.hash,
            generation: self.plugin.serving().generation.number,
            times: self.times,
            warnings: std::mem::take(&mut self.warnings),
        });
        self.plugin.state().last = Some(Arc::clone(&report));
        report
    }
}

/// Whether the file is what was wrong, so that it need not be tried again.
fn is_of_the_file(phase: ReloadPhase, reason: &HostError) -> bool {
    use HostErrorKind::{Host, Quarantined, Reload, Retained, Stage};
    let of_the_host = [Host, Quarantined, Reload, Retained, Stage];
    !matches!(phase, ReloadPhase::Admit | ReloadPhase::Drain)
        && !of_the_host.contains(&reason.kind())
}
