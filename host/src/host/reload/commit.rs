//! The moment in which new versions take over.

use std::sync::Arc;
use std::time::Instant;

use super::attempt::Attempt;
use super::handover::HandOver;
use super::probation;
use super::verdict::Verdict;
use crate::error::HostError;
use crate::event::EventKind;
use crate::generation::Doorkeeper;
use crate::host::Host;
use crate::host::plugin::Previous;
use crate::host::start::Draft;
use crate::registry::{Change, Key, Offer, Replaced};
use crate::reload::{ReloadOutcome, ReloadPhase, ReloadReport};
use crate::status::codes;

/// A new version that is ready to take over.
pub(super) struct Ready {
    pub(super) draft: Draft,
    pub(super) offers: Vec<Offer>,
    pub(super) hand_over: HandOver,
}

/// Lets all new versions take over that fit, together.
pub(super) async fn commit(host: &Host, ready: Vec<(Attempt, Ready)>) -> Vec<Arc<ReloadReport>> {
    let mut reports = Vec::new();
    let mut going_on = Vec::new();
    for (mut attempt, ready) in ready {
        match attempt.go_on(ReloadPhase::Commit) {
            Ok(()) => going_on.push((attempt, ready)),
            Err(verdict) => {
                let undone = ready.undo(&mut attempt).await;
                reports.push(attempt.end(verdict.after(undone)));
            }
        }
    }
    let clock = Instant::now();
    let changes: Vec<Change<'_>> = going_on
        .iter()
        .map(|(attempt, ready)| Change {
            owner: &attempt.plugin.name,
            offers: &ready.offers,
            doorkeeper: Doorkeeper::of(&attempt.old.generation),
        })
        .collect();
    let switched = host.inner.registry.switch(&changes);
    drop(changes);
    for ((mut attempt, ready), switched) in going_on.into_iter().zip(switched) {
        attempt.times.commit = clock.elapsed();
        match switched {
            Ok(replaced) => {
                let filter = attempt.filter;
                let plugin = Arc::clone(&attempt.plugin);
                reports.push(attempt.committed(ready, replaced).await);
                if crate::log::epoch() != filter {
                    // It may have asked before the change, when it was not among those who are told.
                    let deadline = host.inner.options.lifecycle_deadline;
                    let serving = plugin.serving();
                    serving.log_filter_changed(host.runtime(), deadline).await;
                }
            }
            Err(error) => {
                let error = ready.draft.labelled(error);
                let undone = ready.undo(&mut attempt).await;
                let verdict = Verdict::Refused(ReloadPhase::Commit, error);
                reports.push(attempt.end(verdict.after(undone)));
            }
        }
    }
    reports
}

impl Attempt {
    async fn committed(mut self, ready: Ready, replaced: Replaced) -> Arc<ReloadReport> {
        let Ready {
            draft,
            offers,
            hand_over,
        } = ready;
        let HandOver {
            blob,
            room,
            deactivated,
            lost,
        } = hand_over;
        self.times.load = draft.facts.times;
        self.warnings.extend(draft.facts.warnings.iter().cloned());
        self.warn_of_what_is_gone(&offers);
        let options = draft.options().clone();
        let instance = Arc::new(draft.into_instance(offers));
        let replaced = Previous {
            instance: Arc::clone(&self.old),
            retired: replaced,
            states: blob.clone().into_iter().collect(),
            deactivated: deactivated || lost,
        };
        let (ending, probation) = {
            let mut state = self.plugin.state();
            state.serving = Arc::clone(&instance);
            state.path = self.path.clone();
            state.options = options;
            state.refused = None;
            state.down = None;
            // A version that was on probation itself, or does not serve, is none to go back to.
            let ending = match &mut state.previous {
                Some(previous) => {
                    previous.newest_state(blob);
                    Some(replaced)
                }
                None if lost => Some(replaced),
                None => {
                    state.previous = Some(replaced);
                    None
                }
            };
            (ending, state.probation.take())
        };
        if let Some(room) = room {
            room.open();
        }
        if let Some(probation) = probation {
            probation.abort();
        }
        self.host.attend_in_place_of(&self.old, &instance).await;
        let path = self.path.clone();
        let host = self.host.clone();
        if let (Some(new), Some(old)) = (&path, &self.old.path)
            && new != old
        {
            host.inner.watch(new);
            host.inner.unwatch(old);
        }
        let plugin = Arc::clone(&self.plugin);
        let report = self.report(ReloadOutcome::Committed);
        for warning in &report.warnings {
            tracing::warn!("Plugin '{}': {warning}", plugin.name);
        }
        tracing::info!("Plugin '{}' reloaded successfully", plugin.name);
        let committed = EventKind::Committed {
            report: Arc::clone(&report),
        };
        host.inner.bus.tell(&plugin.name, committed);
        if let Some(ending) = ending {
            host.inner.retire(ending);
        }
        probation::begin(&host, &plugin, &instance);
        report
    }
}

impl Attempt {
    /// Whoever holds a handle to what the new version does not offer any more should hear of it.
    fn warn_of_what_is_gone(&mut self, offers: &[Offer]) {
        let old = self.old.offers();
        let gone = old
            .iter()
            .filter(|old| offers.iter().all(|new| new.key != old.key));
        self.warnings.extend(gone.map(|old| {
            let Key { id, major, name } = &old.key;
            codes::CAPABILITY_GONE.finding(format!("offers {id}/{major} `{name}` no longer"))
        }));
    }
}

impl Ready {
    /// Puts everything back as it was.
    pub(super) async fn undo(self, attempt: &mut Attempt) -> Result<(), HostError> {
        let Ready {
            draft,
            offers,
            hand_over,
        } = self;
        draft.withdraw(offers).await;
        draft.abandon().await;
        hand_over.undo(attempt).await
    }
}
