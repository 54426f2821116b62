//! The template of new plugins, which is `template/` of the repository, and what fills it in.
//!
//! It is written in Liquid and rendered by the same crate as in cargo-generate, so that `cargo generate` and
//! `keyway new` make the same of the same choices.

use liquid::{Object, ParserBuilder};

use super::source::Source;
use crate::args::{Handover, Kind, word};
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;

/// What a plugin is written for.
#[derive(Debug)]
pub(super) struct Choices {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) kind: Kind,
    pub(super) tokio: bool,
    pub(super) state: Handover,
    pub(super) source: Source,
}

/// A file of a new crate.
#[derive(Debug)]
pub(super) struct Rendered {
    /// From the crate's directory, with `/`.
    pub(super) path: &'static str,
    pub(super) text: String,
}

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("../../../../template/", $path)))),*]
    };
}

/// The files by their paths, in the order in which they are shown.
const FILES: [(&str, &str); 15] = files![
    "Cargo.toml",
    "plugin.toml",
    "src/lib.rs",
    "src/greeter.rs",
    "src/tools.rs",
    "src/command.rs",
    "src/stage.rs",
    "src/provider.rs",
    "src/memory.rs",
    "src/hook.rs",
    "src/service.rs",
    "src/channel.rs",
    "tests/integration.rs",
    "README.md",
    ".gitignore",
];

/// Whether plugins of this kind have the file; `cargo-generate.toml` says the same.
fn has(kind: Kind, path: &str) -> bool {
    match path {
        "src/greeter.rs" => kind != Kind::MemoryBackend,
        "src/tools.rs" => kind == Kind::Tool,
        "src/command.rs" => kind == Kind::Command,
        "src/stage.rs" => kind == Kind::PipelineStage,
        "src/provider.rs" => kind == Kind::Provider,
        "src/memory.rs" => kind == Kind::MemoryBackend,
        "src/hook.rs" => kind == Kind::EventHook,
        "src/service.rs" => kind == Kind::Service,
        "src/channel.rs" => kind == Kind::Channel,
        _ => true,
    }
}

impl Choices {
    pub(super) fn runtime(&self) -> &'static str {
        match self.tokio {
            true => "tokio",
            false => "none",
        }
    }

    /// The variables of the template: those that cargo-generate has by itself, and its placeholders.
    fn variables(&self) -> Object {
        let mut variables = liquid::object!({
            "project-name": self.name,
            "crate_name": self.name.replace('-', "_"),
            // The crate is one of its own, wherever it is written.
            "within_cargo_project": false,
            "description": self.description,
            "kind": word(self.kind),
            "runtime": self.runtime(),
            "state": word(self.state),
            "source": self.source.word(),
        });
        let key = match &self.source {
            Source::Registry { .. } => "keyway_version",
            Source::Git { .. } => "keyway_git",
            Source::Path { .. } => "keyway_path",
        };
        let value = liquid::model::Value::scalar(self.source.value().to_owned());
        variables.insert(key.into(), value);
        variables
    }
}

/// The files that a crate with these choices has.
pub(super) fn render(choices: &Choices) -> Outcome<Vec<Rendered>> {
    let variables = choices.variables();
    let files = FILES
        .into_iter()
        .filter(|(path, _)| has(choices.kind, path));
    let rendered = files.map(|(path, template)| {
        let parser = ParserBuilder::with_stdlib().build();
        let template = parser.and_then(|parser| parser.parse(template));
        let text = template.and_then(|template| template.render(&variables));
        // No choice brings it about: all of them are rendered in the tests.
        let text = text.map_err(|error| {
            Failure::new(
                exit::HOST,
                "template",
                format!("the template's {path} is not filled in: {error}"),
            )
        })?;
        Ok(Rendered { path, text })
    });
    rendered.collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    fn all_choices() -> impl Iterator<Item = Choices> {
        let kinds = Kind::value_variants().iter();
        let with_states = kinds.flat_map(|kind| {
            let states = Handover::value_variants().iter();
            states.map(move |state| (*kind, *state))
        });
        with_states.flat_map(|(kind, state)| {
            [true, false].map(|tokio| Choices {
                name: "acme-weather".to_owned(),
                description: "Says it".to_owned(),
                kind,
                tokio,
                state,
                source: Source::Registry {
                    version: "1.0".to_owned(),
                },
            })
        })
    }

    #[test]
    fn every_combination_is_filled_in_without_a_leftover() {
        for choices in all_choices() {
            for file in render(&choices).expect("it is filled in") {
                let at = format!("{} of {choices:?}:\n{}", file.path, file.text);
                let lines: Vec<&str> = file.text.lines().collect();
                assert!(!file.text.contains("{%"), "{at}");
                assert!(!file.text.contains("{{"), "{at}");
                assert!(file.text.ends_with('\n'), "{at}");
                assert!(!file.text.ends_with("\n\n"), "{at}");
                assert!(!lines.first().is_some_and(|line| line.is_empty()), "{at}");
                assert!(!file.text.contains("\n\n\n"), "{at}");
                assert!(lines.iter().all(|line| line.trim_end() == *line), "{at}");
            }
        }
    }
}
