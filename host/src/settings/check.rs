//! From the text of the host's file to [`Settings`], with everything that is wrong on the way.
//!
//! An unknown key is a warning, so that a file may be older or newer than its host. Only where passing
//! it over would let a plugin run that somebody meant to keep out, it is an error.

mod context;
mod host;
mod lists;
mod plugin;
mod providers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyway_manifest::PluginId;
use keyway_manifest::document::{
    self, Field, Keys, LineIndex, Meant, Problem, Report, Syntax, Table, Value,
};
use keyway_manifest::limits::MAX_ENTRIES;

use super::error::finding;
use super::template::{Parsed, Template};
use super::written::Place;
use super::{MAX_FILE_BYTES, Settings, SettingsError, World};

const KEYS: Keys = Keys {
    listed: &["host", "plugins", "slots", "providers", "plugin", "context"],
    aliases: &[],
    elsewhere: &[("host", host::KEYS.listed), ("plugins", lists::KEYS.listed)],
};

/// The keys of all tables that have a fixed set of them.
#[cfg(test)]
pub(super) fn all_keys() -> impl Iterator<Item = &'static str> {
    let tables = [
        KEYS.listed,
        host::KEYS.listed,
        host::ROOT_KEYS.listed,
        lists::KEYS.listed,
        lists::LISTED_KEYS.listed,
        providers::KEYS.listed,
        plugin::KEYS.listed,
        context::KEYS.listed,
    ];
    tables.into_iter().flatten().copied()
}

/// The file that is being read, and what it is read with.
struct Source<'a> {
    file: Arc<Path>,
    lines: LineIndex<'a>,
    world: &'a World<'a>,
}

impl Source<'_> {
    /// Where a value is written.
    fn place(&self, field: &Field<'_>) -> Place {
        let (line, column) = self.lines.line_and_column(field.node.span.start);
        Place {
            file: Arc::clone(&self.file),
            line,
            column,
        }
    }

    /// A path, which is relative to the directory of the file.
    fn resolved(&self, path: &str) -> PathBuf {
        let directory = self.file.parent().unwrap_or(Path::new(""));
        directory.join(path)
    }

    /// A path that may have variables in it.
    fn path(&self, field: &Field<'_>, report: &mut Report) -> Option<PathBuf> {
        let written = document::line(field, report)?;
        let path = match Template::parse(&written) {
            Ok(Parsed::Plain(path)) => path,
            Ok(Parsed::Template(template)) => match template.expand(self.world.env) {
                Ok(expanded) => expanded.text,
                Err(unset) => {
                    let (what, hint) = unset.words();
                    report.push(field.problem(what).hint(hint));
                    return None;
                }
            },
            Err(malformed) => {
                let (what, hint) = malformed.words();
                report.push(field.problem(what).hint(hint));
                return None;
            }
        };
        if path.is_empty() {
            report.push(field.problem("is empty once its variables are put in"));
            return None;
        }
        Some(self.resolved(&path))
    }
}

/// Reads the text of a file that is at `path`.
pub(super) fn settings(
    text: &str,
    path: &Path,
    world: &World<'_>,
) -> Result<Settings, SettingsError> {
    if text.len() as u64 > MAX_FILE_BYTES {
        let fault = format!("is too long: expected at most {MAX_FILE_BYTES} bytes");
        return Err(SettingsError::unreadable(path, &fault));
    }
    let source = Source {
        file: Arc::from(path),
        lines: LineIndex::new(text),
        world,
    };
    let report = Report::new(Syntax::Toml).with_unknown_keys_as_warnings();
    // The file has secrets in it.
    let mut report = report.without_source();
    let settings = document::toml(text, &mut report)
        .and_then(|root| file(&Field::root(&root), &source, &mut report));
    match report.finish(settings, text, &path.display().to_string()) {
        Ok((mut settings, warnings)) => {
            settings.warnings = warnings.into_iter().map(finding).collect();
            Ok(settings)
        }
        Err(error) => {
            let omitted = error.omitted();
            Err(SettingsError::refused(error.into_diagnostics(), omitted))
        }
    }
}

fn file(root: &Field<'_>, source: &Source<'_>, report: &mut Report) -> Option<Settings> {
    let table = top_level(root, report)?;
    let host = table
        .get("host")
        .and_then(|field| host::check(&field, source, report));
    let plugins = table
        .get("plugins")
        .and_then(|field| report.strictly(|report| lists::check(&field, report)));
    let slots = table.get("slots").and_then(|field| slots(&field, report));
    let providers = table
        .get("providers")
        .and_then(|field| providers::order(&field, report));
    let plugin = table
        .get("plugin")
        .and_then(|field| plugin::all(&field, source, report));
    let context = table
        .get("context")
        .and_then(|field| context::check(&field, source, report));
    // A part that was there and wrong reads like a missing one here, but has been reported.
    Some(Settings {
        host: host.unwrap_or_default(),
        plugins: plugins.unwrap_or_default(),
        slots: slots.unwrap_or_default(),
        providers: providers.unwrap_or_default(),
        plugin: plugin.unwrap_or_default(),
        context: context.unwrap_or_default(),
        warnings: Vec::new(),
    })
}

fn top_level<'t>(root: &Field<'t>, report: &mut Report) -> Option<Table<'t>> {
    if let Value::Table(entries) = &root.node.value
        && entries.len() > MAX_ENTRIES
    {
        let problem = Problem::new(&entries[MAX_ENTRIES].key_span, "", "too many keys");
        report.push(
            problem
                .expected(format!("at most {MAX_ENTRIES} at the top level"))
                .found(entries.len().to_string()),
        );
        return None;
    }
    let table = root.table(report)?;
    for (entry, _) in table.fields() {
        if KEYS.contains(&entry.key) {
            continue;
        }
        let meant = KEYS.meant_by(&entry.key);
        let unknown = |report: &mut Report| {
            table.unknown_key(entry, &KEYS.expected(), meant.hint(), report);
        };
        // A list that keeps plugins out is not to be lost to a slip.
        match &meant {
            Meant::Key("plugins") => report.strictly(unknown),
            Meant::Elsewhere(path) if path.starts_with("plugins.") => report.strictly(unknown),
            _ => unknown(report),
        }
    }
    Some(table)
}

/// The table `[slots]`. Which slots there are is for whoever fills them to know.
fn slots(field: &Field<'_>, report: &mut Report) -> Option<BTreeMap<String, PluginId>> {
    let table = field.table(report)?;
    let mut slots = BTreeMap::new();
    for (entry, field) in table.fields() {
        if !is_name(&entry.key) {
            report.push(bad_name(&field, "a slot"));
        }
        if let Some(id) = document::plugin_id(&field, report) {
            slots.insert(entry.key.clone(), id);
        }
    }
    Some(slots)
}

/// Whether a key can be the name of a slot or of a text.
fn is_name(key: &str) -> bool {
    document::is_identifier(key, b"_-.") && key.len() <= keyway_manifest::limits::MAX_NAME_CHARS
}

fn bad_name(field: &Field<'_>, of_what: &str) -> Problem {
    let message = format!("`{}` is no name of {of_what}", field.path);
    Problem::new(&field.key_span, &field.path, message).expected(format!(
        "1 to {} ASCII letters, digits, `_`, `-` and `.`, starting with a letter or `_`",
        keyway_manifest::limits::MAX_NAME_CHARS
    ))
}
