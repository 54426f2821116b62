//! The plugin's side and the host's side together, without a library between them.
//!
//! Both sides share one copy of `tracing` here, so the plugin's side is called as `tracing` would
//! call it, and only the host's side has a subscriber.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use keyway::abi::pass::Json;
use keyway::capability::{Capability, Entry, Owner, Target};
use keyway::host::{Environment, HostServices, HostServicesHandle};
use keyway::log::Bridge;
use keyway::{PluginError, Result};
use tracing::field::{Value, debug};
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_core::callsite::DefaultCallsite;
use tracing_core::{Kind, Level};

use super::capture::capture;
use crate::log::{LogBridge, LogLimits};

struct Services(LogBridge);

impl HostServices for Services {
    fn environment(&self) -> Result<Json<Environment>> {
        Ok(Json(Environment::new("test", "1.0.0")))
    }
    fn log_callsite(&self, callsite: &[u8]) -> Result<u64> {
        self.0.log_callsite(callsite)
    }
    fn log_interest(&self, callsite: u64) -> Result<u8> {
        self.0.log_interest(callsite)
    }
    fn log_enabled(&self, callsite: u64) -> Result<bool> {
        self.0.log_enabled(callsite)
    }
    fn log_event(&self, callsite: u64, parent: u64, values: &[u8]) -> Result<()> {
        self.0.log_event(callsite, parent, values)
    }
    fn span_new(&self, callsite: u64, parent: u64, values: &[u8]) -> Result<u64> {
        self.0.span_new(callsite, parent, values)
    }
    fn span_record(&self, span: u64, values: &[u8]) -> Result<()> {
        self.0.span_record(span, values)
    }
    fn span_follows_from(&self, span: u64, follows: u64) -> Result<()> {
        self.0.span_follows_from(span, follows)
    }
    fn span_enter(&self, span: u64) -> Result<()> {
        self.0.span_enter(span)
    }
    fn span_exit(&self, span: u64) -> Result<()> {
        self.0.span_exit(span)
    }
    fn span_clone(&self, span: u64) -> Result<u64> {
        self.0.span_clone(span)
    }
    fn span_drop(&self, span: u64) -> Result<()> {
        self.0.span_drop(span)
    }
    fn span_current(&self) -> Result<(u64, u64)> {
        self.0.span_current()
    }
    fn log_panic(&self, message: &str, place: &str, thread: &str) -> Result<()> {
        self.0.log_panic(message, place, thread)
    }
}

struct Nobody;

impl Owner for Nobody {
    fn describe(&self) -> String {
        "the test".to_owned()
    }

    fn panicked(&self, error: &PluginError) {
        panic!("the host's side panicked: {error}");
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

fn plugin() -> Bridge {
    let services = Services(LogBridge::new("acme", LogLimits::default()));
    let (object, ..) = HostServicesHandle::provide(services).into_raw();
    // SAFETY: the object was just made for this table and is given away here.
    #[expect(unsafe_code, reason = "objects are taken over from the other side")]
    let entry = unsafe { Entry::new(object, Arc::new(Nobody)) };
    Bridge::to(HostServicesHandle::from_target(Target::fixed(Arc::new(
        entry,
    ))))
}

macro_rules! metadata {
    ($name:literal, $kind:ident, $level:ident, [$($field:literal),*]) => {{
        static SITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
        static METADATA: Metadata<'static> = tracing_core::metadata! {
            name: $name,
            target: "my_plugin",
            level: Level::$level,
            fields: &[$($field),*],
            callsite: &SITE,
            kind: Kind::$kind,
        };
        &METADATA
    }};
}

/// The steps of `tracing`'s macros.
fn is_enabled(plugin: &Bridge, metadata: &'static Metadata<'static>) -> bool {
    let interest = plugin.register_callsite(metadata);
    interest.is_always() || (interest.is_sometimes() && plugin.enabled(metadata))
}

fn event(plugin: &Bridge, metadata: &'static Metadata<'static>, values: &[Option<&dyn Value>]) {
    if is_enabled(plugin, metadata) {
        plugin.event(&Event::new(
            metadata,
            &metadata.fields().value_set_all(values),
        ));
    }
}

fn span(plugin: &Bridge, metadata: &'static Metadata<'static>) -> Option<Id> {
    is_enabled(plugin, metadata).then(|| {
        let values: Vec<_> = metadata.fields().iter().map(|_| None).collect();
        plugin.new_span(&Attributes::new(
            metadata,
            &metadata.fields().value_set_all(&values),
        ))
    })
}

#[test]
fn events_in_spans_of_a_plugin_in_a_span_of_the_host() {
    let captured = capture("info");
    let plugin = plugin();
    tracing::info_span!("request").in_scope(|| {
        let work = span(&plugin, metadata!("work", SPAN, INFO, [])).unwrap();
        plugin.enter(&work);
        let size: &dyn Value = &3u64;
        let list = debug([1, 2]);
        let values = [Some(&"done" as &dyn Value), Some(size), Some(&list)];
        event(
            &plugin,
            metadata!("event", EVENT, INFO, ["message", "size", "list"]),
            &values,
        );
        event(
            &plugin,
            metadata!("event", EVENT, DEBUG, ["message"]),
            &[Some(&"unwanted")],
        );
        plugin.exit(&work);
        plugin.try_close(work);
    });
    assert_eq!(
        captured.lines()[2..6],
        [
            "new work in request plugin=\"acme\"",
            "enter work",
            "INFO my_plugin [request>work] message=\"done\" size=3u64 list=[1, 2] plugin=\"acme\"",
            "exit work",
        ]
    );
}

#[test]
fn a_filter_that_depends_on_the_span_is_asked_each_time() {
    let captured = capture("my_plugin[verbose]=trace");
    let plugin = plugin();
    let fine = metadata!("event", EVENT, TRACE, ["message"]);
    event(&plugin, fine, &[Some(&"outside")]);
    let verbose = span(&plugin, metadata!("verbose", SPAN, INFO, [])).unwrap();
    plugin.enter(&verbose);
    event(&plugin, fine, &[Some(&"inside")]);
    plugin.exit(&verbose);
    event(&plugin, fine, &[Some(&"outside again")]);
    plugin.try_close(verbose);
    let events: Vec<_> = captured
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("TRACE"))
        .collect();
    assert_eq!(
        events,
        ["TRACE my_plugin [verbose] message=\"inside\" plugin=\"acme\""]
    );
}

#[test]
fn the_span_that_a_plugin_is_called_in_goes_along_with_its_tasks() {
    let captured = capture("info");
    let plugin = plugin();
    let carried = tracing::info_span!("request").in_scope(|| {
        let current = plugin.current_span();
        plugin.clone_span(current.id().unwrap())
    });
    plugin.enter(&carried);
    event(
        &plugin,
        metadata!("event", EVENT, INFO, ["message"]),
        &[Some(&"later")],
    );
    plugin.exit(&carried);
    plugin.try_close(carried);
    let lines = captured.lines();
    assert_eq!(
        lines[4],
        "INFO my_plugin [request] message=\"later\" plugin=\"acme\""
    );
    assert_eq!(lines.last().unwrap(), "close request");
}

#[test]
fn a_generation_that_ends_takes_its_open_spans_along() {
    let captured = capture("info");
    let plugin = plugin();
    let left = span(&plugin, metadata!("left open", SPAN, INFO, [])).unwrap();
    plugin.disconnect();
    assert_eq!(captured.lines()[1..], ["close left open"]);
    plugin.enter(&left);
    plugin.try_close(left);
    assert!(!is_enabled(&plugin, metadata!("late", EVENT, ERROR, [])));
    assert_eq!(captured.lines().len(), 2);
}
