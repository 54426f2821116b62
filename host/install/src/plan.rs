//! What a command would do, before it is done: the same for a dry run and for the real one.

mod conflict;

use std::collections::BTreeSet;

use keyway_host::manifest::PluginId;
use semver::Version;
use serde::Serialize;

pub use conflict::{Conflict, ConflictKind, Requirer};
pub(crate) use conflict::{between, report};

use crate::digest::Digest;
use crate::error::{InstallError, Result};
use crate::lock::{Lock, Locked};
use crate::permissions::PermissionChange;
use crate::staged::Staged;

/// What would be done to one plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// It is new.
    Install,
    /// Another version, or another build, takes its place.
    Update,
    /// Nothing.
    Keep,
    /// It goes.
    Remove,
    /// What the lockfile says of it is there already, and its package is got again.
    Restore,
    /// Updates will leave it alone.
    Pin,
    /// Updates will not leave it alone any more.
    Unpin,
    /// What it asks for is agreed to.
    Grant,
    /// What was agreed to is taken back.
    Revoke,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// The plugin.
    pub plugin: String,
    /// The version that is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Version>,
    /// The version that will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Version>,
    /// Where it comes from, as the lockfile has it.
    pub source: String,
    /// The commit, or the hash of the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// What it asks to be allowed, against what was agreed to.
    pub permissions: PermissionChange,
    /// Why nothing is done, or what is not different, where that is not plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a command would do. Nothing is done until it is [applied](crate::Installer::apply).
#[derive(Debug)]
#[must_use = "nothing is done until a plan is applied"]
pub struct Plan {
    pub(crate) base: Option<String>,
    pub(crate) before: Lock,
    pub(crate) after: Lock,
    pub(crate) steps: Vec<Step>,
    pub(crate) conflicts: Vec<Conflict>,
    pub(crate) failures: Vec<(PluginId, InstallError)>,
    /// Why no other versions do, where that was searched.
    pub(crate) explanation: Vec<String>,
    pub(crate) staged: Vec<Staged>,
    /// The entry of the history that is taken back.
    pub(crate) takes_back: Option<std::path::PathBuf>,
}

impl Plan {
    pub(crate) fn new(base: Option<String>, before: Lock) -> Self {
        Plan {
            base,
            after: before.clone(),
            before,
            steps: Vec::new(),
            conflicts: Vec::new(),
            failures: Vec::new(),
            explanation: Vec::new(),
            staged: Vec::new(),
            takes_back: None,
        }
    }

    /// What is done, in the order of the plugins' ids.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What speaks against it.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.conflicts
    }

    /// Plugins that could not be looked at, and are left as they are.
    pub fn failures(&self) -> impl ExactSizeIterator<Item = (&PluginId, &InstallError)> {
        self.failures.iter().map(|(id, error)| (id, error))
    }

    /// What is installed now.
    pub fn before(&self) -> &Lock {
        &self.before
    }

    /// What will be installed.
    pub fn after(&self) -> &Lock {
        &self.after
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.before == self.after && self.staged.is_empty()
    }

    /// Whether the lockfile will say something else.
    pub fn changes_lock(&self) -> bool {
        self.before != self.after
    }

    /// Whether a plugin asks for something that nobody has agreed to yet.
    pub fn asks_for_permissions(&self) -> bool {
        self.steps
            .iter()
            .any(|step| !step.permissions.added.is_empty())
    }

    /// The conflicts as an error, unless there are none.
    ///
    /// # Errors
    ///
    /// `conflict` or `needed`, with the whole report as its [long text](InstallError::long_text).
    pub fn require_peace(&self) -> Result<()> {
        match self.conflicts.is_empty() {
            true => Ok(()),
            false => Err(report(&self.conflicts, &self.explanation)),
        }
    }

    /// Puts a plugin into what will be installed, with the step that says so.
    pub(crate) fn put(&mut self, locked: Locked) -> Result<()> {
        let old = self.after.get(locked.id.as_str());
        let step = step(old, &locked)?;
        self.steps.push(step);
        self.after.set(locked);
        Ok(())
    }

    /// Leaves a plugin as it is.
    pub(crate) fn keep(&mut self, locked: &Locked, reason: Option<&str>) {
        self.steps.push(Step {
            reason: reason.map(str::to_owned),
            ..plain(Action::Keep, locked)
        });
    }

    /// Removes what nobody asked for and nobody needs any more, not even as something that it can do without.
    pub(crate) fn drop_orphans(&mut self) {
        let is_root = |one: &&Locked| one.requested || one.pinned;
        let roots = self.after.plugins().filter(is_root);
        let mut open: Vec<PluginId> = roots.map(|one| one.id.clone()).collect();
        let mut needed = BTreeSet::new();
        while let Some(id) = open.pop() {
            if let Some(locked) = self.after.get(id.as_str())
                && needed.insert(id)
            {
                open.extend(locked.dependencies.keys().cloned());
            }
        }
        let is_orphan = |one: &&Locked| !needed.contains(&one.id);
        let orphans = self.after.plugins().filter(is_orphan);
        for id in orphans.map(|one| one.id.clone()).collect::<Vec<_>>() {
            self.after.remove(&id);
            self.steps.retain(|step| step.plugin != id.as_str());
            // What would come and go in the same plan is never there.
            if let Some(old) = self.before.get(id.as_str()) {
                let reason = Some("nobody needs it any more".to_owned());
                let step = plain(Action::Remove, old);
                self.steps.push(Step { reason, ..step });
            }
        }
    }

    /// All has been put in: sorts the steps and looks for conflicts.
    pub(crate) fn settled(mut self) -> Self {
        self.steps.sort_by(|a, b| a.plugin.cmp(&b.plugin));
        self.conflicts = between(&self.before, &self.after);
        self
    }
}

/// A step without a change of version.
pub(crate) fn plain(action: Action, locked: &Locked) -> Step {
    Step {
        action,
        plugin: locked.id.to_string(),
        from: (action != Action::Install).then(|| locked.version.clone()),
        to: (action != Action::Remove).then(|| locked.version.clone()),
        source: locked.source.to_string(),
        revision: locked.revision.clone(),
        digest: locked.digest,
        permissions: PermissionChange::default(),
        reason: None,
    }
}

fn step(old: Option<&Locked>, new: &Locked) -> Result<Step> {
    let nothing = keyway_host::manifest::Permissions::default();
    let agreed = old.map_or(&nothing, |old| &old.permissions);
    let permissions = PermissionChange::between(agreed, &new.permissions)?;
    let action = match old {
        None => Action::Install,
        Some(old) if old == new => Action::Keep,
        Some(old) => match (old.pinned, new.pinned) {
            (false, true) if differs_in_pin_alone(old, new) => Action::Pin,
            (true, false) if differs_in_pin_alone(old, new) => Action::Unpin,
            _ => Action::Update,
        },
    };
    let is_same = old.is_some_and(|old| old.digest.is_some() && old.digest == new.digest);
    let same = match old.is_some_and(|old| !old.requested && new.requested) {
        true => "asked for now",
        false => "the same files",
    };
    Ok(Step {
        from: old.map(|old| old.version.clone()),
        permissions,
        reason: (action == Action::Update && is_same).then(|| same.to_owned()),
        ..plain(action, new)
    })
}

fn differs_in_pin_alone(old: &Locked, new: &Locked) -> bool {
    let mut old = old.clone();
    old.pinned = new.pinned;
    old == *new
}
