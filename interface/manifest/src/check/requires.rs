//! The table `[plugin.requires]`.

use std::collections::BTreeMap;

use super::field::Field;
use super::keys::Keys;
use super::{capabilities, text};
use crate::Requirement;
use crate::diagnostic::report::Report;
use crate::tree::{Value, show};

const KEYS: Keys = Keys::plain(&["version", "name", "optional"]);

pub(super) fn check(
    field: &Field<'_>,
    report: &mut Report,
) -> Option<BTreeMap<String, Requirement>> {
    let table = field.table(report)?;
    let mut required = BTreeMap::new();
    for (entry, field) in table.fields() {
        let Some(id) = capabilities::extension_point(&table, entry, report) else {
            continue;
        };
        if let Some(requirement) = requirement(&field, report) {
            required.insert(id.to_owned(), requirement);
        }
    }
    Some(required)
}

/// A major version, or a table with one.
fn requirement(field: &Field<'_>, report: &mut Report) -> Option<Requirement> {
    match field.node.value {
        Value::Integer(_) | Value::Unrepresentable(_) => Some(Requirement {
            major: major(field, report)?,
            name: None,
            optional: false,
        }),
        Value::Table(_) => {
            let table = field.table_with(&KEYS, report)?;
            let name = table
                .get("name")
                .and_then(|field| text::name(&field, report));
            let optional = table
                .get("optional")
                .and_then(|field| field.boolean(report));
            let field = table.require("version", "a major version, such as 1", report)?;
            Some(Requirement {
                major: major(&field, report)?,
                name,
                optional: optional.unwrap_or(false),
            })
        }
        _ => {
            let table = show::table(report.syntax());
            field.wrong_type(
                &format!("a major version, such as 1, or {table} with one"),
                report,
            );
            None
        }
    }
}

fn major(field: &Field<'_>, report: &mut Report) -> Option<u32> {
    let major = match field.node.value {
        Value::Integer(integer) => u32::try_from(integer).ok().filter(|major| *major > 0),
        Value::Unrepresentable(_) => None,
        _ => {
            field.wrong_type("a major version, such as 1", report);
            return None;
        }
    };
    if major.is_none() {
        report.push(
            field
                .problem("is out of range")
                .expected(format!("a major version from 1 to {}", u32::MAX))
                .found(field.found(report)),
        );
    }
    major
}
