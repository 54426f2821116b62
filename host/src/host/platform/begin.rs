//! Starting plugins, level by level.

use std::collections::{BTreeSet, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use keyway_manifest::PluginId;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Host;
use super::content::WithoutCode;
use crate::error::{HostError, HostErrorKind};
use crate::event::EventKind;
use crate::finding::Finding;
use crate::host::LoadOptions;
use crate::platform::{Enablement, Report, Runtime, codes};

/// How many plugins start or stop at the same time. More than there are processors, since most of the
/// time goes in waiting; less than the threads that may wait.
const AT_ONCE: usize = 64;

impl Host {
    /// Starts these plugins and all that they need, as far as they do not run.
    pub(super) async fn begin(&self, wanted: &BTreeSet<PluginId>) -> Report {
        let clock = Instant::now();
        let resolution = self.inner.catalog.resolution();
        let mut all: HashSet<&str> = HashSet::new();
        let mut open: Vec<&str> = wanted.iter().map(PluginId::as_str).collect();
        while let Some(id) = open.pop() {
            if !all.contains(id) && !self.is_active(id) {
                all.insert(id);
                open.extend(resolution.needs_of(id));
            }
        }
        let mut report = Report::default();
        for level in resolution.levels_of(all.into_iter()) {
            let level: Vec<PluginId> = level
                .into_iter()
                .filter_map(|id| PluginId::new(id).ok())
                .collect();
            let mut ready = Vec::new();
            for id in level {
                match obstacle(&id, resolution.needs_of(id.as_str()), &report) {
                    Some(finding) => {
                        tracing::warn!(code = finding.code.id, "{finding}");
                        report.skipped.insert(id, finding);
                    }
                    None => ready.push(id),
                }
            }
            self.begin_level(ready, &mut report).await;
        }
        report.took = clock.elapsed();
        report
    }

    /// Starts one plugin and all that it needs; its failure is an error.
    pub(super) async fn begin_one(&self, id: &PluginId) -> Result<Report, HostError> {
        {
            let state = self.inner.catalog.state();
            let (index, _) = state.find(id).ok_or_else(|| {
                let message = format!("no root has a plugin '{id}' any more");
                HostError::new(HostErrorKind::NotFound, message)
            })?;
            match &state.decision.enablements[index] {
                Enablement::Enabled => {}
                Enablement::Blocked => {
                    let found = state.candidates[index].findings.iter();
                    let mut found = found.chain(&state.decision.findings[index]);
                    let error = found.find(|finding| finding.severity() == crate::Severity::Error);
                    return Err(match error {
                        Some(finding) => finding.clone().into(),
                        None => HostError::new(HostErrorKind::Refused, "it is blocked"),
                    });
                }
                other => {
                    return Err(
                        HostError::new(HostErrorKind::Refused, format!("it is {other}"))
                            .of_plugin(&format!("'{id}'")),
                    );
                }
            }
        }
        let report = self.begin(&BTreeSet::from([id.clone()])).await;
        self.failure_of(&report).map_or(Ok(report), Err)
    }

    /// The first failure of a report, as an error.
    pub(super) fn failure_of(&self, report: &Report) -> Option<HostError> {
        if let Some((id, error)) = report.failed.iter().next() {
            return Some(error.again().of_plugin(&format!("'{id}'")));
        }
        let (_, finding) = report.skipped.iter().next()?;
        Some(finding.clone().into())
    }

    async fn begin_level(&self, ids: Vec<PluginId>, report: &mut Report) {
        let begin = |host: Host, id: PluginId| async move { host.begin_plugin(&id).await };
        for (id, reason) in self.side_by_side(ids, begin, report).await {
            tracing::error!(
                code = reason.code(),
                "plugin '{id}' was not started: {reason}"
            );
            let failed = Runtime::Failed {
                reason: Arc::clone(&reason),
            };
            self.set_runtime(&id, failed);
            let name = Arc::from(id.as_str());
            let kind = EventKind::Failed {
                reason: Arc::clone(&reason),
            };
            self.inner.bus.tell(&name, kind);
            report.failed.insert(id, reason);
        }
    }

    /// Does the same with some plugins at the same time; notes those with which it was done in the
    /// report, by id, and answers those with which it failed.
    pub(super) async fn side_by_side<F>(
        &self,
        ids: Vec<PluginId>,
        step: impl Fn(Host, PluginId) -> F,
        report: &mut Report,
    ) -> Vec<(PluginId, Arc<HostError>)>
    where
        F: Future<Output = Result<(), HostError>> + Send + 'static,
    {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for id in ids {
            let (work, places) = (step(self.clone(), id.clone()), Arc::clone(&places));
            let work = async move {
                let _place = places.acquire_owned().await;
                (id, work.await)
            };
            tasks.spawn_on(work, self.runtime());
        }
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        while let Some(joined) = tasks.join_next().await {
            match joined {
                Ok((id, Ok(()))) => done.push(id),
                Ok((id, Err(error))) => failed.push((id, Arc::new(error))),
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // The host is shutting down.
                    Err(_cancelled) => {}
                },
            }
        }
        done.sort();
        failed.sort_by(|one, other| one.0.cmp(&other.0));
        report.done.extend(done);
        failed
    }

    async fn begin_plugin(&self, id: &PluginId) -> Result<(), HostError> {
        let (library, without_code, options) = {
            let mut state = self.inner.catalog.state();
            let found = state.find(id).map(|(_, candidate)| candidate);
            let without_code = found.and_then(WithoutCode::of);
            let library = found.and_then(|candidate| candidate.library.clone());
            let mut options = LoadOptions::new();
            if let Some(own) = state.settings.plugin.get(id) {
                options = options.settings(own);
            }
            state.runtimes.insert(id.clone(), Runtime::Loaded);
            (library, without_code, options)
        };
        if let Some(library) = library {
            self.load_with(library, options).await?;
        }
        if let Some(plugin) = without_code {
            self.begin_without_code(plugin).await?;
        }
        self.set_runtime(id, Runtime::Active);
        Ok(())
    }

    pub(super) fn set_runtime(&self, id: &PluginId, runtime: Runtime) {
        self.inner
            .catalog
            .state()
            .runtimes
            .insert(id.clone(), runtime);
    }
}

/// Why a plugin is not even tried: something that it needs has failed, or was not tried either.
fn obstacle<'a>(
    id: &PluginId,
    mut needs: impl Iterator<Item = &'a str>,
    report: &Report,
) -> Option<Finding> {
    let failed = needs
        .find(|need| report.failed.contains_key(*need) || report.skipped.contains_key(*need))?;
    let message = format!("it needs '{failed}', which could not be started");
    let finding = codes::DEPENDENCY_FAILED.finding(message);
    Some(finding.of_plugin(id.as_str()))
}
