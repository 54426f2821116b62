//! One attempt to replace the version of one plugin.
//!
//! Until the commit the version that serves is not touched, but for what the exclusive mode asks
//! of it. Each attempt ends in exactly one report.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use semver::Version;
use tokio::sync::OwnedMutexGuard;

use super::handover::{HandOver, hand_over};
use super::{Fingerprint, Request, path_of, probation};
use crate::error::{HostError, HostErrorKind};
use crate::event::EventKind;
use crate::generation::Doorkeeper;
use crate::host::Host;
use crate::host::instance::Instance;
use crate::host::load::LoadOptions;
use crate::host::plugin::{LoadedPlugin, Previous, Refusal};
use crate::host::start::Draft;
use crate::inspect::ContentHash;
use crate::registry::{Change, Offer, Replaced};
use crate::reload::{
    DryRun, ReloadOptions, ReloadOutcome, ReloadPhase, ReloadReport, ReloadTimes, Trigger,
};

/// Why an attempt ends before it is committed.
pub(super) enum Verdict {
    Unchanged,
    Refused(ReloadPhase, HostError),
}

/// An attempt whose turn it is.
pub(super) struct Attempt {
    pub(super) host: Host,
    pub(super) plugin: Arc<LoadedPlugin>,
    /// The version that serves.
    pub(super) old: Arc<Instance>,
    pub(super) times: ReloadTimes,
    pub(super) warnings: Vec<String>,
    trigger: Trigger,
    options: ReloadOptions,
    /// The number of its trigger.
    arrival: u64,
    began: Instant,
    to: Option<Version>,
    /// The new file, once it was staged.
    hash: Option<ContentHash>,
    path: Option<PathBuf>,
    print: Option<Fingerprint>,
    /// The epoch of the log filter when it began.
    filter: u64,
    _turn: OwnedMutexGuard<()>,
}

/// A new version that is ready to take over.
pub(super) struct Ready {
    pub(super) draft: Draft,
    pub(super) offers: Vec<Offer>,
    pub(super) hand_over: HandOver,
}

impl Attempt {
    /// Waits for its turn.
    pub(super) async fn begin(host: Host, request: Request) -> Self {
        let Request {
            plugin,
            trigger,
            options,
            began,
            settle,
        } = request;
        let arrival = plugin.arrive();
        let clock = Instant::now();
        let turn = Arc::clone(&plugin.turn).lock_owned().await;
        let times = ReloadTimes {
            settle,
            wait: clock.elapsed(),
            ..ReloadTimes::default()
        };
        Attempt {
            old: plugin.serving(),
            host,
            plugin,
            trigger,
            options,
            arrival,
            began,
            times,
            warnings: Vec::new(),
            to: None,
            hash: None,
            path: None,
            print: None,
            filter: crate::log::epoch(),
            _turn: turn,
        }
    }

    /// From the trigger to a new version that is prepared beside the old one.
    pub(super) async fn prepare(&mut self) -> Result<Draft, Verdict> {
        let mut draft = self.open().await?;
        if let Err(error) = draft.prepare().await {
            draft.abandon().await;
            return Err(Verdict::Refused(ReloadPhase::Prepare, error));
        }
        self.times.load = draft.facts.times;
        let version = draft.version().clone();
        self.tell(EventKind::Prepared { version });
        if let Err(verdict) = self.go_on(ReloadPhase::Prepare) {
            draft.abandon().await;
            return Err(verdict);
        }
        Ok(draft)
    }

    async fn open(&mut self) -> Result<Draft, Verdict> {
        let refused = |phase| move |error| Verdict::Refused(phase, error);
        let (path, options) = self.admit().map_err(refused(ReloadPhase::Admit))?;
        self.print = Fingerprint::of(&path);
        let staged = self.host.staged(&path).await;
        let (staged, took) = staged.map_err(refused(ReloadPhase::Stage))?;
        self.times.load.stage = took;
        if self.old.hash == Some(staged.hash) && !self.is_asked_for_anyway() {
            return Err(Verdict::Unchanged);
        }
        let known = self.plugin.state().refused.clone();
        if let Some(refusal) = known.filter(|refusal| refusal.hash == staged.hash)
            && self.trigger == Trigger::FileChanged
        {
            return Err(Verdict::Refused(refusal.phase, refused_before(&refusal)));
        }
        self.hash = Some(staged.hash);
        self.path = Some(path.clone());
        let name = &*self.plugin.name;
        if self.old.hash == Some(staged.hash) {
            tracing::info!("Plugin '{name}' reloading on request...");
        } else {
            tracing::info!("Plugin '{name}' binary changed, reloading...");
        }
        self.tell(EventKind::Staged { hash: staged.hash });
        tracing::debug!(hash = %staged.hash, "staged '{name}' in {took:?}");

        let number = self.plugin.next_number();
        let checked = self.host.checked(path, staged, took, options, number);
        let mut candidate = checked.await.map_err(refused(ReloadPhase::Check))?;
        candidate.gate.clone_from(&self.old.generation.gate);
        if candidate.name != self.plugin.name {
            let error = HostError::new(
                HostErrorKind::Manifest,
                format!(
                    "the file holds another plugin: expected '{}', found '{}'",
                    self.plugin.name, candidate.name
                ),
            )
            .hint("load it under its own name, or put the right file in its place");
            let error = error.of_plugin(&self.old.label());
            let error = match candidate.path() {
                Some(path) => error.at(path),
                None => error,
            };
            return Err(Verdict::Refused(ReloadPhase::Check, error));
        }
        let version = candidate.manifest.version.clone();
        self.to = Some(version.clone());
        self.times.load = candidate.times;
        tracing::debug!("checked '{name}' v{version}: it fits");
        self.tell(EventKind::Checked { version });
        self.go_on(ReloadPhase::Check)?;
        let constructed = candidate.construct(&self.host).await;
        constructed.map_err(|error| {
            let phase = match error.kind() {
                HostErrorKind::Construct => ReloadPhase::Prepare,
                _ => ReloadPhase::Open,
            };
            Verdict::Refused(phase, error)
        })
    }

    /// Whether there is anything to be tried; answers from which file, and with which options.
    fn admit(&self) -> Result<(PathBuf, LoadOptions), HostError> {
        let about = |message: &str| {
            HostError::new(HostErrorKind::Reload, message).of_plugin(&self.old.label())
        };
        let state = self.plugin.state();
        if state.ended {
            return Err(about("it is being stopped"));
        }
        if state.pinned && !self.options.force {
            return Err(about("it is pinned to the version that serves")
                .hint("unpin it, or force the reload"));
        }
        let mut options = state.options.clone();
        drop(state);
        if let Some(config) = &self.options.config {
            options = options.config(config.clone());
        }
        let path = path_of(&self.plugin, &self.options).ok_or_else(|| {
            about("it is linked into the application: there is no file to reload it from")
        })?;
        Ok((path, options))
    }

    fn is_asked_for_anyway(&self) -> bool {
        self.options.force || self.options.config.is_some()
    }

    /// Whether the attempt still makes sense after this phase.
    pub(super) fn go_on(&self, phase: ReloadPhase) -> Result<(), Verdict> {
        let refuse = |message: &str| {
            let error = HostError::new(HostErrorKind::Reload, message);
            Err(Verdict::Refused(phase, error.of_plugin(&self.old.label())))
        };
        if self.plugin.state().ended {
            return refuse("it is being stopped");
        }
        let is_newest = self.plugin.newest() == self.arrival;
        let path = self.path.as_deref();
        if !is_newest && path.and_then(Fingerprint::of) != self.print {
            return refuse("the file has changed again; the newer one is tried next");
        }
        Ok(())
    }

    /// From a new version that is prepared to one that is active, and only has to take over.
    pub(super) async fn hand_over(&mut self, draft: Draft) -> Result<Ready, Verdict> {
        hand_over(self, draft).await
    }

    pub(super) async fn dry_run(mut self) -> Result<DryRun, HostError> {
        let unchanged = match self.prepare().await {
            Ok(draft) => {
                self.warnings.append(&mut draft.facts.warnings.clone());
                draft.abandon().await;
                false
            }
            Err(Verdict::Unchanged) => true,
            Err(Verdict::Refused(_, error)) => return Err(error),
        };
        let from = self.old.generation.version.clone();
        let hash = self
            .hash
            .or(self.old.hash)
            .ok_or_else(|| HostError::new(HostErrorKind::Stage, "the file has no hash"))?;
        self.times.total = self.began.elapsed();
        Ok(DryRun {
            to: self.to.unwrap_or_else(|| from.clone()),
            from,
            hash,
            unchanged,
            warnings: self.warnings,
            times: self.times,
        })
    }

    pub(super) fn tell(&self, kind: EventKind) {
        self.host.inner.bus.tell(&self.plugin.name, kind);
    }

    /// The end of an attempt that is not committed.
    pub(super) fn end(self, verdict: Verdict) -> Arc<ReloadReport> {
        let (name, old) = (&self.plugin.name, Arc::clone(&self.old));
        let serving = &old.generation.version;
        match verdict {
            Verdict::Unchanged => {
                tracing::debug!("Plugin '{name}' is unchanged");
                self.tell(EventKind::Unchanged);
                self.report(ReloadOutcome::Unchanged)
            }
            Verdict::Refused(phase, error) => {
                tracing::warn!(
                    "Plugin '{name}' was not reloaded, v{serving} serves on: {phase}: {error}"
                );
                let reason = Arc::new(error);
                if let Some(hash) = self.hash.filter(|_| is_of_the_file(phase, &reason)) {
                    self.plugin.state().refused = Some(Refusal {
                        hash,
                        phase,
                        reason: Arc::clone(&reason),
                    });
                }
                self.tell(EventKind::Refused {
                    phase,
                    reason: Arc::clone(&reason),
                });
                self.report(ReloadOutcome::Refused { phase, reason })
            }
        }
    }

    fn report(mut self, outcome: ReloadOutcome) -> Arc<ReloadReport> {
        self.times.total = self.began.elapsed();
        let report = Arc::new(ReloadReport {
            plugin: self.plugin.name.to_string(),
            trigger: self.trigger,
            outcome,
            from: self.old.generation.version.clone(),
            to: self.to.clone(),
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

fn refused_before(refusal: &Refusal) -> HostError {
    let message = format!("this very file was refused before: {}", refusal.reason);
    HostError::new(HostErrorKind::Reload, message).hint("change it, or ask for the reload")
}

/// Lets all new versions take over that fit, together.
pub(super) async fn commit(host: &Host, ready: Vec<(Attempt, Ready)>) -> Vec<Arc<ReloadReport>> {
    let mut reports = Vec::new();
    let mut going_on = Vec::new();
    for (mut attempt, ready) in ready {
        match attempt.go_on(ReloadPhase::Commit) {
            Ok(()) => going_on.push((attempt, ready)),
            Err(verdict) => {
                ready.undo(&mut attempt).await;
                reports.push(attempt.end(verdict));
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
                reports.push(attempt.committed(ready, replaced));
                if crate::log::epoch() != filter {
                    // It may have asked before the change, when it was not among those who are told.
                    let deadline = host.inner.options.lifecycle_deadline;
                    let serving = plugin.serving();
                    serving.log_filter_changed(host.runtime(), deadline).await;
                }
            }
            Err(error) => {
                let error = ready.draft.labelled(error);
                ready.undo(&mut attempt).await;
                reports.push(attempt.end(Verdict::Refused(ReloadPhase::Commit, error)));
            }
        }
    }
    reports
}

impl Attempt {
    fn committed(mut self, ready: Ready, replaced: Replaced) -> Arc<ReloadReport> {
        let Ready {
            draft,
            offers,
            hand_over,
        } = ready;
        let HandOver {
            blob,
            room,
            deactivated,
            ..
        } = hand_over;
        self.times.load = draft.facts.times;
        self.warnings.extend(draft.facts.warnings.iter().cloned());
        let options = draft.options().clone();
        let instance = Arc::new(draft.into_instance(offers));
        let previous = Previous {
            instance: Arc::clone(&self.old),
            retired: replaced,
            blob,
            deactivated,
        };
        let (older, probation) = {
            let mut state = self.plugin.state();
            state.serving = Arc::clone(&instance);
            state.path = self.path.clone();
            state.options = options;
            state.refused = None;
            state.down = false;
            let older = state.previous.replace(previous);
            (older, state.probation.take())
        };
        if let Some(room) = room {
            room.open();
        }
        if let Some(probation) = probation {
            probation.abort();
        }
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
        tracing::info!("Plugin '{}' reloaded successfully", plugin.name);
        let committed = EventKind::Committed {
            report: Arc::clone(&report),
        };
        host.inner.bus.tell(&plugin.name, committed);
        if let Some(older) = older {
            host.inner.retire(older);
        }
        probation::begin(&host, &plugin, &instance);
        report
    }
}

impl Ready {
    /// Puts everything back as it was.
    pub(super) async fn undo(self, attempt: &mut Attempt) {
        let Ready {
            draft,
            offers,
            hand_over,
        } = self;
        attempt.host.let_go(offers).await;
        draft.deactivate().await;
        draft.abandon().await;
        hand_over.undo(attempt).await;
    }
}
