//! A plugin's spans among the host's own.

use keyway::log::wire::{CURRENT, FOREIGN, NONE};
use tracing::info_span;

use super::capture::capture;
use super::{Level, open, report, values};
use crate::log::{LogBridge, LogLimits};

fn bridge() -> LogBridge {
    LogBridge::new("acme", LogLimits::default())
}

#[test]
fn spans_of_host_and_plugin_nest_in_the_order_in_which_they_are_entered() {
    let captured = capture("info");
    let bridge = bridge();
    info_span!("request").in_scope(|| {
        let outer = open(&bridge, "outer", CURRENT);
        bridge.span_enter(outer).unwrap();
        let inner = open(&bridge, "inner", CURRENT);
        bridge.span_enter(inner).unwrap();
        report(&bridge, Level::Info, "my_plugin", "deep");
        bridge.span_exit(inner).unwrap();
        bridge.span_exit(outer).unwrap();
        bridge.span_drop(inner).unwrap();
        bridge.span_drop(outer).unwrap();
        tracing::info!(target: "host", "after");
    });
    assert_eq!(
        captured.lines(),
        [
            "new request in none",
            "enter request",
            "new outer in request id=7u64 plugin=\"acme\"",
            "enter outer",
            "new inner in outer id=7u64",
            "enter inner",
            "INFO my_plugin [request>outer>inner] message=deep plugin=\"acme\"",
            "exit inner",
            "exit outer",
            "close inner",
            "close outer",
            "INFO host [request] message=after",
            "exit request",
            "close request",
        ]
    );
}

#[test]
fn explicit_parents_roots_values_and_relations_arrive() {
    let captured = capture("info");
    let bridge = bridge();
    info_span!("request").in_scope(|| {
        let root = open(&bridge, "root", NONE);
        let child = open(&bridge, "child", root);
        bridge.span_follows_from(child, root).unwrap();
        bridge
            .span_record(child, &values(|values| values.str(1, "fine")))
            .unwrap();
        bridge.span_drop(root).unwrap();
        bridge.span_drop(child).unwrap();
    });
    assert_eq!(
        captured.lines()[2..8],
        [
            "new root in none id=7u64 plugin=\"acme\"",
            "new child in root id=7u64",
            "child follows root",
            "record child result=\"fine\"",
            "close child",
            "close root",
        ]
    );
}

#[test]
fn a_span_ends_with_its_last_owner() {
    let captured = capture("info");
    let bridge = bridge();
    let span = open(&bridge, "shared", CURRENT);
    assert_eq!(bridge.span_clone(span), Ok(span));
    bridge.span_drop(span).unwrap();
    assert_eq!(captured.take().len(), 1);
    bridge.span_drop(span).unwrap();
    assert_eq!(captured.take(), ["close shared"]);
    // It is nothing to anyone any more.
    assert_eq!(bridge.span_clone(span), Ok(0));
    bridge.span_enter(span).unwrap();
    bridge.span_exit(span).unwrap();
    bridge.span_drop(span).unwrap();
    assert_eq!(open(&bridge, "orphan", span), span + 1);
    assert_eq!(
        captured.lines(),
        ["new orphan in none id=7u64 plugin=\"acme\""]
    );
}

#[test]
fn what_a_plugin_leaves_open_ends_with_it_and_its_numbers_mean_nothing_afterwards() {
    let captured = capture("info");
    let bridge = bridge();
    let span = open(&bridge, "left", CURRENT);
    bridge.span_clone(span).unwrap();
    captured.take();
    bridge.close();
    assert_eq!(captured.take(), ["close left"]);
    assert_eq!(open(&bridge, "late", CURRENT), 0);
    bridge.span_enter(span).unwrap();
    bridge.span_drop(span).unwrap();
    assert_eq!(bridge.span_current(), Ok((0, 0)));
    assert_eq!(captured.lines(), Vec::<String>::new());
}

#[test]
fn dropping_the_bridge_closes_what_is_open() {
    let captured = capture("info");
    open(&bridge(), "left", CURRENT);
    assert_eq!(captured.lines()[1..], ["close left"]);
}

#[test]
fn a_span_that_was_entered_and_left_open_does_not_harm_the_host() {
    let captured = capture("info");
    let bridge = bridge();
    let span = open(&bridge, "entered", CURRENT);
    bridge.span_enter(span).unwrap();
    drop(bridge);
    tracing::info!(target: "host", "still here");
    info_span!("next").in_scope(|| tracing::info!(target: "host", "and here"));
    let lines = captured.lines();
    assert!(
        lines.iter().any(|line| line.ends_with("message=and here")),
        "{lines:#?}"
    );
}

#[test]
fn the_number_of_open_spans_is_bounded() {
    let captured = capture("info");
    let bridge = bridge();
    let opened = (0..20_000)
        .filter(|_| open(&bridge, "many", NONE) != 0)
        .count();
    assert_eq!(opened, 16_384);
    bridge.span_drop(1).unwrap();
    assert_ne!(open(&bridge, "one more", NONE), 0);
    captured.take();
    drop(bridge);
    assert_eq!(captured.lines().len(), 16_384);
}

#[test]
fn the_current_span_is_told_apart_by_whose_it_is() {
    let captured = capture("info");
    let (bridge, other) = (bridge(), LogBridge::new("other", LogLimits::default()));
    assert_eq!(bridge.span_current(), Ok((0, 0)));
    let request = info_span!("request");
    let entered = request.enter();
    assert_eq!(bridge.span_current(), Ok((FOREIGN, 0)));
    let own = open(&bridge, "own", CURRENT);
    bridge.span_enter(own).unwrap();
    let (current, site) = bridge.span_current().unwrap();
    assert_eq!(current, own);
    assert_ne!(site, 0);
    assert_eq!(other.span_current(), Ok((FOREIGN, 0)));
    bridge.span_exit(own).unwrap();
    drop(entered);
    drop(captured);
}

#[test]
fn a_span_of_the_host_can_be_carried_to_another_place_and_stays_open_for_it() {
    let captured = capture("info");
    let bridge = bridge();
    let carried = info_span!("request").in_scope(|| bridge.span_clone(FOREIGN).unwrap());
    assert_ne!(carried, 0);
    assert!(!captured.take().contains(&"close request".to_owned()));
    bridge.span_enter(carried).unwrap();
    report(&bridge, Level::Info, "my_plugin", "elsewhere");
    bridge.span_exit(carried).unwrap();
    bridge.span_drop(carried).unwrap();
    assert_eq!(
        captured.lines(),
        [
            "enter request",
            "INFO my_plugin [request] message=elsewhere plugin=\"acme\"",
            "exit request",
            "close request",
        ]
    );
}

#[test]
fn an_unwanted_span_has_no_number() {
    let _captured = capture("warn");
    assert_eq!(open(&bridge(), "unwanted", CURRENT), 0);
}
