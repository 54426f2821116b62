//! Who gets which name, and what help says. Plain values in, plain values out.

use std::collections::BTreeMap;
use std::fmt::Write;

use keyway::command::CommandSpec;
use keyway_manifest::CommandText;

use super::CommandRecord;
use crate::extension::codes;
use crate::finding::Finding;
use crate::suggest::suggestion;

/// The host's own command.
const HELP: &str = "help";

/// A command that a plugin offers, or would if it ran.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) plugin: String,
    /// What the manifest says of it.
    pub(crate) text: CommandText,
    /// What the plugin itself says of it, which goes before that.
    pub(crate) spec: CommandSpec,
    pub(crate) skill: bool,
    pub(crate) serves: bool,
}

/// All commands, each name with one owner.
pub(super) struct Table {
    commands: BTreeMap<String, CommandRecord>,
    /// From another name of a command to its own.
    aliases: BTreeMap<String, String>,
    pub(super) findings: Vec<Finding>,
}

impl Table {
    /// Of several that want one name, the first has it.
    pub(super) fn new(declared: Vec<Declared>) -> Self {
        let help = CommandRecord {
            name: HELP.to_owned(),
            description: Some("Lists the commands, or explains one of them.".to_owned()),
            usage: Some("[COMMAND]".to_owned()),
            serves: true,
            ..CommandRecord::default()
        };
        let mut table = Table {
            commands: BTreeMap::from([(HELP.to_owned(), help)]),
            aliases: BTreeMap::new(),
            findings: Vec::new(),
        };
        let mut wanted = Vec::new();
        for one in declared {
            if let Some(other) = table.commands.get(&one.name) {
                table
                    .findings
                    .push(collision(&one, other.plugin.as_deref()));
                continue;
            }
            let Declared {
                name,
                plugin,
                text,
                spec,
                skill,
                serves,
            } = one;
            let aliases = text.aliases.into_iter();
            wanted.extend(aliases.map(|alias| (alias, name.clone())));
            let record = CommandRecord {
                name: name.clone(),
                plugin: Some(plugin),
                description: spec.description.or(text.description),
                usage: spec.usage.or(text.usage),
                aliases: Vec::new(),
                skill,
                serves,
            };
            table.commands.insert(name, record);
        }
        // A name of a command's own goes before all other names.
        for (alias, name) in wanted {
            table.name_also(alias, &name);
        }
        table
    }

    fn name_also(&mut self, alias: String, name: &str) {
        let own = self.commands.get(&alias);
        let taken = own.or_else(|| self.commands.get(self.aliases.get(&alias)?));
        if let Some(taken) = taken {
            let other = match &taken.plugin {
                Some(plugin) => format!("`/{}` of plugin '{plugin}'", taken.name),
                None => format!("`/{}`, which is the host's own", taken.name),
            };
            let message =
                format!("wants its command `/{name}` to be `/{alias}` too, which calls {other}");
            let finding = codes::ALIAS_COLLISION.finding(message);
            let finding = finding.hint(format!(
                "`/{name}` works; take \"{alias}\" out of the `aliases` of one of the two"
            ));
            let plugin = self.commands.get(name).and_then(|own| own.plugin.clone());
            self.findings.push(match plugin {
                Some(plugin) => finding.of_plugin(plugin),
                None => finding,
            });
            return;
        }
        if let Some(own) = self.commands.get_mut(name) {
            own.aliases.push(alias.clone());
        }
        self.aliases.insert(alias, name.to_owned());
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &CommandRecord> {
        self.commands.values()
    }

    /// The command that goes by this name.
    pub(super) fn find(&self, name: &str) -> Option<&CommandRecord> {
        let own = self.commands.get(name);
        own.or_else(|| self.commands.get(self.aliases.get(name)?))
    }

    /// The name that was probably meant.
    pub(super) fn similar(&self, name: &str) -> Option<&str> {
        let names = self.commands.keys().chain(self.aliases.keys());
        suggestion(name, names.map(String::as_str))
    }

    pub(super) fn help(&self) -> String {
        let heads: Vec<String> = self.records().map(head).collect();
        let width = heads.iter().map(|head| head.chars().count()).max();
        let width = width.unwrap_or_default();
        let mut help = String::new();
        for (record, head) in self.records().zip(heads) {
            let description = record.description.as_deref().unwrap_or_default();
            // A description of several lines has the first one for those who only look for something.
            let description = description.lines().next().unwrap_or_default();
            let line = format!("{head:width$}  {description}");
            let _ = writeln!(help, "{}", line.trim_end());
        }
        help
    }
}

/// What is typed: `/roll [SIDES]`.
fn head(record: &CommandRecord) -> String {
    match &record.usage {
        Some(usage) => format!("/{} {usage}", record.name),
        None => format!("/{}", record.name),
    }
}

/// All that there is to say of a command.
pub(super) fn explained(record: &CommandRecord) -> String {
    let mut help = format!("{}\n", head(record));
    if let Some(description) = &record.description {
        let _ = writeln!(help, "{description}");
    }
    if !record.aliases.is_empty() {
        let _ = writeln!(help, "Also: /{}", record.aliases.join(", /"));
    }
    if let Some(plugin) = &record.plugin {
        let _ = writeln!(help, "From plugin '{plugin}'");
    }
    help
}

fn collision(one: &Declared, other: Option<&str>) -> Finding {
    let Declared { name, plugin, .. } = one;
    let finding = match other {
        Some(other) => codes::COMMAND_COLLISION
            .finding(format!(
                "has the command `/{name}`, which plugin '{other}' has too, and gets"
            ))
            .hint(format!(
                "disable '{other}' or '{plugin}', or rename the command in one of the two"
            )),
        None => codes::COMMAND_COLLISION
            .finding(format!(
                "has the command `/{name}`, which is the host's own"
            ))
            .hint("rename the command"),
    };
    finding.of_plugin(plugin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(name: &str, plugin: &str, aliases: &[&str]) -> Declared {
        let mut text = CommandText::default();
        text.aliases = aliases.iter().map(ToString::to_string).collect();
        Declared {
            name: name.to_owned(),
            plugin: plugin.to_owned(),
            text,
            spec: CommandSpec::default(),
            skill: false,
            serves: false,
        }
    }

    fn told(table: &Table) -> Vec<String> {
        let findings = table.findings.iter();
        findings
            .map(|finding| format!("{}: {finding}", finding.code))
            .collect()
    }

    #[test]
    fn who_wants_a_name_that_is_taken_is_told_who_has_it_and_what_to_do() {
        let table = Table::new(vec![
            declared("status", "a", &["st", "s"]),
            declared("status", "b", &["stat"]),
            declared("help", "b", &[]),
            declared("s", "c", &[]),
            declared("sort", "c", &["st", "help", "so"]),
        ]);
        assert_eq!(
            told(&table),
            [
                "command-collision: plugin 'b': has the command `/status`, which plugin 'a' has \
                 too, and gets; hint: disable 'a' or 'b', or rename the command in one of the two",
                "command-collision: plugin 'b': has the command `/help`, which is the host's own; \
                 hint: rename the command",
                "alias-collision: plugin 'a': wants its command `/status` to be `/s` too, which \
                 calls `/s` of plugin 'c'; hint: `/status` works; take \"s\" out of the `aliases` \
                 of one of the two",
                "alias-collision: plugin 'c': wants its command `/sort` to be `/st` too, which \
                 calls `/status` of plugin 'a'; hint: `/sort` works; take \"st\" out of the \
                 `aliases` of one of the two",
                "alias-collision: plugin 'c': wants its command `/sort` to be `/help` too, which \
                 calls `/help`, which is the host's own; hint: `/sort` works; take \"help\" out of \
                 the `aliases` of one of the two",
            ]
        );
        let owner = |name: &str| table.find(name).and_then(|record| record.plugin.as_deref());
        assert_eq!(owner("status"), Some("a"));
        assert_eq!(owner("st"), Some("a"));
        assert_eq!(owner("s"), Some("c"));
        assert_eq!(owner("so"), Some("c"));
        assert_eq!(owner("stat"), None, "its command is not there");
        assert_eq!(table.find("st").expect("it is there").aliases, ["st"]);
    }

    #[test]
    fn what_a_plugin_says_while_it_runs_goes_before_its_manifest() {
        let mut roll = declared("roll", "dice", &["r"]);
        roll.text.description = Some("Rolls a die.".to_owned());
        roll.text.usage = Some("SIDES".to_owned());
        roll.spec.usage = Some("[SIDES]".to_owned());
        let table = Table::new(vec![roll, declared("bare", "b", &[])]);
        assert_eq!(
            table.help(),
            "/bare\n\
             /help [COMMAND]  Lists the commands, or explains one of them.\n\
             /roll [SIDES]    Rolls a die.\n"
        );
        let roll = table.find("r").expect("it goes by that too");
        assert_eq!(
            explained(roll),
            "/roll [SIDES]\nRolls a die.\nAlso: /r\nFrom plugin 'dice'\n"
        );
        assert_eq!(table.similar("rol"), Some("roll"));
    }
}
