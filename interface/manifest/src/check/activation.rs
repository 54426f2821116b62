//! The table `[plugin.activation]`.

use super::field::Field;
use super::keys::Keys;
use super::{list, suggest, text};
use crate::diagnostic::report::Report;
use crate::limits::MAX_LINE_CHARS;
use crate::tree::show;
use crate::{Activation, Trigger, TriggerKind};

pub(super) const KEYS: Keys = Keys::plain(&["startup", "on"]);

pub(super) fn check(field: &Field<'_>, report: &mut Report) -> Option<Activation> {
    let table = field.table_with(&KEYS, report)?;
    let startup = table.get("startup").and_then(|field| field.boolean(report));
    let on = table
        .get("on")
        .and_then(|field| list::of(&field, "an array of triggers", trigger, report));
    let default = Activation::default();
    Some(Activation {
        startup: startup.unwrap_or(default.startup),
        on: on.unwrap_or(default.on),
    })
}

fn trigger(field: &Field<'_>, report: &mut Report) -> Option<Trigger> {
    // What is wrong with any word comes first, so that it is said in the words that all words get.
    let written = text::word(field, MAX_LINE_CHARS, report)?;
    match written.parse() {
        Ok(trigger) => Some(trigger),
        Err(fault) => {
            let hint = closest_kind(written)
                .filter(|_| fault.is_unknown_kind())
                .or_else(|| fault.meant());
            report.push(
                field
                    .problem(fault.to_string())
                    .expected(fault.expected())
                    .found(field.found(report))
                    .maybe_hint(hint.map(|meant| suggest::did_you_mean(&meant))),
            );
            None
        }
    }
}

/// The trigger with the known kind that is closest to the one in front.
fn closest_kind(written: &str) -> Option<String> {
    let (word, name) = written.split_once(':')?;
    let kind = suggest::closest(word, TriggerKind::ALL.map(TriggerKind::as_str))?;
    Some(format!("{kind}:{}", show::text(name)))
}
