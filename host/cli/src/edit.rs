//! Changing the settings file: a key here and there, with all comments and the order of everything kept. What would
//! not read any more is never written.

use std::path::{Path, PathBuf};

use keyway_host::Settings;
use keyway_host::manifest::PluginId;
use keyway_install::{FileTurn, read_text};
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;
use crate::installation::wrong_settings;
use crate::terminal::Terminal;

/// The settings file while it is changed.
#[derive(Debug)]
pub(crate) struct Edit {
    file: PathBuf,
    /// None in a dry run, which keeps nobody from anything.
    turn: Option<FileTurn>,
    /// What is in the file now.
    before: Option<String>,
    document: DocumentMut,
}

impl Edit {
    /// Begins; `doing` is the command, for others who wait for the same file. In a dry run nothing is touched, and
    /// nothing can be written.
    pub(crate) fn begin(
        file: &Path,
        doing: &str,
        dry_run: bool,
        terminal: &Terminal,
    ) -> Outcome<Self> {
        let take = || {
            FileTurn::take(file, doing, |holder| {
                terminal.status("Waiting", format_args!("for {holder}"));
            })
        };
        let turn = (!dry_run).then(take).transpose()?;
        let before = read_text(file)?;
        let text = before.as_deref().unwrap_or_default();
        let document = text.parse().map_err(|error: toml_edit::TomlError| {
            // The message of the parser would show the line, which may have a secret in it.
            let message = format!("the settings file is not TOML: {}", error.message());
            Failure::new(exit::USAGE, "settings-invalid", message).at(file)
        })?;
        Ok(Edit {
            file: file.to_owned(),
            turn,
            before,
            document,
        })
    }

    /// Sets a key of a plugin: `path` is such as `["config", "lang"]`. A value that is there already keeps what is
    /// written around it.
    pub(crate) fn set(&mut self, plugin: &PluginId, path: &[&str], value: Value) -> Outcome {
        let Some((key, tables)) = path.split_last() else {
            return Ok(());
        };
        let mut table: &mut dyn TableLike = self.document.as_table_mut();
        let mut name = String::new();
        for part in ["plugin", plugin.as_str()].iter().chain(tables) {
            name = match name.is_empty() {
                true => (*part).to_owned(),
                false => format!("{name}.{part}"),
            };
            let entry = table.entry(part).or_insert_with(|| Item::Table(implicit()));
            table = entry.as_table_like_mut().ok_or_else(|| {
                let message = format!("`{name}` has the wrong type; expected a table");
                Failure::new(exit::USAGE, "settings-invalid", message).at(&self.file)
            })?;
        }
        match table.get_mut(key).and_then(Item::as_value_mut) {
            Some(old) => {
                let decor = old.decor().clone();
                *old = value;
                *old.decor_mut() = decor;
            }
            None => drop(table.insert(key, Item::Value(value))),
        }
        Ok(())
    }

    /// Removes a key of a plugin, and the tables that are empty then and say nothing by being there.
    pub(crate) fn unset(&mut self, plugin: &PluginId, path: &[&str]) -> bool {
        let whole: Vec<&str> = ["plugin", plugin.as_str()]
            .into_iter()
            .chain(path.iter().copied())
            .collect();
        remove(self.document.as_table_mut(), &whole)
    }

    /// The file as it would be.
    pub(crate) fn text(&self) -> String {
        self.document.to_string()
    }

    /// The settings as they would be.
    ///
    /// # Errors
    ///
    /// When the file would not read.
    pub(crate) fn settings(&self) -> Outcome<Settings> {
        let env = |name: &str| std::env::var_os(name);
        let settings = Settings::from_toml(&self.text(), &self.file, &env);
        Ok(settings.map_err(|error| wrong_settings(&error))?)
    }

    /// Whether the file would say something else.
    pub(crate) fn is_changed(&self) -> bool {
        self.before.as_deref().unwrap_or_default() != self.text()
    }

    /// Writes the file; answers whether it says something else now.
    pub(crate) fn write(self) -> Outcome<bool> {
        if !self.is_changed() {
            return Ok(false);
        }
        self.settings()?;
        let Some(turn) = &self.turn else {
            return Ok(false);
        };
        turn.replace(&self.text())?;
        Ok(true)
    }
}

/// A table that is not written unless there is something in it.
fn implicit() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}

fn remove(table: &mut dyn TableLike, path: &[&str]) -> bool {
    match path {
        [] => false,
        [key] => table.remove(key).is_some(),
        [part, rest @ ..] => {
            let Some(inner) = table.get_mut(part).and_then(Item::as_table_like_mut) else {
                return false;
            };
            let removed = remove(inner, rest);
            // An empty table of permissions grants nothing, which is something to say.
            if removed && inner.is_empty() && *part != "permissions" {
                table.remove(part);
            }
            removed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(dir: &tempfile::TempDir, text: &str) -> Edit {
        let file = dir.path().join("keyway.toml");
        std::fs::write(&file, text).expect("a file");
        let turn = FileTurn::take(&file, "tests", |_| {}).expect("a turn");
        Edit {
            file,
            turn: Some(turn),
            before: Some(text.to_owned()),
            document: text.parse().expect("TOML"),
        }
    }

    fn id(id: &str) -> PluginId {
        PluginId::new(id).expect("an id")
    }

    #[test]
    fn comments_and_order_stay() {
        let dir = tempfile::tempdir().expect("a directory");
        let text = "# Mine.\n[plugin.two]\nenabled = true   # for now\n\n[plugin.one.config] # dear\nlang = 'en'\n";
        let mut edit = edit(&dir, text);
        edit.set(&id("two"), &["enabled"], false.into())
            .expect("a table");
        edit.set(&id("one"), &["config", "size"], 3.into())
            .expect("a table");
        edit.set(&id("new"), &["enabled"], false.into())
            .expect("a table");
        assert_eq!(
            edit.text(),
            "# Mine.\n[plugin.two]\nenabled = false   # for now\n\n[plugin.one.config] # dear\nlang = 'en'\nsize = 3\n\n\
             [plugin.new]\nenabled = false\n"
        );
        assert!(edit.unset(&id("new"), &["enabled"]));
        assert!(!edit.unset(&id("new"), &["enabled"]));
        assert!(!edit.text().contains("new"), "{}", edit.text());
    }

    #[test]
    fn tables_in_one_line_and_dotted_keys_are_edited_where_they_are() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut edit = edit(
            &dir,
            "plugin.one = { enabled = true }\nplugin.two.enabled = true\n",
        );
        edit.set(&id("one"), &["enabled"], false.into())
            .expect("a table");
        edit.set(&id("two"), &["enabled"], false.into())
            .expect("a table");
        assert_eq!(
            edit.text(),
            "plugin.one = { enabled = false }\nplugin.two.enabled = false\n"
        );
        edit.set(&id("one"), &["enabled", "deep"], 1.into())
            .expect_err("it is no table");
    }

    #[test]
    fn what_would_not_read_is_not_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut edit = edit(&dir, "");
        edit.set(&id("one"), &["enabled"], 3.into())
            .expect("a table");
        edit.write()
            .expect_err("a number is neither true nor false");
        let text = std::fs::read_to_string(dir.path().join("keyway.toml"));
        assert_eq!(text.expect("it reads"), "");
    }
}
