//! What differs between two configurations of a plugin, and what that needs.

use std::collections::{BTreeMap, BTreeSet};

use keyway_manifest::{ConfigField, ReloadPolicy};

use super::Resolved;
use crate::settings::{Action, Strategy, decide};

/// The names of the settings that have another value than before, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// Those that a running plugin takes.
    pub hot: Vec<String>,
    /// Those that need a new instance; also those that the manifest does not declare.
    pub restart: Vec<String>,
}

/// What is to be done about the changed settings of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Steps {
    /// The running instance is to be told of these, by `on_config_change`.
    pub apply: Vec<String>,
    /// The plugin is to be reloaded for these. The new instance gets all settings, so where there are
    /// any, there is nothing to apply.
    pub reload: Vec<String>,
    /// These take effect when the plugin is started the next time.
    pub needs_restart: Vec<String>,
}

/// Compares two configurations by their values; where they come from makes no difference. A setting
/// that one of them lacks differs.
pub fn diff(old: &Resolved, new: &Resolved, schema: &BTreeMap<String, ConfigField>) -> Changes {
    let (old, new) = (old.values(), new.values());
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed = names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name));
    let mut changes = Changes::default();
    for name in changed {
        let policy = schema.get(name).map(|field| field.reload);
        let list = match policy {
            Some(ReloadPolicy::Hot) => &mut changes.hot,
            _ => &mut changes.restart,
        };
        list.push(name.clone());
    }
    changes
}

impl Changes {
    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.hot.is_empty() && self.restart.is_empty()
    }

    /// What is to be done about them.
    pub fn steps(&self, strategy: Strategy) -> Steps {
        let mut steps = Steps::default();
        let kinds = [
            (ReloadPolicy::Hot, &self.hot),
            (ReloadPolicy::Restart, &self.restart),
        ];
        for (policy, names) in kinds {
            let list = match decide(strategy, policy) {
                Action::Apply => &mut steps.apply,
                Action::Reload => &mut steps.reload,
                Action::NeedsRestart => &mut steps.needs_restart,
            };
            list.extend(names.iter().cloned());
        }
        if !steps.reload.is_empty() {
            steps.reload.append(&mut steps.apply);
            steps.reload.sort();
        }
        steps
    }
}
