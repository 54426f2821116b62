//! What a plugin in a library of its own logs, as the subscriber of the application sees it.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use keyway_host::Host;
use keyway_tests::{host, plugin};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber, info_span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

/// The subscriber of this process. One test at a time uses it.
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    filter: reload::Handle<EnvFilter, Registry>,
}

/// What the plugin logs while one of these lives.
struct Captured {
    log: &'static Log,
    _alone: MutexGuard<'static, ()>,
}

fn capture(filter: &str) -> Captured {
    static LOG: OnceLock<Log> = OnceLock::new();
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let log = LOG.get_or_init(|| {
        let lines = Arc::default();
        let (layer, handle) = reload::Layer::new(EnvFilter::new("off"));
        Registry::default()
            .with(layer)
            .with(Lines(Arc::clone(&lines)))
            .init();
        Log {
            lines,
            filter: handle,
        }
    });
    log.filter
        .reload(EnvFilter::new(filter))
        .expect("the subscriber lives");
    let captured = Captured { log, _alone: alone };
    captured.take();
    captured
}

impl Captured {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lines.lock().expect("no test fails in here"))
    }
}

struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let scope: Vec<_> = context
            .event_scope(event)
            .map(|scope| scope.from_root().map(|span| span.name()).collect())
            .unwrap_or_default();
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let metadata = event.metadata();
        let line = format!(
            "{} {} [{}]{}",
            metadata.level(),
            metadata.target(),
            scope.join(">"),
            fields.0
        );
        self.0.lock().expect("no test fails in here").push(line);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut fields = Fields(String::new());
        attributes.record(&mut fields);
        let line = format!("new {}{}", attributes.metadata().name(), fields.0);
        self.0.lock().expect("no test fails in here").push(line);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let name = context.span(&id).map_or("?", |span| span.name());
        self.0
            .lock()
            .expect("no test fails in here")
            .push(format!("close {name}"));
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

fn loaded() -> Host {
    let host = host();
    host.block_on(host.load(plugin("logs"))).expect("it loads");
    host
}

fn log(host: &Host, what: Value) {
    let tool = host.tool("log").expect("it is offered");
    host.block_on(tool.call(what)).expect("it logs");
}

/// The lines that come from the plugin.
fn of_plugin(lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .filter(|line| line.contains(" logs ["))
        .collect()
}

#[test]
fn directives_select_by_the_crate_and_level_of_the_plugin() {
    let captured = capture("warn,logs=debug");
    let host = loaded();
    log(&host, json!({ "what": "levels" }));
    assert_eq!(
        of_plugin(captured.take()),
        [
            "ERROR logs [] message=level plugin=\"logs\"",
            "WARN logs [] message=level plugin=\"logs\"",
            "INFO logs [] message=level plugin=\"logs\"",
            "DEBUG logs [] message=level plugin=\"logs\"",
        ]
    );
}

#[test]
fn fields_keep_their_names_and_values() {
    let captured = capture("logs=info");
    log(&loaded(), json!({ "what": "fields" }));
    assert_eq!(
        of_plugin(captured.take()),
        [
            "INFO logs [] message=all types count=3 delta=-4 ratio=0.5 ok=true name=\"bob\" \
          list=[1, 2] shown=text error=why plugin=\"logs\""
        ]
    );
}

#[test]
fn spans_of_application_and_plugin_nest_also_on_threads_of_the_plugin() {
    let captured = capture("info");
    let host = loaded();
    info_span!("request").in_scope(|| {
        log(&host, json!({ "what": "spans" }));
        log(&host, json!({ "what": "thread" }));
    });
    let lines = captured.take();
    assert_eq!(
        of_plugin(lines.clone()),
        [
            "INFO logs [request>outer>inner] message=inside plugin=\"logs\"",
            "INFO logs [request] message=elsewhere plugin=\"logs\"",
        ]
    );
    let outer = "new outer id=7 plugin=\"logs\"".to_owned();
    let inner = "new inner argument=\"x\"".to_owned();
    for expected in [
        outer,
        inner,
        "close inner".to_owned(),
        "close outer".to_owned(),
    ] {
        assert!(lines.contains(&expected), "no {expected:?} in {lines:#?}");
    }
    assert_eq!(lines.last().expect("some"), "close request");
}

#[test]
fn a_flood_is_limited_and_reported() {
    let captured = capture("logs=info,keyway_host=warn");
    let host = loaded();
    log(&host, json!({ "what": "flood", "count": 50_000 }));
    host.block_on(host.stop("logs")).expect("it stops");
    drop(host);
    let lines = captured.take();
    let passed = lines
        .iter()
        .filter(|line| line.starts_with("INFO logs "))
        .count();
    let is_report = |line: &&String| line.starts_with("WARN keyway_host::log ");
    let reported: usize = lines
        .iter()
        .filter(is_report)
        .map(|line| {
            let count = line.rsplit("dropped=").next().expect("it has the field");
            count.parse::<usize>().expect("a number")
        })
        .sum();
    assert!(passed >= 2_000, "{passed} passed");
    assert_eq!(passed + reported, 50_000);
}

#[test]
fn a_stopped_plugin_leaves_no_span_open() {
    let captured = capture("logs=info");
    let host = loaded();
    log(&host, json!({ "what": "open-span" }));
    assert_eq!(captured.take(), ["new open plugin=\"logs\""]);
    host.block_on(host.stop("logs")).expect("it stops");
    drop(host);
    assert_eq!(captured.take(), ["close open"]);
}

#[test]
fn a_field_that_panics_when_it_is_formatted_fails_neither_the_call_nor_the_event() {
    let captured = capture("logs=info");
    log(&loaded(), json!({ "what": "panicking-debug" }));
    assert_eq!(
        of_plugin(captured.take()),
        ["INFO logs [] message=survives value=<panicked while it was formatted> plugin=\"logs\""]
    );
}

#[test]
fn a_change_of_the_filter_reaches_a_plugin_that_is_loaded() {
    let captured = capture("warn");
    let host = loaded();
    log(&host, json!({ "what": "levels" }));
    assert_eq!(of_plugin(captured.take()).len(), 2, "error and warning");

    captured
        .log
        .filter
        .reload(EnvFilter::new("warn,logs=debug"))
        .expect("the subscriber lives");
    // The plugin is told on a thread of the host's; how soon is the scheduler's business.
    let told = (0..10_000).any(|_| {
        log(&host, json!({ "what": "levels" }));
        of_plugin(captured.take()).len() == 4
    });
    assert!(
        told,
        "info and debug were not there on before, and are wanted now"
    );

    captured
        .log
        .filter
        .reload(EnvFilter::new("error"))
        .expect("the subscriber lives");
    log(&host, json!({ "what": "levels" }));
    assert_eq!(
        of_plugin(captured.take()).len(),
        1,
        "what is not wanted is never passed on"
    );
}
