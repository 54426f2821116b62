//! The table `[plugins]`: which plugins may be used at all.

use keyway_manifest::document::{self, Field, Keys, Report, Value};

use crate::inspect::ContentHash;
use crate::settings::{Listed, PluginLists};

pub(super) const KEYS: Keys = Keys::plain(&["allow", "deny"]);

pub(super) const LISTED_KEYS: Keys = Keys::plain(&["id", "hash"]);

pub(super) fn check(field: &Field<'_>, report: &mut Report) -> Option<PluginLists> {
    let table = field.table_with(&KEYS, report)?;
    let allow = table.get("allow").map(|field| list(&field, report));
    let deny = table.get("deny").map(|field| list(&field, report));
    Some(PluginLists {
        allow,
        deny: deny.unwrap_or_default(),
    })
}

fn list(field: &Field<'_>, report: &mut Report) -> Vec<Listed> {
    let expected = "an array of plugin ids, or of tables with `id` and `hash`";
    let mut list = Vec::new();
    for field in field.elements(expected, report).unwrap_or_default() {
        let Some(listed) = listed(&field, report) else {
            continue;
        };
        if list.contains(&listed) {
            let problem = field.problem("repeats an earlier entry");
            report.push(problem.hint("remove one of the two"));
            continue;
        }
        list.push(listed);
    }
    list
}

fn listed(field: &Field<'_>, report: &mut Report) -> Option<Listed> {
    match &field.node.value {
        Value::String(_) => {
            let id = document::plugin_id(field, report)?;
            Some(Listed { id, hash: None })
        }
        Value::Table(_) => {
            let table = field.table_with(&LISTED_KEYS, report)?;
            let id = table
                .require("id", "the id of a plugin", report)
                .and_then(|field| document::plugin_id(&field, report));
            let hash = match table.get("hash") {
                Some(field) => Some(hash(&field, report)?),
                None => None,
            };
            Some(Listed { id: id?, hash })
        }
        _ => {
            field.wrong_type("a plugin id, or a table with `id` and `hash`", report);
            None
        }
    }
}

fn hash(field: &Field<'_>, report: &mut Report) -> Option<ContentHash> {
    let text = field.string(report)?;
    let hash = text.parse();
    if hash.is_err() {
        let problem = field
            .problem("is no hash of a library")
            .expected("blake3: and 64 hexadecimal digits")
            .found(field.found(report));
        report.push(problem.hint("`keyway inspect` shows it"));
    }
    hash.ok()
}
