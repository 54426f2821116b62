//! Commands: what a person types after a slash, with its help, known from manifests alone.

mod line;
mod table;

use std::future::{Future, poll_fn};
use std::pin::pin;

use keyway::abi::pass::Json;
use keyway::command::{Command, CommandHandle, CommandOutput, CommandSpec, Invocation};
use keyway::{ErrorKind, PluginError, Scope};
use keyway_manifest::CommandText;
use serde_json::json;

use self::line::Line;
use self::table::{Declared, Table};
use super::channel::unavailable;
use super::codes;
use crate::described::Description;
use crate::finding::Finding;
use crate::host::Host;
use crate::plan::Trigger;
use crate::policy::Arguments;

/// The commands of a host: [`Host::commands`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Commands {
    host: Host,
}

/// A command, as its help has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandRecord {
    /// What is typed, without the slash.
    pub name: String,
    /// The plugin that has it; none for the host's own `help`.
    pub plugin: Option<String>,
    /// What it does, in a sentence.
    pub description: Option<String>,
    /// Its arguments.
    pub usage: Option<String>,
    /// Other names that it goes by, as far as nobody else has them.
    pub aliases: Vec<String>,
    /// Whether it is a [skill](keyway::skill) that a person may ask for by its name.
    pub skill: bool,
    /// Whether its plugin serves. If not, it is started when the command is run.
    pub serves: bool,
}

impl Host {
    /// The commands of all plugins that are enabled, also of those that do not run yet; and the skills of
    /// those that run which a person may ask for.
    ///
    /// ```
    /// # use keyway_host::Host;
    /// # use keyway_host::keyway::{Result, Scope};
    /// # async fn example(host: &Host) -> Result<()> {
    /// let output = host.commands().run("/status --all", Scope::new()).await?;
    /// println!("{}", output.text.unwrap_or_default());
    /// # Ok(())
    /// # }
    /// ```
    pub fn commands(&self) -> Commands {
        Commands { host: self.clone() }
    }
}

impl Commands {
    /// All commands by name, with the host's own `help`. Nothing of a plugin runs for this.
    pub fn list(&self) -> Vec<CommandRecord> {
        self.table().records().cloned().collect()
    }

    /// Names that several commands want, each naming who has it and who does not get it.
    pub fn findings(&self) -> Vec<Finding> {
        self.table().findings
    }

    /// A line for each command, as `/help` answers them.
    pub fn help(&self) -> String {
        self.table().help()
    }

    /// What there is to say of one command, by its name or another one that it goes by.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] with the code `unknown-command`.
    pub fn help_of(&self, name: &str) -> Result<String, PluginError> {
        let table = self.table();
        let name = name.strip_prefix('/').unwrap_or(name);
        match table.find(name) {
            Some(record) => Ok(table::explained(record)),
            None => Err(table.unknown(name)),
        }
    }

    /// Runs a line as somebody has typed it: a slash, the name of a command, and whatever it is to be
    /// called with. `/help` is the host's own. The plugin of the command is started if it does not run yet.
    ///
    /// A skill answers its instructions, and as data its tools and resources and what was typed after its
    /// name: what is done with them is for the application to say.
    ///
    /// The command gets the text after its name as it is, and as words: they end at white space, unless
    /// that is in single or double quotes; in double quotes `\"` and `\\` are the character after the
    /// backslash.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] with the code `unknown-command` and the name that was probably meant;
    /// [`ErrorKind::InvalidInput`] for a line that is no command, or a quote without an end;
    /// [`ErrorKind::Unavailable`] when the plugin could not be started; or whatever the command answers.
    pub async fn run(&self, line: &str, scope: Scope) -> Result<CommandOutput, PluginError> {
        let Line { name, text, words } = Line::parse(line)?;
        let table = self.table();
        let Some(record) = table.find(name) else {
            return Err(table.unknown(name));
        };
        let Some(plugin) = &record.plugin else {
            return match &words[..] {
                [] => Ok(CommandOutput::text(table.help())),
                [name] => self.help_of(name).map(CommandOutput::text),
                more => Err(PluginError::invalid_input(format!(
                    "`/help`: expected one command, found {} words",
                    more.len()
                ))),
            };
        };
        if record.skill {
            return self.ask_for(&record.name, text, words).await;
        }
        if !record.serves {
            self.start(&record.name, plugin).await?;
        }
        let call = self.call(&record.name, text, words, scope);
        let answer = call.await;
        answer.map_err(|error| self.host.without_secrets(plugin, error))
    }

    /// Answers what a skill says is to be done, for whoever does it.
    async fn ask_for(
        &self,
        name: &str,
        text: &str,
        words: Vec<String>,
    ) -> Result<CommandOutput, PluginError> {
        let skill = self.host.skill(name).await.map_err(unavailable)?;
        let spec = skill.spec()?;
        let data = json!({
            "skill": name,
            "tools": spec.tools,
            "resources": spec.resources,
            "text": text,
            "arguments": words,
        });
        Ok(CommandOutput::text(spec.instructions).with_data(data))
    }

    async fn call(
        &self,
        name: &str,
        text: &str,
        words: Vec<String>,
        scope: Scope,
    ) -> Result<CommandOutput, PluginError> {
        let handle: CommandHandle = self.host.registry().expected(name).map_err(unavailable)?;
        let arguments = Arguments::new(json!({ "text": text, "arguments": words }));
        let invocation = Invocation::new(text).with_arguments(words);
        let mut call = pin!(handle.run(Json(invocation.with_scope(scope))));
        let answer = poll_fn(|cx| arguments.of_call(|| call.as_mut().poll(cx)));
        answer.await.map(|Json(output)| output)
    }

    /// Starts the plugin of a command, and those that want to be there when it is run; but not another
    /// one that would like to have the command too.
    async fn start(&self, name: &str, owner: &str) -> Result<(), PluginError> {
        let is_rival = |plugin: &str, declares: bool| declares && plugin != owner;
        let trigger = Trigger::Command(name);
        let started = self.host.activate_without(trigger, is_rival).await;
        started.map(drop).map_err(|error| {
            let message = format!("the plugin of command `/{name}` was not started: {error}");
            PluginError::of(ErrorKind::Unavailable, message).code("not-started")
        })
    }

    fn table(&self) -> Table {
        let mut declared = Vec::new();
        for member in self.host.registry().members::<CommandHandle>() {
            let spec = match &member.description {
                Description::Command(spec) => (**spec).clone(),
                _ => continue,
            };
            let text = self.host.command_text(&member.plugin, &member.name);
            declared.push(Declared {
                name: member.name,
                plugin: member.plugin.to_string(),
                text: text.unwrap_or_default(),
                spec,
                skill: false,
                serves: true,
            });
        }
        declared.extend(self.host.commands_to_come());
        let skills = self.host.skills().into_iter();
        let skills = skills.filter(|skill| skill.user_invocable);
        declared.extend(skills.map(|skill| Declared {
            name: skill.name,
            plugin: skill.plugin,
            text: CommandText::default(),
            spec: CommandSpec::new(skill.description),
            skill: true,
            serves: true,
        }));
        Table::new(declared)
    }
}

impl Table {
    #[cold]
    fn unknown(&self, name: &str) -> PluginError {
        let hint = match self.similar(name) {
            Some(similar) => format!("did you mean `/{similar}`?"),
            None => "`/help` lists all that there are".to_owned(),
        };
        PluginError::not_found(format!("there is no command `/{name}`; {hint}"))
            .code(codes::UNKNOWN_COMMAND.id)
    }
}

pub(crate) use table::Declared as DeclaredCommand;
