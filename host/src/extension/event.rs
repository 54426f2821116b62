//! Events: whoever listens to a topic is told, one after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway::PluginError;
use keyway::abi::pass::Json;
use keyway::capability::Capability;
use keyway::event::{Event, EventHook, EventHookHandle, topic_matches};
use serde_json::Value;

use super::listen::listen;
use crate::described::Description;
use crate::host::Host;
use crate::plan::Trigger;
use crate::platform::Report;
use crate::registry::Member;
use crate::status::RegisteredCapability;

/// An event hook.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HookRecord {
    /// Its name.
    pub name: String,
    /// The plugin that offers it.
    pub plugin: String,
    /// The [patterns](topic_matches) of the topics that it is told of.
    pub topics: Vec<String>,
    /// Hooks are told by rising priority, and those of one priority by name.
    pub priority: i32,
}

/// Who was told of an event.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DispatchReport {
    /// The hooks that listen to the topic, in the order in which they were told.
    pub hooks: Vec<HookOutcome>,
    /// What came of starting plugins for the event, if there were any that waited for one like it.
    pub started: Option<Report>,
}

/// What came of telling one hook.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HookOutcome {
    /// The hook.
    pub hook: String,
    /// The plugin that offers it.
    pub plugin: String,
    /// What it failed with, if it did: its own error,
    /// [`Panicked`](keyway::ErrorKind::Panicked), or
    /// [`DeadlineExceeded`](keyway::ErrorKind::DeadlineExceeded) if it took longer than the
    /// [`listener_deadline`](crate::HostBuilder::listener_deadline).
    pub result: Result<(), Arc<PluginError>>,
    /// How long it took.
    pub took: Duration,
}

impl DispatchReport {
    /// Whether all hooks were told, and none failed.
    pub fn is_ok(&self) -> bool {
        self.hooks.iter().all(|hook| hook.result.is_ok())
            && self.started.as_ref().is_none_or(Report::is_ok)
    }
}

impl Host {
    /// Tells all event hooks that listen to a topic: see [`Host::dispatch_event`].
    ///
    /// ```
    /// # use keyway_host::Host;
    /// # use keyway_host::keyway::event::MESSAGE_RECEIVED;
    /// # use serde_json::json;
    /// # async fn example(host: &Host) {
    /// let report = host.dispatch(MESSAGE_RECEIVED, json!({ "text": "hello" })).await;
    /// for outcome in &report.hooks {
    ///     println!("{}: {:?}", outcome.hook, outcome.result);
    /// }
    /// # }
    /// ```
    pub async fn dispatch(
        &self,
        topic: impl Into<String>,
        payload: impl Into<Value>,
    ) -> DispatchReport {
        self.dispatch_event(Event::new(topic, payload)).await
    }

    /// Tells all event hooks that listen to the topic of an event, one after the other: by rising priority,
    /// and by name.
    ///
    /// A hook that fails, panics, hangs or blocks its thread keeps nobody from being told: each has the
    /// [`listener_deadline`](crate::HostBuilder::listener_deadline) for itself, and its failure is in the
    /// report and an event [`Faulted`](crate::EventKind::Faulted).
    ///
    /// Plugins that start when they are first needed, and listen to such an event as far as their manifests
    /// say, are started before. One that could not be started is not tried again for the next event.
    pub async fn dispatch_event(&self, event: Event) -> DispatchReport {
        let started = self.wake(Trigger::Event(&event.topic)).await;
        let mut hooks = Vec::new();
        for (record, handle) in listeners(self, &event.topic) {
            let clock = Instant::now();
            let told = event.clone();
            let work = move || async move { handle.handle(Json(told)).await };
            let listener = RegisteredCapability {
                id: EventHookHandle::ID.to_owned(),
                major: EventHookHandle::MAJOR,
                name: record.name.clone(),
                plugin: record.plugin.clone(),
            };
            let result = listen(self, listener, work).await;
            hooks.push(HookOutcome {
                hook: record.name,
                plugin: record.plugin,
                result,
                took: clock.elapsed(),
            });
        }
        DispatchReport { hooks, started }
    }

    /// The event hooks of all plugins, in the order in which they are told.
    pub fn event_hooks(&self) -> Vec<HookRecord> {
        let hooks = hooks(self).into_iter();
        hooks.map(|(record, _)| record).collect()
    }
}

fn listeners(host: &Host, topic: &str) -> Vec<(HookRecord, EventHookHandle)> {
    let mut hooks = hooks(host);
    let listens = |record: &HookRecord| {
        let mut patterns = record.topics.iter();
        patterns.any(|pattern| topic_matches(pattern, topic))
    };
    hooks.retain(|(record, _)| listens(record));
    hooks
}

fn hooks(host: &Host) -> Vec<(HookRecord, EventHookHandle)> {
    let members = host.registry().members::<EventHookHandle>();
    let mut hooks: Vec<_> = members.into_iter().filter_map(hook).collect();
    // The registry answers by name, and equal ones stay as they are.
    hooks.sort_by_key(|(record, _)| record.priority);
    hooks
}

fn hook(member: Member<EventHookHandle>) -> Option<(HookRecord, EventHookHandle)> {
    let Description::Hook { topics, priority } = member.description else {
        return None;
    };
    let record = HookRecord {
        name: member.name,
        plugin: member.plugin.to_string(),
        topics: topics.to_vec(),
        priority,
    };
    Some((record, member.handle))
}
