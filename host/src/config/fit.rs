//! Whether a value fits its setting.

use keyway_manifest::{ConfigType, ItemType};
use serde_json::Value;

use super::words::{expectation, kind_of, show};
use crate::suggest::suggestion;

/// Whether a value is of the type and within its bounds. Of one that is private only its kind is told.
pub(super) fn check(ty: &ConfigType, value: &Value, is_private: bool) -> Result<(), String> {
    let found = |value: &Value| match is_private {
        true => kind_of(value).to_owned(),
        false => show(value),
    };
    let fits = match ty {
        ConfigType::String | ConfigType::Secret => value.is_string(),
        ConfigType::Boolean => value.is_boolean(),
        ConfigType::Integer { min, max } => value
            .as_i64()
            .is_some_and(|number| within(number, *min, *max)),
        ConfigType::Number { min, max } => value
            .as_f64()
            .is_some_and(|number| number.is_finite() && within(number, *min, *max)),
        ConfigType::Enum { values } => value
            .as_str()
            .is_some_and(|text| values.iter().any(|choice| choice == text)),
        ConfigType::Array { items } => {
            let misfit = value.as_array().map(|array| {
                let mut array = array.iter().enumerate();
                array.find(|(_, item)| !item_fits(*items, item))
            });
            if let Some(Some((index, item))) = misfit {
                return Err(format!(
                    "expected {}, found {} at index {index}",
                    expectation(ty),
                    found(item)
                ));
            }
            misfit.is_some()
        }
        other => {
            return Err(format!(
                "this version of the host knows no type `{}`",
                other.name()
            ));
        }
    };
    if fits {
        return Ok(());
    }
    let mut what = format!("expected {}, found {}", expectation(ty), found(value));
    if let (ConfigType::Enum { values }, Some(text), false) = (ty, value.as_str(), is_private)
        && let Some(similar) = suggestion(text, values.iter().map(String::as_str))
    {
        what.push_str(&format!(", did you mean \"{similar}\"?"));
    }
    Err(what)
}

fn within<T: PartialOrd>(value: T, min: Option<T>, max: Option<T>) -> bool {
    min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max)
}

fn item_fits(ty: ItemType, item: &Value) -> bool {
    match ty {
        ItemType::String => item.is_string(),
        ItemType::Integer => item.is_i64(),
        ItemType::Number => item.as_f64().is_some_and(f64::is_finite),
        ItemType::Boolean => item.is_boolean(),
        _ => false,
    }
}
