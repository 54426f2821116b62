//! What happens when a plugin logs too fast.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keyway::log::wire::Level;

use super::capture::{Captured, capture};
use super::report;
use crate::log::{LogBridge, LogLimits};

struct Plugin {
    bridge: LogBridge,
    clock: Arc<AtomicU64>,
}

/// Ten events per second, and twenty at once.
fn plugin() -> Plugin {
    let clock = Arc::new(AtomicU64::new(5_000));
    let limits = LogLimits {
        events_per_second: 10,
        burst: 20,
    };
    let now = Arc::clone(&clock);
    let bridge = LogBridge::with_clock("acme", limits, move || {
        Duration::from_millis(now.load(Ordering::Relaxed))
    });
    Plugin { bridge, clock }
}

impl Plugin {
    fn pass(&self, milliseconds: u64) {
        self.clock.fetch_add(milliseconds, Ordering::Relaxed);
    }

    fn report(&self, level: Level, count: usize) {
        for number in 0..count {
            report(&self.bridge, level, "my_plugin::flood", &number.to_string());
        }
    }
}

/// What came since the last call: how many events of the plugin, and the reports of the host.
fn arrived(captured: &Captured) -> (usize, Vec<String>) {
    let (events, reports): (Vec<_>, Vec<_>) = captured
        .take()
        .into_iter()
        .partition(|line| line.contains("my_plugin::flood"));
    (events.len(), reports)
}

fn warning(count: u64) -> String {
    format!(
        "WARN keyway_host::log [] message=plugin 'acme' logged too fast: {count} events dropped \
         plugin=\"acme\" dropped={count}u64"
    )
}

#[test]
fn a_burst_passes_and_then_the_rate() {
    let captured = capture("trace");
    let plugin = plugin();
    plugin.report(Level::Info, 50);
    assert_eq!(arrived(&captured).0, 20);
    plugin.pass(100);
    plugin.report(Level::Info, 50);
    assert_eq!(arrived(&captured).0, 1);
    plugin.pass(60_000);
    plugin.report(Level::Info, 50);
    assert_eq!(arrived(&captured).0, 20);
    assert_eq!(plugin.bridge.dropped(), 30 + 49 + 30);
}

#[test]
fn a_plugin_within_its_limits_loses_nothing() {
    let captured = capture("trace");
    let plugin = plugin();
    for _ in 0..500 {
        plugin.report(Level::Debug, 1);
        plugin.pass(100);
    }
    assert_eq!(arrived(&captured), (500, vec![]));
    assert_eq!(plugin.bridge.dropped(), 0);
}

#[test]
fn a_flood_does_not_drown_errors() {
    let captured = capture("trace");
    let plugin = plugin();
    plugin.report(Level::Debug, 1_000);
    captured.take();
    plugin.report(Level::Error, 3);
    assert_eq!(arrived(&captured).0, 3);
    plugin.report(Level::Error, 1_000);
    assert_eq!(arrived(&captured).0, 17);
}

#[test]
fn dropped_events_are_reported_once_a_second_and_at_the_end() {
    let captured = capture("trace");
    let plugin = plugin();
    plugin.report(Level::Info, 25);
    assert_eq!(arrived(&captured), (20, vec![]));
    plugin.pass(999);
    plugin.bridge.report_dropped();
    assert_eq!(arrived(&captured), (0, vec![]));
    plugin.pass(1);
    plugin.bridge.report_dropped();
    assert_eq!(arrived(&captured), (0, vec![warning(5)]));
    plugin.bridge.report_dropped();
    assert_eq!(arrived(&captured), (0, vec![]));
    // The next one comes with the events themselves.
    plugin.report(Level::Info, 13);
    assert_eq!(arrived(&captured), (10, vec![]));
    plugin.pass(1_000);
    plugin.report(Level::Info, 12);
    assert_eq!(arrived(&captured), (10, vec![warning(3)]));
    drop(plugin);
    assert_eq!(arrived(&captured), (0, vec![warning(2)]));
}

#[test]
fn what_nobody_wants_to_see_does_not_count() {
    let captured = capture("info");
    let plugin = plugin();
    plugin.report(Level::Trace, 1_000);
    plugin.report(Level::Info, 20);
    assert_eq!(arrived(&captured), (20, vec![]));
}

#[test]
fn a_limit_of_zero_lets_nothing_pass() {
    let captured = capture("trace");
    let bridge = LogBridge::new("acme", LogLimits::per_second(Some(0)));
    report(&bridge, Level::Error, "my_plugin::flood", "x");
    assert_eq!(arrived(&captured).0, 0);
    assert_eq!(bridge.dropped(), 1);
}

#[test]
fn the_limits_of_a_manifest_allow_two_seconds_at_once() {
    assert_eq!(
        LogLimits::per_second(None),
        LogLimits {
            events_per_second: 1_000,
            burst: 2_000
        }
    );
    assert_eq!(
        LogLimits::per_second(Some(7)),
        LogLimits {
            events_per_second: 7,
            burst: 14
        }
    );
    let most = LogLimits::per_second(Some(u64::MAX));
    assert_eq!(
        most,
        LogLimits {
            events_per_second: u64::MAX,
            burst: u64::MAX
        }
    );
}

#[test]
fn panics_count_as_errors() {
    let captured = capture("trace");
    let plugin = plugin();
    for _ in 0..30 {
        plugin
            .bridge
            .log_panic("boom", "lib.rs:1:1", "main")
            .unwrap();
    }
    assert_eq!(captured.lines().len(), 20);
}
