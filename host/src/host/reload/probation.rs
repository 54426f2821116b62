//! The time in which a version that was taken over has to prove itself.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Instant;

use super::rollback::roll_back;
use crate::error::{HostError, HostErrorKind};
use crate::event::EventKind;
use crate::host::instance::Instance;
use crate::host::plugin::LoadedPlugin;
use crate::host::{Host, Inner};
use crate::reload::{Probation, Trigger};

/// Starts to watch a version that has just taken over.
pub(super) fn begin(host: &Host, plugin: &Arc<LoadedPlugin>, instance: &Arc<Instance>) {
    let probation = host.inner.options.probation;
    if probation.time.is_zero() {
        end(&host.inner, plugin, instance.generation.number);
        return;
    }
    let watching = Watching {
        host: Arc::downgrade(&host.inner),
        plugin: Arc::downgrade(plugin),
        number: instance.generation.number,
        panicked: Arc::clone(&instance.generation.panicked),
        clock: Arc::clone(&host.inner.clock),
        probation,
        began: Instant::now(),
    };
    let task = host.runtime().spawn(watching.run());
    plugin.state().probation = Some(task.abort_handle());
}

/// Holds nothing of the version, which may be replaced and unloaded meanwhile.
struct Watching {
    host: Weak<Inner>,
    plugin: Weak<LoadedPlugin>,
    number: u64,
    panicked: Arc<tokio::sync::Notify>,
    clock: Arc<crate::clock::Clock>,
    probation: Probation,
    began: Instant,
}

impl Watching {
    async fn run(self) {
        let mut end_of_time = pin!(self.clock.sleep(self.probation.time));
        loop {
            let mut panicked = pin!(self.panicked.notified());
            // From here on no panic is missed, so it is counted after that.
            panicked.as_mut().enable();
            let Some((host, plugin, instance)) = self.serving() else {
                return;
            };
            let panics = instance.panics();
            if panics > self.probation.max_panics {
                let reason = HostError::new(
                    HostErrorKind::Health,
                    format!(
                        "it panicked {panics} times within {:.1?}; its probation of {:?} allows {}",
                        self.began.elapsed(),
                        self.probation.time,
                        self.probation.max_panics
                    ),
                )
                .of_plugin(&instance.label());
                drop(instance);
                return self.send_back(host, plugin, reason).await;
            }
            drop((host, plugin, instance));
            let is_over = poll_fn(|cx| {
                if end_of_time.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(true);
                }
                panicked.as_mut().poll(cx).map(|()| false)
            });
            if is_over.await {
                break;
            }
        }
        let Some((host, plugin, instance)) = self.serving() else {
            return;
        };
        let deadline = host.inner.options.lifecycle_deadline;
        let health = instance.health_check(host.runtime(), deadline).await;
        drop(instance);
        match health {
            Ok(()) => {
                let _turn = plugin.turn.lock().await;
                end(&host.inner, &plugin, self.number);
            }
            Err(reason) => self.send_back(host, plugin, reason).await,
        }
    }

    async fn send_back(&self, host: Host, plugin: Arc<LoadedPlugin>, reason: HostError) {
        let (number, trigger) = (Some(self.number), Trigger::Probation);
        roll_back(&host, &plugin, number, trigger, reason, Instant::now()).await;
    }

    /// The version, if it still serves.
    fn serving(&self) -> Option<(Host, Arc<LoadedPlugin>, Arc<Instance>)> {
        let host = Host {
            inner: self.host.upgrade()?,
        };
        let plugin = self.plugin.upgrade()?;
        let instance = plugin.serving();
        let is_same = instance.generation.number == self.number;
        is_same.then_some((host, plugin, instance))
    }
}

/// The version has proved itself: the one before it ends.
fn end(inner: &Inner, plugin: &LoadedPlugin, number: u64) {
    let mut state = plugin.state();
    if state.serving.generation.number != number {
        return;
    }
    let version = state.serving.generation.version.clone();
    state.probation = None;
    let previous = state.previous.take();
    drop(state);
    if let Some(previous) = previous {
        inner.bus.tell(&plugin.name, EventKind::Proved { version });
        inner.retire(previous);
    }
}
