//! The table `[plugin.content]`.

use std::collections::BTreeMap;

use super::field::Field;
use super::keys::Keys;
use super::{list, suggest, text};
use crate::capability::capability_id;
use crate::content::skill_name;
use crate::diagnostic::report::{Problem, Report};
use crate::limits::MAX_NAME_CHARS;
use crate::tree::{Value, show};
use crate::{Capabilities, Content};

const KEYS: Keys = Keys::plain(&["skills", "resources"]);

/// The key of the one extension point that needs no code.
const SKILLS: &str = "skills";

pub(super) fn check(field: &Field<'_>, report: &mut Report) -> Option<Content> {
    let table = field.table_with(&KEYS, report)?;
    let mut paths = |key| match table.get(key) {
        Some(field) => list::of(&field, "an array of paths", path, report),
        None => Some(Vec::new()),
    };
    let (skills, resources) = (paths("skills"), paths("resources"));
    if let (Some(_), Some(field)) = (&skills, table.get("skills")) {
        check_names(&field, report);
    }
    let content = Content {
        skills: skills?,
        resources: resources?,
    };
    if content == Content::default() {
        report.push(
            field
                .problem("names no file")
                .expected("`skills` or `resources` with at least one path"),
        );
    }
    Some(content)
}

/// A path that stays below the directory of the manifest on every system.
fn path(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let path = text::line(field, report)?;
    let is_inside = path.split('/').all(|part| !matches!(part, "" | "." | ".."))
        // On Windows these separate parts, and name drives and streams.
        && !path.contains(['\\', ':']);
    if is_inside {
        return Some(path);
    }
    report.push(
        field
            .problem("is no path inside the plugin")
            .expected("names joined by `/`, without `.`, `..`, `\\` and `:`")
            .found(field.found(report)),
    );
    None
}

/// Checks that each skill has a name, and that no two have the same.
fn check_names(field: &Field<'_>, report: &mut Report) {
    let mut named = BTreeMap::new();
    for (element, path) in field.strings() {
        let name = skill_name(path);
        if name.contains(char::is_whitespace) || name.chars().count() > MAX_NAME_CHARS {
            report.push(
                element
                    .problem("gives its skill no name")
                    .expected(format!(
                        "a file name of at most {MAX_NAME_CHARS} characters without spaces"
                    ))
                    .found(show::quoted(name)),
            );
        } else if let Some(other) = named.insert(name, path) {
            report.push(
                element
                    .problem(format!(
                        "gives its skill the name of the one in {}",
                        show::quoted(other)
                    ))
                    .found(show::quoted(name))
                    .hint("rename one of the two files"),
            );
        }
    }
}

/// Checks that what a plugin without code declares needs none, and declares its skills, each of
/// which is one of its files.
pub(super) fn declare(
    content: &Content,
    field: Option<&Field<'_>>,
    capabilities: &mut Capabilities,
    report: &mut Report,
) {
    let names: Vec<String> = content
        .named_skills()
        .map(|(name, _)| name.to_owned())
        .collect();
    let table = field.filter(|field| matches!(field.node.value, Value::Table(_)));
    let table = table.and_then(|field| field.table(report));
    for (entry, field) in table.iter().flat_map(|table| table.fields()) {
        let key = entry.key.as_str();
        if key == SKILLS {
            check_declared(&field, &names, report);
        } else if !capabilities
            .names(capability_id(key).unwrap_or(key))
            .is_empty()
        {
            report.push(
                Problem::new(
                    &entry.key_span,
                    &field.path,
                    format!("`{}` needs a library, and this plugin has none", field.path),
                )
                .expected("only skills beside `plugin.content`")
                .hint("remove it, or remove `plugin.content`"),
            );
        }
    }
    if let Some(id) = capability_id(SKILLS) {
        capabilities.insert(id, names);
    }
}

fn check_declared(field: &Field<'_>, names: &[String], report: &mut Report) {
    for (element, declared) in field.strings() {
        if names.iter().any(|name| name == declared) {
            continue;
        }
        let meant = suggest::closest(declared, names.iter().map(String::as_str));
        report.push(
            element
                .problem("is the name of no file in `plugin.content.skills`")
                .found(element.found(report))
                .maybe_hint(meant.map(|meant| suggest::did_you_mean(&show::text(meant)))),
        );
    }
}
