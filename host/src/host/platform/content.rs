//! Starting and stopping plugins without code. What they offer is registered like anything else, so it
//! has one owner, can be decided on and counted, and is found by the same names.

use std::path::PathBuf;
use std::sync::Arc;

use keyway_manifest::{Manifest, PluginId};

use super::Host;
use crate::boundary;
use crate::content::skills;
use crate::described::Description;
use crate::discovery::Candidate;
use crate::error::{HostError, HostErrorKind};
use crate::event::EventKind;
use crate::generation::Doorkeeper;
use crate::registry::{Change, Key, Offer};

/// A plugin without code that is to start.
pub(super) struct WithoutCode {
    manifest: Arc<Manifest>,
    /// That of its manifest.
    directory: PathBuf,
}

impl WithoutCode {
    /// None for one with code.
    pub(super) fn of(candidate: &Candidate) -> Option<Self> {
        let manifest = candidate.manifest.as_ref()?;
        manifest.content.as_ref()?;
        Some(WithoutCode {
            manifest: Arc::clone(manifest),
            directory: candidate.path.parent()?.to_owned(),
        })
    }
}

impl Host {
    /// Reads the files of a plugin, and offers what they say.
    pub(super) async fn begin_without_code(&self, plugin: WithoutCode) -> Result<(), HostError> {
        let WithoutCode {
            manifest,
            directory,
        } = plugin;
        let host = self.clone();
        // Files may be slow.
        let work = self
            .runtime()
            .spawn_blocking(move || host.offer_content(&manifest, directory));
        work.await.unwrap_or_else(|_| {
            let message = "the host is shutting down";
            Err(HostError::new(HostErrorKind::Host, message))
        })
    }

    fn offer_content(&self, manifest: &Manifest, directory: PathBuf) -> Result<(), HostError> {
        let inner = &self.inner;
        let name: Arc<str> = manifest.id.as_str().into();
        let label = format!("'{}' v{}", manifest.id, manifest.version);
        let about = |error: HostError| error.of_plugin(&label).at(&directory);
        let owner = Doorkeeper::without_code(&name, &inner.clock);
        let skills = skills(manifest, &directory, &inner.clock).map_err(about)?;
        let offers = skills.into_iter().map(|(skill, provided)| {
            let (entry, layout) = boundary::adapted(provided, Arc::clone(&owner));
            let key = Key {
                id: layout.id().to_owned(),
                major: layout.major(),
                name: skill,
            };
            let entry = match inner.calls.warden(&name, &key) {
                Some(warden) => entry.watched(warden),
                None => entry,
            };
            let entry = Arc::new(entry);
            let failed = |doing: &str, error| {
                HostError::from_plugin(HostErrorKind::Registration, doing, error)
            };
            let description = Description::ask(&key, &key.name, &entry, layout, None, failed)?;
            Ok(Offer {
                key,
                entry,
                layout,
                description,
            })
        });
        let offers = offers.collect::<Result<Vec<Offer>, _>>().map_err(about)?;
        let change = Change {
            owner: &name,
            offers: &offers,
            doorkeeper: owner,
        };
        let mut switched = inner.registry.switch(&[change]);
        if let Some(Err(error)) = switched.pop() {
            return Err(about(error));
        }
        let version = manifest.version.clone();
        inner.bus.tell(&name, EventKind::Loaded { version });
        Ok(())
    }

    /// Withdraws what a plugin without code offers. A call that has started there goes on: the object is
    /// the host's, and lives as long as anybody calls it.
    pub(super) fn end_without_code(&self, id: &PluginId) {
        let inner = &self.inner;
        let stopped = {
            let state = inner.catalog.state();
            let found = state.find(id).map(|(_, candidate)| candidate);
            found.and_then(WithoutCode::of)
        };
        drop(inner.registry.withdraw(id.as_str()));
        inner.calls.forget(id.as_str());
        if let Some(WithoutCode { manifest, .. }) = stopped {
            let version = manifest.version.clone();
            let name = Arc::from(id.as_str());
            inner.bus.tell(&name, EventKind::Stopped { version });
        }
    }
}
