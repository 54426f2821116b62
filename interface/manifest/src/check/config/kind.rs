//! The type of a setting, with the constraints that belong to it.

use std::fmt::Debug;

use crate::check::field::{Field, Table};
use crate::check::{list, text};
use crate::diagnostic::report::{Problem, Report};
use crate::{ConfigType, ItemType};

/// Which constraints belong to which types.
const CONSTRAINTS: [(&str, &[&str]); 4] = [
    ("values", &["enum"]),
    ("items", &["array"]),
    ("min", &["integer", "number"]),
    ("max", &["integer", "number"]),
];

pub(super) fn check(table: &Table<'_>, report: &mut Report) -> Option<ConfigType> {
    let expected = format!("one of {}", ConfigType::NAMES.join(", "));
    let field = table.require("type", &expected, report)?;
    let name = text::choice(&field, &ConfigType::NAMES.map(|name| (name, name)), report)?;
    refuse_foreign_constraints(table, name, report);
    match name {
        "string" => Some(ConfigType::String),
        "integer" => {
            let (min, max) = bounds(table, Field::integer, report)?;
            Some(ConfigType::Integer { min, max })
        }
        "number" => {
            let (min, max) = bounds(table, Field::number, report)?;
            Some(ConfigType::Number { min, max })
        }
        "boolean" => Some(ConfigType::Boolean),
        "array" => {
            let names = ItemType::ALL.map(|item| (item.as_str(), item));
            let field = table.require("items", "the type of the elements", report)?;
            text::choice(&field, &names, report).map(|items| ConfigType::Array { items })
        }
        "enum" => values(table, report).map(|values| ConfigType::Enum { values }),
        _ => Some(ConfigType::Secret),
    }
}

fn refuse_foreign_constraints(table: &Table<'_>, ty: &str, report: &mut Report) {
    for (key, types) in CONSTRAINTS {
        let foreign = table.get(key).filter(|_| !types.contains(&ty));
        if let Some(field) = foreign {
            let message = format!("`{}` does not belong to the type {ty}", field.path);
            report.push(
                Problem::new(&field.key_span, &field.path, message)
                    .expected(format!("only the type {}", types.join(" or "))),
            );
        }
    }
}

/// The bounds of a number, of which the lower one is not the greater one.
fn bounds<'t, T: PartialOrd + Debug>(
    table: &Table<'t>,
    read: impl Fn(&Field<'t>, &mut Report) -> Option<T>,
    report: &mut Report,
) -> Option<(Option<T>, Option<T>)> {
    let min_field = table.get("min");
    let min = min_field.as_ref().and_then(|field| read(field, report));
    let max = table.get("max").and_then(|field| read(&field, report));
    if let (Some(field), Some(least), Some(greatest)) = (&min_field, &min, &max) {
        if least > greatest {
            let problem = field.problem(format!("is greater than `{}.max`", table.path));
            report.push(
                problem
                    .expected(format!("at most {greatest:?}"))
                    .found(format!("{least:?}")),
            );
            return None;
        }
    }
    Some((min, max))
}

fn values(table: &Table<'_>, report: &mut Report) -> Option<Vec<String>> {
    let field = table.require("values", "an array of the choices", report)?;
    let values = list::of(&field, "an array of strings", text::line, report)?;
    if values.is_empty() {
        report.push(
            field
                .problem("has no choices")
                .expected("at least one string"),
        );
        return None;
    }
    Some(values)
}
