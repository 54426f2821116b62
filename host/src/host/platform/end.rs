//! Stopping plugins, in the opposite order of their start.

use std::collections::BTreeSet;
use std::time::Instant;

use keyway_manifest::PluginId;

use super::Host;
use crate::platform::{Report, Runtime};
use crate::resolve::Resolution;

impl Host {
    /// Stops these plugins. What needs them has to be among them.
    pub(super) async fn finish(&self, ending: &BTreeSet<PluginId>) -> Report {
        let resolution = self.inner.catalog.resolution();
        self.finish_in(&resolution, ending).await
    }

    /// Stops these plugins in the opposite order of this one.
    pub(super) async fn finish_in(
        &self,
        resolution: &Resolution,
        ending: &BTreeSet<PluginId>,
    ) -> Report {
        let clock = Instant::now();
        let mut left = ending.clone();
        let mut report = Report::default();
        for level in resolution.levels().rev() {
            let level: Vec<PluginId> = level
                .iter()
                .filter_map(|id| PluginId::new(id).ok())
                .filter(|id| left.remove(id))
                .collect();
            self.finish_level(level, &mut report).await;
        }
        // What does not belong to any level any more: its file went, or was disabled.
        self.finish_level(left.into_iter().collect(), &mut report)
            .await;
        report.took = clock.elapsed();
        report
    }

    async fn finish_level(&self, ids: Vec<PluginId>, report: &mut Report) {
        let finish = |host: Host, id: PluginId| async move {
            host.set_runtime(&id, Runtime::Draining);
            let has_code = host.inner.plugins().contains_key(id.as_str());
            let stopped = match has_code {
                true => host.stop(id.as_str()).await,
                false => {
                    host.end_without_code(&id);
                    Ok(())
                }
            };
            host.set_runtime(&id, Runtime::Stopped);
            stopped
        };
        for (id, error) in self.side_by_side(ids, finish, report).await {
            tracing::warn!(code = error.code(), "{error}");
            report.failed.insert(id, error);
        }
    }
}
