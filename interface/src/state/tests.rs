//! What a state says of itself, and what it is refused for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Total {
    total: u64,
}

impl StateSchema for Total {
    const SCHEMA: &'static str = "total";
    const VERSION: u32 = 2;
}

#[derive(Debug, Serialize, Deserialize)]
struct Unwritable(BTreeMap<(u8, u8), u8>);

impl StateSchema for Unwritable {
    const SCHEMA: &'static str = "unwritable";
    const VERSION: u32 = 1;
}

/// The code and the message of what a state is refused with.
fn refusal(state: &State) -> (ErrorKind, String, String) {
    let error = state.read::<Total>().expect_err("it does not fit");
    (
        error.kind(),
        error.error_code().to_owned(),
        error.to_string(),
    )
}

#[test]
fn a_value_reads_back_from_the_json_that_it_was_written_as() {
    let state = State::of(&Total { total: 7 }).expect("it is written");
    assert_eq!((state.schema(), state.version()), ("total", 2));
    assert_eq!(state.bytes(), br#"{"total":7}"#);
    let read = state.read::<Total>().expect("it reads");
    assert_eq!(read, (Total { total: 7 }, Imported::Exact));
}

#[test]
fn a_state_of_another_schema_is_refused_with_both_names() {
    let (kind, code, message) = refusal(&State::new("sum", 2, r#"{"total":7}"#));
    assert_eq!((kind, &*code), (ErrorKind::InvalidInput, "state-schema"));
    assert_eq!(
        message,
        "the state is of another schema: expected 'total', found 'sum'"
    );
}

#[test]
fn without_a_migration_an_older_and_a_newer_version_are_refused_with_both_numbers() {
    for found in [1, 3] {
        let (kind, code, message) = refusal(&State::new("total", found, r#"{"total":7}"#));
        assert_eq!((kind, &*code), (ErrorKind::InvalidInput, "state-version"));
        assert_eq!(
            message,
            format!(
                "state 'total' is of a version that the plugin does not migrate: expected 2, \
                 found {found}"
            )
        );
    }
}

#[test]
fn bytes_that_do_not_read_are_refused_with_the_place() {
    let (kind, code, message) = refusal(&State::new("total", 2, r#"{"total":-7}"#));
    assert_eq!((kind, &*code), (ErrorKind::Malformed, "state-malformed"));
    assert_eq!(
        message,
        "version 2 of state 'total' does not read: invalid value: integer `-7`, expected u64 at \
         line 1 column 11"
    );
}

#[test]
fn a_value_that_is_no_json_is_an_error_when_it_is_written() {
    let value = Unwritable(BTreeMap::from([((1, 2), 3)]));
    let error = State::of(&value).expect_err("its keys are no strings");
    assert_eq!(error.error_code(), "state-malformed");
    assert_eq!(
        error.to_string(),
        "state 'unwritable' cannot be written: key must be a string"
    );
}

#[test]
fn what_is_shown_of_a_state_is_how_long_it_is() {
    let state = State::new("keys", 1, "hunter2");
    assert_eq!(
        format!("{state:?}"),
        r#"State { schema: "keys", version: 1, len: 7 }"#
    );
    let old = OldState {
        state: &state,
        expected: 2,
    };
    assert!(!format!("{old:?}").contains("hunter2"));
}
