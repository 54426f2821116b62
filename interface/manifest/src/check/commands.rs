//! The tables `[plugin.commands.*]`.

use std::collections::BTreeMap;

use super::field::Field;
use super::keys::Keys;
use super::{list, suggest, text};
use crate::capability::capability_id;
use crate::diagnostic::report::{Problem, Report};
use crate::tree::{Value, show};
use crate::{Capabilities, CommandText};

const KEYS: Keys = Keys::plain(&["description", "usage", "aliases"]);

/// `capabilities` is what the plugin declares, unless that was wrong by itself.
pub(super) fn check(
    field: &Field<'_>,
    capabilities: Option<&Capabilities>,
    report: &mut Report,
) -> Option<BTreeMap<String, CommandText>> {
    if let Value::Array(_) = field.node.value {
        // The list has another place, and this one is easily taken for it.
        report.push(
            field
                .problem("has the wrong type")
                .expected(show::table(report.syntax()))
                .found(field.found(report))
                .hint(suggest::did_you_mean("plugin.capabilities.commands")),
        );
        return None;
    }
    let table = field.table(report)?;
    let declared = capabilities.map(|all| all.names(capability_id("commands").unwrap_or_default()));
    let mut commands = BTreeMap::new();
    let mut taken = BTreeMap::new();
    for (entry, field) in table.fields() {
        let name = entry.key.as_str();
        let missing = declared.filter(|declared| !declared.iter().any(|other| other == name));
        if let Some(declared) = missing {
            let problem = Problem::new(
                &entry.key_span,
                &field.path,
                format!("`{}` is no declared command", show::text(name)),
            );
            report.push(problem.hint(undeclared(name, declared)));
        }
        let Some(text) = command(&field, report) else {
            continue;
        };
        if let Some(aliases) = field.table(report).and_then(|table| table.get("aliases")) {
            check_aliases(
                &aliases,
                name,
                declared.unwrap_or_default(),
                &mut taken,
                report,
            );
        }
        // A table that says nothing leaves no trace, like everything else that is empty.
        if text != CommandText::default() {
            commands.insert(name.to_owned(), text);
        }
    }
    Some(commands)
}

fn undeclared(name: &str, declared: &[String]) -> String {
    let meant = suggest::closest(name, declared.iter().map(String::as_str));
    meant.map_or_else(
        || {
            let name = show::quoted(name);
            format!("add {name} to `commands` under `plugin.capabilities`")
        },
        |meant| suggest::did_you_mean(&show::text(meant)),
    )
}

fn command(field: &Field<'_>, report: &mut Report) -> Option<CommandText> {
    let table = field.table_with(&KEYS, report)?;
    let description = table
        .get("description")
        .and_then(|field| text::prose(&field, report));
    let usage = table
        .get("usage")
        .and_then(|field| text::line(&field, report));
    let aliases = table
        .get("aliases")
        .and_then(|field| list::of(&field, "an array of names", text::name, report));
    Some(CommandText {
        description,
        usage,
        aliases: aliases.unwrap_or_default(),
    })
}

/// Checks that a name stands for one command only; `taken` has the aliases of the commands before.
fn check_aliases(
    field: &Field<'_>,
    command: &str,
    declared: &[String],
    taken: &mut BTreeMap<String, String>,
    report: &mut Report,
) {
    // What is not an array of strings has been reported, and takes no name.
    for (alias, name) in field.strings() {
        let owner = if name == command || declared.iter().any(|declared| declared == name) {
            Some("a command has this name".to_owned())
        } else {
            let owner = taken.get(name).filter(|owner| *owner != command);
            owner.map(|owner| format!("`{}` has it already", show::text(owner)))
        };
        match owner {
            Some(owner) => report.push(
                alias
                    .problem(format!("is taken: {owner}"))
                    .found(alias.found(report))
                    .hint("choose another alias"),
            ),
            None => {
                taken.insert(name.to_owned(), command.to_owned());
            }
        }
    }
}
