//! The kit, used as an author uses it.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::*;
use crate::error::{ErrorKind, Result};
use crate::event::{Event, EventHook};
use crate::tool::ToolHandle;
use crate::{Activation, Context, Imported, Json, Plugin, State, StateSchema};

/// Writes notes into a file, and remembers how many.
struct Diary {
    pages: Pages,
}

#[derive(Clone)]
struct Pages {
    context: Context,
    settings: Settings,
    count: Arc<Mutex<Count>>,
}

#[keyway::data]
#[derive(Clone)]
struct Settings {
    place: String,
    owner: String,
}

#[keyway::data]
#[derive(Clone, Default)]
struct Count {
    notes: u64,
}

impl StateSchema for Count {
    const SCHEMA: &'static str = "diary";
    const VERSION: u32 = 1;
}

#[keyway::data]
struct Note {
    text: String,
}

/// Writes a note down.
#[keyway::tool]
async fn note(pages: &Pages, note: Note) -> Result<u64> {
    let Settings { place, owner } = &pages.settings;
    let files = pages.context.files();
    let before = match files.read_to_string(place).await {
        Ok(before) => before,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let language = pages.context.env("LANG")?.unwrap_or_default();
    let line = format!("{before}{owner} ({language}): {}\n", note.text);
    files.write(place, line).await?;
    let mut count = pages.count.lock().expect("nobody panics with it");
    count.notes += 1;
    Ok(count.notes)
}

struct Hook(i32, Pages);

impl EventHook for Hook {
    fn topics(&self) -> Result<Json<Vec<String>>> {
        Ok(Json(vec!["day.*".to_owned()]))
    }

    async fn handle(&self, event: Json<Event>) -> Result<()> {
        assert_ne!(event.0.topic, "day.lost", "no such day");
        self.1.context.store().put(event.0.topic, "told").await
    }

    fn priority(&self) -> Result<i32> {
        Ok(self.0)
    }
}

impl Plugin for Diary {
    async fn prepare(context: Context) -> Result<Self> {
        let settings = context.config()?;
        let count = Arc::default();
        let pages = Pages {
            context,
            settings,
            count,
        };
        Ok(Diary { pages })
    }

    async fn activate(&self, activation: &mut Activation) -> Result<()> {
        activation
            .tool_with::<note>(self.pages.clone())?
            .event_hook("late", Hook(2, self.pages.clone()))?
            .event_hook("early", Hook(1, self.pages.clone()))?
            .event_hook("extra", Hook(3, self.pages.clone()))?;
        Ok(())
    }

    async fn health_check(&self) -> Result<()> {
        match self.pages.settings.owner.is_empty() {
            true => Err(crate::PluginError::new("nobody's diary")),
            false => Ok(()),
        }
    }

    async fn export_state(&self) -> Result<Option<State>> {
        State::of(&*self.pages.count.lock().expect("nobody panics with it")).map(Some)
    }

    async fn import_state(&self, state: State) -> Result<Imported> {
        let (count, imported) = state.read()?;
        *self.pages.count.lock().expect("nobody panics with it") = count;
        Ok(imported)
    }
}

crate::export_plugin!(
    Diary,
    manifest = "src/testing/tests/diary.toml",
    crate = crate
);

fn full() -> TestContext {
    TestContext::new()
        .config(json!({ "owner": "Ada" }))
        .writable("diary")
        .env("LANG", "en")
}

fn activated(context: TestContext) -> TestPlugin<Diary> {
    block_on(TestPlugin::activate(context)).expect("it activates")
}

fn noted(diary: &TestPlugin<Diary>, text: &str) -> Result<serde_json::Value> {
    block_on(diary.call("note", json!({ "text": text })))
}

#[test]
fn a_plugin_gets_its_settings_with_defaults_and_what_the_test_grants_and_all_is_written_down() {
    let diary = activated(full());
    assert_eq!(noted(&diary, "sun").expect("it may"), 1);
    assert_eq!(noted(&diary, "rain").expect("it may"), 2);
    let page = diary.file("diary/today.txt").expect("it was written");
    assert_eq!(&*page, b"Ada (en): sun\nAda (en): rain\n");
    let audit: Vec<String> = diary.audit().iter().map(ToString::to_string).collect();
    assert_eq!(
        audit[..3],
        [
            "read-file diary/today.txt: file-failed",
            "env LANG",
            "write-file diary/today.txt"
        ]
    );
}

#[test]
fn what_the_test_does_not_grant_is_refused_with_the_code_of_a_host() {
    let refused = |context: TestContext| {
        let error = noted(&activated(context), "sun").expect_err("it may not");
        assert_eq!(error.kind(), ErrorKind::Denied);
        error.error_code().to_owned()
    };
    let owner = TestContext::new().config(json!({ "owner": "Ada" }));
    assert_eq!(refused(owner.clone()), "read-not-granted");
    let may_read = owner.clone().file("diary/today.txt", "");
    assert_eq!(refused(may_read.clone()), "env-not-granted");
    assert_eq!(refused(may_read.env("LANG", "en")), "write-not-granted");
    let astray = full().config(json!({ "place": "diary/../etc/passwd" }));
    assert_eq!(refused(astray), "read-not-granted");
}

#[test]
fn what_the_manifest_does_not_ask_for_is_refused_though_the_test_grants_it() {
    let context = full()
        .env("HOME", "/root")
        .response("https://example.com/", 200, "ok")
        .program("git", 0, "");
    let diary = activated(context.clone());
    let asked = {
        let pages = &pages_of(&diary);
        [
            pages.env("HOME").map(drop),
            block_on(pages.http().get("https://example.com/").send()).map(drop),
            block_on(pages.run("git", ["status"])).map(drop),
        ]
    };
    for (asked, key) in asked.into_iter().zip(["env", "network", "subprocess"]) {
        let error = asked.expect_err("the manifest does not ask for it");
        assert!(
            error
                .message()
                .contains(&format!("{key} under [plugin.permissions]")),
            "{error}"
        );
    }
    // Without a plugin there is no manifest to keep to.
    let free = context.context();
    assert_eq!(
        free.env("HOME").expect("it is given").as_deref(),
        Some("/root")
    );
    let answer = block_on(free.http().get("https://example.com/").send()).expect("it is given");
    assert_eq!((answer.status, &*answer.body), (200, &b"ok"[..]));
    let ended = block_on(free.run("git", ["status"])).expect("it is given");
    assert!(ended.is_success());
}

/// The context of the plugin, over what it would do with it.
fn pages_of(diary: &TestPlugin<Diary>) -> Context {
    let owner: Arc<dyn Owner> = Arc::new(UnderTest("the test".to_owned()));
    let services = diary.services();
    let services = crate::shim::here::services(services, owner);
    let environment = Arc::new(crate::host::Environment::new("test", "0.0.0"));
    Context::new("diary", "0.1.0", environment, Default::default(), services)
}

#[test]
fn a_setting_that_is_required_and_not_given_is_named() {
    let error = block_on(TestPlugin::<Diary>::activate(TestContext::new()));
    let error = error.expect_err("there is no owner");
    assert_eq!(error.error_code(), "missing-setting");
    assert!(error.message().contains("`owner`"), "{error}");
}

#[test]
fn the_contract_shows_both_what_is_missing_and_what_is_too_much() {
    let diary = activated(full());
    assert!(diary.has("tool", "note") && diary.has("tools", "note"));
    assert!(diary.has("keyway.tool", "note") && diary.has("event-hook", "late"));
    assert!(!diary.has("tool", "late") && !diary.has("acme.image-filter", "note"));
    assert_eq!(
        diary.contract().to_string(),
        "registered is not what plugin.toml declares under [plugin.capabilities]\n  \
         - keyway.tool `forgotten`: declared in `tools`, and not registered\n  \
         + keyway.event-hook `extra`: registered, and not declared in `event_hooks`"
    );
    let contract = diary.contract();
    let kept = std::panic::catch_unwind(|| contract.assert_kept());
    assert!(kept.is_err());
}

#[test]
#[should_panic(expected = "`tol` is no kind of capability")]
fn a_kind_that_there_is_not_is_a_mistake_of_the_test() {
    activated(full()).has("tol", "note");
}

#[test]
fn events_reach_the_hooks_that_listen_in_their_order() {
    let diary = activated(full());
    let told = |topic: &str| block_on(diary.deliver(Event::new(topic, json!({}))));
    assert_eq!(
        told("day.begins").expect("it works"),
        ["early", "late", "extra"]
    );
    assert_eq!(told("night.begins").expect("nobody listens"), [""; 0]);
    assert_eq!(diary.key("day.begins").as_deref(), Some(&b"told"[..]));
    let error = told("day.lost").expect_err("the hook panics");
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert!(error.message().contains("event hook `early`"), "{error}");
}

#[test]
fn the_state_goes_from_one_version_to_the_next() {
    let old = activated(full());
    noted(&old, "sun").expect("it may");
    let new = block_on(old.reload()).expect("it takes the state");
    assert_eq!(
        (old.imported(), new.imported()),
        (None, Some(Imported::Exact))
    );
    assert_eq!(noted(&new, "rain").expect("it may"), 2);
    let page = new.file("diary/today.txt").expect("the world is the same");
    assert_eq!(&*page, b"Ada (en): sun\nAda (en): rain\n");
    let strange = full().state(State::new("diary", 9, "{}"));
    let error = block_on(TestPlugin::<Diary>::activate(strange)).expect_err("it is newer");
    assert_eq!(error.error_code(), "state-version");
}

#[test]
fn health_and_the_end_are_the_plugin_s_own() {
    let diary = activated(full());
    block_on(diary.health()).expect("it is well");
    block_on(diary.deactivate()).expect("it ends");
    let nobody = activated(full().config(json!({ "owner": "" })));
    let error = block_on(nobody.health()).expect_err("it is not well");
    assert_eq!(error.message(), "nobody's diary");
}

#[test]
fn a_handle_is_had_by_its_type_and_what_is_not_there_is_named_with_what_is() {
    let diary = activated(full());
    let handle = diary.capability::<ToolHandle>("note").expect("it is there");
    let spec = crate::tool::Tool::spec(&handle).expect("it describes itself");
    assert_eq!(spec.0.description, "Writes a note down.");
    let error = noted(&diary, "x").err();
    assert!(error.is_none());
    let error = block_on(diary.call("nite", json!({}))).expect_err("there is none");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("keyway.tool `note`"), "{error}");
}

#[test]
fn more_keys_than_are_listed_at_a_time_come_all_and_sorted() {
    let mut context = TestContext::new().key("other", "");
    for number in 0..20 {
        context = context.key(format!("key-{number:02}"), "");
    }
    let keys = block_on(context.context().store().keys("key-")).expect("it has some");
    assert_eq!(keys.len(), 20);
    assert!(keys.is_sorted());
}
