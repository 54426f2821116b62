//! The root object as a host drives it, over the boundary but in one process.

use std::cell::RefCell;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Weak};
use std::task::{Poll, Waker};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::*;
use crate::abi::VTableHeader;
use crate::error::ErrorKind;
use crate::host::Environment;
use crate::plugin::{Exported, Plugin};
use crate::state::{OldState, StateSchema};

/// A plugin that keeps a number, and does to the host what its configuration says.
#[derive(Debug)]
struct Keeper {
    settings: Settings,
    total: Mutex<u64>,
    /// What was imported, as an author may keep it.
    kept: Mutex<Option<State>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Settings {
    export: String,
    panics_when_dropped: bool,
}

thread_local! {
    /// What became of the keepers of a test, each of which has a thread of its own.
    static FATES: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug, Serialize, Deserialize)]
struct Total {
    total: u64,
}

impl StateSchema for Total {
    const SCHEMA: &'static str = "keeper";
    const VERSION: u32 = 2;

    fn migrate(old: OldState<'_>) -> Result<Self> {
        match old.version() {
            1 => Ok(Total { total: old.read()? }),
            _ => Err(old.refused()),
        }
    }
}

impl Plugin for Keeper {
    async fn prepare(context: Context) -> Result<Self> {
        let settings = context.config()?;
        FATES.with_borrow_mut(|fates| fates.push("prepared"));
        Ok(Keeper {
            settings,
            total: Mutex::new(0),
            kept: Mutex::new(None),
        })
    }

    async fn activate(&self, _: &mut Activation) -> Result<()> {
        Ok(())
    }

    async fn export_state(&self) -> Result<Option<State>> {
        let total = *self.total.lock().unwrap();
        match &*self.settings.export {
            "panic" => panic!("no state today"),
            "other" => Ok(Some(State::new("other", 2, "{}"))),
            _ => State::of(&Total { total }).map(Some),
        }
    }

    async fn import_state(&self, state: State) -> Result<Imported> {
        let (Total { total }, imported) = state.read()?;
        assert_ne!(total, 13, "an unlucky number");
        *self.total.lock().unwrap() = total;
        *self.kept.lock().unwrap() = Some(state);
        Ok(imported)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        FATES.with_borrow_mut(|fates| fates.push("dropped"));
        #[cfg(feature = "tokio")]
        tokio::runtime::Handle::try_current().expect("dropped in the runtime of the plugin");
        assert!(!self.settings.panics_when_dropped, "not without a fight");
    }
}

impl Exported for Keeper {
    const ID: &'static str = "keeper";
    const VERSION: &'static str = "1.0.0";

    fn descriptor() -> &'static crate::abi::Descriptor {
        unreachable!("these tests begin after the descriptor was read")
    }
}

/// A plugin that says nothing of state.
#[derive(Debug)]
struct Stateless;

impl Plugin for Stateless {
    async fn prepare(_: Context) -> Result<Self> {
        Ok(Stateless)
    }

    async fn activate(&self, _: &mut Activation) -> Result<()> {
        Ok(())
    }
}

impl Exported for Stateless {
    const ID: &'static str = "stateless";
    const VERSION: &'static str = "1.0.0";

    fn descriptor() -> &'static crate::abi::Descriptor {
        unreachable!("these tests begin after the descriptor was read")
    }
}

/// One version of a plugin, as a host knows it.
struct Version {
    root: PluginRootHandle,
    owner: Weak<TestOwner>,
}

#[derive(Default)]
struct TestOwner {
    panics: AtomicUsize,
}

impl Owner for TestOwner {
    fn describe(&self) -> String {
        "the test's plugin".to_owned()
    }

    fn panicked(&self, _: &PluginError) {
        self.panics.fetch_add(1, Ordering::SeqCst);
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

struct Services;

impl HostServices for Services {
    fn environment(&self) -> Result<Json<Environment>> {
        let mut environment = Environment::new("tests", "1.0.0");
        environment.linked_statically = true;
        Ok(Json(environment))
    }
    fn log_callsite(&self, _: &[u8]) -> Result<u64> {
        Ok(0)
    }
    fn log_interest(&self, _: u64) -> Result<u8> {
        Ok(0)
    }
    fn log_enabled(&self, _: u64) -> Result<bool> {
        Ok(false)
    }
    fn log_event(&self, _: u64, _: u64, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn span_new(&self, _: u64, _: u64, _: &[u8]) -> Result<u64> {
        Ok(0)
    }
    fn span_record(&self, _: u64, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn span_follows_from(&self, _: u64, _: u64) -> Result<()> {
        Ok(())
    }
    fn span_enter(&self, _: u64) -> Result<()> {
        Ok(())
    }
    fn span_exit(&self, _: u64) -> Result<()> {
        Ok(())
    }
    fn span_clone(&self, _: u64) -> Result<u64> {
        Ok(0)
    }
    fn span_drop(&self, _: u64) -> Result<()> {
        Ok(())
    }
    fn span_current(&self) -> Result<(u64, u64)> {
        Ok((0, 0))
    }
    fn log_panic(&self, _: &str, _: &str, _: &str) -> Result<()> {
        Ok(())
    }
}

/// The object that a plugin's entry answers.
fn entered<P: Exported>() -> RawObject {
    let (services, ..) = HostServicesHandle::provide(Services).into_raw();
    // SAFETY: the object was just made for this table and is given away here.
    let root = unsafe { enter(Maker::of::<P>(), services) };
    root.into_result()
        .map_err(PluginError::from)
        .expect("it enters")
}

/// The host's side of the table, as a plugin has it.
fn services() -> HostServicesHandle {
    let (services, ..) = HostServicesHandle::provide(Services).into_raw();
    // SAFETY: the object was just made for this table and is given away here.
    let entry = unsafe { Entry::new(services, Arc::new(HostOwner)) };
    HostServicesHandle::from_target(Target::fixed(Arc::new(entry)))
}

#[test]
fn a_host_that_was_built_before_plugins_could_ask_it_says_so() {
    let host = services();
    let environment = Arc::new(host.environment().expect("it answers").0);
    let context = Context::new("keeper", "1.0.0", environment, Default::default(), host);
    let errors = [
        context.env("PATH").map(drop),
        context.text("soul").map(drop),
        now(context.run("sh", ["-c", "true"])).map(drop),
        now(context.http().get("https://a.example").send()).map(drop),
    ];
    for outcome in errors {
        let error = outcome.expect_err("it offers nothing");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.error_code(), "unsupported-here");
    }
}

impl Version {
    /// A version that has been entered.
    fn of<P: Exported>() -> Self {
        Version::from_object(entered::<P>())
    }

    fn from_object(object: RawObject) -> Self {
        let owner = Arc::new(TestOwner::default());
        let weak = Arc::downgrade(&owner);
        // SAFETY: the object was made by this binary, for the root table, and is given away here.
        let entry = unsafe { Entry::new(object, owner) };
        let target = Target::fixed(Arc::new(entry));
        Version {
            root: PluginRootHandle::from_target(target),
            owner: weak,
        }
    }

    /// A keeper that has been prepared with these settings.
    fn keeper(settings: serde_json::Value) -> Self {
        let version = Version::of::<Keeper>();
        version.prepare(settings).expect("it prepares");
        version
    }

    fn prepare(&self, settings: serde_json::Value) -> Result<()> {
        let serde_json::Value::Object(settings) = settings else {
            panic!("settings are an object");
        };
        now(self.root.prepare(Json(settings)))
    }

    fn export(&self, max_bytes: u64) -> Result<Option<State>> {
        now(self.root.export_state(max_bytes))
    }

    fn import(&self, state: State) -> Result<Imported> {
        now(self.root.import_state(state))
    }

    /// What it would hand over.
    fn total(&self) -> u64 {
        let state = self.export(u64::MAX).expect("it exports");
        let (Total { total }, _) = state.expect("it has a state").read().expect("it reads");
        total
    }

    fn panics(&self) -> usize {
        let owner = self.owner.upgrade().expect("the version is there");
        owner.panics.load(Ordering::SeqCst)
    }
}

/// What a future answers that has nothing to wait for.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn state(version: u32, bytes: &'static str) -> State {
    State::new("keeper", version, bytes)
}

fn code(error: &PluginError) -> (ErrorKind, &str) {
    (error.kind(), error.error_code())
}

#[test]
fn what_one_version_exports_the_next_one_imports() {
    let (old, new) = (Version::keeper(json!({})), Version::keeper(json!({})));
    let imported = old.import(state(1, "41")).expect("it migrates");
    assert_eq!(imported, Imported::Migrated { from: 1 });
    let exported = old.export(1024).expect("it exports");
    let exported = exported.expect("it has a state");
    assert_eq!((exported.schema(), exported.version()), ("keeper", 2));
    assert_eq!(exported.bytes(), br#"{"total":41}"#);
    assert_eq!(new.total(), 0);
    assert_eq!(new.import(exported).expect("it fits"), Imported::Exact);
    assert_eq!(new.total(), 41);
}

#[test]
fn a_state_that_is_refused_leaves_the_value_as_it_was() {
    let new = Version::keeper(json!({}));
    new.import(state(2, r#"{"total":5}"#)).expect("it fits");
    for (refused, kind, expected) in [
        (
            State::new("other", 2, r#"{"total":7}"#),
            ErrorKind::InvalidInput,
            "state-schema",
        ),
        (
            state(3, r#"{"total":7}"#),
            ErrorKind::InvalidInput,
            "state-version",
        ),
        (
            state(2, r#"{"total":7"#),
            ErrorKind::Malformed,
            "state-malformed",
        ),
    ] {
        let error = new.import(refused).expect_err("it does not fit");
        assert_eq!(code(&error), (kind, expected));
        assert_eq!(new.total(), 5);
    }
    assert_eq!(new.panics(), 0);
}

#[test]
fn a_plugin_that_says_nothing_of_state_has_none_and_takes_none() {
    let version = Version::of::<Stateless>();
    version.prepare(json!({})).expect("it prepares");
    assert_eq!(version.export(0).expect("it is asked"), None);
    let error = version.import(state(4, "")).expect_err("it takes none");
    assert_eq!(code(&error), (ErrorKind::Unsupported, "state-not-taken"));
    assert_eq!(
        error.to_string(),
        "the plugin takes no state, and was given version 4 of state 'keeper'; hint: implement \
         `Plugin::import_state`, or set state = \"reset\" under [plugin.reload] in plugin.toml"
    );
}

#[test]
fn a_state_over_the_limit_is_refused_with_both_sizes_and_one_at_it_is_not() {
    let version = Version::keeper(json!({}));
    let state = version.export(11).expect("it has 11 bytes");
    assert_eq!(state.expect("it has a state").bytes().len(), 11);
    let error = version.export(10).expect_err("it is too large");
    assert_eq!(code(&error), (ErrorKind::Failed, "state-too-large"));
    assert_eq!(
        error.to_string(),
        "state 'keeper' is too large: expected at most 10 bytes, found 11; hint: \
         `max_state_bytes` under [plugin.reload] in plugin.toml raises the limit"
    );
}

#[test]
fn panics_in_export_and_import_are_contained_and_the_plugin_goes_on() {
    let version = Version::keeper(json!({ "export": "panic" }));
    let error = version.export(1024).expect_err("it panics");
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert_eq!(error.message(), "no state today");
    let unlucky = state(2, r#"{"total":13}"#);
    let error = version.import(unlucky).expect_err("it panics");
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert_eq!(version.panics(), 2);
    now(version.root.health_check()).expect("it is as well as before");
    version
        .import(state(2, r#"{"total":14}"#))
        .expect("it fits");
}

#[test]
fn an_exported_state_holds_its_plugin_and_an_imported_one_does_not() {
    let (old, new) = (Version::keeper(json!({})), Version::keeper(json!({})));
    let exported = old.export(1024).expect("it exports");
    let exported = exported.expect("it has a state");
    let owner = Weak::clone(&old.owner);
    drop(old);
    assert!(owner.upgrade().is_some(), "its bytes are the old version's");
    // The new version keeps the state that it is given.
    new.import(exported).expect("it fits");
    assert!(owner.upgrade().is_none(), "nothing is left of the old one");
    assert_eq!(new.total(), 0);
}

#[test]
fn a_second_prepare_drops_the_value_and_makes_a_fresh_one() {
    let version = Version::keeper(json!({}));
    version.import(state(2, r#"{"total":9}"#)).expect("it fits");
    version.prepare(json!({})).expect("it prepares again");
    assert_eq!(version.total(), 0);
    assert_eq!(FATES.take(), ["prepared", "dropped", "prepared"]);
    let error = version.prepare(json!({ "export": 1 }));
    assert_eq!(error.expect_err("no text").error_code(), "invalid-config");
    let error = version.export(1024).expect_err("there is no value left");
    assert_eq!(error.message(), "the plugin has not been prepared");
}

#[test]
fn a_panic_of_the_old_value_does_not_keep_a_second_prepare_from_a_fresh_one() {
    let version = Version::keeper(json!({ "panics_when_dropped": true }));
    version.prepare(json!({})).expect("it prepares again");
    assert_eq!(FATES.take(), ["prepared", "dropped", "prepared"]);
    assert_eq!(version.total(), 0);
}

#[test]
fn a_panic_of_the_value_that_a_stop_drops_is_answered_by_it() {
    let version = Version::keeper(json!({ "panics_when_dropped": true }));
    let error = version.root.stop(0).expect_err("it panics");
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert_eq!(error.message(), "not without a fight");
}

/// The root table as it was before there was state.
#[repr(C)]
#[derive(Clone, Copy)]
struct OlderTable {
    header: VTableHeader,
    methods: [usize; 6],
}

#[test]
fn a_plugin_that_was_built_before_there_was_state_has_none_and_takes_none() {
    let mut object = entered::<Keeper>();
    // SAFETY: the table has the methods that the older one has, and some more after them.
    let mut table = unsafe { *object.vtable.cast::<OlderTable>() };
    table.header.size = size_of::<OlderTable>();
    object.vtable = &Box::leak(Box::new(table)).header;
    let version = Version::from_object(object);
    version.prepare(json!({})).expect("it prepares");
    assert_eq!(version.export(0).expect("it is asked"), None);
    let error = version.import(state(2, "{}")).expect_err("it takes none");
    assert_eq!(code(&error), (ErrorKind::Unsupported, "state-not-taken"));
}
