//! Beginning and ending what goes on all the time while a version serves. Who calls these has the turn
//! of the plugin, so that only one version is attended at a time.

use std::sync::Arc;

use keyway::capability::Capability;
use keyway::channel::ChannelHandle;
use keyway::service::ServiceHandle;
use keyway::{ErrorKind, PluginError, Result};

use super::Host;
use super::instance::Instance;
use super::plugin::LoadedPlugin;
use crate::attendance::Progress;
use crate::extension::{RunningService, Switchboard, unavailable};
use crate::generation::Generation;
use crate::registry::{Key, Offer};

impl Host {
    /// Runs the services of a version that serves, and opens those of its channels that are to be open, as
    /// far as that was not done.
    pub(super) fn attend(&self, instance: &Instance) {
        for offer in instance.offers() {
            match &*offer.key.id {
                ServiceHandle::ID => {
                    let service = RunningService::new(&instance.generation, &offer, self.bus());
                    let (clock, deadline) = (&self.inner.clock, self.options().lifecycle_deadline);
                    // Whoever wants to know how it is doing asks for its state.
                    drop(
                        instance
                            .attendance
                            .begin(clock, deadline, &offer.key, service),
                    );
                }
                ChannelHandle::ID if self.switchboard().is_open(&offer.key.name) => {
                    drop(self.connect(instance, &offer));
                }
                _ => {}
            }
        }
    }

    /// The same for a plugin that has just been loaded, unless it is being stopped already.
    pub(super) async fn attend_first(&self, plugin: &LoadedPlugin) {
        let _turn = plugin.turn.lock().await;
        let ended = plugin.state().ended;
        if !ended {
            self.attend(&plugin.serving());
        }
    }

    /// Ends all that goes on in a version, and then begins it in the one that has taken its place.
    pub(super) async fn attend_in_place_of(&self, old: &Instance, new: &Instance) {
        old.end_attendance(self.options().lifecycle_deadline).await;
        self.attend(new);
    }

    fn connect(&self, instance: &Instance, offer: &Offer) -> Option<Opening> {
        let switchboard = self.switchboard();
        let channel = switchboard.connect(&instance.generation, offer, self.bus());
        let (clock, deadline) = (&self.inner.clock, self.options().lifecycle_deadline);
        instance
            .attendance
            .begin(clock, deadline, &offer.key, channel)
    }

    /// Opens a channel now, and whenever another version or plugin offers it.
    pub(crate) async fn open_channel(&self, name: &str) -> Result<()> {
        let key = channel(name);
        // Asked for first, so that there is one error for what nobody offers.
        let _: ChannelHandle = self.capability(name).map_err(unavailable)?;
        let owner = self.inner.registry.owner(&key);
        let plugin = owner.and_then(|owner| self.inner.find(&owner).ok());
        let Some(plugin) = plugin else {
            let message = format!("the plugin of channel `{name}` is being stopped");
            return Err(PluginError::of(ErrorKind::Unavailable, message));
        };
        let opening = {
            let _turn = plugin.turn.lock().await;
            let instance = plugin.serving();
            let mut offers = instance.offers().into_iter();
            let Some(offer) = offers.find(|offer| offer.key == key) else {
                let message = format!("the plugin of channel `{name}` offers it no more");
                return Err(PluginError::of(ErrorKind::Unavailable, message));
            };
            self.switchboard().set_open(name, true);
            instance.attendance.forget_if_over(&key);
            self.connect(&instance, &offer)
        };
        let Some(opening) = opening else {
            return Ok(());
        };
        let opened = opening.await.unwrap_or_else(|_ended| {
            let message = format!("channel `{name}` was closed while it was being opened");
            Err(Arc::new(PluginError::of(ErrorKind::Cancelled, message)))
        });
        opened.map_err(|error| {
            self.switchboard().set_open(name, false);
            (*error).clone()
        })
    }

    /// Closes a channel; answers whether it was to be open.
    pub(crate) async fn close_channel(&self, name: &str) -> bool {
        let was_open = self.switchboard().set_open(name, false);
        let key = channel(name);
        let plugins: Vec<_> = self.inner.plugins().values().cloned().collect();
        let deadline = self.options().lifecycle_deadline;
        for plugin in plugins {
            let attends = |instance: &Instance| {
                let sessions = instance.attendance.progress();
                sessions.iter().any(|(other, _)| *other == key)
            };
            if !attends(&plugin.serving()) {
                continue;
            }
            let _turn = plugin.turn.lock().await;
            let attendance = &plugin.serving().attendance;
            attendance
                .end(&self.inner.clock, deadline, Some(&key))
                .await;
        }
        was_open
    }

    pub(crate) fn switchboard(&self) -> &Switchboard {
        &self.inner.switchboard
    }

    /// What goes on in the versions that serve, by plugin, kind and name.
    pub(crate) fn sessions(&self) -> Vec<(Arc<Generation>, Key, Progress)> {
        let plugins: Vec<_> = self.inner.plugins().values().cloned().collect();
        let sessions = plugins.iter().flat_map(|plugin| {
            let instance = plugin.serving();
            let mut sessions = instance.attendance.progress();
            sessions.sort_by(|(one, _), (other, _)| one.cmp(other));
            let of_it = move |(key, progress)| (Arc::clone(&instance.generation), key, progress);
            sessions.into_iter().map(of_it)
        });
        sessions.collect()
    }
}

type Opening = tokio::sync::oneshot::Receiver<Result<(), Arc<PluginError>>>;

fn channel(name: &str) -> Key {
    Key {
        id: ChannelHandle::ID.to_owned(),
        major: ChannelHandle::MAJOR,
        name: name.to_owned(),
    }
}
