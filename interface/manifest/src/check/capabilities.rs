//! The table `[plugin.capabilities]`.

use super::field::{Field, Table};
use super::keys::Keys;
use super::{list, text};
use crate::capability::{self, BUILT_IN, Capabilities, RESERVED_PREFIX};
use crate::diagnostic::report::{Problem, Report};
use crate::tree::{Entry, Value, show};

/// The keys of the built-in extension points.
pub(super) const KINDS: [&str; BUILT_IN.len()] = {
    let mut kinds = [""; BUILT_IN.len()];
    let mut index = 0;
    while index < kinds.len() {
        kinds[index] = BUILT_IN[index].0;
        index += 1;
    }
    kinds
};

const KEYS: Keys = Keys::plain(&KINDS);

pub(super) fn check(field: &Field<'_>, report: &mut Report) -> Option<Capabilities> {
    let table = field.table(report)?;
    let mut capabilities = Capabilities::default();
    for (entry, field) in table.fields() {
        let Some(id) = extension_point(&table, entry, report) else {
            continue;
        };
        if let Some(names) = list::of(&field, "an array of names", text::name, report) {
            capabilities.insert(id, names);
        }
    }
    Some(capabilities)
}

/// The capability id that a key stands for.
pub(super) fn extension_point<'t>(
    table: &Table<'_>,
    entry: &'t Entry,
    report: &mut Report,
) -> Option<&'t str> {
    let key = entry.key.as_str();
    if let Some(id) = capability::capability_id(key) {
        return Some(id);
    }
    if !key.contains('.') {
        let expected = format!(
            "{}, or a capability id such as \"acme.image-filter\"",
            KEYS.expected()
        );
        let hint = unquoted_id(entry).or_else(|| KEYS.meant_by(key).hint());
        table.unknown_key(entry, &expected, hint, report);
        return None;
    }
    let path = show::path(&table.path, key);
    if key.starts_with(RESERVED_PREFIX) {
        let message = format!("`{}` belongs to Keyway itself", show::text(key));
        let problem = Problem::new(&entry.key_span, &path, message);
        report.push(match capability::kind_key(key) {
            Some(kind) => problem.hint(format!("write it as `{kind}`")),
            None => problem.hint("use a prefix of your own"),
        });
        return None;
    }
    if !capability::is_capability_id(key) {
        let message = format!("`{}` is no capability id", show::text(key));
        let expected = "parts of a-z, 0-9 and `-` that start with a letter, joined by `.`";
        let hint = key
            .contains('/')
            .then(|| "leave out the major version".to_owned());
        report.push(
            Problem::new(&entry.key_span, &path, message)
                .expected(expected)
                .maybe_hint(hint),
        );
        return None;
    }
    Some(key)
}

/// The hint for a dotted key that TOML took apart, since it has no quotes.
fn unquoted_id(entry: &Entry) -> Option<String> {
    let Value::Table(parts) = &entry.node.value else {
        return None;
    };
    let id = format!("{}.{}", entry.key, parts.first()?.key);
    capability::is_capability_id(&id).then(|| format!("write the key in quotes: \"{id}\""))
}
