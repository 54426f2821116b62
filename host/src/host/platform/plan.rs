//! Which plugins a use needs, and starting those that do not run yet.

use std::collections::BTreeSet;

use keyway_manifest::{Manifest, PluginId, TriggerKind};

use super::{Host, State, is_lazy};
use crate::error::{HostError, HostErrorKind};
use crate::plan::{Facts, Plan, Reason, Trigger, plan};
use crate::platform::{Enablement, Report, Runtime};

impl Host {
    /// Which plugins a use needs, each with the reasons, in the order in which they are started. Nothing
    /// is started, and whether they run is not looked at.
    ///
    /// ```
    /// # use keyway_host::{Host, HostError};
    /// # use keyway_host::plan::Trigger;
    /// # fn example(host: &Host) {
    /// for entry in host.plan(Trigger::Tool("redact")).entries {
    ///     println!("{}: {}", entry.plugin, entry.reasons[0]);
    /// }
    /// # }
    /// ```
    pub fn plan(&self, trigger: Trigger<'_>) -> Plan {
        let state = self.inner.catalog.state();
        let resolution = &state.decision.resolution;
        let planned = plan(trigger, &state.facts_for(trigger), resolution);
        match planned.entries.is_empty() {
            false => planned,
            // It takes all of them to say what there is instead.
            true => plan(trigger, &state.all_facts(), resolution),
        }
    }

    /// Starts the plugins that a use needs and that do not run yet. The report is empty if all of them
    /// do.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Refused`] with the code `nothing-to-activate` or of what keeps the plugins that
    /// it needs from running, or what the first of them failed with.
    pub async fn activate(&self, trigger: Trigger<'_>) -> Result<Report, HostError> {
        self.activate_without(trigger, |_, _| false).await
    }

    /// The same without some plugins, by their id and whether they declare what is used.
    pub(crate) async fn activate_without(
        &self,
        trigger: Trigger<'_>,
        is_left_out: impl Fn(&str, bool) -> bool,
    ) -> Result<Report, HostError> {
        let mut plan = self.plan(trigger);
        plan.entries.retain(|entry| {
            let declares = |reason: &Reason| matches!(reason, Reason::Declares { .. });
            !is_left_out(&entry.plugin, entry.reasons.iter().any(declares))
        });
        if plan.entries.is_empty() {
            return Err(match plan.findings.into_iter().next() {
                Some(finding) => finding.into(),
                None => HostError::new(HostErrorKind::NotFound, format!("nobody has {trigger}")),
            });
        }
        let ids = plan.ids().filter_map(|id| PluginId::new(id).ok());
        let wanted: BTreeSet<PluginId> = ids.collect();
        self.in_turn(|host| async move {
            let report = host.begin(&wanted).await;
            host.failure_of(&report).map_or(Ok(report), Err)
        })
        .await
    }

    /// Starts the plugins that wait to be needed, as far as they have to do with this use of whatever there
    /// is of a kind. One that was tried or stopped already is left: a message on its way is no reason to
    /// try it again. None if there was nothing to start; what fails is told as an event too.
    ///
    /// It waits for whoever else starts or stops plugins, so it is not for the steps of a plugin's life.
    pub(crate) async fn wake(&self, trigger: Trigger<'_>) -> Option<Report> {
        let sleeping = self.inner.catalog.state().sleeping(trigger);
        if sleeping.is_empty() {
            return None;
        }
        let woken = self.in_turn(|host| async move { Ok(host.begin(&sleeping).await) });
        woken.await.ok()
    }

    /// Whether a use needs plugins of the roots that do not run, as far as their manifests say.
    pub(crate) fn is_dormant(&self, trigger: Trigger<'_>) -> bool {
        let plan = {
            let state = self.inner.catalog.state();
            let facts = state.facts_for(trigger);
            plan(trigger, &facts, &state.decision.resolution)
        };
        let plugins = self.inner.plugins();
        plan.ids().any(|id| !plugins.contains_key(id))
    }
}

impl State {
    /// What a plan is made from: all that run, or would.
    fn all_facts(&self) -> Vec<Facts<'_>> {
        self.facts(0..self.candidates.len())
    }

    /// The same of those that a use may need.
    fn facts_for(&self, trigger: Trigger<'_>) -> Vec<Facts<'_>> {
        match self.uses.candidates(trigger) {
            Some(some) => self.facts(some.into_iter()),
            None => self.all_facts(),
        }
    }

    /// The same of some candidates.
    fn facts(&self, some: impl Iterator<Item = usize>) -> Vec<Facts<'_>> {
        let enablements = &self.decision.enablements;
        let enabled =
            some.filter(|index| enablements.get(*index).is_some_and(Enablement::is_enabled));
        enabled
            .filter_map(|index| self.candidates.get(index)?.manifest.as_deref())
            .map(|manifest| {
                #[cfg(test)]
                crate::steps::add(1);
                facts_of(manifest)
            })
            .collect()
    }

    /// Lets those that start when they are needed wait for that again, after they were stopped or could
    /// not be started.
    pub(super) fn rest(&mut self) {
        let lazy = self.candidates.iter().filter(|one| is_lazy(one));
        for id in lazy.filter_map(|candidate| candidate.id.as_ref()) {
            if let Some(Runtime::Stopped | Runtime::Failed { .. }) = self.runtimes.get(id) {
                self.runtimes.remove(id);
            }
        }
    }

    /// Those that wait to be needed, and would be started for this.
    fn sleeping(&self, trigger: Trigger<'_>) -> BTreeSet<PluginId> {
        let all = self.candidates.iter().zip(&self.decision.enablements);
        all.filter(|(candidate, enablement)| is_lazy(candidate) && enablement.is_enabled())
            .filter_map(|(candidate, _)| candidate.manifest.as_deref())
            .filter(|manifest| !self.runtimes.contains_key(&manifest.id))
            .filter(|manifest| facts_of(manifest).wants(trigger))
            .map(|manifest| manifest.id.clone())
            .collect()
    }
}

pub(super) fn facts_of(manifest: &Manifest) -> Facts<'_> {
    let activation = &manifest.activation;
    let mut facts = Facts::new(manifest.id.as_str());
    facts.declares = manifest.capabilities.declared().collect();
    facts.hints = activation.on.iter().map(hint).collect();
    facts.startup = activation.startup;
    facts
}

fn hint(trigger: &keyway_manifest::Trigger) -> Trigger<'_> {
    let name = trigger.name.as_str();
    match trigger.kind {
        TriggerKind::Tool => Trigger::Tool(name),
        TriggerKind::Command => Trigger::Command(name),
        TriggerKind::Channel => Trigger::Channel(name),
        TriggerKind::Provider => Trigger::Provider(name),
        TriggerKind::Event => Trigger::Event(name),
        _ => Trigger::Capability {
            id: name,
            name: None,
        },
    }
}
