//! Looking after the health of the plugins that run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway_manifest::PluginId;
use tokio::task::JoinSet;

use super::Host;
use crate::error::HostError;
use crate::event::EventKind;
use crate::host::WeakHost;
use crate::platform::HealthPolicy;
use crate::platform::codes;
use crate::platform::health::{Health, Verdict};

impl Host {
    /// Looks after the plugins of the roots from now on, if the application wants that; ends with the
    /// host.
    pub(super) fn watch_health(&self) {
        let Some(policy) = self.inner.options.health else {
            return;
        };
        if !self.inner.catalog.begins_to_watch_health() {
            return;
        }
        let host = self.downgrade();
        let clock = Arc::clone(&self.inner.clock);
        // The task holds no host, and no clock either: a runtime that is dropped by a task of its own
        // could not wait for that task.
        let weak_clock = Arc::downgrade(&clock);
        clock.handle().spawn(async move {
            let mut known = BTreeMap::new();
            loop {
                let Some(rest) = look(&host, &mut known, &policy).await else {
                    return;
                };
                let Some(sleep) = weak_clock.upgrade().map(|clock| clock.sleep(rest)) else {
                    return;
                };
                sleep.await;
            }
        });
    }

    /// Asks those that are due; answers how long to rest.
    async fn look_after(
        &self,
        known: &mut BTreeMap<PluginId, (u64, Health)>,
        policy: &HealthPolicy,
    ) -> Duration {
        let now = Instant::now();
        let active = self.active();
        known.retain(|id, _| active.contains(id));
        for id in active {
            let Ok(plugin) = self.inner.find(id.as_str()) else {
                continue;
            };
            // One that was replaced by a newer version starts anew; one that we have restarted does not.
            let number = plugin.serving().generation.number;
            let entry = known.entry(id);
            let (of, health) = entry.or_insert_with(|| (number, Health::new(now, policy)));
            if *of != number && number > 1 {
                *health = Health::new(now, policy);
            }
            *of = number;
        }
        let due = known.iter().filter(|(_, (_, health))| health.due <= now);
        let mut checks = JoinSet::new();
        for id in due.map(|(id, _)| id.clone()) {
            let host = self.clone();
            let check = async move {
                let answer = host.health_check(id.as_str()).await;
                (id, answer)
            };
            checks.spawn_on(check, self.runtime());
        }
        while let Some(checked) = checks.join_next().await {
            let Ok((id, answer)) = checked else { continue };
            let Some((_, health)) = known.get_mut(&id) else {
                continue;
            };
            let verdict = health.checked(answer.is_ok(), Instant::now(), policy);
            if let Err(error) = answer {
                self.act_on(&id, error, verdict).await;
            }
        }
        let next = known.values().map(|(_, health)| health.due).min();
        let rest = next.map(|due| due.saturating_duration_since(Instant::now()));
        // Who has started meanwhile is seen then, and asked an interval later.
        rest.unwrap_or(policy.interval()).min(policy.interval())
    }

    async fn act_on(&self, id: &PluginId, error: HostError, verdict: Verdict) {
        let reason = Arc::new(error);
        let name: Arc<str> = Arc::from(id.as_str());
        let tell = |kind| self.inner.bus.tell(&name, kind);
        match verdict {
            Verdict::Well => {}
            Verdict::Ill(times) => {
                tracing::warn!("plugin '{id}' is not well, {times} in a row: {reason}");
                tell(EventKind::Unhealthy {
                    reason,
                    restarting: false,
                });
            }
            Verdict::Restart => {
                tracing::warn!("plugin '{id}' is not well, and is restarted: {reason}");
                tell(EventKind::Unhealthy {
                    reason,
                    restarting: true,
                });
                // What fails is in its record, and is told as an event.
                let _ = self.restart(id.as_str()).await;
            }
            Verdict::GiveUp => {
                let finding = codes::UNHEALTHY
                    .finding(format!("it was given up: {reason}"))
                    .of_plugin(id.as_str());
                tracing::error!(code = finding.code.id, "{finding}");
                let given_up = finding.clone();
                let plugin = id.clone();
                let _ = self
                    .in_turn(|host| async move {
                        let ending = host.with_dependents(&plugin);
                        let report = host.finish(&ending).await;
                        host.inner.catalog.state().given_up.insert(plugin, given_up);
                        host.decide_again().await;
                        Ok(report)
                    })
                    .await;
                tell(EventKind::GivenUp { finding });
            }
        }
    }
}

/// None once the host is gone.
async fn look(
    host: &WeakHost,
    known: &mut BTreeMap<PluginId, (u64, Health)>,
    policy: &HealthPolicy,
) -> Option<Duration> {
    let host = host.upgrade()?;
    Some(host.look_after(known, policy).await)
}
