//! What there is, and what of it is to run.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use keyway_manifest::PluginId;

use super::{Host, State, is_lazy};
use crate::discovery::{Candidate, Changes, Verdict};
use crate::error::{HostError, HostErrorKind};
use crate::finding::Finding;
use crate::inspect::{ContentHash, hash_file};
use crate::platform::Runtime;
use crate::platform::decide::{Grounds, decide};

impl Host {
    /// Looks at the roots, and decides; answers what is different there.
    pub(super) async fn survey(&self) -> Result<Changes, HostError> {
        let discoverer = Arc::clone(&self.inner.catalog.discoverer);
        let looked = self.runtime().spawn_blocking(move || {
            let mut discoverer = discoverer.lock().unwrap_or_else(PoisonError::into_inner);
            let changes = discoverer.rescan();
            (changes, discoverer.last().clone())
        });
        let (changes, discovery) = looked
            .await
            .map_err(|_| HostError::new(HostErrorKind::Host, "the host is shutting down"))?;
        self.inner.catalog.state().take(discovery);
        self.decide_again().await;
        Ok(changes)
    }

    /// Decides again from what is known already.
    pub(super) async fn decide_again(&self) {
        let inner = &self.inner;
        let pinned = inner.catalog.state().pinned_libraries();
        let hashes = self.hashes(pinned).await;
        let mut state = inner.catalog.state();
        let misfit = |candidate: &Candidate| self.misfit(candidate);
        let decision = decide(&Grounds {
            candidates: &state.candidates,
            settings: &state.settings,
            said: &state.said,
            given_up: &state.given_up,
            exclusive: &inner.exclusive,
            misfit: &misfit,
            hash: &|candidate| hashes.get(candidate.library.as_ref()?).copied(),
        });
        let general = decision.general.clone();
        state.decision = decision;
        drop(state);
        for finding in general {
            tracing::warn!(code = finding.code.id, "{finding}");
        }
    }

    /// The hashes of those of these files that can be read. It takes as long as reading them does, so it
    /// happens under no lock and on a thread that may block.
    async fn hashes(&self, libraries: Vec<PathBuf>) -> HashMap<PathBuf, ContentHash> {
        if libraries.is_empty() {
            return HashMap::new();
        }
        let read = self.runtime().spawn_blocking(move || {
            let hashed = libraries.into_iter();
            hashed
                .filter_map(|library| {
                    let hash = hash_file(&library).ok()?;
                    Some((library, hash))
                })
                .collect()
        });
        // Without its hash a plugin is none of the builds that are pinned.
        read.await.unwrap_or_default()
    }

    /// What speaks against a candidate by the rules that loading has too.
    fn misfit(&self, candidate: &Candidate) -> Option<Finding> {
        let manifest = candidate.manifest.as_deref()?;
        let side = &self.inner.side;
        let checked = match &candidate.facts {
            Some(facts) => match facts.require_note() {
                Ok(note) => side.check(facts, note, manifest).map(drop),
                Err(error) => Err(HostError::inspect(error)),
            },
            None => side.check_manifest(manifest),
        };
        checked.err().map(|error| error.finding())
    }

    /// The plugins that start with the host.
    pub(super) fn eager(&self) -> BTreeSet<PluginId> {
        let state = self.inner.catalog.state();
        let candidates = state.candidates.iter().zip(&state.decision.enablements);
        candidates
            .filter(|(candidate, enablement)| enablement.is_enabled() && !is_lazy(candidate))
            .filter_map(|(candidate, _)| candidate.id.clone())
            .collect()
    }

    /// The plugins of the roots that serve.
    pub(super) fn active(&self) -> BTreeSet<PluginId> {
        let state = self.inner.catalog.state();
        let runtimes = state.runtimes.iter();
        runtimes
            .filter(|(_, runtime)| matches!(runtime, Runtime::Active))
            .filter(|(id, _)| self.still_serves(&state, id))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Whether a plugin of the roots serves.
    pub(super) fn is_active(&self, id: &str) -> bool {
        let state = self.inner.catalog.state();
        let found = state.runtimes.get_key_value(id);
        found.is_some_and(|(id, runtime)| runtime.is_active() && self.still_serves(&state, id))
    }

    /// A plugin and those that cannot do without it, as far as they serve.
    pub(super) fn with_dependents(&self, id: &PluginId) -> BTreeSet<PluginId> {
        let active = self.active();
        let resolution = self.inner.catalog.resolution();
        let dependents = resolution.dependents_of(id.as_str());
        active
            .into_iter()
            .filter(|one| one == id || dependents.contains(&one.as_str()))
            .collect()
    }
}

impl State {
    /// The libraries of plugins of which the host's file means single builds: those are told by the
    /// content, which has to be read for that.
    fn pinned_libraries(&self) -> Vec<PathBuf> {
        let pinned: HashSet<&PluginId> = self.settings.plugins.pinned().collect();
        let found = self.candidates.iter();
        found
            .filter(|candidate| candidate.verdict == Verdict::Found)
            .filter(|candidate| candidate.id.as_ref().is_some_and(|id| pinned.contains(id)))
            .filter_map(|candidate| candidate.library.clone())
            .collect()
    }
}
