//! Values on the command line that are more than text.

use std::time::Duration;

use keyway_host::manifest::PluginId;
use serde_json::Value;

/// A time with its unit: `5s`, `500ms`, `1.5m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let refuse =
        || format!("expected a number above 0 with one of the units ms, s or m, found `{text}`");
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return Err(refuse()),
    };
    let number: f64 = number.parse().map_err(|_| refuse())?;
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(refuse()),
    }
}

/// One value of a configuration: `key=JSON`.
pub(super) fn setting(text: &str) -> Result<(String, Value), String> {
    let (key, json) = text
        .split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| format!("expected KEY=JSON, found `{text}`"))?;
    let value = serde_json::from_str(json).map_err(|error| {
        format!("`{key}` is not JSON: {error}; a text needs quotes: '{key}=\"text\"'")
    })?;
    Ok((key.to_owned(), value))
}

/// A setting of a plugin: `NAME.KEY`. An id has no dot in it.
pub(super) fn key(text: &str) -> Result<(PluginId, String), String> {
    let (id, key) = text
        .split_once('.')
        .filter(|(_, key)| !key.is_empty())
        .ok_or_else(|| format!("expected NAME.KEY, found `{text}`"))?;
    let id = id
        .parse()
        .map_err(|error: keyway_host::manifest::InvalidPluginId| {
            format!("the id `{id}` {error}")
        })?;
    Ok((id, key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_are_above_zero() {
        let cases = [
            ("5s", Some(5_000)),
            ("500ms", Some(500)),
            ("1.5m", Some(90_000)),
            ("0s", None),
            ("5", None),
            ("s", None),
            ("", None),
            ("-5s", None),
            ("5 s", None),
            ("1e9s", None),
            ("99999999999999999999999999s", None),
        ];
        for (text, millis) in cases {
            let found = duration(text).ok();
            assert_eq!(found, millis.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn a_setting_is_split_at_its_first_equals_sign() {
        let (key, value) = setting("pattern=\"a=b\"").expect("a setting");
        assert_eq!((key.as_str(), value), ("pattern", Value::from("a=b")));
        for text in ["pattern", "=1", "pattern=", "pattern=a"] {
            setting(text).expect_err(text);
        }
    }
}
