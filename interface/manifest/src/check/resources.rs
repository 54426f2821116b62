//! The table `[plugin.resources]`.

use super::field::Field;
use super::keys::Keys;
use crate::Resources;
use crate::diagnostic::report::Report;
use crate::limits::MAX_RESOURCE;
use crate::tree::Value;

const KEYS: Keys = Keys::plain(&Resources::KEYS);

pub(super) fn check(field: &Field<'_>, report: &mut Report) -> Option<Resources> {
    let table = field.table_with(&KEYS, report)?;
    let values = Resources::KEYS.map(|key| table.get(key).and_then(|field| limit(&field, report)));
    Some(Resources::from_values(values))
}

fn limit(field: &Field<'_>, report: &mut Report) -> Option<u64> {
    let limit = match field.node.value {
        Value::Integer(integer) => u64::try_from(integer)
            .ok()
            .filter(|limit| (1..=MAX_RESOURCE).contains(limit)),
        Value::Unrepresentable(_) => None,
        _ => {
            field.wrong_type("a positive integer", report);
            return None;
        }
    };
    if limit.is_none() {
        report.push(
            field
                .problem("is out of range")
                .expected(format!("an integer from 1 to {MAX_RESOURCE}"))
                .found(field.found(report))
                .hint("remove the key to leave it to the host"),
        );
    }
    limit
}
