//! What an application decides about its host.

mod limits;
mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use keyway::abi::InterfaceLayout;
use keyway::capability::{Capability, Provided};
use keyway::memory::MemoryBackendHandle;
use semver::Version;

use super::consent::Consent;
use super::load::read_manifest;
use super::platform::Catalog;
use super::retire::Retirement;
use super::watch::Watched;
use super::{Host, Inner, LIFECYCLE_DEADLINE};
use crate::adapt::Adapters;
use crate::boundary::HostTable;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::compat::HostSide;
use crate::deprecation::{Deprecation, Deprecations};
use crate::described::BUILT_IN;
use crate::discovery::{Discoverer, Gates, Origin, Root};
use crate::error::{HostError, HostErrorKind};
use crate::event::Bus;
use crate::extension::Switchboard;
use crate::inspect::{ContentHash, Inspection};
use crate::journal::Journal;
use crate::library::Tally;
use crate::log::FilterWatch;
#[cfg(feature = "kv")]
use crate::mediate::KeyValueStores;
use crate::mediate::{AuditLog, Limits};
use crate::permission::{Approver, PermissionStore};
use crate::platform::HealthPolicy;
use crate::policy::Policy;
use crate::registry::Registry;
use crate::reload::Probation;
use crate::settings::Settings;
use crate::stage::Stage;
use crate::statistics::Metering;
use crate::texts::Texts;

/// Sets a [`Host`] up.
#[derive(Clone)]
#[must_use]
pub struct HostBuilder {
    name: String,
    version: Version,
    any_version: bool,
    options: Options,
    watch: Watch,
    stage_dir: Option<PathBuf>,
    state_dir: Option<PathBuf>,
    policy: Option<Arc<dyn Policy>>,
    metering: Metering,
    roots: Vec<Root>,
    gates: Gates,
    settings: SettingsFrom,
    known: Vec<&'static InterfaceLayout>,
    exclusive: BTreeSet<String>,
    adapters: Adapters,
    deprecations: Deprecations,
    approver: Option<Arc<dyn Approver>>,
    permission_store: Option<PathBuf>,
    service_limits: Limits,
    audit: Arc<AuditLog>,
    texts: BTreeMap<String, String>,
}

/// Whether and how files are watched.
#[derive(Clone, Copy, Debug, Default)]
struct Watch {
    on: bool,
    interval: Option<Duration>,
}

impl Watch {
    fn with(self, settings: &Settings) -> Self {
        let host = &settings.host;
        Watch {
            on: host.hot_reload.unwrap_or(self.on),
            interval: host.watch_interval.or(self.interval),
        }
    }
}

/// Where the host's settings come from.
#[derive(Clone, Debug)]
enum SettingsFrom {
    Nowhere,
    File(PathBuf),
    Given(Box<Settings>),
}

impl SettingsFrom {
    fn file(&self) -> Option<PathBuf> {
        match self {
            SettingsFrom::File(path) => Some(path.clone()),
            SettingsFrom::Nowhere | SettingsFrom::Given(_) => None,
        }
    }

    fn read(self) -> Result<Settings, HostError> {
        match self {
            SettingsFrom::Nowhere => Ok(Settings::default()),
            SettingsFrom::Given(settings) => Ok(*settings),
            SettingsFrom::File(path) => Settings::read(&path).map_err(|error| {
                HostError::new(HostErrorKind::Settings, error.to_string()).source(error)
            }),
        }
    }
}

/// Drain, export, import, deactivate, activate and health check each have the lifecycle deadline.
const WAITING_DEADLINE: Duration = Duration::from_secs(6 * LIFECYCLE_DEADLINE.as_secs());

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) lifecycle_deadline: Duration,
    pub(crate) call_deadline: Option<Duration>,
    pub(crate) max_concurrency: Option<usize>,
    pub(crate) max_payload: Option<u64>,
    pub(crate) max_queued: usize,
    pub(crate) max_waiting: usize,
    pub(crate) waiting_deadline: Duration,
    pub(crate) probation: Probation,
    pub(crate) max_retained: usize,
    pub(crate) idle_thread_deadline: Duration,
    pub(crate) listener_deadline: Duration,
    pub(crate) work_dir: Option<PathBuf>,
    pub(crate) health: Option<HealthPolicy>,
    pub(crate) host_table: HostTable,
    /// What the files at these paths have to contain, by the paths without links.
    pub(crate) pins: BTreeMap<PathBuf, ContentHash>,
}

impl Options {
    /// What the host's file says counts before what the application says.
    fn with(self, settings: &Settings) -> Self {
        let host = &settings.host;
        let number = |number: Option<u64>| number.and_then(|n| usize::try_from(n).ok());
        Options {
            lifecycle_deadline: host.lifecycle_deadline.unwrap_or(self.lifecycle_deadline),
            call_deadline: host.call_deadline.or(self.call_deadline),
            max_concurrency: number(host.max_concurrency).or(self.max_concurrency),
            max_retained: number(host.max_retained).unwrap_or(self.max_retained),
            ..self
        }
    }
}

impl HostBuilder {
    pub(crate) fn new(name: String, version: Version) -> Self {
        let options = Options {
            lifecycle_deadline: LIFECYCLE_DEADLINE,
            call_deadline: None,
            max_concurrency: None,
            max_payload: None,
            max_queued: 1_024,
            max_waiting: 1_024,
            waiting_deadline: WAITING_DEADLINE,
            probation: Probation::default(),
            max_retained: 64,
            idle_thread_deadline: Duration::from_secs(1),
            listener_deadline: Duration::from_secs(5),
            work_dir: None,
            health: Some(HealthPolicy::default()),
            host_table: HostTable::Own,
            pins: BTreeMap::new(),
        };
        HostBuilder {
            name,
            version,
            any_version: false,
            options,
            watch: Watch::default(),
            stage_dir: None,
            state_dir: None,
            policy: None,
            metering: Metering::default(),
            roots: Vec::new(),
            gates: Gates::new(),
            settings: SettingsFrom::Nowhere,
            known: Vec::new(),
            exclusive: BTreeSet::from([MemoryBackendHandle::ID.to_owned()]),
            adapters: Adapters::default(),
            deprecations: Deprecations::default(),
            approver: None,
            permission_store: None,
            service_limits: Limits::default(),
            audit: Arc::default(),
            texts: BTreeMap::new(),
        }
    }

    /// The directory that [paths among the arguments of tools](keyway::tool::PathParameter) are relative
    /// to, and must not lead out of. Default: the current directory of the process, when a tool is called.
    pub fn work_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.options.work_dir = Some(dir.into());
        self
    }

    /// Stands in for every version of the application: what manifests say of the versions that they want is not
    /// looked at. It is for tools that look after plugins of applications which they do not know; an application
    /// knows its version.
    pub fn any_version(mut self) -> Self {
        self.any_version = true;
        self
    }

    /// Adds a place where plugins are looked for: see [`discovery`](crate::discovery). Of several plugins
    /// with one id, that of the origin which comes first is used, and within an origin that of the root
    /// which was added first. Default: no roots, and plugins are loaded by [`Host::load`] alone.
    pub fn root(self, origin: Origin, path: impl Into<PathBuf>) -> Self {
        self.roots([Root::new(origin, path)])
    }

    /// Adds places where plugins are looked for.
    pub fn roots(mut self, roots: impl IntoIterator<Item = Root>) -> Self {
        self.roots.extend(roots);
        self
    }

    /// Uses the library at this path only while its content has this hash: what a lockfile says of a plugin
    /// that was installed. Another content is refused with the code `plugin-not-pinned`, before it is so much as
    /// inspected, and in a reload the version that serves goes on. It is the host's private copy that is
    /// hashed, so the bytes that were compared are those that are loaded. Default: no file is pinned.
    ///
    /// This is about one file, wherever a link to it stands; for plugins by their ids there is
    /// [`PluginLists`](crate::settings::PluginLists).
    pub fn pin_file(mut self, library: impl AsRef<Path>, hash: ContentHash) -> Self {
        self.options
            .pins
            .insert(without_links(library.as_ref()), hash);
        self
    }

    /// Who may own and write what is in the roots. Default: nobody but this user and root may.
    pub fn gates(mut self, gates: Gates) -> Self {
        self.gates = gates;
        self
    }

    /// Reads the host's file `keyway.toml` when the host is built. What it says of the host itself counts
    /// before what is said here; `CONFIG.md`, at the root of Keyway's repository, has all its keys.
    ///
    /// The file must be there: a host that ran without the settings that somebody wrote for it would
    /// start what is disabled there. Default: no file.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings = SettingsFrom::File(path.into());
        self
    }

    /// The same as [`config_file`](Self::config_file), for settings that were read already.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = SettingsFrom::Given(Box::new(settings));
        self
    }

    /// Makes an extension point of the application's own known before the first plugin is loaded, so
    /// that one that was built against another version of it is refused when it is loaded, and not when
    /// the first handle is asked for.
    pub fn capability<C: Capability>(mut self) -> Self {
        self.known.push(C::LAYOUT);
        self
    }

    /// Watches files: those of all plugins that are loaded, each of which is reloaded when its file has
    /// changed; from [`Host::start_all`] on the roots, see [`Host::rescan`]; and the
    /// [host's own file](Self::config_file), see [`Host::reload_settings`]. Default: off;
    /// [`Host::reload`] and the others work all the same.
    pub fn hot_reload(mut self, hot_reload: bool) -> Self {
        self.watch.on = hot_reload;
        self
    }

    /// Looks at the watched files this often, in place of being told by the system. Default: the
    /// system tells, and looking is for file systems that cannot.
    pub fn watch_interval(mut self, interval: Duration) -> Self {
        self.watch.interval = Some(interval);
        self
    }

    /// How the host looks after the health of the plugins in its roots, or `None` if it is not to. Default:
    /// [`HealthPolicy::default`].
    pub fn health(mut self, policy: impl Into<Option<HealthPolicy>>) -> Self {
        self.options.health = policy.into();
        self
    }

    /// How long a version that was taken over in a reload is watched, and what sends it back. Default:
    /// five seconds, in which three panics are one too many.
    pub fn probation(mut self, probation: Probation) -> Self {
        self.options.probation = probation;
        self
    }

    /// Where the private copies of plugin files go. Default: the system's temporary directory.
    ///
    /// Each host makes a directory of its own in there, and removes it when it ends. Those of hosts
    /// whose process died are removed by the next host with the same place.
    pub fn stage_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.stage_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Where the host keeps what has to survive its process; made if it is not there, for this user
    /// only. Default: none, and no crash guard.
    ///
    /// With a state directory the host guards against plugins that end the process while they are
    /// loaded or reloaded: by a crash, an abort, a call of `exit`. Before any code of a plugin runs,
    /// the host notes which build it is, and in which [`Phase`](crate::Phase); when the plugin serves
    /// or was refused, the note goes. The next host with the same directory puts the builds that are still
    /// noted into quarantine: loading one is an error of kind [`HostErrorKind::Quarantined`], before
    /// anything of it runs, until [`Host::release`]; a reload to one is refused, and the version that
    /// serves goes on. Another build is another plugin.
    ///
    /// In a reload the build is noted whose code runs: the new one, or the old one while it gives its
    /// state away, is deactivated in exclusive mode, or is started again. While calls into the old one
    /// come to their end, none is.
    ///
    /// How the process ended is not known to those that come later. So an end that the plugin is
    /// not to blame for counts as well, if it comes in the middle of a load: somebody kills the
    /// process, for instance since a plugin hangs, or another thread calls `exit`. An application
    /// avoids the latter by dropping the future of [`Host::load_with`] first. When several plugins
    /// are being loaded at that moment, all of them are quarantined. A panic that is contained, a
    /// deadline that passes and a refusal are no crash. A crash in a call is not guarded against,
    /// nor one at the end of a version, when it was stopped or has been replaced, and neither is
    /// [`Host::register_static`].
    ///
    /// Several hosts and processes may share a directory, of one user and on a file system with
    /// locks. One that cannot be used is told of in a `tracing` event at level `WARN`, and the host
    /// goes on: a plugin that is in quarantine is refused as long as that can be read, and nothing
    /// is noted.
    pub fn state_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.state_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Has each call through the host's handles decided on before the plugin sees it. Default: all
    /// calls are allowed, and nothing is asked.
    pub fn policy(mut self, policy: impl Policy) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    /// Lets one plugin at a time offer a capability, under however many names: loading another one is an
    /// error of kind [`HostErrorKind::Registration`] that names both. Plugins in a namespace are counted
    /// apart. Default: exclusive is [`MemoryBackend`](keyway::memory::MemoryBackend).
    pub fn exclusive<C: Capability>(mut self) -> Self {
        self.exclusive.insert(C::ID.to_owned());
        self
    }

    /// Lets any number of plugins offer a capability that is exclusive by default.
    pub fn shared<C: Capability>(mut self) -> Self {
        self.exclusive.remove(C::ID);
        self
    }

    /// Lets plugins of an older capability, most often of its older major, serve as a newer one: what
    /// they offer as `Old` is offered as `New` too, under the same name. The closure makes it from a
    /// handle of the old: `NewHandle::provide(FromOld(old))`.
    ///
    /// A plugin that offers both by itself is left alone.
    pub fn adapter<Old: Capability, New: Capability>(
        mut self,
        adapt: impl Fn(Old) -> Provided + Send + Sync + 'static,
    ) -> Self {
        self.adapters.add::<Old, New>(adapt);
        self
    }

    /// Says that plugins had better not offer a capability any more. One that does is served all the
    /// same, with a warning in its status.
    pub fn deprecated<C: Capability>(mut self, deprecation: Deprecation) -> Self {
        self.deprecations.add::<C>(deprecation);
        self
    }

    /// Which calls are counted and timed for [`PluginStatus::statistics`](crate::PluginStatus).
    /// Default: [`Metering::BuiltIn`].
    pub fn metering(mut self, metering: Metering) -> Self {
        self.metering = metering;
        self
    }

    /// Decides from the facts of a file alone whether a host like this would load the plugin;
    /// answers the minor version of the interface that both would speak.
    ///
    /// Loading checks more, but not before code of the plugin may run.
    ///
    /// # Errors
    ///
    /// As [`Host::load_with`] before the library is opened.
    pub fn check(&self, inspection: &Inspection) -> Result<u16, HostError> {
        let note = inspection.require_note().map_err(HostError::inspect)?;
        let (manifest, _) = read_manifest(note)?;
        let mut side = HostSide::new(&self.name, self.version.clone());
        side.any_version = self.any_version;
        side.check(inspection, note, &manifest)
    }

    /// Makes the host.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Settings`] when the host's file is not there, or anything in it is wrong,
    /// [`HostErrorKind::Host`] for options that make no sense or when no thread can be had,
    /// [`HostErrorKind::Stage`] when the directory for private copies cannot be made.
    pub fn build(self) -> Result<Host, HostError> {
        let HostBuilder {
            name,
            version,
            any_version,
            options,
            watch: files,
            stage_dir,
            state_dir,
            policy,
            metering,
            roots,
            gates,
            settings,
            known: own,
            exclusive,
            adapters,
            deprecations,
            approver,
            permission_store,
            service_limits,
            audit,
            texts,
        } = self;
        let settings_file = settings.file();
        let settings = settings.read()?;
        let (options, files) = (options.with(&settings), files.with(&settings));
        let stage_dir = settings.host.stage_dir.clone().or(stage_dir);
        let state_dir = settings.host.state_dir.clone().or(state_dir);
        let in_file = settings.host.roots.iter();
        let in_file = in_file.map(|root| Root::new(root.origin, &root.path));
        let roots: Vec<Root> = in_file.chain(roots).collect();
        let refuse = |message: &str| Err(HostError::new(HostErrorKind::Host, message));
        if name.trim().is_empty() {
            return refuse("a host needs the name of its application: expected a name, found \"\"");
        }
        if options.lifecycle_deadline.is_zero() {
            return refuse("lifecycle_deadline: expected more than zero, found 0");
        }
        if options.max_concurrency == Some(0) {
            return refuse("max_concurrency: expected at least 1, found 0");
        }
        if options.max_retained == 0 {
            return refuse("max_retained: expected at least 1, found 0");
        }
        let clock = Clock::start().map_err(|error| {
            HostError::new(
                HostErrorKind::Host,
                format!("cannot start a thread: {error}"),
            )
            .source(error)
        })?;
        let mut known = BUILT_IN.to_vec();
        known.extend(own);
        let (watch, stop) = FilterWatch::new();
        let tally = Arc::new(Tally::new(options.max_retained));
        let bus = Bus::new();
        let kept = |name: &str| state_dir.as_ref().map(|dir| dir.join(name));
        let store = permission_store.or_else(|| kept("permissions.json"));
        let consent = Consent {
            approver,
            store: store.map_or_else(PermissionStore::in_memory, PermissionStore::at),
            limits: service_limits,
            audit,
            #[cfg(feature = "kv")]
            stores: kept("kv").map(|dir| Arc::new(KeyValueStores::new(dir))),
        };
        let texts = Texts::new(texts);
        texts.take(&settings);
        let inner = Inner {
            side: HostSide {
                any_version,
                ..HostSide::new(&name, version)
            },
            options,
            registry: Arc::new(Registry::new(&known, exclusive.clone(), bus.clone())),
            adapters: Arc::new(adapters),
            deprecations: Arc::new(deprecations),
            calls: Arc::new(Calls::new(policy, metering)),
            plugins: Mutex::default(),
            loading: Mutex::default(),
            switchboard: Switchboard::new(),
            retirement: Retirement::default(),
            bus,
            watcher: OnceLock::new(),
            watched: Watched::default(),
            catalog: Catalog::new(
                Discoverer::new(&roots, gates),
                settings,
                settings_file.clone(),
            ),
            exclusive,
            consent,
            texts: Arc::new(texts),
            stage: Stage::new(stage_dir.as_deref())?,
            journal: Journal::open(state_dir.as_deref()),
            tally,
            clock: Arc::new(clock),
            _filter: stop,
        };
        let inner = Arc::new(inner);
        super::filter::start(watch, &inner)?;
        if files.on {
            super::watch::start(&inner, files.interval)?;
            if let Some(file) = &settings_file {
                inner.watch(file);
            }
            if let Some(interval) = files.interval {
                inner.catalog.poll_roots(interval);
            }
        }
        Ok(Host { inner })
    }
}

/// The path by which pins are found; as it is given where there is nothing yet.
pub(crate) fn without_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

impl fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostBuilder")
            .field("name", &self.name)
            .field("version", &self.version.to_string())
            .field("options", &self.options)
            .field("watch", &self.watch)
            .field("stage_dir", &self.stage_dir)
            .field("state_dir", &self.state_dir)
            .field("policy", &self.policy.as_ref().map(|_| ".."))
            .field("metering", &self.metering)
            .field("approver", &self.approver.as_ref().map(|_| ".."))
            .field("permission_store", &self.permission_store)
            .finish()
    }
}
