//! Plans that get plugins from their sources.

use keyway_host::manifest::PluginId;

use super::Installer;
use crate::error::{InstallError, Result};
use crate::fetch::{self, Answer, Fetched, fetch};
use crate::lock::Locked;
use crate::permissions;
use crate::plan::{Action, Plan, plain};
use crate::source::Source;

impl Installer {
    /// Installs what a source has, in the place of what is there of the same id.
    ///
    /// # Errors
    ///
    /// When the source cannot be got, or has no plugin that fits; `pinned` when the plugin is pinned to
    /// something else. What others need is a conflict of the plan, unless a registry has it.
    pub fn plan_install(&self, source: &Source) -> Result<Plan> {
        let mut plan = self.plan()?;
        if let Source::Registry {
            registry,
            name,
            requirement,
        } = source
        {
            self.install_release(&mut plan, registry, name, requirement)?;
            return Ok(plan.settled());
        }
        let fetched = match fetch(source, None, None, &self.store, &self.home, &self.fetch)? {
            Answer::Fetched(fetched) => *fetched,
            Answer::Same => return Ok(plan.settled()),
        };
        let mut locked = locked(&fetched, source)?;
        locked.requested = true;
        if let Some(old) = plan.before.get(locked.id.as_str()) {
            if old.pinned && old.digest != locked.digest {
                return Err(pinned(old));
            }
            locked.pinned = old.pinned;
        }
        plan.put(locked)?;
        plan.staged.extend(fetched.staged);
        self.complete(&mut plan)?;
        Ok(plan.settled())
    }

    /// Looks again where plugins came from: all of them, or one.
    ///
    /// # Errors
    ///
    /// When the one is not installed, is pinned, or cannot be got. Of all, those that cannot be got are
    /// [failures](Plan::failures) of the plan, and stay what they are.
    pub fn plan_update(&self, id: Option<&PluginId>) -> Result<Plan> {
        let mut plan = self.plan()?;
        let before = plan.before.clone();
        let chosen: Vec<&Locked> = match id {
            Some(id) => vec![before.require(id)?],
            None => before.plugins().collect(),
        };
        let mut of_registries = Vec::new();
        for old in chosen {
            if old.pinned {
                match id {
                    Some(_) => return Err(pinned(old)),
                    None => plan.keep(old, Some("pinned")),
                }
                continue;
            }
            if matches!(old.source, Source::Registry { .. }) {
                of_registries.push(old);
                continue;
            }
            match self.update(old, &mut plan) {
                Ok(()) => {}
                Err(error) if id.is_some() => return Err(error.of_plugin(old.label())),
                Err(error) => plan.failures.push((old.id.clone(), error)),
            }
        }
        self.update_releases(&mut plan, &of_registries, id.is_some())?;
        Ok(plan.settled())
    }

    fn update(&self, old: &Locked, plan: &mut Plan) -> Result<()> {
        let is_there = old
            .digest
            .is_some_and(|digest| self.store.contains(&digest));
        let known = old.revision.as_deref().filter(|_| is_there);
        let fetched = match fetch(
            &old.source,
            None,
            known,
            &self.store,
            &self.home,
            &self.fetch,
        )? {
            Answer::Fetched(fetched) => *fetched,
            Answer::Same => {
                plan.keep(old, None);
                return Ok(());
            }
        };
        let mut new = locked(&fetched, &old.source)?;
        if new.id != old.id {
            let message = format!(
                "its source has another plugin now: expected '{}', found '{}'",
                old.id, new.id
            );
            return Err(InstallError::unfit("other-plugin", message).hint(format!(
                "keyway uninstall {}, and keyway install {}",
                old.id, old.source
            )));
        }
        new.requested = old.requested;
        // A build that came out the same is the same, whatever commit it is of.
        if new.digest.is_some() && new.digest == old.digest {
            plan.keep(old, None);
            return Ok(());
        }
        if new == *old {
            plan.keep(old, Some("linked"));
            return Ok(());
        }
        plan.put(new)?;
        plan.staged.extend(fetched.staged);
        Ok(())
    }

    /// Gets what the lockfile says and the store does not have, or has damaged, at the very revisions of the
    /// lockfile. The lockfile stays as it is.
    ///
    /// # Errors
    ///
    /// When a source cannot be got, or has something else now: `digest-mismatch`.
    pub fn plan_restore(&self) -> Result<Plan> {
        let mut plan = self.plan()?;
        for old in plan.before.clone().plugins() {
            let Some(digest) = old.digest else {
                plan.keep(old, Some("linked"));
                continue;
            };
            if self.store.verify(&digest).is_ok() {
                plan.keep(old, None);
                continue;
            }
            let revision = old.revision.as_deref();
            let answer = fetch(
                &old.source,
                revision,
                None,
                &self.store,
                &self.home,
                &self.fetch,
            );
            let staged = match answer.map_err(|error| error.of_plugin(old.label()))? {
                Answer::Fetched(fetched) => fetched.staged,
                Answer::Same => None,
            };
            let found = staged.as_ref().map(|staged| staged.digest());
            if found != Some(digest) {
                let found = found.map_or("nothing".to_owned(), |digest| digest.to_string());
                let message = format!(
                    "{} does not have what the lockfile says any more: expected {digest}, found {found}",
                    old.source
                );
                return Err(InstallError::unfit("digest-mismatch", message)
                    .of_plugin(old.label())
                    .hint(format!("take what is there now: keyway update {}", old.id)));
            }
            plan.staged.extend(staged);
            plan.steps.push(plain(Action::Restore, old));
        }
        Ok(plan.settled())
    }
}

pub(super) fn pinned(old: &Locked) -> InstallError {
    InstallError::refused("pinned", "it is pinned to what is installed")
        .of_plugin(old.label())
        .hint(format!("keyway unpin {}", old.id))
}

pub(super) fn locked(fetched: &Fetched, source: &Source) -> Result<Locked> {
    let Fetched {
        facts,
        staged,
        revision,
    } = fetched;
    let manifest = &facts.manifest;
    Ok(Locked {
        id: manifest.id.clone(),
        version: manifest.version.clone(),
        source: source.clone(),
        revision: revision.clone(),
        interface: facts.interface,
        digest: staged.as_ref().map(|staged| staged.digest()),
        libraries: facts.libraries.clone(),
        dependencies: fetch::needed(facts),
        permissions: permissions::normal(&manifest.permissions)
            .map_err(|error| error.of_plugin(facts.label()))?,
        pinned: false,
        requested: false,
    })
}
