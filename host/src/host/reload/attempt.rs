//! One attempt to replace the version of one plugin.
//!
//! Until the commit the version that serves is not touched, but for what the exclusive mode asks
//! of it. Each attempt ends in exactly one report.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use semver::Version;
use tokio::sync::OwnedMutexGuard;

use super::commit::Ready;
use super::handover::hand_over;
use super::verdict::Verdict;
use super::{Fingerprint, Request, path_of};
use crate::error::{HostError, HostErrorKind};
use crate::event::EventKind;
use crate::finding::Finding;
use crate::host::Host;
use crate::host::instance::Instance;
use crate::host::load::{LoadOptions, Place};
use crate::host::plugin::{LoadedPlugin, Refusal};
use crate::host::start::Draft;
use crate::inspect::ContentHash;
use crate::reload::{DryRun, ReloadOptions, ReloadPhase, ReloadTimes, Trigger};

/// An attempt whose turn it is.
pub(super) struct Attempt {
    pub(super) host: Host,
    pub(super) plugin: Arc<LoadedPlugin>,
    /// The version that serves.
    pub(super) old: Arc<Instance>,
    pub(super) times: ReloadTimes,
    pub(super) warnings: Vec<Finding>,
    pub(super) trigger: Trigger,
    options: ReloadOptions,
    /// The number of its trigger.
    pub(super) arrival: u64,
    pub(super) began: Instant,
    pub(super) to: Option<Version>,
    /// The new file, once it was staged.
    pub(super) hash: Option<ContentHash>,
    pub(super) path: Option<PathBuf>,
    print: Option<Fingerprint>,
    /// Nothing is to come of it, so that nobody needs to be told.
    dry: bool,
    /// The epoch of the log filter when it began.
    pub(super) filter: u64,
    _turn: OwnedMutexGuard<()>,
}

impl Attempt {
    /// Waits for its turn.
    pub(super) async fn begin(host: Host, request: Request) -> Self {
        let Request {
            plugin,
            trigger,
            options,
            arrival,
            began,
            settle,
        } = request;
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
            dry: false,
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
        draft.rest();
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
        let (known, is_down) = {
            let state = self.plugin.state();
            (state.refused.clone(), state.down.is_some())
        };
        let is_same = self.old.hash == Some(staged.hash);
        if is_same && !is_down && !self.is_asked_for_anyway() {
            return Err(Verdict::Unchanged);
        }
        if let Some(refusal) = known.filter(|refusal| refusal.hash == staged.hash)
            && self.trigger == Trigger::FileChanged
        {
            return Err(Verdict::Refused(refusal.phase, refused_before(&refusal)));
        }
        self.hash = Some(staged.hash);
        self.path = Some(path.clone());
        let name = &*self.plugin.name;
        if self.dry {
            tracing::debug!("Plugin '{name}' is tried in a dry run");
        } else if self.old.hash == Some(staged.hash) {
            tracing::info!("Plugin '{name}' reloading on request...");
        } else {
            tracing::info!("Plugin '{name}' binary changed, reloading...");
        }
        self.tell(EventKind::Staged { hash: staged.hash });
        tracing::debug!(hash = %staged.hash, "staged '{name}' in {took:?}");

        let number = match self.dry {
            false => self.plugin.next_number(),
            true => 0,
        };
        let place = Place {
            number,
            replaces: Some(self.old.generation.version.clone()),
            earlier: self.old.generation.session.mediator().ok(),
            dry: self.dry,
        };
        let checked = self.host.checked(path, staged, took, options, place);
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
        if state.pinned && !self.options.force && !self.dry {
            return Err(about("it is pinned to the version that serves")
                .hint("Host::unpin, or ReloadOptions::force for this reload"));
        }
        let mut options = state.options.clone();
        drop(state);
        if let Some(config) = &self.options.config {
            options = options.config(config.clone());
        }
        if let Some(settings) = &self.options.settings {
            options = options.settings(settings);
        }
        let path = path_of(&self.plugin, &self.options).ok_or_else(|| {
            about("it is linked into the application: there is no file to reload it from")
        })?;
        Ok((path, options))
    }

    fn is_asked_for_anyway(&self) -> bool {
        let ReloadOptions {
            force,
            config,
            settings,
            path: _,
        } = &self.options;
        *force || config.is_some() || settings.is_some()
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
        self.dry = true;
        let unchanged = match self.prepare().await {
            Ok(draft) => {
                self.warnings.append(&mut draft.facts.warnings.clone());
                draft.abandon().await;
                false
            }
            Err(Verdict::Unchanged) => true,
            Err(Verdict::Refused(_, error) | Verdict::Lost(_, error, _)) => return Err(error),
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
        if self.dry {
            return;
        }
        self.host.inner.bus.tell(&self.plugin.name, kind);
    }
}

fn refused_before(refusal: &Refusal) -> HostError {
    let message = format!("this very file was refused before: {}", refusal.reason);
    HostError::new(HostErrorKind::Reload, message).hint("change it, or ask for the reload")
}
