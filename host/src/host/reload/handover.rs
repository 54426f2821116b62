//! From a new version that is prepared to one that is active: state, and in exclusive mode the
//! calls and the resources that only one version can have.

use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway::abi::root::{PluginRoot, PluginRootHandle};
use keyway::capability::{RoomLimits, WaitingRoom};
use keyway::{Imported, State};
use keyway_manifest::{ReloadMode, StatePolicy};

use super::attempt::Attempt;
use super::commit::Ready;
use super::verdict::Verdict;
use crate::drain::{Left, drain};
use crate::error::{HostError, HostErrorKind};
use crate::generation::{Doorkeeper, Generation};
use crate::host::Host;
use crate::host::instance::Instance;
use crate::host::offers::{Activation, NotActivated};
use crate::host::plugin::Down;
use crate::host::start::{Draft, prepare};
use crate::journal::{Occasion, Phase};
use crate::registry::Change;
use crate::reload::ReloadPhase;
use crate::status::codes;
use crate::supervise::supervise;

/// What was taken from the version that serves, to be given back if the new one fails.
#[derive(Default)]
pub(super) struct HandOver {
    /// The state that it gave away.
    pub(super) blob: Option<State>,
    /// Where calls wait, in exclusive mode.
    pub(super) room: Option<Arc<WaitingRoom>>,
    /// Whether it was deactivated.
    pub(super) deactivated: bool,
    /// Whether nothing served before.
    pub(super) lost: bool,
}

/// Makes the new version active.
pub(super) async fn hand_over(attempt: &mut Attempt, mut draft: Draft) -> Result<Ready, Verdict> {
    let mut hand_over = HandOver::default();
    let taken = hand_over.take(attempt, &mut draft).await;
    let offers = match taken {
        Ok(()) => start(attempt, &mut draft).await,
        Err(verdict) => Err(verdict),
    };
    match offers {
        Ok(offers) => {
            draft.rest();
            Ok(Ready {
                draft,
                offers,
                hand_over,
            })
        }
        Err(verdict) => {
            draft.abandon().await;
            let undone = hand_over.undo(attempt).await;
            Err(verdict.after(undone))
        }
    }
}

/// Activates the new version and asks for its health.
async fn start(
    attempt: &mut Attempt,
    draft: &mut Draft,
) -> Result<Vec<crate::registry::Offer>, Verdict> {
    tracing::info!("Activating '{}' v{}", attempt.plugin.name, draft.version());
    let offers = draft
        .activate()
        .await
        .map_err(|error| Verdict::Refused(ReloadPhase::Activate, error))?;
    let clock = Instant::now();
    let health = draft.health_check().await;
    attempt.times.health = clock.elapsed();
    if let Err(error) = health {
        draft.withdraw(offers).await;
        return Err(Verdict::Refused(ReloadPhase::Health, error));
    }
    Ok(offers)
}

impl HandOver {
    /// Takes from the old version what the new one needs: its state, and in exclusive mode its
    /// calls and its work.
    async fn take(&mut self, attempt: &mut Attempt, draft: &mut Draft) -> Result<(), Verdict> {
        let old = Arc::clone(&attempt.old);
        let down = attempt.plugin.state().down.take();
        if let Some(Down { blob }) = down {
            // Nothing serves, so there is nothing to wait for, and only what was kept to hand over.
            self.lost = true;
            self.blob.clone_from(&blob);
            let given = give_state(attempt, draft, Ok(blob)).await;
            return given
                .map_err(|error| Verdict::Refused(ReloadPhase::State, draft.labelled(error)));
        }
        let modes = [old.manifest.reload.mode, draft.facts.manifest.reload.mode];
        let exclusive = modes.contains(&ReloadMode::Exclusive);
        if exclusive {
            let clock = Instant::now();
            let room = close(&attempt.host, &old);
            self.room = Some(Arc::clone(&room.0));
            let patience = attempt.host.inner.options.lifecycle_deadline;
            let waited = attempt.host.inner.clock.sleep(patience);
            let left = drain(&attempt.host.inner.clock, &old, room.1, waited).await;
            attempt.times.drain = clock.elapsed();
            if !left.is_nothing() {
                let error = still_busy(&old, &left, patience);
                return Err(Verdict::Refused(ReloadPhase::Drain, error));
            }
            // What it does all the time may be what its state is made of.
            old.end_attendance(patience).await;
        }
        let clock = Instant::now();
        let state = self.move_state(attempt, draft).await;
        attempt.times.state = clock.elapsed();
        state.map_err(|error| Verdict::Refused(ReloadPhase::State, draft.labelled(error)))?;
        // From here on it is the new one's turn, unless it fails.
        let name = &attempt.plugin.name;
        tracing::info!("Deactivating '{name}' v{}", old.generation.version);
        tracing::info!("Loading '{name}' v{}", draft.version());
        if exclusive {
            let host = &attempt.host;
            let deadline = host.inner.options.lifecycle_deadline;
            self.deactivated = true;
            draft.rest();
            let by = draft.version().clone();
            let _noted = old.note(
                &host.inner.journal,
                Occasion::Replaced { by },
                Phase::Deactivate,
            );
            if let Err(error) = old.deactivate(host.runtime(), deadline).await {
                attempt.warnings.push(error.finding());
            }
        }
        Ok(())
    }

    async fn move_state(
        &mut self,
        attempt: &mut Attempt,
        draft: &mut Draft,
    ) -> Result<(), HostError> {
        if draft.facts.manifest.reload.state == StatePolicy::Reset {
            return Ok(());
        }
        let exported = export(&attempt.host, &attempt.old, draft).await;
        if let Ok(state) = &exported {
            self.blob.clone_from(state);
        }
        give_state(attempt, draft, exported).await
    }

    /// Gives everything back to the version that serves. An error says why that was not possible, and
    /// that nothing serves now.
    pub(super) async fn undo(self, attempt: &mut Attempt) -> Result<(), HostError> {
        let HandOver {
            blob,
            room,
            deactivated,
            lost,
        } = self;
        if lost {
            attempt.plugin.state().down = Some(Down { blob });
            let message = "nothing served before either";
            return Err(HostError::new(HostErrorKind::Reload, message));
        }
        let Some(room) = room else { return Ok(()) };
        let (host, old) = (&attempt.host, &attempt.old);
        let revived = match deactivated {
            true => revive(host, old, blob.clone()).await,
            false => Ok(()),
        };
        match &revived {
            Ok(()) => reopen(host, old),
            Err(_) => {
                attempt.plugin.state().down = Some(Down { blob });
                drop(host.inner.registry.withdraw(&attempt.plugin.name));
            }
        }
        room.open();
        if revived.is_ok() {
            host.attend(old);
        }
        revived
    }
}

/// Gives a state to the new version, which says what happens if it does not take it.
async fn give_state(
    attempt: &mut Attempt,
    draft: &mut Draft,
    state: Result<Option<State>, HostError>,
) -> Result<(), HostError> {
    let policy = draft.facts.manifest.reload.state;
    let moved = match state {
        Ok(Some(state)) if policy != StatePolicy::Reset => {
            draft.takes_state();
            import(&attempt.host, draft.root(), draft.generation(), state).await
        }
        Ok(_) => return Ok(()),
        Err(error) => Err(error),
    };
    match moved {
        Ok(Imported::Migrated { from }) => {
            let plugin = &*attempt.plugin.name;
            tracing::debug!(plugin, "its state was migrated from version {from}");
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error) if policy == StatePolicy::Prefer => {
            let version = &attempt.old.generation.version;
            let message = format!(
                "starts without the state of v{version}: {}",
                error.message()
            );
            attempt.warnings.push(codes::STATE_DROPPED.finding(message));
            // It may have taken half of it.
            draft.prepare().await
        }
        Err(error) if error.advice().is_some() => Err(error),
        Err(error) => Err(error.hint(
            "let the new version take it (StateSchema::migrate), or let its plugin.toml say \
             `state = \"prefer\"` or \"reset\" under [plugin.reload]",
        )),
    }
}

fn still_busy(old: &Instance, left: &Left, patience: Duration) -> HostError {
    let message = format!(
        "calls did not end within {patience:?}: {} asynchronous, and synchronous ones in {} \
         objects{}",
        left.pending,
        left.stuck.len(),
        left.on_threads(),
    );
    HostError::new(HostErrorKind::Reload, message)
        .of_plugin(&old.label())
        .hint("a call that reloads its own plugin waits for itself")
}

/// Makes all calls of a plugin wait.
pub(super) fn close(host: &Host, old: &Instance) -> (Arc<WaitingRoom>, crate::registry::Replaced) {
    let options = &host.inner.options;
    let room = WaitingRoom::new(RoomLimits {
        waiting: options.max_waiting,
        patience: options.waiting_deadline,
    });
    let doorkeeper = Doorkeeper::of(&old.generation);
    let name = &old.generation.name;
    let replaced = host.inner.registry.close(name, &room, &doorkeeper);
    (room, replaced)
}

/// Lets a version serve that has all it needs.
pub(super) fn reopen(host: &Host, instance: &Instance) {
    let change = Change {
        owner: &instance.generation.name,
        offers: &instance.offers(),
        doorkeeper: Doorkeeper::of(&instance.generation),
    };
    for refused in host.inner.registry.switch(&[change]) {
        match refused {
            Ok(replaced) => drop(replaced),
            Err(error) => tracing::error!("what served a moment ago does not fit: {error}"),
        }
    }
}

/// Starts a version anew that was deactivated: with a fresh value, made from its configuration and
/// from the state that it gave away.
pub(super) async fn revive(
    host: &Host,
    instance: &Arc<Instance>,
    state: Option<State>,
) -> Result<(), HostError> {
    let journal = &host.inner.journal;
    let guard = instance.note(journal, Occasion::Restart, Phase::Prepare);
    let revived = async {
        let (root, generation) = (&instance.root, &instance.generation);
        prepare(host, root, generation, &instance.config()).await?;
        if let Some(state) = state {
            guard.phase(Phase::State);
            import(host, root, generation, state).await?;
        }
        guard.phase(Phase::Activate);
        let work = Activation::of(root, generation, &instance.options, &instance.manifest);
        // What is to be said of it was said when it was first started.
        match work.run(host).await {
            Ok((offers, _warnings)) => Ok(offers),
            Err(NotActivated { error, began }) => {
                let deadline = host.inner.options.lifecycle_deadline;
                if began && let Err(error) = instance.deactivate(host.runtime(), deadline).await {
                    tracing::warn!("{error}");
                }
                Err(error)
            }
        }
    };
    let offers = revived
        .await
        .map_err(|error: HostError| error.of_plugin(&instance.label()))?;
    let old = instance.set_offers(offers);
    host.let_go(old).await;
    Ok(())
}

/// Takes the state of the old version, as far as the new one takes it.
async fn export(host: &Host, old: &Instance, new: &Draft) -> Result<Option<State>, HostError> {
    let max_bytes = new.facts.manifest.reload.max_state_bytes;
    let by = new.version().clone();
    let noted = old.note(
        &host.inner.journal,
        Occasion::Replaced { by },
        Phase::Export,
    );
    let deadline = host.inner.options.lifecycle_deadline;
    let exported = old.export_state(host.runtime(), deadline, max_bytes);
    let exported = exported.await;
    drop(noted);
    exported.map_err(|error| {
        let generation = &old.generation;
        let (old, new) = (&generation.version, new.version());
        if error.error_code() != "state-too-large" {
            let doing = format!("export_state of v{old}");
            return generation.failed(HostErrorKind::State, &doing, error);
        }
        let found = error.message().split("; hint:").next().unwrap_or_default();
        let message = format!("v{new} does not take that much from v{old}: {found}");
        HostError::new(HostErrorKind::State, message).hint(format!(
            "raise `max_state_bytes` under [plugin.reload] in the plugin.toml of v{new}"
        ))
    })
}

async fn import(
    host: &Host,
    root: &PluginRootHandle,
    generation: &Generation,
    state: State,
) -> Result<Imported, HostError> {
    let root = root.clone();
    let work = move || async move { root.import_state(state).await };
    let imported = supervise(host.runtime(), host.inner.options.lifecycle_deadline, work).await;
    imported.map_err(|error| generation.failed(HostErrorKind::State, "import_state", error))
}
