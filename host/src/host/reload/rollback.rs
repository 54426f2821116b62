//! Back to the version before, which is still in memory while the one that serves is on probation.

use std::sync::Arc;
use std::time::Instant;

use super::handover::{close, reopen, revive};
use crate::drain::drain;
use crate::error::{HostError, HostErrorKind};
use crate::event::EventKind;
use crate::finding::Finding;
use crate::generation::Doorkeeper;
use crate::host::Host;
use crate::host::instance::Instance;
use crate::host::plugin::{Down, LoadedPlugin, Previous, Refusal};
use crate::journal::{Occasion, Phase};
use crate::registry::{Change, Replaced};
use crate::reload::{ReloadOutcome, ReloadPhase, ReloadReport, ReloadTimes, Trigger};
use crate::status::codes;

/// Lets the version before serve again, unless another one than `number` serves by now.
pub(super) async fn roll_back(
    host: &Host,
    plugin: &Arc<LoadedPlugin>,
    number: Option<u64>,
    trigger: Trigger,
    reason: HostError,
    began: Instant,
) -> Arc<ReloadReport> {
    plugin.arrive();
    let _turn = plugin.turn.lock().await;
    let failed = plugin.serving();
    let mut rollback = Rollback {
        host,
        plugin,
        failed: &failed,
        times: ReloadTimes {
            wait: began.elapsed(),
            ..ReloadTimes::default()
        },
        warnings: Vec::new(),
    };
    let outcome = match rollback.take_previous(number) {
        Ok(previous) => rollback.run(previous, reason).await,
        Err(error) => Err(Failed::at(ReloadPhase::Admit, error)),
    };
    let outcome = outcome.unwrap_or_else(|failure| failure.outcome(plugin, &failed));
    rollback.times.total = began.elapsed();
    let serving = plugin.serving();
    let report = Arc::new(ReloadReport {
        plugin: plugin.name.to_string(),
        trigger,
        outcome,
        from: failed.generation.version.clone(),
        to: Some(serving.generation.version.clone()),
        hash: serving.hash,
        generation: serving.generation.number,
        times: rollback.times,
        warnings: rollback.warnings,
    });
    plugin.state().last = Some(Arc::clone(&report));
    let told = Arc::clone(&report);
    let kind = match &report.outcome {
        ReloadOutcome::RolledBack { reason } => EventKind::RolledBack {
            from: failed.generation.version.clone(),
            to: serving.generation.version.clone(),
            reason: Arc::clone(reason),
            report: told,
        },
        ReloadOutcome::Refused { phase, reason } => EventKind::Refused {
            phase: *phase,
            reason: Arc::clone(reason),
            report: told,
        },
        _ => EventKind::Lost { report: told },
    };
    host.inner.bus.tell(&plugin.name, kind);
    report
}

/// Why a rollback did not come to pass.
struct Failed {
    phase: ReloadPhase,
    error: HostError,
    /// Why the version that served before could not be started again either.
    restart: Option<HostError>,
}

impl Failed {
    fn at(phase: ReloadPhase, error: HostError) -> Self {
        Failed {
            phase,
            error,
            restart: None,
        }
    }

    fn outcome(self, plugin: &LoadedPlugin, failed: &Instance) -> ReloadOutcome {
        let Failed {
            phase,
            error,
            restart,
        } = self;
        let (name, version) = (&plugin.name, &failed.generation.version);
        let text = error.message().to_owned();
        let reason = Arc::new(error);
        match restart {
            None => {
                tracing::warn!("Plugin '{name}' was not rolled back, v{version} serves on: {text}");
                ReloadOutcome::Refused { phase, reason }
            }
            Some(restart) => {
                tracing::error!(
                    "Plugin '{name}' serves no more: {text}; and v{version} could not be started \
                     again: {}",
                    restart.message()
                );
                ReloadOutcome::Lost {
                    phase,
                    reason,
                    restart: Arc::new(restart),
                }
            }
        }
    }
}

struct Rollback<'a> {
    host: &'a Host,
    plugin: &'a Arc<LoadedPlugin>,
    /// The version that serves.
    failed: &'a Arc<Instance>,
    times: ReloadTimes,
    warnings: Vec<Finding>,
}

impl Rollback<'_> {
    fn take_previous(&self, number: Option<u64>) -> Result<Previous, HostError> {
        let refuse = |message: &str| {
            let error = HostError::new(HostErrorKind::Reload, message);
            Err(error.of_plugin(&self.failed.label()))
        };
        let mut state = self.plugin.state();
        if state.ended {
            return refuse("it is being stopped");
        }
        if number.is_some_and(|number| number != self.failed.generation.number) {
            return refuse("another version serves by now");
        }
        match state.previous.take() {
            Some(previous) => {
                if let Some(probation) = state.probation.take() {
                    // Where it is the probation itself that asks, it has nothing else to do.
                    if number.is_none() {
                        probation.abort();
                    }
                }
                Ok(previous)
            }
            None => refuse(
                "there is no version to go back to: only while a new one is on probation is the \
                 one before it in memory",
            ),
        }
    }

    async fn run(
        &mut self,
        previous: Previous,
        reason: HostError,
    ) -> Result<ReloadOutcome, Failed> {
        let (retired, deactivated) = match previous.deactivated {
            false => (self.switch_back(&previous), false),
            true => match self.start_again(&previous).await {
                Ok(()) => (Replaced::new(), true),
                Err(failed) if failed.phase == ReloadPhase::Drain => {
                    // Nothing was asked of it yet.
                    self.plugin.state().previous = Some(previous);
                    return Err(failed);
                }
                Err(failed) => {
                    // It is not ready to serve, whatever was said of it.
                    self.host.inner.retire(previous);
                    return Err(failed);
                }
            },
        };
        let Previous { instance, .. } = previous;
        let (from, to) = (
            self.failed.generation.version.clone(),
            instance.generation.version.clone(),
        );
        let reason = Arc::new(reason);
        {
            let mut state = self.plugin.state();
            state.path.clone_from(&instance.path);
            state.options = instance.options.clone();
            state.refused = self.failed.hash.map(|hash| Refusal {
                hash,
                phase: ReloadPhase::Health,
                reason: Arc::clone(&reason),
            });
            state.serving = instance;
            state.down = None;
        }
        let serving = self.plugin.serving();
        if let (Some(back), Some(failed)) = (&serving.path, &self.failed.path)
            && back != failed
        {
            self.host.inner.watch(back);
            self.host.inner.unwatch(failed);
        }
        self.host.attend_in_place_of(self.failed, &serving).await;
        tracing::warn!(
            "Plugin '{}' was rolled back from v{from} to v{to}: {reason}",
            self.plugin.name
        );
        let failed = Previous {
            instance: Arc::clone(self.failed),
            retired,
            states: Vec::new(),
            deactivated,
        };
        self.host.inner.retire(failed);
        Ok(ReloadOutcome::RolledBack { reason })
    }

    /// The version before is active still, and only has to be called again.
    fn switch_back(&mut self, previous: &Previous) -> Replaced {
        let clock = Instant::now();
        let change = Change {
            owner: &self.plugin.name,
            offers: &previous.instance.offers(),
            doorkeeper: Doorkeeper::of(&previous.instance.generation),
        };
        let mut answers = self.host.inner.registry.switch(&[change]);
        self.times.commit = clock.elapsed();
        match answers.pop() {
            Some(Ok(replaced)) => replaced,
            Some(Err(error)) => {
                self.warnings.push(error.finding());
                Replaced::new()
            }
            None => Replaced::new(),
        }
    }

    /// The version before was deactivated, so it starts anew from the state that it gave away.
    async fn start_again(&mut self, previous: &Previous) -> Result<(), Failed> {
        let host = self.host;
        let deadline = host.inner.options.lifecycle_deadline;
        let clock = Instant::now();
        let (room, replaced) = close(host, self.failed);
        let patience = host.inner.clock.sleep(deadline);
        let left = drain(&host.inner.clock, self.failed, replaced, patience).await;
        self.times.drain = clock.elapsed();
        if !left.is_nothing() {
            reopen(host, self.failed);
            room.open();
            let error = HostError::new(
                HostErrorKind::Reload,
                format!("calls did not end within {deadline:?}"),
            );
            let error = error.of_plugin(&self.failed.label());
            return Err(Failed::at(ReloadPhase::Drain, error));
        }
        let by = previous.instance.generation.version.clone();
        let noted = self.failed.note(
            &host.inner.journal,
            Occasion::Replaced { by },
            Phase::Deactivate,
        );
        if let Err(error) = self.failed.deactivate(host.runtime(), deadline).await {
            self.warnings.push(error.finding());
        }
        drop(noted);
        let clock = Instant::now();
        let revived = self.revive_from_any(previous).await;
        self.times.load.activate = clock.elapsed();
        let answer = match revived {
            Ok(()) => {
                reopen(host, &previous.instance);
                Ok(())
            }
            Err(error) => {
                let mut failed = Failed::at(ReloadPhase::Activate, error);
                // Better the one that was not good enough than none.
                match revive(host, self.failed, None).await {
                    Ok(()) => {
                        reopen(host, self.failed);
                        host.attend(self.failed);
                    }
                    Err(restart) => {
                        let blob = previous.states.first().cloned();
                        self.plugin.state().down = Some(Down { blob });
                        drop(host.inner.registry.withdraw(&self.plugin.name));
                        failed.restart = Some(restart);
                    }
                }
                Err(failed)
            }
        };
        room.open();
        answer
    }

    /// From the newest state that it takes; without any only if there is none.
    async fn revive_from_any(&mut self, previous: &Previous) -> Result<(), HostError> {
        let Some((own, newer)) = previous.states.split_last() else {
            return revive(self.host, &previous.instance, None).await;
        };
        for state in newer {
            match revive(self.host, &previous.instance, Some(state.clone())).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let warning = format!("goes back to an older state: {}", error.message());
                    self.warnings.push(codes::STATE_OLDER.finding(warning));
                }
            }
        }
        revive(self.host, &previous.instance, Some(own.clone())).await
    }
}
