//! A plugin's configuration: what was set, completed and checked by the schema in the plugin's
//! manifest.
//!
//! All of this is decided from the manifest, before any code of the plugin runs. The values come
//! in and go out as JSON, and the environment is a function, so nothing here does IO. The value of
//! a secret is in no message, and neither is what came in by a `${VARIABLE}` or under a name that the
//! manifest does not declare.

mod changes;
mod fit;
mod resolved;
mod schema;
mod secrets;
mod words;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use keyway_manifest::{ConfigField, ConfigType, ItemType};
use serde_json::{Map, Value};

pub use self::changes::{Changes, Steps, diff};
use self::fit::check;
use self::resolved::Setting;
pub use self::resolved::{ConfigOrigin, ConfigValue, Resolved};
pub use self::schema::config_schema;
pub(crate) use self::secrets::Secrets;
use self::words::expectation;
use crate::error::{HostError, HostErrorKind};
use crate::settings::{Place, PluginSettings, Written};
use crate::suggest::suggestion;

/// Where the values of a plugin's settings come from; the first that has one wins.
#[derive(Clone, Copy)]
#[must_use]
pub struct Sources<'a> {
    given: Option<&'a Map<String, Value>>,
    host: Option<&'a PluginSettings>,
    env: &'a dyn Fn(&str) -> Option<OsString>,
}

impl<'a> Sources<'a> {
    /// The environment alone, for settings that name a variable and for `${VARIABLE}`s.
    pub fn new(env: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Sources {
            given: None,
            host: None,
            env,
        }
    }

    /// What the application gives for this plugin; it comes before everything else.
    pub fn given(mut self, given: &'a Map<String, Value>) -> Self {
        self.given = Some(given);
        self
    }

    /// What the host's file says of this plugin; it comes before the environment.
    pub fn host(mut self, host: &'a PluginSettings) -> Self {
        self.host = Some(host);
        self
    }
}

/// Settings may be secret, so only their names are shown.
impl fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self.given.map(|given| given.keys().collect::<Vec<_>>());
        f.debug_struct("Sources")
            .field("given", &given)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// The configuration that a plugin gets, with warnings about what its manifest does not declare.
///
/// A value is the application's own, or else that of the host's file, or else that of the environment
/// variable that the manifest names, or else the default; an optional setting that has none of
/// them is left out. What is set without being declared is passed on as it is, with a warning.
///
/// # Errors
///
/// One [`HostErrorKind::Config`] with everything that does not fit.
pub fn resolve(
    schema: &BTreeMap<String, ConfigField>,
    sources: &Sources<'_>,
) -> Result<Resolved, HostError> {
    let mut settings = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, field) in schema {
        match declared(name, field, sources) {
            Ok(Some(setting)) => {
                settings.insert(name.as_str(), setting);
            }
            Ok(None) => {}
            Err(problem) => problems.push(Problem {
                name,
                field: Some(field),
                ..problem
            }),
        }
    }
    let given: &Map<String, Value> = match sources.given {
        Some(given) => given,
        None => &Map::new(),
    };
    let written = sources.host.map(|host| &host.config);
    let is_set = |name: &str| {
        given.contains_key(name) || written.is_some_and(|written| written.contains_key(name))
    };
    let is_secret = |field: &ConfigField| matches!(field.ty, ConfigType::Secret);
    let has_secrets = schema.values().any(is_secret);
    let mut warnings = Vec::new();
    let mut undeclared: BTreeMap<&str, Option<&Place>> = BTreeMap::new();
    for (name, (place, written)) in written.into_iter().flatten() {
        if schema.contains_key(name) || given.contains_key(name) {
            continue;
        }
        undeclared.insert(name, Some(place));
        match unchecked(name, place, written, sources, has_secrets) {
            Ok(setting) => {
                settings.insert(name, setting);
            }
            Err(problem) => problems.push(problem),
        }
    }
    for (name, value) in given.iter().filter(|(name, _)| !schema.contains_key(*name)) {
        undeclared.insert(name, None);
        let setting = Setting::undeclared(name, value.clone(), ConfigOrigin::Given, has_secrets);
        settings.insert(name, setting);
    }
    for (name, place) in undeclared {
        let at = place.map_or(String::new(), |place| format!(" ({place})"));
        let mut warning = format!(
            "its manifest declares no setting `{name}`{at}, whose value is passed on unchecked"
        );
        // Who gave a setting its value did not mean that one.
        let free = schema.keys().filter(|name| !is_set(name));
        if let Some(similar) = suggestion(name, free.map(String::as_str)) {
            warning.push_str(&format!("; did you mean `{similar}`?"));
        }
        warnings.push(warning);
    }
    if problems.is_empty() {
        Ok(Resolved::new(settings, warnings))
    } else {
        Err(refusal(&problems, &warnings))
    }
}

/// Why one setting has no value.
struct Problem<'a> {
    name: &'a str,
    field: Option<&'a ConfigField>,
    /// Where it is written in the host's file, if it is.
    place: Option<&'a Place>,
    what: String,
    /// What to do about it in particular.
    hint: Option<String>,
}

impl From<String> for Problem<'_> {
    fn from(what: String) -> Self {
        Problem {
            name: "",
            field: None,
            place: None,
            what,
            hint: None,
        }
    }
}

/// The value of a setting that the manifest declares.
fn declared<'a>(
    name: &'a str,
    field: &ConfigField,
    sources: &Sources<'a>,
) -> Result<Option<Setting>, Problem<'a>> {
    let is_secret = matches!(field.ty, ConfigType::Secret);
    let setting = |value: Value, origin| match is_secret {
        true => Setting::secret(name, value, origin),
        false => Setting::plain(value, origin),
    };
    if let Some(value) = sources.given.and_then(|given| given.get(name)) {
        check(&field.ty, value, is_secret)?;
        return Ok(Some(setting(value.clone(), ConfigOrigin::Given)));
    }
    let written = sources.host.and_then(|host| host.config.get(name));
    if let Some((place, written)) = written {
        return from_file(name, field, place, written, sources).map(Some);
    }
    let variable = field.env.as_deref();
    if let Some((variable, text)) = variable.and_then(|name| Some((name, (sources.env)(name)?))) {
        let form = match field.ty {
            ConfigType::Array { .. } => ", read as JSON",
            _ => "",
        };
        let value = from_variable(&field.ty, text)
            .map_err(|what| format!("environment variable {variable}{form}: {what}"))?;
        return Ok(Some(setting(value, ConfigOrigin::Env(variable.to_owned()))));
    }
    if let Some(default) = &field.default {
        let value = default_value(default)?;
        return Ok(Some(setting(value, ConfigOrigin::Default)));
    }
    if field.required {
        let expected = expectation(&field.ty);
        return Err(format!("required, expected {expected}, found no value").into());
    }
    Ok(None)
}

/// The value of a declared setting that the host's file has.
fn from_file<'a>(
    name: &'a str,
    field: &ConfigField,
    place: &'a Place,
    written: &'a Written,
    sources: &Sources<'a>,
) -> Result<Setting, Problem<'a>> {
    let at_place = |what: String| Problem {
        place: Some(place),
        ..Problem::from(what)
    };
    // A text that variables make is read like that of one variable.
    let is_text = match (&field.ty, written.template()) {
        (ConfigType::Array { items }, None) => *items == ItemType::String,
        (ty, _) => is_text(ty),
    };
    let filled = written.fill(sources.env, &|text| read_text(text, is_text));
    let filled = filled.map_err(|unset| {
        let (what, hint) = unset.words();
        Problem {
            hint: Some(hint),
            ..at_place(what)
        }
    })?;
    let is_secret = matches!(field.ty, ConfigType::Secret);
    let is_private = is_secret || written.has_variables();
    check(&field.ty, &filled.value, is_private).map_err(|what| {
        at_place(match written.template() {
            Some(template) => format!("`{}`: {what}", template.shown(is_secret)),
            None => what,
        })
    })?;
    let origin = ConfigOrigin::at(place);
    Ok(match is_secret {
        true => {
            let mut setting = Setting::secret(name, filled.value, origin);
            setting.show_variables(written);
            setting.private.extend(filled.private);
            setting
        }
        false => Setting {
            value: filled.value,
            shown: written.shown(),
            origin,
            secret: is_private,
            private: filled.private,
        },
    })
}

/// The value of a setting that the host's file has and the manifest does not declare.
fn unchecked<'a>(
    name: &'a str,
    place: &'a Place,
    written: &'a Written,
    sources: &Sources<'a>,
    has_secrets: bool,
) -> Result<Setting, Problem<'a>> {
    let filled = written.fill(sources.env, &Value::String);
    let filled = filled.map_err(|unset| {
        let (what, hint) = unset.words();
        Problem {
            name,
            field: None,
            place: Some(place),
            what,
            hint: Some(hint),
        }
    })?;
    let origin = ConfigOrigin::at(place);
    let mut setting = Setting::undeclared(name, filled.value, origin, has_secrets);
    setting.private.extend(filled.private);
    setting.show_variables(written);
    Ok(setting)
}

fn is_text(ty: &ConfigType) -> bool {
    matches!(
        ty,
        ConfigType::String | ConfigType::Enum { .. } | ConfigType::Secret
    )
}

/// Reads a text that comes from outside of JSON: as it is where a text is wanted, else as JSON. What
/// is no JSON is taken for a text, which does not fit and is told as what was found.
fn read_text(text: String, is_text: bool) -> Value {
    match serde_json::from_str(&text) {
        Ok(value) if !is_text => value,
        _ => Value::String(text),
    }
}

/// Reads the text of an environment variable.
fn from_variable(ty: &ConfigType, text: OsString) -> Result<Value, String> {
    let text = text
        .into_string()
        // The text itself is not shown: it may be a secret.
        .map_err(|_| format!("expected {}, found text that is not UTF-8", expectation(ty)))?;
    let value = read_text(text, is_text(ty));
    check(ty, &value, matches!(ty, ConfigType::Secret)).map(|()| value)
}

fn default_value(default: &keyway_manifest::ConfigValue) -> Result<Value, String> {
    use keyway_manifest::ConfigValue;
    match default {
        ConfigValue::String(text) => Ok(Value::from(text.as_str())),
        ConfigValue::Integer(number) => Ok(Value::from(*number)),
        ConfigValue::Number(number) => Ok(Value::from(*number)),
        ConfigValue::Boolean(truth) => Ok(Value::from(*truth)),
        ConfigValue::Array(items) => items.iter().map(default_value).collect(),
        _ => Err("this version of the host cannot read its default".to_owned()),
    }
}

fn refusal(problems: &[Problem<'_>], warnings: &[String]) -> HostError {
    let told: Vec<String> = problems
        .iter()
        .map(
            |Problem {
                 name, place, what, ..
             }| match place {
                Some(place) => format!("setting `{name}` ({place}): {what}"),
                None => format!("setting `{name}`: {what}"),
            },
        )
        .collect();
    let (it, key) = match problems {
        [only] => ("it", only.name),
        _ => ("them", "KEY"),
    };
    let mut hint = match problems.iter().all(|problem| problem.place.is_some()) {
        true => format!("correct {it} in the file, or set {it} with `LoadOptions::config`"),
        false => format!(
            "set {it} with `LoadOptions::config`, or with `--config {key}=JSON` of the keyway \
             command"
        ),
    };
    // What is written in the file comes before the environment, which would not help.
    let elsewhere = problems.iter().filter(|problem| problem.place.is_none());
    let variables: Vec<String> = elsewhere
        .filter_map(|Problem { name, field, .. }| {
            let variable = field.as_ref()?.env.as_ref()?;
            Some(format!("`{name}` with the environment variable {variable}"))
        })
        .collect();
    if !variables.is_empty() {
        hint.push_str(&format!("; {}", variables.join(", ")));
    }
    let own = problems.iter().filter_map(|problem| problem.hint.as_ref());
    // A value that is missing may have been given under a misspelt name.
    for more in own.chain(warnings) {
        hint.push_str(&format!("; {more}"));
    }
    HostError::new(HostErrorKind::Config, told.join("; ")).hint(hint)
}

#[cfg(test)]
mod tests;
