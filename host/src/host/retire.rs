//! The end of a version that was replaced: its calls finish, then it is deactivated and dropped,
//! and the reaper closes its library.
//!
//! A call that has started finishes on the version that it started on, however long that takes;
//! only when the whole plugin is stopped are calls cancelled after a while.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::instance::Instance;
use crate::clock::Clock;
use crate::drain::{drain, drain_or_cancel};
use crate::event::{Bus, EventKind};
use crate::registry::Replaced;
use crate::status::DrainingStatus;
use crate::supervise::let_go;

/// The versions of a host that are coming to their end.
#[derive(Default)]
pub(super) struct Retirement {
    retiring: Mutex<Vec<Retiring>>,
}

struct Retiring {
    plugin: Arc<str>,
    instance: Weak<Instance>,
    hurry: watch::Sender<bool>,
    done: watch::Receiver<()>,
}

/// What the end of a version needs of its host, which may be gone by then.
#[derive(Clone)]
pub(super) struct Means {
    pub(super) clock: Arc<Clock>,
    pub(super) bus: Bus,
    /// How long each step may take.
    pub(super) deadline: Duration,
}

impl Means {
    fn runtime(&self) -> &Handle {
        self.clock.handle()
    }
}

impl Retirement {
    /// Lets a version end, in the background.
    pub(super) fn retire(
        &self,
        means: Means,
        instance: Arc<Instance>,
        retired: Replaced,
        deactivated: bool,
    ) {
        let (hurry, hurried) = watch::channel(false);
        let (working, done) = watch::channel(());
        let plugin = Arc::clone(&instance.generation.name);
        let retiring = Retiring {
            plugin,
            instance: Arc::downgrade(&instance),
            hurry,
            done,
        };
        let mut list = self.lock();
        list.retain(|retiring| retiring.done.has_changed().is_ok());
        list.push(retiring);
        drop(list);
        let runtime = means.runtime().clone();
        runtime.spawn(async move {
            end(&means, instance, retired, deactivated, hurried).await;
            drop(working);
        });
    }

    /// What is coming to its end, of one plugin.
    pub(super) fn of(&self, plugin: &str) -> Vec<DrainingStatus> {
        let instances: Vec<Arc<Instance>> = self
            .lock()
            .iter()
            .filter(|retiring| &*retiring.plugin == plugin)
            .filter_map(|retiring| retiring.instance.upgrade())
            .collect();
        let draining = instances.iter().map(|instance| DrainingStatus {
            version: instance.generation.version.clone(),
            generation: instance.generation.number,
            calls: instance.pending_calls(),
            threads: instance.thread_names(),
        });
        draining.collect()
    }

    /// Ends what is left, of one plugin or of all, and cancels calls that do not end in time.
    pub(super) async fn finish(&self, plugin: Option<&str>) {
        let waiting: Vec<watch::Receiver<()>> = self
            .lock()
            .iter()
            .filter(|retiring| plugin.is_none_or(|plugin| *retiring.plugin == *plugin))
            .map(|retiring| {
                retiring.hurry.send_replace(true);
                retiring.done.clone()
            })
            .collect();
        for mut done in waiting {
            // An error is how it says that it is done.
            let _ = done.changed().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Retiring>> {
        // No code of others runs under the lock.
        self.retiring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn end(
    means: &Means,
    instance: Arc<Instance>,
    retired: Replaced,
    deactivated: bool,
    mut hurried: watch::Receiver<bool>,
) {
    let generation = Arc::clone(&instance.generation);
    let left = drain(&means.clock, &instance, retired, std::future::ready(())).await;
    if !left.is_nothing() {
        let kind = EventKind::Draining {
            version: generation.version.clone(),
            calls: left.pending,
        };
        means.bus.tell(&generation.name, kind);
        let patience = async {
            // Without a host there is nobody left who could hurry it.
            if hurried.wait_for(|hurried| *hurried).await.is_err() {
                std::future::pending::<()>().await;
            }
            means.clock.sleep(means.deadline).await;
        };
        drain_or_cancel(&means.clock, &instance, left.stuck, patience).await;
    }
    let (runtime, deadline) = (means.runtime(), means.deadline);
    if !deactivated && let Err(error) = instance.deactivate(runtime, deadline).await {
        tracing::warn!("{error}");
    }
    if let Err(error) = instance.stop(runtime, deadline).await {
        tracing::warn!("{error}");
    }
    drop(generation);
    let_go(runtime, deadline, instance).await;
}
