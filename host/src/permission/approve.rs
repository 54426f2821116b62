//! Who decides on what is new, and how a plugin comes to its grant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use keyway_manifest::PluginId;
use semver::Version;

use super::{Approved, Grant, PermissionDiff, PermissionStore, codes};
use crate::finding::Finding;
use crate::inspect::ContentHash;

/// What an [`Approver`] is asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ApprovalRequest<'a> {
    /// The plugin.
    pub plugin: &'a PluginId,
    /// Its version, as it says.
    pub version: &'a Version,
    /// The content of its file.
    pub hash: &'a ContentHash,
    /// Everything that it asks for.
    pub asked: &'a Grant,
    /// What was approved last for this plugin; none if nothing ever was.
    pub previous: Option<&'a Approved>,
    /// What is new against that, which is what has to be decided on, and what is no longer asked for.
    pub diff: &'a PermissionDiff,
}

/// The answer of an [`Approver`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approval {
    /// The plugin gets what it asks for.
    Allow,
    /// It does not, and is not used.
    Deny {
        /// Why, for whoever reads the refusal.
        reason: String,
    },
}

/// Decides on permissions that nobody has approved yet.
///
/// It may take its time: it is called on a thread that may block, and no lock is held.
pub trait Approver: Send + Sync {
    /// Decides.
    fn decide(&self, request: &ApprovalRequest<'_>) -> Approval;
}

impl<A: Approver + ?Sized> Approver for Arc<A> {
    fn decide(&self, request: &ApprovalRequest<'_>) -> Approval {
        (**self).decide(request)
    }
}

/// Refuses everything: only what the store has is used.
#[derive(Clone, Copy, Debug, Default)]
pub struct DenyAll;

impl Approver for DenyAll {
    fn decide(&self, _: &ApprovalRequest<'_>) -> Approval {
        Approval::Deny {
            reason: "this host approves nothing new".to_owned(),
        }
    }
}

/// Approves what an operator has written down beforehand: for a plugin by its id, at most so much,
/// and, if hashes are given, only for files with these contents.
#[derive(Clone, Debug, Default)]
pub struct AllowList {
    plugins: BTreeMap<PluginId, Allowed>,
}

#[derive(Clone, Debug)]
struct Allowed {
    most: Grant,
    /// Empty for any.
    hashes: BTreeSet<ContentHash>,
}

impl AllowList {
    /// A list that allows nothing.
    pub fn new() -> Self {
        AllowList::default()
    }

    /// Allows a plugin to have at most this; both, if something was allowed before.
    #[must_use]
    pub fn allow(mut self, plugin: PluginId, most: Grant) -> Self {
        let allowed = self.plugins.entry(plugin).or_insert_with(|| Allowed {
            most: Grant::default(),
            hashes: BTreeSet::new(),
        });
        allowed.most = allowed.most.union(&most);
        self
    }

    /// Allows what is allowed to a plugin only for a file with this content, or another one that is
    /// named so. Without this, whatever has the plugin's id has its permissions.
    #[must_use]
    pub fn pin(mut self, plugin: PluginId, hash: ContentHash) -> Self {
        let allowed = self.plugins.entry(plugin).or_insert_with(|| Allowed {
            most: Grant::default(),
            hashes: BTreeSet::new(),
        });
        allowed.hashes.insert(hash);
        self
    }
}

impl Approver for AllowList {
    fn decide(&self, request: &ApprovalRequest<'_>) -> Approval {
        let deny = |reason: String| Approval::Deny { reason };
        let Some(allowed) = self.plugins.get(request.plugin) else {
            return deny("the plugin is not on the allow list".to_owned());
        };
        if !allowed.hashes.is_empty() && !allowed.hashes.contains(request.hash) {
            return deny(format!(
                "the allow list has other contents than {}",
                request.hash
            ));
        }
        let beyond = PermissionDiff::between(&allowed.most, &request.diff.added).added;
        if beyond.is_empty() {
            Approval::Allow
        } else {
            deny(format!("the allow list does not have: {beyond}"))
        }
    }
}

/// A plugin that may be used, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Admission {
    /// What it may ask of the host: all that its manifest asks for.
    pub grant: Grant,
    /// How it came to that.
    pub how: HowAdmitted,
}

/// How a plugin came to its grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HowAdmitted {
    /// It asks for nothing.
    NothingAsked,
    /// All of it was approved before, for this very content.
    ApprovedBefore,
    /// All of it was approved before, for the content that was approved last.
    CarriedOver,
    /// The approver approved it now.
    Approved,
}

/// Decides whether a plugin may have what it asks for.
///
/// What was approved for these contents is allowed; what was approved last for other contents of the same
/// plugin carries over; the approver is asked about the rest. What is allowed is written into the
/// store, bound to the contents. A refusal is not: the approver is asked again next time.
///
/// What carries over is bound to the plugin's id, so anything that has the id gets it. Where a plugin
/// comes from is for allow lists, hash pins and the permissions of directories to decide.
///
/// # Errors
///
/// `permission-denied`, or one of the store's.
pub fn admit(
    store: &PermissionStore,
    approver: &dyn Approver,
    plugin: &PluginId,
    version: &Version,
    hash: &ContentHash,
    asked: Grant,
) -> Result<Admission, Finding> {
    let known = store.of_plugin(plugin)?;
    if asked.is_empty() && known.is_empty() {
        let how = HowAdmitted::NothingAsked;
        return Ok(Admission { grant: asked, how });
    }
    let for_hash = known.iter().rev().find(|approved| approved.hash == *hash);
    if for_hash.is_some_and(|approved| approved.grant.covers(&asked)) {
        let how = HowAdmitted::ApprovedBefore;
        return Ok(Admission { grant: asked, how });
    }
    let previous = known.last();
    let nothing = Grant::default();
    let before = previous.map_or(&nothing, |approved| &approved.grant);
    let diff = PermissionDiff::between(before, &asked);
    let how = if diff.needs_approval() {
        let request = ApprovalRequest {
            plugin,
            version,
            hash,
            asked: &asked,
            previous,
            diff: &diff,
        };
        match approver.decide(&request) {
            Approval::Allow => HowAdmitted::Approved,
            Approval::Deny { reason } => return Err(denied(plugin, previous, &diff, &reason)),
        }
    } else if asked.is_empty() {
        HowAdmitted::NothingAsked
    } else {
        HowAdmitted::CarriedOver
    };
    let approved = Approved {
        hash: *hash,
        version: version.clone(),
        grant: asked.clone(),
        at: super::store::now_as_text(SystemTime::now()),
    };
    store.remember(plugin, approved)?;
    Ok(Admission { grant: asked, how })
}

fn denied(
    plugin: &PluginId,
    previous: Option<&Approved>,
    diff: &PermissionDiff,
    reason: &str,
) -> Finding {
    let beyond = previous.map_or_else(String::new, |previous| {
        format!(" beyond what was approved for v{}", previous.version)
    });
    codes::DENIED
        .finding(format!(
            "asks{beyond} to: {}; refused: {reason}",
            diff.added
        ))
        .of_plugin(plugin.as_str())
        .hint("approve it, if you trust the plugin with that")
}
