//! The table `[plugin.resources]`.

use super::field::Field;
use super::keys::Keys;
use crate::Resources;
use crate::diagnostic::report::Report;

const KEYS: Keys = Keys::plain(&Resources::KEYS);

pub(super) fn check(field: &Field<'_>, report: &mut Report) -> Option<Resources> {
    let table = field.table_with(&KEYS, report)?;
    let hint = "remove the key to leave it to the host";
    let values =
        Resources::KEYS.map(|key| table.get(key).and_then(|field| field.limit(hint, report)));
    Some(Resources::from_values(values))
}
