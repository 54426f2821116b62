//! Plans and what is done about them.
//!
//! A plan is made from the lockfile and from what sources have; making one changes nothing that counts. Applying
//! it is a transaction: packages go into the store, each by one rename, and then the lockfile changes, by one
//! rename. Whenever a process dies, the lockfile is the old or the new one, with all its packages.

mod apply;
mod outdated;
mod releases;
mod sources;

use std::path::{Path, PathBuf};

use keyway_host::manifest::{Permissions, PluginId};

pub use apply::{Applied, Held};
pub use outdated::Outdated;

use crate::error::{InstallError, InstallErrorKind, Result};
use crate::fetch::FetchOptions;
use crate::history::History;
use crate::home::Home;
use crate::lock::{Lock, Locked};
use crate::package::{Application, Facts};
use crate::permissions::{self, PermissionChange};
use crate::plan::{Action, Plan, plain};
use crate::registry::{Progress, Registry, Tell};
use crate::store::Store;

/// Makes plans for one lockfile, and applies them.
#[derive(Debug)]
pub struct Installer {
    home: Home,
    lock_path: PathBuf,
    store: Store,
    history: History,
    fetch: FetchOptions,
    registry: Option<Registry>,
}

impl Installer {
    /// For the lockfile at this path; it need not be there yet.
    ///
    /// # Errors
    ///
    /// When the store cannot be opened.
    pub fn new(home: Home, lock_path: impl AsRef<Path>) -> Result<Self> {
        let given = lock_path.as_ref();
        let absolute = std::path::absolute(given)
            .map_err(|error| InstallError::io("find the lockfile", given, error))?;
        // A link to it stays a link: what it leads to is replaced.
        let lock_path = absolute.canonicalize().unwrap_or(absolute);
        let store = Store::open(&home)?;
        Ok(Installer {
            history: History::of(&home, &lock_path),
            home,
            lock_path,
            store,
            fetch: FetchOptions::default(),
            registry: None,
        })
    }

    /// Refuses plugins that do not fit this application. Default: whatever fits some application is installed.
    #[must_use]
    pub fn application(mut self, application: Application) -> Self {
        self.fetch.application = Some(application);
        self
    }

    /// Whether nothing may be asked over a network. Default: it may.
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.fetch.offline = offline;
        self
    }

    /// Whether what cargo says while it builds goes to stderr at once. Default: it is told where a build fails.
    #[must_use]
    pub fn show_builds(mut self, show: bool) -> Self {
        self.fetch.show_builds = show;
        self
    }

    /// Where plugins are looked for that others need and that are not there. Default: in the registry of the one
    /// that needs them, and for one that comes from elsewhere, nowhere.
    #[must_use]
    pub fn registry(mut self, registry: Option<Registry>) -> Self {
        self.registry = registry;
        self
    }

    /// Is told how far downloads are, for each piece that comes. Default: nobody is.
    #[must_use]
    pub fn progress(mut self, told: impl Fn(Progress<'_>) + Send + Sync + 'static) -> Self {
        self.fetch.tell = Tell::to(told);
        self
    }

    /// The lockfile's path.
    pub fn lock_path(&self) -> &Path {
        &self.lock_path
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What the lockfile says now.
    ///
    /// # Errors
    ///
    /// As [`Lock::read`].
    pub fn lock(&self) -> Result<Lock> {
        Lock::read(&self.lock_path)
    }

    /// A plan that changes nothing yet.
    fn plan(&self) -> Result<Plan> {
        let text = Lock::read_text(&self.lock_path)?;
        let lock = match &text {
            Some(text) => Lock::from_toml(text, &self.lock_path)?,
            None => Lock::default(),
        };
        Ok(Plan::new(text, lock))
    }

    /// Removes plugins, and those that came along with them and that nobody needs any more.
    ///
    /// # Errors
    ///
    /// When one of them is not installed. That others need them is a conflict of the plan.
    pub fn plan_uninstall(&self, ids: &[PluginId]) -> Result<Plan> {
        let mut plan = self.plan()?;
        for id in ids {
            plan.before.require(id)?;
            // Who names one twice means it once.
            if let Some(locked) = plan.after.remove(id) {
                plan.steps.push(plain(Action::Remove, &locked));
            }
        }
        plan.drop_orphans();
        Ok(plan.settled())
    }

    /// Has updates leave plugins alone, or not any more.
    ///
    /// # Errors
    ///
    /// When one of them is not installed, or is to be pinned and is a link.
    pub fn plan_pin(&self, ids: &[PluginId], pinned: bool) -> Result<Plan> {
        let mut plan = self.plan()?;
        for id in ids {
            let locked = plan.before.require(id)?.clone();
            if pinned && locked.source.is_link() {
                let message = "a link cannot be pinned: what it leads to changes";
                return Err(InstallError::refused("pinned-link", message)
                    .of_plugin(locked.label())
                    .hint(format!(
                        "install it without --link first: {}",
                        locked.source
                    )));
            }
            let action = match (locked.pinned, pinned) {
                (false, true) => Action::Pin,
                (true, false) => Action::Unpin,
                _ => Action::Keep,
            };
            if let Some(after) = plan.after.get_mut(id) {
                after.pinned = pinned;
            }
            plan.steps.push(plain(action, &locked));
        }
        Ok(plan.settled())
    }

    /// Agrees to all that an installed plugin asks for now.
    ///
    /// # Errors
    ///
    /// When it is not installed, or its files cannot be read.
    pub fn plan_grant(&self, id: &PluginId) -> Result<Plan> {
        let plan = self.plan()?;
        let locked = plan.before.require(id)?.clone();
        let hosted = locked.hosted(&self.store)?;
        let facts = Facts::at(&hosted.path, None)?;
        let asked = permissions::normal(&facts.manifest.permissions)?;
        agreed(plan, Action::Grant, &locked, asked)
    }

    /// Takes back all that was agreed to for a plugin.
    ///
    /// # Errors
    ///
    /// When it is not installed.
    pub fn plan_revoke(&self, id: &PluginId) -> Result<Plan> {
        let plan = self.plan()?;
        let locked = plan.before.require(id)?.clone();
        agreed(plan, Action::Revoke, &locked, Permissions::default())
    }

    /// Goes back: the whole lockfile to what it said before the last change, or one plugin to the version that
    /// it had before.
    ///
    /// # Errors
    ///
    /// `no-history` if there is nothing to go back to.
    pub fn plan_rollback(&self, id: Option<&PluginId>) -> Result<Plan> {
        let mut plan = match (self.plan(), id) {
            // A lockfile that was damaged is what one goes back from.
            (Err(error), None) if error.kind() == InstallErrorKind::Damaged => {
                Plan::new(Lock::read_text(&self.lock_path)?, Lock::default())
            }
            (plan, _) => plan?,
        };
        let former = self.history.former(&plan.before)?;
        let nothing = |what: String| Err(InstallError::not_found("no-history", what));
        let Some(id) = id else {
            let Some(newest) = former.into_iter().next() else {
                return nothing("there is nothing to go back to".to_owned());
            };
            let target = newest.lock;
            for locked in plan.before.clone().plugins() {
                if target.get(locked.id.as_str()).is_none() {
                    plan.after.remove(&locked.id);
                    plan.steps.push(plain(Action::Remove, locked));
                }
            }
            for locked in target.plugins() {
                plan.put(locked.clone())?;
            }
            plan.takes_back = Some(newest.entry);
            return Ok(plan.settled());
        };
        let now = plan.before.require(id)?.clone();
        let other = former
            .iter()
            .filter_map(|former| former.lock.get(id.as_str()))
            .find(|former| former.digest != now.digest || former.version != now.version);
        let Some(other) = other else {
            return nothing(format!(
                "no other version of plugin '{id}' was installed before"
            ));
        };
        let mut other = other.clone();
        other.pinned = now.pinned;
        plan.put(other)?;
        Ok(plan.settled())
    }
}

/// With something else agreed to for one plugin.
fn agreed(
    mut plan: Plan,
    action: Action,
    locked: &Locked,
    permissions: Permissions,
) -> Result<Plan> {
    let change = PermissionChange::between(&locked.permissions, &permissions)?;
    let mut step = plain(action, locked);
    if locked.permissions == permissions {
        step.action = Action::Keep;
        step.reason = Some(match action {
            Action::Grant => "all that it asks for is granted".to_owned(),
            _ => "nothing was granted".to_owned(),
        });
    }
    step.permissions = change;
    plan.steps.push(step);
    if let Some(after) = plan.after.get_mut(&locked.id) {
        after.permissions = permissions;
    }
    Ok(plan.settled())
}
