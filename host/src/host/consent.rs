//! What a plugin may ask of the host, decided before any code of it runs.
//!
//! What the host's file grants is granted. For the rest there may be an approver; without one it is not
//! granted, the plugin is told so when it asks, and whoever loads it by a warning. `PERMISSIONS.md`, at
//! the root of Keyway's repository, says all of it in the words of operators.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyway_manifest::{Manifest, Permissions, PluginId};

use super::Inner;
use super::load::{LoadOptions, Place};
use crate::error::HostError;
use crate::finding::Finding;
use crate::inspect::ContentHash;
#[cfg(feature = "kv")]
use crate::mediate::KeyValueStores;
use crate::mediate::{AuditLog, Limits, Mediator};
use crate::permission::{self, Approver, Grant, PermissionStore, codes};

/// Who decides, what was decided, and what the mediators of all plugins share.
pub(super) struct Consent {
    pub(super) approver: Option<Arc<dyn Approver>>,
    pub(super) store: PermissionStore,
    pub(super) limits: Limits,
    pub(super) audit: Arc<AuditLog>,
    #[cfg(feature = "kv")]
    pub(super) stores: Option<Arc<KeyValueStores>>,
}

/// What a grant is decided by.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) manifest: &'a Manifest,
    /// The content of its file; none for a plugin that is linked into the application.
    pub(super) hash: Option<&'a ContentHash>,
    /// Where its relative paths begin.
    pub(super) base: &'a Path,
    /// What the host's file grants it, if that says anything.
    pub(super) in_file: Option<&'a Permissions>,
    /// Whether nothing is to come of it, so that nobody is asked and nothing is written down.
    pub(super) dry: bool,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) grant: Grant,
    /// What it asks for and does not get.
    pub(super) warning: Option<Finding>,
}

impl Consent {
    /// Decides what a plugin gets. Blocks for as long as the approver does.
    pub(super) fn decide(&self, question: Question<'_>) -> Result<Answer, Finding> {
        let Question {
            manifest,
            hash,
            base,
            in_file,
            dry,
        } = question;
        let of_plugin = |finding: Finding| finding.of_plugin(manifest.id.as_str());
        let asked = match manifest.permissions.is_empty() {
            // Whatever the directory is called.
            true => Grant::default(),
            false => Grant::normalise(&manifest.permissions, base).map_err(of_plugin)?,
        };
        let in_file = in_file.filter(|_| !asked.is_empty());
        let in_file = in_file.map(|permissions| Grant::normalise(permissions, base));
        let in_file = in_file.transpose().map_err(|finding| {
            let id = &manifest.id;
            of_plugin(finding).hint(format!(
                "correct it under [plugin.{id}.permissions] in the host's file"
            ))
        })?;
        let Some(hash) = hash else {
            // It is a part of the application, which is as good an approval as any.
            let grant = in_file.map_or_else(|| asked.clone(), |granted| asked.common(&granted));
            return Ok(Answer::of(manifest, &asked, grant));
        };
        let granted = in_file.unwrap_or_default();
        let rest = asked.beyond(&granted);
        let (id, version) = (&manifest.id, &manifest.version);
        match &self.approver {
            Some(approver) if !dry => {
                let nothing_new = rest.is_empty();
                let admitted = permission::admit(&self.store, &**approver, id, version, hash, rest);
                match admitted {
                    Ok(_) => {}
                    // It gets nothing by what the store has, so it need not be refused for that.
                    Err(finding) if nothing_new => tracing::warn!("{finding}"),
                    Err(finding) => return Err(of_plugin(finding)),
                }
                Ok(Answer::of(manifest, &asked, asked.clone()))
            }
            approver => {
                let approved = match rest.is_empty() {
                    true => Grant::default(),
                    false => self.store.approved(id, hash).map_err(of_plugin)?,
                };
                let grant = asked.common(&granted.union(&approved));
                let beyond = asked.beyond(&grant);
                if approver.is_some() && !beyond.is_empty() {
                    return Err(of_plugin(would_ask(&beyond)));
                }
                Ok(Answer::of(manifest, &asked, grant))
            }
        }
    }

    /// What a plugin with a grant asks. `earlier` is that of the version which it is to replace.
    pub(super) fn mediator(
        &self,
        plugin: &PluginId,
        grant: Grant,
        base: PathBuf,
        earlier: Option<&Mediator>,
    ) -> Result<Mediator, HostError> {
        let base = match base.to_str() {
            Some(_) => base,
            // Nothing is granted below a directory that cannot be named.
            None => base.ancestors().last().unwrap_or(&base).to_owned(),
        };
        let mut builder = Mediator::builder(plugin.clone(), grant, base)
            .limits(self.limits.clone())
            .audit(Arc::clone(&self.audit));
        if let Some(earlier) = earlier {
            builder = builder.continuing(earlier);
        }
        #[cfg(feature = "kv")]
        if let Some(stores) = &self.stores {
            builder = builder.key_value_stores(Arc::clone(stores));
        }
        builder.build()
    }
}

impl Answer {
    fn of(manifest: &Manifest, asked: &Grant, grant: Grant) -> Self {
        let beyond = asked.beyond(&grant);
        let warning = (!beyond.is_empty()).then(|| not_granted(&manifest.id, &beyond));
        Answer { grant, warning }
    }
}

fn not_granted(id: &PluginId, beyond: &Grant) -> Finding {
    codes::NOT_GRANTED
        .finding(format!(
            "asks to: {beyond}; nobody has granted that, so it is refused when the plugin asks"
        ))
        .hint(format!(
            "grant it under [plugin.{id}.permissions] in the host's file, or give the host an approver"
        ))
}

fn would_ask(beyond: &Grant) -> Finding {
    codes::DENIED
        .finding(format!(
            "asks to: {beyond}; a dry run asks nobody whether it may"
        ))
        .hint("reload it to have it approved")
}

impl Inner {
    /// Decides what a plugin may ask of the host, and by whom. Blocks for as long as an approver does.
    pub(super) fn mediator(
        &self,
        manifest: &Manifest,
        hash: Option<&ContentHash>,
        base: PathBuf,
        options: &LoadOptions,
        place: &Place,
        warnings: &mut Vec<Finding>,
    ) -> Result<Mediator, HostError> {
        let in_file = self.catalog.permissions(&manifest.id);
        let given = options.settings.as_ref();
        let in_file = in_file.or_else(|| given?.permissions.clone());
        let answer = self.consent.decide(Question {
            manifest,
            hash,
            base: &base,
            in_file: in_file.as_ref(),
            dry: place.dry,
        })?;
        warnings.extend(answer.warning);
        let earlier = place.earlier.as_ref();
        self.consent
            .mediator(&manifest.id, answer.grant, base, earlier)
    }
}

/// The directory where the relative paths of a plugin begin: that of its library.
pub(super) fn base_of(library: &Path) -> PathBuf {
    let absolute = std::path::absolute(library).unwrap_or_else(|_| library.to_owned());
    absolute.parent().unwrap_or(&absolute).to_owned()
}

#[cfg(test)]
mod tests;
