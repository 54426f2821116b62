//! The bridge against a host that writes down what it is told.

mod host;

use std::fmt;
use std::sync::Arc;

use tracing::subscriber::with_default;
use tracing::{Event, Level, Subscriber as _, debug, error, info, info_span, trace, warn};
use tracing_core::Callsite as _;

use self::host::{Recorder, connected};
use super::Bridge;

fn calls(run: impl FnOnce()) -> Vec<String> {
    let (recorder, bridge, _alone) = connected(Recorder::default());
    with_default(bridge, run);
    recorder.calls()
}

#[test]
fn an_event_crosses_with_its_call_site_and_typed_fields() {
    let error = std::io::Error::other("outer");
    let calls = calls(|| {
        info!(
            target: "my_target",
            count = 3u32,
            delta = -4i64,
            ratio = 0.5,
            ok = true,
            big = u128::MAX,
            name = "bob",
            shown = %"text",
            debugged = ?Some(1),
            raw = &b"\x01\xff"[..],
            error = &error as &(dyn std::error::Error + 'static),
            "hello {}", "world"
        );
    });
    assert_eq!(
        calls,
        [
            "site 1: event INFO my_target [message, count, delta, ratio, ok, big, name, shown, \
             debugged, raw, error]",
            "event 1 in current: 0=Debug(\"hello world\") 1=U64(3) 2=I64(-4) 3=F64(0.5) \
             4=Bool(true) 5=U128(340282366920938463463374607431768211455) 6=Str(\"bob\") \
             7=Debug(\"text\") 8=Debug(\"Some(1)\") 9=Bytes([1, 255]) \
             10=Error(ErrorChain([\"outer\"]))",
        ]
    );
}

#[test]
fn a_call_site_is_made_known_once() {
    let (recorder, bridge, _alone) = connected(Recorder::default());
    let (again, line) = (|| warn!("again"), line!());
    with_default(bridge, || {
        again();
        tracing_core::callsite::rebuild_interest_cache();
        again();
    });
    assert_eq!(recorder.told(line), 1);
    assert_eq!(
        recorder
            .calls()
            .iter()
            .filter(|call| call.starts_with("event"))
            .count(),
        2
    );
}

#[test]
fn what_the_host_does_not_want_does_not_reach_it() {
    let (recorder, bridge, _alone) = connected(Recorder::wanting(Level::INFO));
    with_default(bridge, || {
        debug!("unwanted");
        info!("wanted");
    });
    let events: Vec<_> = recorder
        .calls()
        .into_iter()
        .filter(|call| call.starts_with("event"))
        .collect();
    assert_eq!(events, ["event 1 in current: 0=Debug(\"wanted\")"]);
}

#[test]
fn a_changed_filter_takes_effect_when_the_plugin_is_told() {
    let (recorder, bridge, _alone) = connected(Recorder::wanting(Level::INFO));
    let event = || trace!("finest");
    with_default(bridge, || {
        event();
        recorder.want(Level::TRACE);
        tracing_core::callsite::rebuild_interest_cache();
        event();
        recorder.want(Level::ERROR);
        tracing_core::callsite::rebuild_interest_cache();
        event();
    });
    let events = recorder
        .calls()
        .into_iter()
        .filter(|call| call.starts_with("event"))
        .count();
    assert_eq!(events, 1);
}

#[test]
fn a_span_lives_enters_and_ends_on_the_host() {
    let calls = calls(|| {
        let span = info_span!("work", id = 7, result = tracing::field::Empty);
        let other = span.clone();
        span.in_scope(|| info!("inside"));
        span.record("result", "fine");
        drop(span);
        drop(other);
    });
    assert_eq!(
        calls,
        [
            "site 1: span INFO keyway::log::tests [id, result]",
            "span 101 of 1 in current: 0=I64(7)",
            "clone 101",
            "enter 101",
            "site 2: event INFO keyway::log::tests [message]",
            "event 2 in current: 0=Debug(\"inside\")",
            "exit 101",
            "record 101: 1=Str(\"fine\")",
            "drop 101",
            "drop 101",
        ]
    );
}

#[test]
fn explicit_parents_roots_and_relations_cross() {
    let calls = calls(|| {
        let first = info_span!("first");
        let second = info_span!(parent: &first, "second");
        let root = info_span!(parent: None, "root");
        root.follows_from(&second);
        info!(parent: &second, "child");
        info!(parent: None, "orphan");
    });
    let told = |start: &str| calls.iter().any(|call| call.starts_with(start));
    assert!(told("span 102 of 2 in 101"), "{calls:#?}");
    assert!(told("span 103 of 3 in none"), "{calls:#?}");
    assert!(told("follows 103 102"), "{calls:#?}");
    assert!(told("event 4 in 102"), "{calls:#?}");
    assert!(told("event 5 in none"), "{calls:#?}");
}

#[test]
fn a_span_that_the_host_declines_is_silent_and_its_children_have_no_parent() {
    let (recorder, bridge, _alone) = connected(Recorder::declining_spans());
    with_default(bridge, || {
        let span = info_span!("declined", x = 1);
        let _other = span.clone();
        span.record("x", 2);
        span.in_scope(|| info!(parent: &span, "child"));
    });
    let calls = recorder.calls();
    assert_eq!(calls.len(), 4, "{calls:#?}");
    assert!(calls[1].starts_with("declined span"), "{calls:#?}");
    assert!(calls[3].starts_with("event 2 in none"), "{calls:#?}");
}

#[test]
fn the_current_span_is_the_one_that_the_host_knows() {
    let calls = calls(|| {
        let span = info_span!("mine");
        let _entered = span.enter();
        let current = tracing::Span::current();
        assert_eq!(
            current.metadata().map(|metadata| metadata.name()),
            Some("mine")
        );
        assert_eq!(current.id(), span.id());
    });
    assert!(calls.contains(&"clone 101".to_owned()), "{calls:#?}");
}

#[test]
fn the_span_of_the_host_is_current_where_the_plugin_has_none_and_can_be_carried_along() {
    let (recorder, bridge, _alone) = connected(Recorder::inside_of_a_host_span());
    with_default(bridge, || {
        let current = tracing::Span::current();
        assert_eq!(
            current.metadata().map(|metadata| metadata.target()),
            Some("keyway::host")
        );
        current.in_scope(|| {});
        info!(parent: &current, "child");
    });
    assert_eq!(
        recorder.calls(),
        [
            "clone foreign",
            "enter 101",
            "exit 101",
            "site 1: event INFO keyway::log::tests [message]",
            "event 1 in 101: 0=Debug(\"child\")",
            "drop 101",
        ]
    );
}

/// A value whose `Debug` implementation reports an event with, in turn, what `next` makes.
struct Chatty<'a> {
    bridge: &'a Bridge,
    next: fn(&Bridge),
}

impl fmt::Debug for Chatty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.next)(self.bridge);
        f.write_str("chatty")
    }
}

/// Reports to the bridge itself: a global subscriber gets nested events, which `tracing` keeps
/// from the one of a scope.
fn report(bridge: &Bridge, value: impl fmt::Debug) {
    let metadata = host::EVENT.metadata();
    let value = tracing::field::debug(value);
    let values: [Option<&dyn tracing::Value>; 1] = [Some(&value)];
    bridge.event(&Event::new(
        metadata,
        &metadata.fields().value_set_all(&values),
    ));
}

#[test]
fn a_debug_implementation_may_log() {
    let (recorder, bridge, _alone) = connected(Recorder::default());
    report(
        &bridge,
        Chatty {
            bridge: &bridge,
            next: |bridge| report(bridge, 5),
        },
    );
    assert_eq!(
        recorder.calls()[1..],
        [
            "event 1 in current: 0=Debug(\"5\")",
            "event 1 in current: 0=Debug(\"chatty\")"
        ]
    );
}

#[test]
fn a_debug_implementation_that_logs_itself_ends() {
    fn endless(bridge: &Bridge) {
        report(
            bridge,
            Chatty {
                bridge,
                next: endless,
            },
        );
    }
    let (recorder, bridge, _alone) = connected(Recorder::default());
    let events = || {
        recorder
            .calls()
            .into_iter()
            .filter(|call| call.starts_with("event"))
            .count()
    };
    endless(&bridge);
    assert_eq!(events(), 4);
    // The guard is back where it was.
    endless(&bridge);
    assert_eq!(events(), 8);
}

#[test]
fn a_panicking_debug_implementation_neither_loses_the_event_nor_ends_the_caller() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            std::panic::resume_unwind(Box::new("boom"));
        }
    }
    let calls = calls(|| {
        error!(value = ?Panics, "first");
        error!("second");
    });
    assert_eq!(
        calls[1],
        "event 1 in current: 0=Debug(\"first\") 1=Debug(\"<panicked while it was formatted>\")"
    );
    assert_eq!(calls[3], "event 2 in current: 0=Debug(\"second\")");
}

#[test]
fn nothing_reaches_the_host_after_the_end_and_its_object_is_given_back() {
    let (recorder, bridge, _alone) = connected(Recorder::default());
    let bridge = Arc::new(bridge);
    let span = with_default(Arc::clone(&bridge), || info_span!("outlives the bridge"));
    assert!(!recorder.is_dropped());
    bridge.disconnect();
    assert!(recorder.is_dropped());
    let before = recorder.calls();
    with_default(Arc::clone(&bridge), || {
        span.in_scope(|| info!("late"));
        assert!(tracing::Span::current().is_none());
        drop(span);
    });
    assert_eq!(recorder.calls(), before);
}
