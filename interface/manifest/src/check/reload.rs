//! The table `[plugin.reload]`.

use super::field::Field;
use super::keys::Keys;
use super::text;
use crate::diagnostic::report::Report;
use crate::{Reload, ReloadMode, StatePolicy, ThreadLocals};

pub(super) const KEYS: Keys = Keys::plain(&["mode", "state", "max_state_bytes", "thread_locals"]);

pub(super) fn check(field: &Field<'_>, report: &mut Report) -> Option<Reload> {
    let table = field.table_with(&KEYS, report)?;
    let mode = table.get("mode").and_then(|field| {
        let choices = ReloadMode::ALL.map(|mode| (mode.as_str(), mode));
        text::choice(&field, &choices, report)
    });
    let state = table.get("state").and_then(|field| {
        let choices = StatePolicy::ALL.map(|policy| (policy.as_str(), policy));
        text::choice(&field, &choices, report)
    });
    let max_state_bytes = table.get("max_state_bytes").and_then(|field| {
        let hint = format!(
            "remove the key for the default of {}",
            Reload::DEFAULT_MAX_STATE_BYTES
        );
        field.limit(&hint, report)
    });
    let thread_locals = table.get("thread_locals").and_then(|field| {
        let choices = ThreadLocals::ALL.map(|choice| (choice.as_str(), choice));
        text::choice(&field, &choices, report)
    });
    Some(Reload {
        mode: mode.unwrap_or_default(),
        state: state.unwrap_or_default(),
        max_state_bytes: max_state_bytes.unwrap_or(Reload::DEFAULT_MAX_STATE_BYTES),
        thread_locals: thread_locals.unwrap_or_default(),
    })
}
