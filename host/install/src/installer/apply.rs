//! Carrying a plan out.

use std::collections::BTreeSet;

use super::Installer;
use crate::digest::Digest;
use crate::disk;
use crate::error::{InstallError, Result};
use crate::guard::Guard;
use crate::history::History;
use crate::lock::Lock;
use crate::plan::Plan;

/// The turn to change a lockfile. Others wait until this is dropped.
#[derive(Debug)]
#[must_use = "others may change the lockfile as soon as this is dropped"]
pub struct Held {
    _guard: Guard,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// Whether the lockfile says something else now.
    pub changed: bool,
    /// How many packages that nobody needs any more have gone from the store.
    pub collected: usize,
}

impl Installer {
    /// The packages in the store that no lockfile of this user names, nor has named as far as one can go back.
    ///
    /// # Errors
    ///
    /// When the store, or a lockfile that is known, cannot be read.
    pub fn orphans(&self) -> Result<BTreeSet<Digest>> {
        let mut live = History::live(&self.home)?;
        // A lockfile that came from elsewhere is known only once something is changed.
        let named = self.lock()?;
        live.extend(named.plugins().filter_map(|locked| locked.digest));
        Ok(self.store.packages()?.difference(&live).copied().collect())
    }

    /// Removes them, and what processes that died have left half done. Answers how many there were. While another
    /// process is at work in the store nothing is removed.
    ///
    /// # Errors
    ///
    /// When something cannot be removed.
    pub fn collect(&self, _held: &Held) -> Result<usize> {
        // Else a collection by somebody else would not know of this lockfile.
        self.history.register()?;
        self.store.collect_with(|| History::live(&self.home))
    }

    /// Takes the turn to change the lockfile, and waits for whoever has it. `doing` is what others are told while
    /// they wait, such as `keyway install`; `busy` is told once, if there is somebody to wait for, who that is.
    ///
    /// # Errors
    ///
    /// When the file for that, beside the lockfile, cannot be made or locked.
    pub fn hold(&self, doing: &str, mut busy: impl FnMut(&str)) -> Result<Held> {
        let path = disk::beside(&self.lock_path, ".guard");
        let guard = Guard::exclusive(&path, doing, &mut busy)?;
        // What a process has left that died before its rename; whatever else is there, writing will tell.
        let _ = std::fs::remove_file(disk::beside(&self.lock_path, ".new"));
        Ok(Held { _guard: guard })
    }

    /// Does what a plan says; all of it or nothing.
    ///
    /// # Errors
    ///
    /// `conflict` or `needed` if something speaks against it and `force` is not set; `lock-changed` when the
    /// lockfile is not the one any more from which the plan was made, which only happens to plans that are older
    /// than `held`; `package-missing`; those of the system. The lockfile is then what it was.
    pub fn apply(&self, plan: Plan, _held: &Held, force: bool) -> Result<Applied> {
        if !force {
            plan.require_peace()?;
        }
        if Lock::read_text(&self.lock_path)? != plan.base {
            let message = "the lockfile has changed since the plan was made";
            return Err(InstallError::refused("lock-changed", message)
                .at(&self.lock_path)
                .hint("do the same again"));
        }
        let changed = plan.changes_lock();
        if !changed && plan.staged.is_empty() {
            return Ok(Applied::default());
        }
        // From here on a collection by somebody else knows of this lockfile.
        self.history.register()?;
        for staged in plan.staged {
            self.store.insert(staged)?;
        }
        if changed {
            for locked in plan.after.plugins() {
                let was_there = plan.before.get(locked.id.as_str()) == Some(locked);
                match locked.digest {
                    // What was lost before is no reason to refuse something else now.
                    Some(digest) if !was_there && !self.store.contains(&digest) => {
                        let error = self.store.verify(&digest).err();
                        let missing =
                            InstallError::damaged("package-missing", "it is not in the store");
                        return Err(error.unwrap_or(missing).of_plugin(locked.label()));
                    }
                    _ => {}
                }
            }
            if plan.takes_back.is_none() {
                self.history.push(plan.base.as_deref())?;
            }
            if let Some(dir) = self.lock_path.parent() {
                disk::create_dir(dir)?;
            }
            let text = plan.after.to_toml();
            self.history.announce(&text)?;
            disk::replace(&self.lock_path, text.as_bytes())?;
            // It is done. What is left is tidying, which a later run can do as well.
            if let Some(entry) = &plan.takes_back {
                let _ = self.history.take_back(entry);
            }
        }
        let collected = self
            .store
            .collect_with(|| History::live(&self.home))
            .unwrap_or(0);
        Ok(Applied { changed, collected })
    }
}
