//! Which plugins a use needs, and starting those that do not run yet.

use std::collections::BTreeSet;

use keyway_manifest::{PluginId, TriggerKind};

use super::{Host, State};
use crate::error::{HostError, HostErrorKind};
use crate::plan::{Facts, Plan, Trigger, plan};
use crate::platform::Report;

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
        plan(trigger, &state.facts(), &state.decision.resolution)
    }

    /// Starts the plugins that a use needs and that do not run yet. The report is empty if all of them
    /// do.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Refused`] with the code `nothing-to-activate` or of what keeps the plugins that
    /// it needs from running, or what the first of them failed with.
    pub async fn activate(&self, trigger: Trigger<'_>) -> Result<Report, HostError> {
        let plan = self.plan(trigger);
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

    /// Whether a use needs plugins of the roots that do not run, as far as their manifests say.
    pub(crate) fn is_dormant(&self, trigger: Trigger<'_>) -> bool {
        let plan = self.plan(trigger);
        let plugins = self.inner.plugins();
        plan.ids().any(|id| !plugins.contains_key(id))
    }
}

impl State {
    /// What a plan is made from: all that run, or would.
    fn facts(&self) -> Vec<Facts<'_>> {
        let all = self.candidates.iter().zip(&self.decision.enablements);
        let enabled = all.filter(|(_, enablement)| enablement.is_enabled());
        enabled
            .filter_map(|(candidate, _)| candidate.manifest.as_deref())
            .map(|manifest| {
                let activation = &manifest.activation;
                let mut facts = Facts::new(manifest.id.as_str());
                facts.declares = manifest.capabilities.declared().collect();
                facts.hints = activation.on.iter().map(hint).collect();
                facts.startup = activation.startup;
                facts
            })
            .collect()
    }
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
