//! Bringing what runs in line with files and settings that have changed.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyway_manifest::PluginId;

use super::Host;
use super::content::WithoutCode;
use crate::config::{Steps, diff};
use crate::discovery::Changes;
use crate::error::{HostError, HostErrorKind};
use crate::event::EventKind;
use crate::host::load::resolved;
use crate::host::plugin::LoadedPlugin;
use crate::platform::{Adjustment, Configured, Enablement, Runtime, codes};
use crate::reload::ReloadOptions;
use crate::resolve::Resolution;
use crate::settings::{HostSettings, PluginSettings, Settings, Strategy};
use crate::watch::{RootReport, RootWatch};

impl Host {
    /// Looks at the roots again, and brings what runs in line with what is there, as the host does by
    /// itself when it [watches files](crate::HostBuilder::hot_reload): plugins that came are started,
    /// plugins that went are stopped, with those that need them, and a plugin that another file
    /// comes before now, or does not any more, is reloaded from the one that counts. Nothing is started
    /// before [`Host::start_all`].
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Host`] while the host is shutting down. What becomes of single plugins is in the
    /// answer.
    pub async fn rescan(&self) -> Result<Arc<Adjustment>, HostError> {
        self.in_turn(|host| async move {
            let before = host.inner.catalog.resolution();
            let changes = host.survey().await?;
            host.inner.catalog.state().try_again(&changes);
            let adjustment = host.adjust(&before, Adjustment::default()).await;
            Ok(host.told(adjustment))
        })
        .await
    }

    /// Reads the host's file again, and brings what runs in line with it, as the host does by itself when
    /// it [watches files](crate::HostBuilder::hot_reload): which plugins are enabled, what they are
    /// granted, and their settings, by what each setting needs and by the host's
    /// [`Strategy`].
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Settings`] when the file cannot be read, or when anything in it is wrong; then
    /// nothing has changed. [`HostErrorKind::Host`] when the host has no file, or is shutting down.
    pub async fn reload_settings(&self) -> Result<Arc<Adjustment>, HostError> {
        let path = self.inner.catalog.settings_file.clone().ok_or_else(|| {
            HostError::new(
                HostErrorKind::Host,
                "this host has no file of settings that could be read again",
            )
            .hint("give it one with HostBuilder::config_file, or use Host::apply_settings")
        })?;
        let read = self.runtime().spawn_blocking(move || Settings::read(&path));
        let read = read.await.map_err(|_| super::super::shutting_down())?;
        let settings = read.map_err(|error| {
            HostError::new(HostErrorKind::Settings, error.to_string()).source(error)
        })?;
        self.apply_settings(settings).await
    }

    /// As [`Host::reload_settings`], with settings that the application has read or made.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Host`] while the host is shutting down.
    pub async fn apply_settings(&self, settings: Settings) -> Result<Arc<Adjustment>, HostError> {
        self.in_turn(|host| async move {
            let before = host.inner.catalog.resolution();
            host.inner.texts.take(&settings);
            let mut adjustment = Adjustment::default();
            {
                let mut state = host.inner.catalog.state();
                let old = std::mem::replace(&mut state.settings, Arc::new(settings));
                let new = Arc::clone(&state.settings);
                adjustment.needs_restart = needs_restart(&old.host, &new.host);
                // One whose settings are others may be able to start now.
                let is_same = |id: &PluginId| old.plugin.get(id) == new.plugin.get(id);
                state.runtimes.retain(|id, runtime| {
                    !matches!(runtime, Runtime::Failed { .. }) || is_same(id)
                });
            }
            host.decide_again().await;
            let mut adjustment = host.adjust(&before, adjustment).await;
            for id in host.active() {
                let own = host.settings().plugin.get(&id).cloned();
                let steps = host.configure(&id, &own.unwrap_or_default()).await;
                if !steps.is_empty() {
                    adjustment.configured.insert(id, steps);
                }
            }
            Ok(host.told(adjustment))
        })
        .await
    }

    /// Follows the roots, if files are watched at all; ends with the host.
    pub(super) fn watch_roots(&self) -> Result<(), HostError> {
        let catalog = &self.inner.catalog;
        if self.inner.watcher.get().is_none() {
            return Ok(());
        }
        let mut watch = catalog.lock_watch();
        if watch.is_some() {
            return Ok(());
        }
        let roots = {
            let discoverer = catalog.discoverer.lock();
            let discoverer = discoverer.unwrap_or_else(std::sync::PoisonError::into_inner);
            discoverer.roots().to_vec()
        };
        if roots.is_empty() {
            return Ok(());
        }
        let weak = self.downgrade();
        let report = move |report| {
            let Some(host) = weak.upgrade() else { return };
            match report {
                RootReport::Changed { .. } => host.rescan_later(),
                RootReport::Polling { root, reason } => tracing::warn!(
                    "the system does not tell of changes in {}, so it is looked at now and then: \
                     {reason}",
                    root.display()
                ),
            }
        };
        *watch = Some(RootWatch::start(&roots, catalog.watch_interval(), report)?);
        Ok(())
    }

    /// Has the host rescan by itself.
    fn rescan_later(self) {
        let runtime = self.runtime().clone();
        runtime.spawn(async move {
            // It fails only when nobody needs it any more.
            let _ = self.rescan().await;
        });
    }

    /// Has the host read its file again by itself.
    pub(in crate::host) fn reload_settings_later(self) {
        let runtime = self.runtime().clone();
        runtime.spawn(async move {
            if let Err(error) = self.reload_settings().await {
                tracing::error!(
                    code = error.code(),
                    "the settings stay as they are: {error}"
                );
                let reason = Arc::new(error);
                self.inner
                    .bus
                    .tell(&nobody(), EventKind::SettingsRefused { reason });
            }
        });
    }

    /// Tells what was done, if anything was.
    fn told(&self, adjustment: Adjustment) -> Arc<Adjustment> {
        let adjustment = Arc::new(adjustment);
        if !adjustment.is_empty() {
            tracing::info!("adjusted to what has changed: {adjustment}");
            let kind = EventKind::Adjusted {
                adjustment: Arc::clone(&adjustment),
            };
            self.inner.bus.tell(&nobody(), kind);
        }
        adjustment
    }

    /// Stops, moves and starts plugins as it is decided now. `before` is the order in which those that run
    /// were started.
    async fn adjust(&self, before: &Resolution, mut adjustment: Adjustment) -> Adjustment {
        let active = self.active();
        let (enabled, running) = {
            let state = self.inner.catalog.state();
            (state.enabled(), state.running)
        };
        let ending = self.ending(&active, before);
        adjustment.stopped = self.finish_in(before, &ending).await;
        for id in &ending {
            // It was not stopped by anybody's wish, so nothing keeps it from being started again.
            self.inner.catalog.state().runtimes.remove(id);
        }
        for id in active.intersection(&enabled) {
            if let Some(report) = self.follow(id).await {
                adjustment.moved.insert(id.clone(), report);
            }
        }
        if running {
            let new: BTreeSet<PluginId> = {
                let eager = self.eager();
                let state = self.inner.catalog.state();
                let is_new = |id: &PluginId| !state.runtimes.contains_key(id);
                eager.into_iter().filter(is_new).collect()
            };
            if !new.is_empty() {
                adjustment.started = self.begin(&new).await;
            }
        }
        adjustment
    }

    /// Those of the plugins that run which are not to run any more.
    ///
    /// A file that is there and cannot be used says nothing of the version that runs: that one serves on, as
    /// it does after a reload that was refused. So what ends a plugin is that its file is gone, that
    /// somebody does not want it, or that it cannot do without one that ends.
    fn ending(&self, active: &BTreeSet<PluginId>, before: &Resolution) -> BTreeSet<PluginId> {
        let of = |id: &PluginId| {
            let plugin = self.inner.find(id.as_str()).ok()?;
            let path = plugin.state().path.clone();
            Some((plugin.serving().hash, path))
        };
        let loaded: BTreeMap<&PluginId, _> = active.iter().map(|id| (id, of(id))).collect();
        let loaded = |id: &PluginId| loaded.get(id).and_then(Option::as_ref);
        let state = self.inner.catalog.state();
        let files = state.candidates.iter();
        let files = files.flat_map(|one| one.library.iter().chain([&one.path]));
        let files: HashSet<&Path> = files.map(PathBuf::as_path).collect();
        let ends = |id: &&PluginId| match state.find(id) {
            // A file that does not read says not even whose it is.
            None => {
                let path = loaded(id).and_then(|(_, path)| path.as_deref());
                path.is_none_or(|path| !files.contains(path))
            }
            Some((index, _)) => match &state.decision.enablements[index] {
                Enablement::Disabled { .. } | Enablement::SlotLoser { .. } => true,
                Enablement::Blocked => {
                    let hash = loaded(id).and_then(|(hash, _)| hash.as_ref());
                    state.settings.plugins.admit(id, hash).is_err()
                }
                Enablement::Enabled | Enablement::Shadowed { .. } => false,
            },
        };
        let first: Vec<&PluginId> = active.iter().filter(ends).collect();
        let theirs = first
            .iter()
            .flat_map(|id| before.dependents_of(id.as_str()));
        let dependents: BTreeSet<&str> = theirs.collect();
        let all = active
            .iter()
            .filter(|id| first.contains(id) || dependents.contains(id.as_str()));
        all.cloned().collect()
    }

    /// Reloads a plugin whose file is another one now.
    async fn follow(&self, id: &PluginId) -> Option<Arc<crate::reload::ReloadReport>> {
        let library = {
            let state = self.inner.catalog.state();
            let (_, candidate) = state.find(id)?;
            if WithoutCode::of(candidate).is_some() {
                return None;
            }
            candidate.library.clone()?
        };
        let plugin = self.inner.find(id.as_str()).ok()?;
        let from = plugin.state().path.clone()?;
        if same_file(&from, &library) {
            return None;
        }
        let options = ReloadOptions::new().path(&library);
        self.reload_with(id.as_str(), options).await.ok()
    }

    /// Gives a running plugin what the host's file says of it now.
    async fn configure(&self, id: &PluginId, own: &PluginSettings) -> Vec<Configured> {
        let Ok(plugin) = self.inner.find(id.as_str()) else {
            return Vec::new();
        };
        let instance = plugin.serving();
        let old_options = plugin.state().options.clone();
        let options = old_options.clone().settings(own);
        let new = match resolved(&instance.manifest, &options) {
            Ok(resolved) => Arc::new(resolved),
            Err(reason) => return vec![refused(reason)],
        };
        let changes = diff(&instance.config(), &new, &instance.manifest.config);
        let Steps {
            apply,
            mut reload,
            needs_restart,
        } = changes.steps(self.settings().host.strategy);
        let mut done = Vec::new();
        if !needs_restart.is_empty() {
            done.push(Configured::NeedsRestart {
                keys: needs_restart,
            });
        }
        let may_reload = self.settings().host.strategy != Strategy::Hot;
        if !apply.is_empty() {
            let told = instance.change_config(self, new, apply.clone()).await;
            match told {
                Ok(()) => {
                    plugin.state().options = options;
                    done.push(Configured::Applied { keys: apply });
                }
                Err(error) if !takes_none(&error) => done.push(refused(error)),
                Err(_) if may_reload => reload = apply,
                Err(_) => {
                    let message = format!(
                        "the plugin takes no settings while it runs: {} did not change",
                        apply.join(", ")
                    );
                    let finding = codes::CONFIG_NOT_TAKEN.finding(message);
                    done.push(refused(finding.of_plugin(id.as_str()).into()));
                }
            }
        }
        let granted = |options: &super::super::LoadOptions| options.permissions().cloned();
        let other_grant = granted(&old_options) != own.permissions;
        if !reload.is_empty() || (other_grant && may_reload) {
            match self.reload_for(&plugin, own).await {
                Ok(report) => done.push(Configured::Reloaded {
                    keys: reload,
                    report,
                }),
                Err(reason) => done.push(refused(reason)),
            }
        }
        done
    }

    async fn reload_for(
        &self,
        plugin: &LoadedPlugin,
        own: &PluginSettings,
    ) -> Result<Arc<crate::reload::ReloadReport>, HostError> {
        let options = ReloadOptions::new().settings(own);
        self.reload_with(&plugin.name, options).await
    }
}

impl super::State {
    /// Lets plugins that failed be tried again, if their files are others now.
    fn try_again(&mut self, changes: &Changes) {
        let changed = changes.changed.iter().map(|changed| &changed.after);
        let ids = changed
            .chain(&changes.appeared)
            .filter_map(|one| one.id.as_ref());
        for id in ids {
            if let Some(Runtime::Failed { .. }) = self.runtimes.get(id) {
                self.runtimes.remove(id);
            }
        }
    }
}

/// Whether a plugin has said that it takes no settings while it runs.
fn takes_none(error: &HostError) -> bool {
    let said = error.plugin_error();
    said.is_some_and(|error| error.error_code() == codes::CONFIG_NOT_TAKEN.id)
}

fn refused(reason: HostError) -> Configured {
    tracing::warn!(code = reason.code(), "{reason}");
    Configured::Refused {
        reason: Arc::new(reason),
    }
}

/// The name that events of the whole host have in place of a plugin's.
fn nobody() -> Arc<str> {
    Arc::from("")
}

/// Whether two paths mean the same file, or would if it were there.
fn same_file(one: &std::path::Path, other: &std::path::Path) -> bool {
    let real = |path: &std::path::Path| {
        path.canonicalize()
            .or_else(|_| std::path::absolute(path))
            .unwrap_or_else(|_| path.to_owned())
    };
    one == other || real(one) == real(other)
}

/// The names of what a running host does not take.
fn needs_restart(old: &HostSettings, new: &HostSettings) -> Vec<&'static str> {
    let HostSettings {
        strategy: _,
        hot_reload,
        watch_interval,
        lifecycle_deadline,
        call_deadline,
        max_concurrency,
        max_retained,
        stage_dir,
        state_dir,
        roots,
    } = new;
    let list: [(bool, &'static str); 9] = [
        (*call_deadline != old.call_deadline, "host.call_deadline_ms"),
        (*hot_reload != old.hot_reload, "host.hot_reload"),
        (
            *lifecycle_deadline != old.lifecycle_deadline,
            "host.lifecycle_deadline_secs",
        ),
        (
            *max_concurrency != old.max_concurrency,
            "host.max_concurrency",
        ),
        (*max_retained != old.max_retained, "host.max_retained"),
        (*roots != old.roots, "host.roots"),
        (*stage_dir != old.stage_dir, "host.stage_dir"),
        (*state_dir != old.state_dir, "host.state_dir"),
        (
            *watch_interval != old.watch_interval,
            "host.watch_interval_secs",
        ),
    ];
    let changed = list.into_iter().filter(|(changed, _)| *changed);
    changed.map(|(_, name)| name).collect()
}
