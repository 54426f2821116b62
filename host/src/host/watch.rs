//! From a file that has changed to the reload of the plugins that came from it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::plugin::LoadedPlugin;
use super::reload::Request;
use super::{Host, Inner};
use crate::error::HostError;
use crate::event::EventKind;
use crate::watch::{Report, WatchOptions, Watcher};

/// Begins to watch; ends with the host.
pub(super) fn start(host: &Arc<Inner>, interval: Option<Duration>) -> Result<(), HostError> {
    let options = WatchOptions {
        interval,
        ..WatchOptions::default()
    };
    let weak = Arc::downgrade(host);
    let watcher = Watcher::start(options, move |report| receive(&weak, report))?;
    // The host was just made, so there is no other.
    let _ = host.watcher.set(watcher);
    Ok(())
}

fn receive(host: &Weak<Inner>, report: Report) {
    let Some(inner) = host.upgrade() else { return };
    let host = Host { inner };
    match report {
        Report::Detected { path, .. } => {
            host.tell_all_of(&path, || EventKind::Detected { path: path.clone() })
        }
        Report::Missing { path } if host.inner.is_settings_file(&path) => tracing::warn!(
            "{} is missing; the host goes on with the settings that it has",
            path.display()
        ),
        Report::Missing { path } => {
            tracing::warn!(
                "{} is missing; the plugin that was loaded from it serves on",
                path.display()
            );
            host.tell_all_of(&path, || EventKind::Missing { path: path.clone() });
        }
        Report::Polling { path, reason } => tracing::warn!(
            "the system does not tell of changes in {}, so it is looked at now and then: {reason}",
            path.display()
        ),
        Report::Settled { set } => {
            let mut requests = Vec::new();
            for changed in set {
                if host.inner.is_settings_file(&changed.path) {
                    host.clone().reload_settings_later();
                    continue;
                }
                let after = changed.settled.saturating_duration_since(changed.complete);
                host.tell_all_of(&changed.path, || EventKind::Settled {
                    path: changed.path.clone(),
                    after,
                });
                let plugins = host.inner.loaded_from(&changed.path);
                let request = |plugin| Request::by_file(plugin, changed.complete, changed.settled);
                requests.extend(plugins.into_iter().map(request));
            }
            let runtime = host.runtime().clone();
            runtime.spawn(async move {
                // Whatever came of it is in the reports.
                let _ = host.reload_set(requests).await;
            });
        }
    }
}

impl Host {
    fn tell_all_of(&self, path: &Path, kind: impl Fn() -> EventKind) {
        for plugin in self.inner.loaded_from(path) {
            self.inner.bus.tell(&plugin.name, kind());
        }
    }
}

impl Inner {
    /// Watches a file from now on, if files are watched at all.
    pub(super) fn watch(&self, path: &Path) {
        if let Some(watcher) = self.watcher.get() {
            let path = absolute(path);
            self.watched.begin(&path, || watcher.add(&path));
        }
    }

    /// Undoes one [`watch`](Self::watch).
    pub(super) fn unwatch(&self, path: &Path) {
        if let Some(watcher) = self.watcher.get() {
            let path = absolute(path);
            self.watched.end(&path, || watcher.remove(&path));
        }
    }

    fn is_settings_file(&self, path: &Path) -> bool {
        let file = self.catalog.settings_file.as_deref().map(absolute);
        file.is_some_and(|file| file == path)
    }

    /// The plugins whose versions come from this file: several, if it is loaded under several names.
    fn loaded_from(&self, path: &Path) -> Vec<Arc<LoadedPlugin>> {
        let plugins: Vec<_> = self.plugins().values().cloned().collect();
        let is_from = |plugin: &Arc<LoadedPlugin>| {
            let own = plugin.state().path.as_deref().map(absolute);
            own.is_some_and(|own| own == path)
        };
        plugins.into_iter().filter(is_from).collect()
    }
}

/// How many plugins each watched file is watched for: several, if it is loaded under several names.
#[derive(Default)]
pub(super) struct Watched {
    files: Mutex<HashMap<PathBuf, usize>>,
}

impl Watched {
    /// One more; for the first one the watcher is told. That happens under the lock, so that it hears
    /// of beginnings and ends in the order in which they are counted.
    fn begin(&self, path: &Path, tell: impl FnOnce()) {
        let mut files = self.lock();
        let count = files.entry(path.to_owned()).or_default();
        *count += 1;
        if *count == 1 {
            tell();
        }
    }

    fn end(&self, path: &Path, tell: impl FnOnce()) {
        let mut files = self.lock();
        let Some(count) = files.get_mut(path) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            files.remove(path);
            tell();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, usize>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
