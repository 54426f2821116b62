//! What there is, and what of it is to run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use keyway_manifest::PluginId;

use super::{Host, is_lazy};
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
        self.decide_again();
        Ok(changes)
    }

    /// Decides again from what is known already.
    pub(super) fn decide_again(&self) {
        let inner = &self.inner;
        let mut state = inner.catalog.state();
        let misfit = |candidate: &Candidate| self.misfit(candidate);
        let pinned: BTreeSet<&PluginId> = state.settings.plugins.pinned().collect();
        // Who is pinned is told by the content of its library, which has to be read for that.
        let hashes: BTreeMap<_, ContentHash> = state
            .candidates
            .iter()
            .filter(|candidate| candidate.verdict == Verdict::Found)
            .filter(|candidate| candidate.id.as_ref().is_some_and(|id| pinned.contains(id)))
            .filter_map(|candidate| {
                let library = candidate.library.as_deref()?;
                Some((candidate.path.clone(), hash_file(library).ok()?))
            })
            .collect();
        let decision = decide(&Grounds {
            candidates: &state.candidates,
            settings: &state.settings,
            said: &state.said,
            given_up: &state.given_up,
            exclusive: &inner.exclusive,
            misfit: &misfit,
            hash: &|candidate| hashes.get(&candidate.path).copied(),
        });
        state.decision = decision;
        for finding in &state.decision.general {
            tracing::warn!(code = finding.code.id, "{finding}");
        }
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
