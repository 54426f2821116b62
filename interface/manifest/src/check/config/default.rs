//! The default of a setting, which has to satisfy the setting's own type.

use std::fmt::Debug;

use crate::check::field::Field;
use crate::check::text;
use crate::diagnostic::report::Report;
use crate::{ConfigType, ConfigValue, ItemType};

pub(super) fn check(
    field: &Field<'_>,
    ty: &ConfigType,
    report: &mut Report,
) -> Option<ConfigValue> {
    match ty {
        ConfigType::String => text::free(field, report).map(ConfigValue::String),
        ConfigType::Integer { min, max } => {
            let integer = field.integer(report)?;
            in_range(field, integer, *min, *max, report).map(ConfigValue::Integer)
        }
        ConfigType::Number { min, max } => {
            let number = field.number(report)?;
            in_range(field, number, *min, *max, report).map(ConfigValue::Number)
        }
        ConfigType::Boolean => field.boolean(report).map(ConfigValue::Boolean),
        ConfigType::Array { items } => {
            let expected = format!("an array with elements of type {items}");
            let mut values = Vec::new();
            for element in field.elements(&expected, report)? {
                values.extend(item(&element, *items, report));
            }
            Some(ConfigValue::Array(values))
        }
        ConfigType::Enum { values } => {
            let choice = field.string(report)?;
            if values.iter().any(|value| value == choice) {
                return Some(ConfigValue::String(choice.to_owned()));
            }
            let choices = values.iter().map(String::as_str);
            report.push(text::unknown_choice(field, choice, choices, report));
            None
        }
        ConfigType::Secret => {
            report.push(
                field
                    .problem("is the default of a secret")
                    .hint("remove it: anyone could read it in the plugin"),
            );
            None
        }
    }
}

fn item(field: &Field<'_>, ty: ItemType, report: &mut Report) -> Option<ConfigValue> {
    match ty {
        ItemType::String => text::free(field, report).map(ConfigValue::String),
        ItemType::Integer => field.integer(report).map(ConfigValue::Integer),
        ItemType::Number => field.number(report).map(ConfigValue::Number),
        ItemType::Boolean => field.boolean(report).map(ConfigValue::Boolean),
    }
}

fn in_range<T: PartialOrd + Debug>(
    field: &Field<'_>,
    value: T,
    min: Option<T>,
    max: Option<T>,
    report: &mut Report,
) -> Option<T> {
    let expected = match (&min, &max) {
        (Some(min), Some(max)) if value < *min || value > *max => {
            format!("a number from {min:?} to {max:?}")
        }
        (Some(min), _) if value < *min => format!("at least {min:?}"),
        (_, Some(max)) if value > *max => format!("at most {max:?}"),
        _ => return Some(value),
    };
    report.push(
        field
            .problem("is out of range")
            .expected(expected)
            .found(format!("{value:?}")),
    );
    None
}
