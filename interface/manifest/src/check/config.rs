//! The tables `[plugin.config.*]`.

mod default;
mod kind;

use std::collections::BTreeMap;

use super::field::Field;
use super::keys::Keys;
use super::text;
use crate::diagnostic::report::{Problem, Report};
use crate::limits::MAX_NAME_CHARS;
use crate::tree::show;
use crate::{ConfigField, ReloadPolicy};

const KEYS: Keys = Keys::plain(&[
    "type",
    "required",
    "default",
    "env",
    "description",
    "values",
    "items",
    "min",
    "max",
    "reload",
]);

pub(super) fn check(
    field: &Field<'_>,
    report: &mut Report,
) -> Option<BTreeMap<String, ConfigField>> {
    let table = field.table(report)?;
    let mut fields = BTreeMap::new();
    for (entry, field) in table.fields() {
        let name = &entry.key;
        let is_name = text::is_identifier(name, b"_-") && name.len() <= MAX_NAME_CHARS;
        if !is_name {
            let message = format!("`{}` is no name of a setting", show::text(name));
            report.push(
                Problem::new(&entry.key_span, &field.path, message).expected(format!(
                    "1 to {MAX_NAME_CHARS} ASCII letters, digits, `_` and `-`, \
                 starting with a letter or `_`"
                )),
            );
        }
        if let Some(checked) = config_field(&field, report) {
            fields.insert(name.clone(), checked);
        }
    }
    Some(fields)
}

fn config_field(field: &Field<'_>, report: &mut Report) -> Option<ConfigField> {
    let table = field.table_with(&KEYS, report)?;
    let ty = kind::check(&table, report);
    let required = table
        .get("required")
        .and_then(|field| field.boolean(report))
        .unwrap_or(false);
    let env = table
        .get("env")
        .and_then(|field| text::env_name(&field, report));
    let description = table
        .get("description")
        .and_then(|field| text::prose(&field, report));
    let reload = table.get("reload").and_then(|field| {
        let choices = ReloadPolicy::ALL.map(|policy| (policy.as_str(), policy));
        text::choice(&field, &choices, report)
    });
    let default = table.get("default");
    if let Some(default) = default.as_ref().filter(|_| required) {
        let message = format!("`{}` contradicts `required = true`", default.path);
        report.push(
            Problem::new(&default.key_span, &default.path, message)
                .hint("a setting with a default is never missing; remove one of the two"),
        );
    }
    let ty = ty?;
    Some(ConfigField {
        required,
        default: default.and_then(|default| default::check(&default, &ty, report)),
        env,
        description,
        reload: reload.unwrap_or_default(),
        ty,
    })
}
