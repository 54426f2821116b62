//! Plans over the releases of registries: which versions go together, and what that means for what is installed.
//!
//! What is installed stays what it is, as long as that is possible: first versions are looked for with everything
//! else as it is, and only if there are none may plugins of registries that are not pinned become newer. Where
//! nothing fits at all, the plan is what was asked for with the newest that it needs, and its conflicts say what
//! stands against it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use keyway_host::manifest::PluginId;
use semver::{Version, VersionReq};

use super::Installer;
use super::sources::{locked, pinned};
use crate::error::{InstallError, Result};
use crate::fetch::{fetch_release, same_release};
use crate::lock::{Lock, Locked};
use crate::plan::{Plan, between};
use crate::registry::index::Index;
use crate::registry::{Reader, Registry, Release, changed};
use crate::select::{Candidate, Selection, select};
use crate::source::Source;

/// What somebody asks a registry for.
#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    registry: &'a Registry,
    name: &'a PluginId,
    requirement: &'a VersionReq,
}

impl Installer {
    /// Puts the newest release that fits into a plan, with what it needs.
    pub(super) fn install_release(
        &self,
        plan: &mut Plan,
        registry: &Registry,
        name: &PluginId,
        requirement: &VersionReq,
    ) -> Result<()> {
        let asked = Asked {
            registry,
            name,
            requirement,
        };
        if let Some(old) = plan.before.get(name.as_str()).filter(|old| old.pinned) {
            if !is_of(old, registry) || !requirement.matches(&old.version) {
                return Err(pinned(old));
            }
            let mut same = old.clone();
            same.requested = true;
            return plan.put(same);
        }
        let releases = Releases::new(self);
        let Some(index) = &*releases.index(registry, name)? else {
            let message = format!("there is no '{name}' in the registry {registry}");
            return Err(InstallError::not_found("not-in-registry", message));
        };
        let choice = Choice {
            releases,
            asked: Some(asked),
            renewed: BTreeSet::new(),
            before: plan.before.clone(),
            after: plan.after.clone(),
            found_in: RefCell::default(),
        };
        if choice.available(name, None, false)?.is_empty() {
            let obstacles = index.obstacles(requirement, self.fetch.application.as_ref());
            let message =
                format!("no version of '{name}' can be installed from {registry}: {obstacles}");
            return Err(InstallError::not_found("no-version", message));
        }
        choice.put(plan)?;
        plan.drop_orphans();
        Ok(())
    }

    /// Looks in registries for what would be missing.
    pub(super) fn complete(&self, plan: &mut Plan) -> Result<()> {
        let is_of_registry = |one: &Locked| matches!(one.source, Source::Registry { .. });
        let has_registry = self.registry.is_some() || plan.after.plugins().any(is_of_registry);
        if !has_registry || between(&plan.before, &plan.after).is_empty() {
            return Ok(());
        }
        self.choice(plan, BTreeSet::new()).put(plan)?;
        plan.drop_orphans();
        Ok(())
    }

    /// Puts the newest that fits of these plugins into a plan. Where `single` is set, what cannot be looked at is
    /// an error, and else a failure of the plan.
    pub(super) fn update_releases(
        &self,
        plan: &mut Plan,
        plugins: &[&Locked],
        single: bool,
    ) -> Result<()> {
        let mut choice = self.choice(plan, BTreeSet::new());
        let mut yanked = BTreeSet::new();
        for old in plugins {
            match choice.look_at(old) {
                Ok(is_yanked) => {
                    choice.renewed.insert(old.id.clone());
                    yanked.extend(is_yanked.then(|| old.id.clone()));
                }
                Err(error) if single => return Err(error.of_plugin(old.label())),
                Err(error) => plan.failures.push((old.id.clone(), error)),
            }
        }
        if choice.renewed.is_empty() {
            return self.complete(plan);
        }
        let renewed = choice.renewed.clone();
        choice.put(plan)?;
        plan.drop_orphans();
        for id in renewed {
            let was_put = plan.steps.iter().any(|step| step.plugin == id.as_str());
            if let Some(old) = plan.after.get(id.as_str()).filter(|_| !was_put).cloned() {
                plan.keep(&old, yanked.contains(&id).then_some("yanked"));
            }
        }
        Ok(())
    }

    fn choice(&self, plan: &Plan, renewed: BTreeSet<PluginId>) -> Choice<'_> {
        Choice {
            releases: Releases::new(self),
            asked: None,
            renewed,
            before: plan.before.clone(),
            after: plan.after.clone(),
            found_in: RefCell::default(),
        }
    }
}

/// What a registry says of a plugin, if it has it.
type Known = Rc<Option<Index>>;

/// The indices that were read for one plan.
pub(super) struct Releases<'a> {
    installer: &'a Installer,
    /// By registry and plugin.
    read: RefCell<HashMap<(String, PluginId), Known>>,
}

impl<'a> Releases<'a> {
    pub(super) fn new(installer: &'a Installer) -> Self {
        Releases {
            installer,
            read: RefCell::default(),
        }
    }

    pub(super) fn index(&self, registry: &Registry, name: &PluginId) -> Result<Known> {
        let key = (registry.to_string(), name.clone());
        if let Some(read) = self.read.borrow().get(&key) {
            return Ok(Rc::clone(read));
        }
        let Installer { home, fetch, .. } = self.installer;
        let reader = Reader::new(registry, home, fetch.offline, &fetch.tell);
        let index = Rc::new(reader.index(name)?);
        self.read.borrow_mut().insert(key, Rc::clone(&index));
        Ok(index)
    }
}

/// The search for versions for one plan.
struct Choice<'a> {
    releases: Releases<'a>,
    asked: Option<Asked<'a>>,
    /// Those that are to become newer.
    renewed: BTreeSet<PluginId>,
    before: Lock,
    /// What would be installed, as far as the plan is.
    after: Lock,
    /// In which registry plugins are looked for that are not installed.
    found_in: RefCell<BTreeMap<PluginId, Registry>>,
}

impl Choice<'_> {
    /// Whether the release that is installed was yanked. A version that is another one now is refused.
    fn look_at(&self, old: &Locked) -> Result<bool> {
        let Source::Registry { registry, name, .. } = &old.source else {
            return Ok(false);
        };
        let index = self.releases.index(registry, name)?;
        let release = index
            .as_ref()
            .as_ref()
            .and_then(|index| index.releases.get(&old.version));
        let Some(release) = release else {
            return Ok(false);
        };
        if let (Some(revision), Some(archived)) =
            (same_release(old, registry, release), release.archive())
            && revision != archived.hash.to_string()
        {
            return Err(changed(registry, revision, &archived.hash));
        }
        Ok(release.yanked)
    }

    /// The versions of a plugin that may be chosen, the best first. `free` lets what is installed become newer.
    fn available(
        &self,
        id: &PluginId,
        by: Option<&PluginId>,
        free: bool,
    ) -> Result<Vec<Candidate>> {
        let application = self.releases.installer.fetch.application.as_ref();
        let old = self.after.get(id.as_str());
        if let Some(asked) = self.asked.filter(|asked| asked.name == id) {
            let index = self.releases.index(asked.registry, id)?;
            let index = index.as_ref().as_ref();
            let choices = index.map(|index| index.choices(Some(asked.requirement), application));
            let mut candidates: Vec<Candidate> =
                choices.into_iter().flatten().map(of_release).collect();
            // Who has a version that was yanked keeps it.
            let kept = old.filter(|old| {
                is_of(old, asked.registry) && asked.requirement.matches(&old.version)
            });
            if let Some(old) = kept
                && !candidates.iter().any(|one| one.version == old.version)
            {
                candidates.push(self.installed(old));
                candidates.sort_by(|a, b| b.version.cmp(&a.version));
            }
            return Ok(candidates);
        }
        let Some(old) = old else {
            let Some(registry) = self.registry_for(id, by) else {
                return Ok(Vec::new());
            };
            let index = self.releases.index(&registry, id)?;
            let choices = index
                .as_ref()
                .as_ref()
                .map(|index| index.choices(None, application));
            return Ok(choices.into_iter().flatten().map(of_release).collect());
        };
        let own = self.installed(old);
        let is_renewed = self.renewed.contains(id);
        let Source::Registry {
            registry,
            requirement,
            ..
        } = &old.source
        else {
            return Ok(vec![own]);
        };
        if old.pinned || !(is_renewed || free) {
            return Ok(vec![own]);
        }
        let index = self.releases.index(registry, id)?;
        let requirement = old.requested.then_some(requirement);
        let choices = index
            .as_ref()
            .as_ref()
            .map(|index| index.choices(requirement, application));
        // An index that has lost versions must not take anybody back to older ones.
        let newer = choices
            .into_iter()
            .flatten()
            .filter(|one| one.version > old.version);
        let mut candidates: Vec<Candidate> = newer.map(of_release).collect();
        match is_renewed {
            true => candidates.push(own),
            false => candidates.insert(0, own),
        }
        Ok(candidates)
    }

    /// What is installed, as it is. What it needs and did not have before is nothing that this plan has to bring,
    /// unless it is about just that.
    fn installed(&self, locked: &Locked) -> Candidate {
        let id = locked.id.as_str();
        let is_old = self.before.get(id) == Some(locked);
        let needs = locked.dependencies.iter().filter(|(needed, need)| {
            let is_about = self.renewed.contains(*needed)
                || self.asked.is_some_and(|asked| asked.name == *needed);
            let there = self.before.get(needed.as_str());
            let was_met = there.is_some_and(|there| need.versions.matches(&there.version));
            !need.optional && (!is_old || was_met || is_about)
        });
        Candidate {
            version: locked.version.clone(),
            needs: needs
                .map(|(id, need)| (id.clone(), need.versions.clone()))
                .collect(),
        }
    }

    /// Where a plugin is looked for that is not installed: where the one comes from that needs it, so that the same
    /// name in another registry never comes in between.
    fn registry_for(&self, id: &PluginId, by: Option<&PluginId>) -> Option<Registry> {
        if let Some(known) = self.found_in.borrow().get(id) {
            return Some(known.clone());
        }
        let of = |by: &PluginId| {
            if let Some(asked) = self.asked.filter(|asked| asked.name == by) {
                return Some(asked.registry.clone());
            }
            match self.after.get(by.as_str()).map(|locked| &locked.source) {
                Some(Source::Registry { registry, .. }) => Some(registry.clone()),
                Some(_) => None,
                None => self.found_in.borrow().get(by).cloned(),
            }
        };
        let default = || self.releases.installer.registry.clone();
        let registry = by.and_then(of).or_else(default)?;
        self.found_in
            .borrow_mut()
            .insert(id.clone(), registry.clone());
        Some(registry)
    }

    /// Chooses, and puts what was chosen into the plan.
    fn put(&self, plan: &mut Plan) -> Result<()> {
        let is_fixed = |one: &&Locked| {
            one.requested || one.pinned || !matches!(one.source, Source::Registry { .. })
        };
        let wanted = self
            .after
            .plugins()
            .filter(is_fixed)
            .map(|one| one.id.clone());
        let mut wanted: BTreeSet<PluginId> = wanted.collect();
        wanted.extend(self.asked.map(|asked| asked.name.clone()));
        let wanted: Vec<PluginId> = wanted.into_iter().collect();
        let search = |free| select(&wanted, &|id, by| self.available(id, by, free));
        let selection = match search(false)? {
            Selection::Impossible(_) => search(true)?,
            chosen => chosen,
        };
        let chosen = match selection {
            Selection::Chosen(chosen) => chosen,
            Selection::Impossible(why) => {
                plan.explanation = why;
                self.whatever_comes()?
            }
        };
        for (id, version) in &chosen {
            self.put_one(plan, id, version)?;
        }
        Ok(())
    }

    /// What was asked for in its newest version, what is installed as it is, and the newest of what is missing: so
    /// that the conflicts of the plan tell what stands against it, and it can be forced.
    fn whatever_comes(&self) -> Result<BTreeMap<PluginId, Version>> {
        let mut chosen = BTreeMap::new();
        let mut open: Vec<(PluginId, Candidate)> = Vec::new();
        let installed = self
            .after
            .plugins()
            .map(|locked| (locked.id.clone(), self.installed(locked)));
        let asked = self.asked.map(|asked| asked.name);
        open.extend(installed.filter(|(id, _)| Some(id) != asked));
        if let Some(name) = asked {
            let best = self.available(name, None, false)?.into_iter().next();
            open.extend(best.map(|best| (name.clone(), best)));
        }
        for (id, candidate) in &open {
            chosen.insert(id.clone(), candidate.version.clone());
        }
        while let Some((id, candidate)) = open.pop() {
            for (needed, requirement) in &candidate.needs {
                if chosen.contains_key(needed) {
                    continue;
                }
                let candidates = self.available(needed, Some(&id), false)?;
                let mut matching = candidates
                    .into_iter()
                    .filter(|one| requirement.matches(&one.version));
                if let Some(best) = matching.next() {
                    chosen.insert(needed.clone(), best.version.clone());
                    open.push((needed.clone(), best));
                }
            }
        }
        Ok(chosen)
    }

    fn put_one(&self, plan: &mut Plan, id: &PluginId, version: &Version) -> Result<()> {
        let installer = self.releases.installer;
        let old = self.after.get(id.as_str());
        let asked = self.asked.filter(|asked| asked.name == id);
        let same = old.filter(|old| old.version == *version);
        let source = match (asked, old) {
            (Some(asked), _) => Source::Registry {
                registry: asked.registry.clone(),
                name: id.clone(),
                requirement: asked.requirement.clone(),
            },
            (None, Some(old)) => old.source.clone(),
            (None, None) => {
                let Some(registry) = self.registry_for(id, None) else {
                    return Ok(());
                };
                Source::Registry {
                    registry,
                    name: id.clone(),
                    requirement: VersionReq::STAR,
                }
            }
        };
        let Source::Registry { registry, .. } = &source else {
            return Ok(());
        };
        if same.is_some() && asked.is_none() {
            return Ok(());
        }
        let index = self.releases.index(registry, id)?;
        let release = index
            .as_ref()
            .as_ref()
            .and_then(|index| index.releases.get(version));
        let requested = asked.is_some() || old.is_some_and(|old| old.requested);
        if let Some(same) = same.filter(|same| is_kept(same, registry, release)) {
            let mut kept = same.clone();
            (kept.source, kept.requested) = (source, requested);
            return plan.put(kept);
        }
        let Some(release) = release else {
            // What is chosen and not installed is from the index.
            return Ok(());
        };
        let Installer {
            store, home, fetch, ..
        } = installer;
        let fetched = fetch_release(registry, release, old, store, home, fetch)?;
        let mut new = locked(&fetched, &source)?;
        new.requested = requested;
        new.pinned = old.is_some_and(|old| old.pinned);
        plan.put(new)?;
        plan.staged.extend(fetched.staged);
        Ok(())
    }
}

/// Whether what is installed is of this registry.
fn is_of(locked: &Locked, of: &Registry) -> bool {
    matches!(&locked.source, Source::Registry { registry, .. } if registry == of)
}

/// Whether what is installed is this release, or one that the index does not have any more.
fn is_kept(old: &Locked, registry: &Registry, release: Option<&Release>) -> bool {
    let Some(release) = release else {
        return is_of(old, registry);
    };
    let archived = release.archive();
    same_release(old, registry, release)
        .zip(archived)
        .is_some_and(|(revision, archived)| revision == archived.hash.to_string())
}

fn of_release(release: &Release) -> Candidate {
    let needs = release
        .dependencies
        .iter()
        .filter(|(_, need)| !need.optional);
    Candidate {
        version: release.version.clone(),
        needs: needs
            .map(|(id, need)| (id.clone(), need.versions.clone()))
            .collect(),
    }
}
