//! Whatever a plugin sends, the host lives on.

use keyway::log::wire::{CURRENT, FOREIGN, Kinds, Level, NONE};
use proptest::prelude::*;

use super::capture::capture;
use super::{site, values};
use crate::log::{LogBridge, LogLimits};

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        5 => 0..6u64,
        1 => any::<u64>(),
        1 => prop::sample::select(vec![CURRENT, NONE, FOREIGN]),
    ]
}

fn record() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        (any::<u16>(), any::<String>())
            .prop_map(|(field, text)| { values(|values| values.str(usize::from(field), &text)) }),
        any::<String>().prop_map(|text| values(|values| values.debug(0, &text))),
    ]
}

fn act(bridge: &LogBridge, action: u8, (a, b): (u64, u64), bytes: &[u8]) {
    match action {
        0 => drop(bridge.log_callsite(bytes)),
        1 => drop(bridge.log_interest(a)),
        2 => drop(bridge.log_enabled(a)),
        3 => drop(bridge.log_event(a, b, bytes)),
        4 => drop(bridge.span_new(a, b, bytes)),
        5 => drop(bridge.span_record(a, bytes)),
        6 => drop(bridge.span_follows_from(a, b)),
        7 => drop(bridge.span_enter(a)),
        8 => drop(bridge.span_exit(a)),
        9 => drop(bridge.span_clone(a)),
        10 => drop(bridge.span_drop(a)),
        _ => drop(bridge.span_current()),
    }
}

proptest! {
    #[test]
    fn no_order_of_calls_with_any_arguments_panics(
        calls in prop::collection::vec((0..12u8, (number(), number()), record()), 1..60),
    ) {
        let _captured = capture("trace");
        let bridge = LogBridge::new("hostile", LogLimits::default());
        // So that some of the small numbers mean something.
        for kinds in [Kinds::EVENT, Kinds::SPAN, Kinds::HINT] {
            let site = site(kinds, Level::Info, "hostile", &["message"]);
            bridge.log_callsite(&site.encode()).unwrap();
        }
        let span = site(Kinds::SPAN, Level::Info, "hostile", &["message"]);
        let span = bridge.log_callsite(&span.encode()).unwrap();
        bridge.span_new(span, CURRENT, &[]).unwrap();
        for (action, numbers, bytes) in calls {
            act(&bridge, action, numbers, &bytes);
        }
    }
}

#[test]
fn what_does_not_read_is_an_error_that_says_what() {
    let _captured = capture("trace");
    let bridge = LogBridge::new("hostile", LogLimits::default());
    let error = bridge.log_callsite(&[9, 9, 9]).unwrap_err();
    assert_eq!(
        error.message(),
        "a log record does not read: the format version at byte 1"
    );
    let error = bridge.log_event(u64::MAX, CURRENT, &[]).unwrap_err();
    assert_eq!(
        error.message(),
        "the host knows no call site 18446744073709551615"
    );
    let span = site(Kinds::SPAN, Level::Info, "hostile", &[]);
    let span = bridge.log_callsite(&span.encode()).unwrap();
    let error = bridge.log_event(span, CURRENT, &[]).unwrap_err();
    assert_eq!(
        error.message(),
        "the call site 'a name' is used for what it does not make"
    );
}
