//! What the host's subscribers see of a plugin's events.

use keyway::log::wire::{ALWAYS, CURRENT, Kinds, Level, NEVER};

use super::capture::capture;
use super::{event_site, report, site, values};
use crate::log::{FilterWatch, LogBridge, LogLimits};

fn bridge() -> LogBridge {
    LogBridge::new("acme", LogLimits::default())
}

#[test]
fn an_event_arrives_as_the_plugin_made_it_with_the_id_of_the_plugin() {
    let captured = capture("trace");
    let bridge = bridge();
    let fields = [
        "message", "delta", "count", "ratio", "ok", "big", "small", "name", "raw", "error", "last",
    ];
    let site = site(Kinds::EVENT, Level::Warn, "my_plugin::module", &fields);
    let number = bridge.log_callsite(&site.encode()).unwrap();
    let error = std::io::Error::other(std::fmt::Error);
    let values = values(|values| {
        values.debug(0, &format_args!("hello"));
        values.i64(1, -4);
        values.u64(2, 3);
        values.f64(3, 0.5);
        values.bool(4, true);
        values.u128(5, 1 << 100);
        values.i128(6, -(1 << 100));
        values.str(7, "bob");
        values.byte_string(8, b"\x01\xff");
        values.error(9, &Outer(error));
    });
    bridge.log_event(number, CURRENT, &values).unwrap();
    assert_eq!(
        captured.lines(),
        [
            "WARN my_plugin::module [] message=hello delta=-4i64 count=3u64 ratio=0.5f64 ok=true \
          big=1267650600228229401496703205376u128 small=-1267650600228229401496703205376i128 \
          name=\"bob\" raw=[1, 255]bytes error=error(outer < an error occurred when formatting an \
          argument) plugin=\"acme\""
        ]
    );
}

#[derive(Debug)]
struct Outer(std::io::Error);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("outer")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn directives_select_by_the_target_and_level_of_the_plugin() {
    let captured = capture("warn,my_plugin=debug,my_plugin::quiet=off");
    let bridge = bridge();
    report(&bridge, Level::Debug, "my_plugin::module", "yes");
    report(&bridge, Level::Trace, "my_plugin::module", "too fine");
    report(&bridge, Level::Error, "my_plugin::quiet", "off");
    report(&bridge, Level::Info, "other_plugin", "not named");
    report(&bridge, Level::Warn, "other_plugin", "yes");
    assert_eq!(
        captured.lines(),
        [
            "DEBUG my_plugin::module [] message=yes plugin=\"acme\"",
            "WARN other_plugin [] message=yes plugin=\"acme\"",
        ]
    );
    let debug = event_site(&bridge, Level::Debug, "my_plugin::module");
    let trace = event_site(&bridge, Level::Trace, "my_plugin::module");
    assert_eq!(bridge.log_interest(debug), Ok(ALWAYS));
    assert_eq!(bridge.log_enabled(debug), Ok(true));
    assert_eq!(bridge.log_interest(trace), Ok(NEVER));
    assert_eq!(bridge.log_enabled(trace), Ok(false));
}

#[test]
fn a_changed_filter_is_noticed_also_for_what_nobody_wanted_before() {
    let captured = capture("info");
    let bridge = bridge();
    let site = event_site(&bridge, Level::Trace, "my_plugin::rarely");
    assert_eq!(bridge.log_interest(site), Ok(NEVER));
    let (mut watch, _stop) = FilterWatch::new();
    captured.filter("my_plugin=trace");
    assert!(watch.wait());
    assert_eq!(bridge.log_interest(site), Ok(ALWAYS));
    captured.filter("my_plugin=trace,other=warn");
    captured.filter("off");
    assert!(watch.wait());
    assert_eq!(bridge.log_interest(site), Ok(NEVER));
}

#[test]
fn a_new_subscriber_is_a_changed_filter() {
    let bridge = bridge();
    let site = {
        let _captured = capture("off");
        event_site(&bridge, Level::Trace, "my_plugin::late")
    };
    let (mut watch, _stop) = FilterWatch::new();
    let _captured = capture("trace");
    assert!(watch.has_changed());
    assert_eq!(bridge.log_interest(site), Ok(ALWAYS));
}

#[test]
fn a_watch_ends_when_it_is_stopped() {
    let (mut watch, stop) = FilterWatch::new();
    let waiting = std::thread::spawn(move || while watch.wait() {});
    drop(stop);
    waiting.join().unwrap();
}

#[test]
fn a_field_of_the_plugin_called_plugin_is_left_alone() {
    let captured = capture("trace");
    let bridge = bridge();
    let site = site(Kinds::EVENT, Level::Info, "my_plugin::own", &["plugin"]);
    let number = bridge.log_callsite(&site.encode()).unwrap();
    bridge
        .log_event(number, CURRENT, &values(|values| values.u64(0, 9)))
        .unwrap();
    assert_eq!(captured.lines(), ["INFO my_plugin::own [] plugin=9u64"]);
}

#[test]
fn a_plugin_cannot_report_as_another_one() {
    let captured = capture("trace");
    let bridge = bridge();
    let site = event_site(&bridge, Level::Info, "my_plugin::forged");
    bridge
        .log_event(site, CURRENT, &values(|values| values.str(1, "other")))
        .unwrap();
    assert_eq!(
        captured.lines(),
        ["INFO my_plugin::forged [] plugin=\"acme\""]
    );
}

#[test]
fn a_call_site_with_many_fields_keeps_their_order() {
    let captured = capture("trace");
    let bridge = bridge();
    let names: Vec<_> = (0..100).map(|number| format!("f{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let site = site(Kinds::EVENT, Level::Info, "my_plugin::wide", &names);
    let number = bridge.log_callsite(&site.encode()).unwrap();
    let values = values(|values| {
        for field in 0..100 {
            values.u64(field, field as u64);
        }
    });
    bridge.log_event(number, CURRENT, &values).unwrap();
    let kept: String = (0..64)
        .map(|number| format!(" f{number}={number}u64"))
        .collect();
    let expected = format!("INFO my_plugin::wide []{kept} plugin=\"acme\"");
    assert_eq!(captured.lines(), [expected]);
}

#[test]
fn a_panic_is_an_error_with_all_that_is_known_of_it() {
    let captured = capture("trace");
    bridge()
        .log_panic("boom", "src/lib.rs:1:2", "worker")
        .unwrap();
    assert_eq!(
        captured.lines(),
        [
            "ERROR keyway_host::log [] message=plugin 'acme' panicked: boom plugin=\"acme\" \
          place=\"src/lib.rs:1:2\" thread=\"worker\""
        ]
    );
}
